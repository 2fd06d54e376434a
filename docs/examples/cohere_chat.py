"""Cohere: pip install cohere 'llm-observatory[cohere]'"""

import os

import observatory

observatory.init(service_name="cohere-chat")

import cohere

client = cohere.ClientV2(api_key=os.environ.get("CO_API_KEY"), base_url=os.environ.get("CO_BASE_URL"))
question = {"model": "command-a-03-2025", "messages": [{"role": "user", "content": "Say hello."}]}

with observatory.session("conversation-17"), observatory.user("ada"):
    print(client.chat(**question).message.content[0].text)
    for event in client.chat_stream(**question):
        if event.type == "content-delta":
            print(event.delta.message.content.text, end="", flush=True)
