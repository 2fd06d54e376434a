"""Runs one small application again and again, each time with one function of the SDK broken, and tells where its own results changed.

Prints a JSON object: for each broken function "same", or what was different. Each run is a fork of a process that has imported
everything, so that a hundred of them take seconds.
"""

import asyncio
import gc
import inspect
import json
import os
import pkgutil
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator
from importlib import import_module

import groq
import openai
from opentelemetry.sdk import _logs, metrics, trace  # noqa: F401

import observatory
import observatory.sdk

url = os.environ["PROVIDER_URL"]
client = openai.OpenAI(base_url=f"{url}/v1", api_key="k")
fast = groq.Groq(base_url=url, api_key="k")
for found in pkgutil.walk_packages(observatory.sdk.__path__, "observatory.sdk."):
    if not found.name.endswith("sitecustomize"):
        import_module(found.name)

# What stands between the application and the steps: thin, and kept so by reading. `around` and `guard` are frames around the
# application's own code.
FRAMES = {
    "observatory.sdk.guard",
    "observatory.sdk.around:_sync", "observatory.sdk.around:_Guarded",
    "observatory.sdk.observe:observe", "observatory.sdk.observe:span", "observatory.sdk.observe:_Block",
    "observatory.sdk.context:session", "observatory.sdk.context:user", "observatory.sdk.context:tags", "observatory.sdk.context:metadata",
    "observatory.sdk.context:carried", "observatory.sdk.context:Carried.__", "observatory.sdk.streams:Stream",
    "observatory.sdk.streams:Manager", "observatory.sdk.streams:_Transparent", "observatory.sdk.streams:_awaited",
    "observatory.sdk.propagation:DiscreetPropagator.__init__", "observatory.sdk.propagation:DiscreetPropagator.extract",
    "observatory.sdk.propagation:DiscreetPropagator.fields", "observatory.sdk.sampling:HeadSampler.get_description",
    "observatory.sdk.export:SpanExport.on_start", "observatory.sdk.context:ContextOnSpans.on_end",
    "observatory.sdk.instrument.hooks:ImportHooks.find_spec", "observatory.sdk.instrument.hooks:_Listening",
    "observatory.sdk.instrument.lean:as_dict",
}  # fmt: skip


def functions():
    """Every function of the SDK by its name, with what `safely` has wrapped in place of its wrapper."""
    for name, module in sorted(sys.modules.items()):
        if not name.startswith("observatory.sdk.") or module is None:
            continue
        for owner in [module, *(member for member in vars(module).values() if inspect.isclass(member) and member.__module__ == name)]:
            for member in vars(owner).values():
                member = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
                member = inspect.unwrap(member) if callable(member) else member
                if inspect.isfunction(member) and member.__module__ == name:
                    yield f"{name}:{member.__qualname__}", member


def break_(function) -> None:
    def broken(*args, **kwargs):
        raise RuntimeError("broken on purpose")

    function.__code__ = broken.__code__.replace(co_freevars=function.__code__.co_freevars)


