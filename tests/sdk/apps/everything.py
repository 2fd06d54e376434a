"""Every signal once, by the base install alone: a span, a log line, a counter, feedback."""

import logging
import sys

import observatory

observatory.init(protocol=sys.argv[1] if len(sys.argv) > 1 else None)

from opentelemetry import metrics
from opentelemetry.sdk._logs import LoggingHandler


@observatory.observe(kind="tool")
def work(number: int) -> int:
    logging.getLogger("app").warning("worked")
    return number


logging.getLogger("app").addHandler(LoggingHandler())
metrics.get_meter("app").create_counter("app.jobs").add(1)
with observatory.session("s"), observatory.user("u"), observatory.tags("a"), observatory.span("outer"):
    work(3)
    observatory.feedback(0.5, name="quality")
assert observatory.flush(10)
