"""Content off, or redacted: `private.py off` and `private.py redact`."""

import sys
from contextlib import suppress

import observatory

if sys.argv[1] == "off":
    observatory.init(capture_content=False)
else:
    observatory.init(redact=lambda key, text: text.replace("4711-secret", "[card]"))

import openai


@observatory.observe(kind="tool")
def look_up(card: str) -> str:
    return card


client = openai.OpenAI(max_retries=0)
look_up("4711-secret")
client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "my card is 4711-secret"}])
with suppress(openai.BadRequestError):
    client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "4711-secret [fail=400]"}])
