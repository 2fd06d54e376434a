"""Pydantic AI: pip install 'pydantic-ai-slim[openai]' 'llm-observatory[openai]'"""

import observatory

observatory.init(service_name="pydantic-ai-weather")

from pydantic_ai import Agent

agent = Agent("openai-chat:gpt-4.1", name="weather")


@agent.tool_plain
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"It is sunny in {city}."


with observatory.session("conversation-17"), observatory.user("ada"):
    print(agent.run_sync('How is the weather in Lisbon? [tool=get_weather {"city": "Lisbon"}]').output)
