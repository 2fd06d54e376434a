"""Every way of calling OpenAI's client, in sessions and for users."""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import observatory

observatory.init()

import openai

client = openai.OpenAI()
once = client.with_options(max_retries=0)
USAGE = {"stream": True, "stream_options": {"include_usage": True}}


def ask(text: str, **more: object):
    return client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": text}], **more)


async def ask_later(patient: openai.AsyncOpenAI, text: str, **more: object):
    return await patient.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": text}], **more)


@observatory.observe(kind="agent")
def assistant() -> None:
    weather = {
        "type": "function",
        "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
    }
    question = {"role": "user", "content": 'weather [tool=get_weather {"city": "Lisbon"}] [tool=get_weather {"city": "Porto"}]'}
    answer = client.chat.completions.create(model="gpt-4.1", messages=[question], tools=[weather]).choices[0].message
    results = [{"role": "tool", "tool_call_id": call.id, "content": look(call.function.name)} for call in answer.tool_calls]
    client.chat.completions.create(model="gpt-4.1", messages=[question, answer.model_dump(exclude_none=True), *results], tools=[weather])


@observatory.observe(kind="tool")
def look(city: str) -> str:
    return f"sunny in {city}"


async def side_by_side() -> None:
    patient = openai.AsyncOpenAI()

    async def one(number: int) -> None:
        with observatory.user(f"user-{number}"):
            await ask_later(patient, f"gather {number}")
            async for _ in await ask_later(patient, f"gather stream {number}", **USAGE):
                pass

    await asyncio.gather(*(one(number) for number in range(4)))


async def cancelled() -> None:
    patient = openai.AsyncOpenAI()

    async def slow() -> None:
        async for _ in await ask_later(patient, "cancelled [gap=0.2]", stream=True):
            pass

    task = asyncio.create_task(slow())
    await asyncio.sleep(0.3)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


with observatory.session("s-1"), observatory.user("u-1"), observatory.tags("beta"), observatory.metadata(tenant="acme"):
    ask("plain [think] [cached=7]")
    for _ in ask("streamed [first=0.1]", **USAGE):
        pass
    with client.chat.completions.stream(
        model="gpt-4.1", messages=[{"role": "user", "content": "helper"}], stream_options={"include_usage": True}
    ) as events:
        for _ in events:
            pass
    assistant()
    client.responses.create(model="gpt-4.1", input="responses")
    for _ in client.responses.create(model="gpt-4.1", input="responses streamed", stream=True):
        pass
    client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    ask("retried [fail_once=500]")
    client.chat.completions.with_raw_response.create(model="gpt-4.1", messages=[{"role": "user", "content": "raw"}]).parse()

with observatory.session("s-2"):
    with suppress(openai.RateLimitError):
        once.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "limit [fail=429]"}])
    with suppress(openai.APIError):
        for _ in ask("broken [break=3]", stream=True):
            pass
    asyncio.run(side_by_side())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: ask(f"pool {number}"), range(4)))

with observatory.session("s-3"):
    stream = ask("abandoned [gap=0.05]", stream=True)
    next(iter(stream))
    del stream
    gc.collect()
    stream = ask("closed [gap=0.05]", stream=True)
    next(iter(stream))
    stream.close()
    asyncio.run(cancelled())
