"""Groq: pip install groq 'llm-observatory[groq]'"""

import observatory

observatory.init(service_name="groq-chat")

from groq import Groq

client = Groq()
question = {"model": "groq-llama-4", "messages": [{"role": "user", "content": "Say hello."}]}

with observatory.session("conversation-17"), observatory.user("ada"):
    print(client.chat.completions.create(**question).choices[0].message.content)
    for chunk in client.chat.completions.create(**question, stream=True):
        print(chunk.choices[0].delta.content or "", end="", flush=True)