def application() -> list:
    results: list = []
    spool = f"{os.environ['SPOOL']}/{os.getpid()}"
    observatory.init(service_name="faults", endpoint="http://127.0.0.1:9", redact=lambda key, text: text, spool=spool, exit_timeout_s=0.1)

    @observatory.observe(kind="agent")
    def agent(question: str) -> str:
        with observatory.span("rank", kind="reranker", input=question) as span:
            span.set(output=[1, 2], other={"a": 1})
            span.set_attribute("k", object())
            results.append(len(span.trace_id))
        return question.upper()

    @observatory.observe
    async def later(number: int) -> int:
        await asyncio.sleep(0)
        return number

    @observatory.observe(kind="llm")
    def words(count: int):
        got = None
        for i in range(count):
            got = yield f"{got}{i}"

    @observatory.observe
    async def words_later(count: int):
        for i in range(count):
            yield i

    @observatory.session("decorated")
    def carried_along() -> str:
        return agent("inside")

    @observatory.observe
    class Shop:
        def sell(self, thing: str) -> str:
            return thing

        @staticmethod
        def price() -> int:
            return 3

        @classmethod
        def named(cls) -> str:
            return cls.__name__

    async def all_of_it() -> list:
        return [*await asyncio.gather(later(1), later(2)), *[item async for item in words_later(2)]]

    with observatory.session("s"), observatory.user("u"), observatory.tags("a"), observatory.metadata(k=1):
        results += [agent("why"), carried_along(), list(words(3)), asyncio.run(all_of_it()), Shop().sell("tea"), Shop.price(), Shop.named()]
        results.append(sorted(set(observatory.carrier()) - {"traceparent", "baggage", "tracestate"}))
        with observatory.carried({"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "baggage": "session.id=x"}):
            results.append(agent("carried"))
        try:
            with observatory.span("fails"):
                raise KeyError("mine")
        except KeyError as error:
            results.append(repr(error))
        question = {"messages": [{"role": "user", "content": "hello [words=2]"}]}
        results.append(client.chat.completions.create(model="gpt-4.1", **question).choices[0].message.content)
        stream = fast.chat.completions.create(model="groq-llama", stream=True, **question)
        results.append("".join(chunk.choices[0].delta.content or "" for chunk in stream))
        left = fast.chat.completions.create(model="groq-llama", stream=True, **question)
        results.append(next(iter(left)).choices[0].index)
        left.close()
        del left
        gc.collect()
        with observatory.span("feedback"):
            observatory.feedback(1, comment="good")
            observatory.get_trace_url()
        observatory.init(service_name="again")
    observatory.flush(0.3)
    observatory.shutdown()
    return results


def used() -> set[str]:
    """Functions of the SDK that the application runs through, in any of its threads."""
    by_code = {function.__code__: name for name, function in functions()}
    seen: set[str] = set()

    def look(frame, event, argument) -> None:
        if event == "call" and frame.f_code in by_code:
            seen.add(by_code[frame.f_code])

    threading.setprofile(look)
    sys.setprofile(look)
    application()
    sys.setprofile(None)
    return seen


def started(name: str | None) -> tuple[int, int]:
    """A fork of its own in which the application runs; without a name it tells which steps it ran through."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            if name is not None and name:
                break_(dict(functions())[name])
            said = json.dumps(sorted(used()) if name is None else application())
        except BaseException:
            said = traceback.format_exc()
        os.write(writer, said.encode()[-60_000:])
        os._exit(0)
    os.close(writer)
    return child, reader


def told(child: int, reader: int) -> str:
    """What a fork gave."""
    deadline, got = time.monotonic() + 20, b""
    with os.fdopen(reader, "rb") as said:
        signal.alarm(60)
        got = said.read()
        signal.alarm(0)
    os.waitpid(child, 0)
    return got.decode() if time.monotonic() < deadline else "took longer than 20 s"


def run_all(names: list[str]) -> Iterator[tuple[str, str]]:
    """Each step with what the application gave without it; three at a time: most of a run is waiting for a receiver that is not there."""
    running: deque[tuple[str, tuple[int, int]]] = deque()
    for name in names:
        running.append((name, started(name)))
        if len(running) == 3:
            first, fork = running.popleft()
            yield first, told(*fork)
    for name, fork in running:
        yield name, told(*fork)


for imported in ("instrumentation.genai.openai", "instrumentation.groq", "instrumentation.httpx", "sdk.metrics.export"):
    import_module(f"opentelemetry.{imported}")
for imported in ("trace_encoder", "_log_encoder", "metrics_encoder"):
    import_module(f"opentelemetry.exporter.otlp.proto.common.{imported}")
gc.freeze()  # collections in the forks look only at what is new
devnull = os.open(os.devnull, os.O_WRONLY)
os.dup2(devnull, 2)
expected = told(*started(""))
steps = [name for name in json.loads(told(*started(None))) if not name.startswith(tuple(FRAMES))]
report = {name: "same" if got == expected else got for name, got in run_all(steps)}
print(json.dumps({"expected": expected, "report": report}))
