"""Which attribute keys feed which typed columns. The decoders read this table; a new convention or a rename is a row here.

Each row is (column, where, key). Rows of one column are in priority order: the first key that is present with a usable value wins, whatever
the order of arrival. `where` is `resource` or `span` (an attribute of the span or log record itself). What "usable" means follows from the
column's type in `model/schema.py`:

  int64    an int, a double without a fraction, or text that is a decimal integer (optional sign, at most 19 digits, within int64)
  float64  a double, an int, or text that Python's float() and the kernel read alike: decimal digits, optional sign, point, exponent
  bool     a bool, or text `true`/`false`/`True`/`False`
  text     a non-empty string; for other types the attribute's text (arrays are JSON text); bytes and empty values are not usable
"""

from __future__ import annotations

from typing import NamedTuple

from observatory.model.signal import Signal


class Route(NamedTuple):
    """One key that feeds one column; `rank` is its priority within the column, 0 first."""

    column: str
    where: str
    key: str
    rank: int


_ORIGIN = """
service_name    resource  service.name
environment     resource  deployment.environment.name
environment     resource  deployment.environment
project         resource  observatory.project
"""

_SPANS = (
    _ORIGIN
    + """
operation              span  gen_ai.operation.name
provider               span  gen_ai.provider.name
provider               span  gen_ai.system
request_model          span  gen_ai.request.model
response_model         span  gen_ai.response.model
response_id            span  gen_ai.response.id
input_tokens           span  gen_ai.usage.input_tokens
input_tokens           span  gen_ai.usage.prompt_tokens
output_tokens          span  gen_ai.usage.output_tokens
output_tokens          span  gen_ai.usage.completion_tokens
cache_read_tokens      span  gen_ai.usage.cache_read.input_tokens
cache_read_tokens      span  gen_ai.usage.cache_read_input_tokens
cache_write_tokens     span  gen_ai.usage.cache_write.input_tokens
cache_write_tokens     span  gen_ai.usage.cache_creation.input_tokens
cache_write_tokens     span  gen_ai.usage.cache_creation_input_tokens
reasoning_tokens       span  gen_ai.usage.reasoning.output_tokens
reasoning_tokens       span  gen_ai.usage.reasoning_tokens
time_to_first_token_s  span  gen_ai.response.time_to_first_chunk
streaming              span  gen_ai.request.stream
streaming              span  gen_ai.is_streaming
finish_reasons         span  gen_ai.response.finish_reasons
error_type             span  error.type
http_status_code       span  http.response.status_code
http_status_code       span  http.status_code
session_id             span  gen_ai.conversation.id
session_id             span  session.id
user_id                span  user.id
user_id                span  enduser.id
agent_name             span  gen_ai.agent.name
tool_name              span  gen_ai.tool.name
"""
)

_LOGS = _ORIGIN + "event_name  span  event.name\n"
# OTLP's own `event_name` field, when it is set, wins over the older attribute.


def _parse(table: str) -> tuple[Route, ...]:
    routes: list[Route] = []
    for line in table.split("\n"):
        if line.strip():
            column, where, key = line.split()
            routes.append(Route(column, where, key, sum(route.column == column for route in routes)))
    return tuple(routes)


_ROUTES = {Signal.SPANS: _parse(_SPANS), Signal.LOGS: _parse(_LOGS), Signal.METRIC_POINTS: _parse(_ORIGIN)}


def routes(signal: Signal) -> tuple[Route, ...]:
    """The routes of a received signal, columns together, each column's keys in priority order."""
    return _ROUTES[signal]
