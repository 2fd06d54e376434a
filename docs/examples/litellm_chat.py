"""LiteLLM: pip install litellm 'llm-observatory[litellm]'"""

import observatory

observatory.init(service_name="litellm-chat")

import litellm

question = {"model": "openai/gpt-4.1", "messages": [{"role": "user", "content": "Say hello."}]}

with observatory.session("conversation-17"), observatory.user("ada"):
    print(litellm.completion(**question).choices[0].message.content)
    for chunk in litellm.completion(**question, stream=True, stream_options={"include_usage": True}):
        if chunk.choices:
            print(chunk.choices[0].delta.content or "", end="", flush=True)
