"""Fetches stored traces from a running appliance, by SQL and in Arrow, as `observatory sampling replay` needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from observatory.cli import client
from observatory.contracts import Policy
from observatory.model.clock import Nanos
from observatory.model.schema import TRACE_ID, schema
from observatory.model.signal import Signal
from observatory.pipeline.sampling.storedtraces import Gathered
from observatory.query.filter import parse
from observatory.query.filtering.bind import Anywhere, Leaf, bind, leaves

SPANS_AT_ONCE = 200_000
"""Spans of one question, some 200 MB with their attributes."""

_TRACES = """
SELECT unhex(t.trace_id) AS trace_id, t.start_ns,
    greatest(least(t.start_ns::HUGEINT + t.duration_ns, 9223372036854775807), -9223372036854775808)::BIGINT AS end_ns,
    epoch_us(t.received_at) * 1000 AS last_received, t.start_ns AS first_received, t.span_count, t.error_count, t.llm_calls,
    t.input_tokens, t.output_tokens, (coalesce(t.total_cost_usd, 0)::DOUBLE * 1e12)::BIGINT AS cost,
    coalesce(c.ttft_ns, 0) AS ttft_ns, coalesce(f.feedback, false) AS feedback, coalesce(f.evaluation, false) AS evaluation,
    {adjusted_count}::DOUBLE AS adjusted_count
FROM traces AS t
LEFT JOIN (SELECT trace_id, max(ttft_ns) AS ttft_ns FROM llm_metrics WHERE start_ns >= {since} GROUP BY trace_id) AS c USING (trace_id)
LEFT JOIN (
    SELECT trace_id, bool_or(source = 'api') AS feedback, bool_or(source = 'event') AS evaluation FROM feedback GROUP BY trace_id
) AS f USING (trace_id)
WHERE t.start_ns >= {since} AND t.start_ns < {until}
"""

# words of the public view as the numbers they stand for
_WORDS = {
    "kind": "coalesce(list_position(['internal', 'server', 'client', 'producer', 'consumer'], kind), 0)",
    "status_code": "CASE status WHEN 'ok' THEN 1 WHEN 'error' THEN 2 ELSE 0 END",
    "observation_kind": "nullif(observation_kind, 'other')",
    "received_at": "epoch_us(received_at) * 1000",
    "resource": "coalesce(resource::VARCHAR, '')",
    "trace_id": "unhex(trace_id)",
    "span_id": "unhex(span_id)",
    "parent_span_id": "unhex(parent_span_id)",
}
_LEFT_OUT = ("events", "links", "attribute_types", "scope_attributes")
_EVENTS = "list_transform(events, LAMBDA e : struct_pack(name := e.name, attributes := e.attributes))"
_BYTES = "strlen(attributes::VARCHAR) + strlen(events::VARCHAR) + strlen(name) + 120"  # 120: ids, times and figures


def gathered(url: str, since: Nanos, until: Nanos, policies: Sequence[Policy], told: Callable[[str], None]) -> Gathered:
    """The traces that began within the window, with what their spans say to the policies. Raises as `client.post`."""
    known = {column["name"] for column in client.post(url, "/api/v1/sql", {"query": "SELECT * FROM traces LIMIT 0"})["columns"]}
    adjusted = "t.adjusted_count" if "adjusted_count" in known else "1"
    traces = _asked(url, _TRACES.format(since=since, until=until, adjusted_count=adjusted))
    traces = traces.set_column(0, "trace_id", traces.column("trace_id").cast(TRACE_ID))
    found = Gathered(_batch(traces), policies)
    if traces.num_rows:
        last = int(np.asarray(traces.column("end_ns")).max()) + 1
        for done, (spans, sizes) in enumerate(_spans(url, since, max(last, until), policies), 1):
            told(f"{done} slices of spans")
            found.spans(spans, sizes, int(np.asarray(spans.column("received_at")).max()))
    return found


def _spans(url: str, since: Nanos, until: Nanos, policies: Sequence[Policy]) -> Iterator[tuple[pa.RecordBatch, np.ndarray]]:
    columns = [name for name in schema(Signal.SPANS).names if name not in _LEFT_OUT and name not in ("adjusted_count", "decided_by")]
    said = [f"{_WORDS[name]} AS {name}" if name in _WORDS else name for name in columns]
    if _looks_anywhere(policies):
        said.append(f"{_EVENTS} AS events")
    for start, end in _slices(url, since, until):
        rows = _asked(url, f"SELECT {', '.join(said)}, {_BYTES} AS size FROM spans WHERE start_ns >= {start} AND start_ns < {end}")
        if rows.num_rows:
            yield _stored(rows), np.asarray(rows.column("size")).astype(np.int64)


def _slices(url: str, since: Nanos, until: Nanos) -> Iterator[tuple[Nanos, Nanos]]:
    """The window in pieces of at most about `SPANS_AT_ONCE`, cut at seconds."""
    within = f"start_ns >= {since} AND start_ns < {until}"
    query = f"SELECT start_ns // 1000000000 AS s, count(*) AS n FROM spans WHERE {within} GROUP BY 1 ORDER BY 1"
    counted = _asked(url, query)
    seconds, counts = (np.asarray(counted.column(name)).astype(np.int64) for name in ("s", "n"))
    piece = (np.cumsum(counts) - 1) // SPANS_AT_ONCE
    for number in np.unique(piece):
        some = seconds[piece == number]
        yield int(some[0]) * 1_000_000_000, (int(some[-1]) + 1) * 1_000_000_000


def _looks_anywhere(policies: Sequence[Policy]) -> bool:
    filters = {test.filter for policy in policies for test in policy.tests.values() if test.filter is not None}
    asked = [leaf for text in filters for leaf in leaves(bind(parse(text), "spans", 0))]
    return any(isinstance(leaf, Leaf) and isinstance(leaf.source, Anywhere) for leaf in asked)


def _stored(rows: pa.Table) -> pa.RecordBatch:
    """Rows of a question in the types of `schema(SPANS)`, as far as they were asked for."""
    columns: dict[str, pa.Array] = {}
    for field in schema(Signal.SPANS):
        if field.name in rows.schema.names:
            columns[field.name] = _in_type(rows.column(field.name).combine_chunks(), field.type)
    return pa.RecordBatch.from_pydict(columns)


def _in_type(values: Any, wanted: pa.DataType) -> pa.Array:
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_map(wanted):
        keys = values.keys.cast(pa.string()).dictionary_encode()
        return pa.MapArray.from_arrays(values.offsets, keys, values.items.cast(pa.string()))
    if pa.types.is_list(wanted):
        inner: Any = values.values
        fields = [_in_type(part, wanted.value_type.field(name.name).type) for name, part in zip(inner.type, inner.flatten(), strict=True)]
        return pa.ListArray.from_arrays(values.offsets, pa.StructArray.from_arrays(fields, [name.name for name in inner.type]))
    if pa.types.is_dictionary(wanted):
        return values.cast(pa.string()).dictionary_encode()
    return values.cast(wanted)


def _asked(url: str, query: str) -> pa.Table:
    return client.arrow(url, "/api/v1/sql", {"query": query})


def _batch(table: pa.Table) -> pa.RecordBatch:
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
