"""A function of AWS Lambda's kind: it is frozen as soon as it has answered, and never runs again."""

import os
import signal

import observatory

observatory.init(delay_s=3600)

import openai

client = openai.OpenAI()


@observatory.observe(kind="agent")
def handler(event: dict, context: object) -> str:
    question = [{"role": "user", "content": event["question"]}]
    return client.chat.completions.create(model="gpt-4.1", messages=question).choices[0].message.content


print(handler({"question": "before the frost"}, None), flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
