"""The application that `benchmarks/sdk.py` measures: `sdk_calls.py {bare|package|traced}` reads orders, a line each, and answers each with
JSON. `package` is the instrumentation that the SDK chooses with OpenTelemetry's own provider, batch processor and encoder; nothing is sent.

`tight COUNT` calls a model as fast as it can, `paced SECONDS` 50 times a second; the end of its input ends it.
"""

import json
import os
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
    cpu = time.thread_time()
    took = sorted(call() for _ in range(count))
    return {"p50_us": took[count // 2], "p99_us": took[count * 99 // 100], "cpu_us": (time.thread_time() - cpu) / count * 1e6}


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


def package_alone() -> None:
    from opentelemetry import metrics, trace
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Encoded(SpanExporter):
        def export(self, spans: list) -> SpanExportResult:
            encode_spans(spans).SerializeToString()
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Encoded()))
    trace.set_tracer_provider(provider)
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(meter_provider=metrics.NoOpMeterProvider())


call()
before_mb = rss_mb()
begin = time.perf_counter()
if how == "traced":
    import observatory

    observatory.init(service_name="benchmark")
elif how == "package":
    package_alone()
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
