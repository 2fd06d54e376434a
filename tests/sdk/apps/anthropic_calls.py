"""Every way of calling Anthropic's client."""

import asyncio
import gc
from contextlib import suppress

import observatory

observatory.init()

import anthropic

client = anthropic.Anthropic()
patient = anthropic.AsyncAnthropic()
TOOLS = [{"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]


def request(text: str, **more: object) -> dict:
    return {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": [{"role": "user", "content": text}], **more}


async def later() -> None:
    async def one(number: int) -> None:
        await patient.messages.create(**request(f"gather {number}"))
        async for _ in await patient.messages.create(**request(f"gather stream {number}"), stream=True):
            pass

    await asyncio.gather(*(one(number) for number in range(3)))


with observatory.session("s-1"), observatory.user("u-1"):
    client.messages.create(**request("plain [cached=7]"))
    for _ in client.messages.create(**request("streamed [first=0.1]"), stream=True):
        pass
    with client.messages.stream(**request("helper")) as events:
        for _ in events:
            pass
    client.messages.create(**request('tools [tool=get_weather {"city": "Lisbon"}]', tools=TOOLS))
    client.messages.create(**request("retried [fail_once=500]"))
    asyncio.run(later())

with observatory.session("s-2"):
    with suppress(anthropic.RateLimitError):
        client.with_options(max_retries=0).messages.create(**request("limit [fail=429]"))
    with suppress(Exception):
        for _ in client.messages.create(**request("broken [break=3]"), stream=True):
            pass

with observatory.session("s-3"):
    stream = client.messages.create(**request("abandoned [gap=0.05]"), stream=True)
    next(iter(stream))
    del stream
    gc.collect()
    with client.messages.stream(**request("left [gap=0.05]")) as events:
        next(iter(events))
