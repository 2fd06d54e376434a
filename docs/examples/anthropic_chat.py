"""Anthropic: pip install anthropic 'llm-observatory[anthropic]'"""

import observatory

observatory.init(service_name="anthropic-chat")

from anthropic import Anthropic

client = Anthropic()

with observatory.session("conversation-17"), observatory.user("ada"):
    message = client.messages.create(model="claude-opus-4-8", max_tokens=100, messages=[{"role": "user", "content": "Say hello."}])
    print(message.content[0].text)

    with client.messages.stream(
        model="claude-opus-4-8", max_tokens=100, messages=[{"role": "user", "content": "Count to three."}]
    ) as stream:
        for text in stream.text_stream:
            print(text, end="", flush=True)
