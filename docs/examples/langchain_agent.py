"""LangChain and LangGraph: pip install langchain langchain-openai 'llm-observatory[langchain,openai]'"""

import observatory

observatory.init(service_name="langchain-agent")

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"It is sunny in {city}."


agent = create_agent(ChatOpenAI(model="gpt-4.1", stream_usage=True), [get_weather])

with observatory.session("conversation-17"), observatory.user("ada"):
    question = 'How is the weather in Lisbon? [tool=get_weather {"city": "Lisbon"}]'
    print(agent.invoke({"messages": [{"role": "user", "content": question}]})["messages"][-1].content)

    for chunk in ChatOpenAI(model="gpt-4.1", stream_usage=True).stream("Count to three."):
        print(chunk.content, end="", flush=True)
