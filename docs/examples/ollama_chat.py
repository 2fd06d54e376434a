"""Ollama: pip install ollama 'llm-observatory[ollama]'"""

import os

import observatory

observatory.init(service_name="ollama-chat")

import ollama

client = ollama.Client(host=os.environ.get("OLLAMA_HOST"))
question = {"model": "llama3.2", "messages": [{"role": "user", "content": "Say hello."}]}

with observatory.session("conversation-17"), observatory.user("ada"):
    print(client.chat(**question).message.content)
    for part in client.chat(**question, stream=True):
        print(part.message.content, end="", flush=True)
