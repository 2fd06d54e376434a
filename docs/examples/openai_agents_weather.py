"""OpenAI Agents: pip install openai-agents 'llm-observatory[openai-agents,openai]'"""

import observatory

observatory.init(service_name="openai-agents-weather")

from agents import Agent, Runner, function_tool


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"It is sunny in {city}."


agent = Agent(name="Weather", instructions="Answer questions about the weather.", tools=[get_weather], model="gpt-4.1")

with observatory.session("conversation-17"), observatory.user("ada"):
    print(Runner.run_sync(agent, 'How is the weather in Lisbon? [tool=get_weather {"city": "Lisbon"}]').final_output)
