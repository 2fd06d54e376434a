"""Mistral: pip install mistralai 'llm-observatory[mistral]'"""

import os

import observatory

observatory.init(service_name="mistral-chat")

from mistralai.client import Mistral

client = Mistral(api_key=os.environ.get("MISTRAL_API_KEY"), server_url=os.environ.get("MISTRAL_BASE_URL"))
question = {"model": "mistral-large-latest", "messages": [{"role": "user", "content": "Say hello."}]}

with observatory.session("conversation-17"), observatory.user("ada"):
    print(client.chat.complete(**question).choices[0].message.content)
    for event in client.chat.stream(**question):
        print(event.data.choices[0].delta.content or "", end="", flush=True)
