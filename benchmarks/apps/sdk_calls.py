"""The application that `benchmarks/sdk.py` measures: `sdk_calls.py {bare|traced} {paced|tight} COUNT`. Prints one JSON object."""

import json
import resource
import sys
import time

how, pace, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
PROMPT, ANSWER = "question " * 230, "answer " * 290  # 2 kB each


def rss_mb() -> float:
    with open("/proc/self/status") as status:  # noqa: PTH123
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


import httpx2
import openai

REPLY = json.dumps({
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4.1-2026-08-01",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 500, "completion_tokens": 400, "total_tokens": 900},
}).encode()  # fmt: skip


def reply(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, content=REPLY, headers={"content-type": "application/json"})


client = openai.OpenAI(api_key="k", http_client=openai.DefaultHttpxClient(transport=httpx2.MockTransport(reply)))


def call() -> None:
    client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": PROMPT}])


call()
before_mb = rss_mb()
init_s = 0.0
if how == "traced":
    start = time.perf_counter()
    import observatory

    observatory.init(service_name="benchmark")
    init_s = time.perf_counter() - start
for _ in range(100):
    call()
took: list[float] = []
begin, cpu = time.perf_counter(), time.process_time()
for i in range(count):
    if pace == "paced":
        time.sleep(max(0.0, begin + i / 50 - time.perf_counter()))
    start = time.perf_counter()
    call()
    took.append(time.perf_counter() - start)
wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
after_mb = rss_mb()
end = time.perf_counter()
if how == "traced":
    observatory.shutdown()
took.sort()
print(json.dumps({
    "init_ms": round(init_s * 1e3, 1), "cpu_s": cpu, "wall_s": wall, "p50_us": took[count // 2] * 1e6, "p99_us": took[count * 99 // 100] *
    1e6, "memory_mb": after_mb - before_mb, "exit_s": round(time.perf_counter() - end, 2), "peak_mb":
    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))  # fmt: skip
