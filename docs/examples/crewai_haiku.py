"""CrewAI: pip install crewai 'llm-observatory[crewai,openai]'"""

import observatory

observatory.init(service_name="crewai-haiku")

from crewai import LLM, Agent, Crew, Task

poet = Agent(role="poet", goal="write haikus", backstory="You have read them all.", llm=LLM(model="openai/gpt-4.1"))
haiku = Task(description="Write a haiku about rain.", expected_output="a haiku", agent=poet)

with observatory.session("conversation-17"), observatory.user("ada"):
    print(Crew(agents=[poet], tasks=[haiku]).kickoff())
