"""OpenAI: pip install openai 'llm-observatory[openai]'"""

import observatory

observatory.init(service_name="openai-chat")

from openai import OpenAI

client = OpenAI()

with observatory.session("conversation-17"), observatory.user("ada"):
    answer = client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "Say hello."}])
    print(answer.choices[0].message.content)

    stream = client.chat.completions.create(
        model="gpt-4.1",
        messages=[{"role": "user", "content": "Count to three."}],
        stream=True,
        stream_options={"include_usage": True},  # without it OpenAI does not say how many tokens a stream used
    )
    for chunk in stream:
        if chunk.choices:
            print(chunk.choices[0].delta.content or "", end="", flush=True)
