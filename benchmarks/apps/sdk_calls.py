"""The application that `benchmarks/sdk.py` measures: `sdk_calls.py {bare|traced}` reads orders, a line each, and answers each with JSON.

`tight COUNT` calls a model as fast as it can, `paced SECONDS` 50 times a second; the end of its input ends it.
"""

import json
import sys
import time

how = sys.argv[1]
PROMPT, ANSWER = "question " * 230, "answer " * 290  # 2 kB each


def rss_mb() -> float:
    with open("/proc/self/status") as status:  # noqa: PTH123
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


import httpcore2
import httpx2
import openai

REPLY = json.dumps({
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4.1-2026-08-01",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 500, "completion_tokens": 400, "total_tokens": 900},
}).encode()  # fmt: skip


class AtOnce:
    """In place of the connections below the client's own transport: what instruments the transport is measured, too."""

    def handle_request(self, request: httpcore2.Request) -> httpcore2.Response:
        return httpcore2.Response(200, headers=[(b"content-type", b"application/json")], content=REPLY)

    def close(self) -> None: ...


transport = httpx2.HTTPTransport()
transport._pool = AtOnce()
client = openai.OpenAI(api_key="k", http_client=openai.DefaultHttpxClient(transport=transport))


def call() -> float:
    start = time.perf_counter()
    client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": PROMPT}])
    return (time.perf_counter() - start) * 1e6


def tight(count: int) -> dict[str, float]:
    took = sorted(call() for _ in range(count))
    return {"p50_us": took[count // 2], "p99_us": took[count * 99 // 100]}


def paced(seconds: float) -> dict[str, float]:
    """CPU of the whole process, until all it has to send is sent."""
    begin, cpu, took = time.perf_counter(), time.process_time(), []
    for i in range(int(seconds * 50)):
        time.sleep(max(0.0, begin + i / 50 - time.perf_counter()))
        took.append(call())
    wall = time.perf_counter() - begin
    if how == "traced":
        observatory.flush(1)
    took.sort()
    percent = (time.process_time() - cpu) / wall * 100
    return {"cpu_percent": percent, "p50_us": took[len(took) // 2], "p99_us": took[len(took) * 99 // 100]}


call()
before_mb = rss_mb()
begin = time.perf_counter()
if how == "traced":
    import observatory

    observatory.init(service_name="benchmark")
init_ms = (time.perf_counter() - begin) * 1e3
for _ in range(100):
    call()
for line in sys.stdin:
    order, _, amount = line.partition(" ")
    done = tight(int(amount)) if order == "tight" else paced(float(amount))
    print(json.dumps({**done, "memory_mb": rss_mb() - before_mb}), flush=True)
begin = time.perf_counter()
if how == "traced":
    observatory.shutdown()
print(json.dumps({"init_ms": init_ms if how == "traced" else 0, "exit_s": time.perf_counter() - begin}))
