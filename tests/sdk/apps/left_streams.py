"""Streams of every client that end badly: broken by the provider, dropped, closed and cancelled by the application.

Each is a session of its own, `CLIENT-FATE`. Prints the sessions.
"""

import asyncio
import gc
import importlib.util
import json
import os
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any

import observatory

observatory.init(service_name="left-streams")
url, played = os.environ["PROVIDER_URL"], []


def asked(text: str, model: str, **more: Any) -> dict:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def clients() -> dict[str, tuple[Callable[[str], Any], Callable[[str], Any] | None]]:
    """How each client opens a stream, and how it does so later."""
    if importlib.util.find_spec("litellm"):
        import litellm

        def question(text: str) -> dict:
            return asked(text, "openai/gpt-4.1", stream=True, num_retries=0)

        return {"litellm": (lambda text: litellm.completion(**question(text)), lambda text: litellm.acompletion(**question(text)))}
    import anthropic
    import boto3
    import cohere
    import groq
    import ollama
    from google import genai
    from mistralai.client import Mistral

    claude = {"model": "claude-sonnet-4-5", "max_tokens": 100, "stream": True}
    google = genai.Client(api_key="k", http_options={"base_url": url})
    mistral = Mistral(api_key="k", server_url=url)
    bedrock = boto3.client("bedrock-runtime")
    later = {
        "anthropic": anthropic.AsyncAnthropic(max_retries=0), "groq": groq.AsyncGroq(api_key="k", base_url=url, max_retries=0),
        "cohere": cohere.AsyncClientV2(api_key="k", base_url=url), "ollama": ollama.AsyncClient(url),
    }  # fmt: skip
    now = {
        "anthropic": anthropic.Anthropic(max_retries=0), "groq": groq.Groq(api_key="k", base_url=url, max_retries=0),
        "cohere": cohere.ClientV2(api_key="k", base_url=url), "ollama": ollama.Client(url),
    }  # fmt: skip

    def converse(text: str) -> Any:
        messages = [{"role": "user", "content": [{"text": text}]}]
        return bedrock.converse_stream(modelId="amazon.nova-lite-v1:0", messages=messages)["stream"]

    return {
        "anthropic": (
            lambda text: now["anthropic"].messages.create(**{**asked(text, ""), **claude}),
            lambda text: later["anthropic"].messages.create(**{**asked(text, ""), **claude}),
        ),
        "bedrock": (converse, None),
        "cohere": (
            lambda text: now["cohere"].chat_stream(**asked(text, "command-a-03-2025")),
            lambda text: later["cohere"].chat_stream(**asked(text, "command-a-03-2025")),
        ),
        "google": (
            lambda text: google.models.generate_content_stream(model="gemini-2.5-flash", contents=text),
            lambda text: google.aio.models.generate_content_stream(model="gemini-2.5-flash", contents=text),
        ),
        "groq": (
            lambda text: now["groq"].chat.completions.create(**asked(text, "groq-llama", stream=True)),
            lambda text: later["groq"].chat.completions.create(**asked(text, "groq-llama", stream=True)),
        ),
        "mistral": (
            lambda text: mistral.chat.stream(**asked(text, "mistral-large-latest")),
            lambda text: mistral.chat.stream_async(**asked(text, "mistral-large-latest")),
        ),
        "ollama": (
            lambda text: now["ollama"].chat(**asked(text, "llama3.2", stream=True)),
            lambda text: later["ollama"].chat(**asked(text, "llama3.2", stream=True)),
        ),
    }  # fmt: skip


def broken(open_: Callable) -> None:
    for _ in open_("broken [break=3]"):
        pass


def abandoned(open_: Callable) -> None:
    stream = open_("abandoned [gap=0.02]")
    next(iter(stream))
    del stream
    gc.collect()


def closed(open_: Callable) -> None:
    stream = open_("closed [gap=0.02]")
    next(iter(stream))
    (getattr(stream, "close", None) or stream.response.close)()


async def cancelled(open_: Callable) -> None:
    begun = asyncio.Event()

    async def read() -> None:
        stream = open_("cancelled [gap=0.5]")
        async for _ in await stream if asyncio.iscoroutine(stream) else stream:
            begun.set()

    task = asyncio.create_task(read())
    waiting = asyncio.create_task(begun.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    assert begun.is_set(), task.exception()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


for name, (open_, open_later) in clients().items():
    for fate in (broken, abandoned, closed, cancelled):
        if fate is cancelled and open_later is None:
            continue
        session = f"{name}-{fate.__name__}"
        played.append(session)
        with observatory.session(session):
            if fate is cancelled:
                asyncio.run(cancelled(open_later))
                gc.collect()
                continue
            with suppress(Exception) if fate is broken else nullcontext():
                fate(open_)
print(json.dumps(played))
