"""Calls a function of its own a few thousand times with 2 kB in and out, and tells how long a call takes and how much memory is used."""

import json
import sys
import time

import observatory
from observatory.sdk import settings

observatory.init(spool=sys.argv[1] if len(sys.argv) > 1 else None, instrument=False, queue_bytes=2 << 20)
TEXT = "x" * 2000


@observatory.observe(kind="tool")
def work(text: str) -> str:
    return text


def rss_mb() -> float:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


for _ in range(200):
    work(TEXT)
before, took = rss_mb(), []
for _ in range(8000):
    start = time.perf_counter()
    work(TEXT)
    took.append(time.perf_counter() - start)
grown = rss_mb() - before
start = time.perf_counter()
observatory.shutdown()
exit_s = time.perf_counter() - start
counts = settings.active.counts()["traces"]
took.sort()
print(json.dumps({
    "median_us": took[len(took) // 2] * 1e6, "grown_mb": grown, "exit_s": exit_s, "put": counts.put, "sent": counts.sent, "refused":
    counts.refused, "dropped": counts.dropped, "waiting": settings.active.outboxes["traces"]._waiting(),
}))  # fmt: skip
