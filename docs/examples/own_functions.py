"""Functions of your own: pip install openai 'llm-observatory[openai]'"""

import observatory

observatory.init(service_name="own-functions")

from openai import OpenAI

client = OpenAI()


@observatory.observe(kind="retriever")
def search(query: str) -> list[str]:
    return ["It is sunny in Lisbon.", "It rains in Bergen."]


@observatory.observe(kind="agent")
def answer(question: str) -> str:
    with observatory.span("rank", input=question) as span:
        found = sorted(search(question), key=len)
        span.set(output=found)
    messages = [{"role": "system", "content": "\n".join(found)}, {"role": "user", "content": question}]
    reply = client.chat.completions.create(model="gpt-4.1", messages=messages).choices[0].message.content
    observatory.feedback(1, name="helpful", comment="quick and right")
    print("seen at", observatory.get_trace_url())
    return reply


with observatory.session("conversation-17"), observatory.user("ada"), observatory.tags("docs"), observatory.metadata(tenant="acme"):
    print(answer("How is the weather in Lisbon?"))
