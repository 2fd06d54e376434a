"""What a span says of a call of a model, in one vocabulary: the columns that counting and pricing work on.

Candidates are the spans that are or look like calls: `llm`, `embedding` and `reranker`, and whatever else carries usage. Which of them
count is not decided here, since that takes the whole trace.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from observatory.model.money import PICO_PER_USD, usd
from observatory.model.schema import SPAN_ID, TEXT, TRACE_ID, USD, schema
from observatory.model.signal import Signal
from observatory.semconv import errors, finish, provider
from observatory.semconv.application import application
from observatory.semconv.coded import Coded, choose, from_rows
from observatory.semconv.entries import Entries, scan
from observatory.semconv.events import happened
from observatory.semconv.identity import IDENTITY, read_identity
from observatory.semconv.numbers import Numbers
from observatory.semconv.packed import CARRY_USAGE, IS_OUTPUT, Found, class_of, unpack
from observatory.semconv.sampled import adjusted_count
from observatory.semconv.ttft import timing as timing_of
from observatory.semconv.usage import COUNTS, counts_beside, settle

CANDIDATES = pa.schema(
    [
        ("place", pa.int64()),  # among the spans that were read; ascending
        # identity, as in spans
        ("trace_id", TRACE_ID),
        ("span_id", SPAN_ID),
        ("parent_span_id", SPAN_ID),
        ("start_ns", pa.int64()),
        ("duration_ns", pa.int64()),  # mended: never shorter than the time to first token or than what the span itself says it took
        ("received_at", pa.int64()),
        ("project", TEXT),
        ("service_name", TEXT),
        ("environment", TEXT),
        ("application", TEXT),
        # what it is
        ("observation_kind", TEXT),  # llm, embedding, reranker; agent or chain for a span that only repeats or sums up usage
        ("native_sdk", pa.bool_()),  # made by the provider's own SDK, which others wrap
        ("never_counts", TEXT),  # a reason why it is no call whatever else arrives; null: it may count
        ("has_usage", pa.bool_()),
        ("has_output", pa.bool_()),  # messages, a text or a finish reason came back
        ("is_error", pa.bool_()),
        ("provider", TEXT),
        ("model_name", TEXT),
        ("request_model", TEXT),
        ("operation", TEXT),
        ("convention", TEXT),
        ("prompt_name", TEXT),
        ("prompt_version", TEXT),
        ("ttft_ns", pa.int64()),
        ("streaming", pa.bool_()),
        # usage: input with the cached tokens, output with the reasoning ones
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("cache_read_tokens", pa.int64()),
        ("cache_write_tokens", pa.int64()),
        ("reasoning_tokens", pa.int64()),
        ("cache_write_1h_tokens", pa.int64()),
        ("input_audio_tokens", pa.int64()),
        ("output_audio_tokens", pa.int64()),
        ("usage_flags", TEXT),
        ("service_tier", TEXT),
        ("server_address", TEXT),
        ("reported_cost_usd", USD),
        ("finish_reason", TEXT),
        ("error_type", TEXT),
        ("error_class", TEXT),
        ("http_status_code", pa.int64()),
        ("response_id", pa.string()),
        ("adjusted_count", pa.float64()),
    ]
)

KINDS = ("llm", "embedding", "reranker")
"""The kinds of observation that are calls by themselves; any other span is a candidate only when it carries usage."""

_NATIVE = re.compile(r"com\.[a-z0-9_]+\.sdk\.")
"""Scopes of providers' own SDKs: `com.anthropic.sdk.python`."""

_DEAREST_USD = 1_000_000.0
"""A reported cost of more is no cost of one call, and a decimal of the schema ends at 9.2 million."""

_READ = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "name",
    "start_ns",
    "duration_ns",
    "status_code",
    "status_message",
    "trace_state",
    "resource",
    "scope_name",
    "service_name",
    "environment",
    "received_at",
    "project",
    "operation",
    "provider",
    "request_model",
    "response_model",
    "response_id",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "time_to_first_token_s",
    "streaming",
    "finish_reasons",
    "error_type",
    "http_status_code",
    "agent_name",
    "observation_kind",
    "convention",
    "input_audio_tokens",
    "output_audio_tokens",
    "cache_write_1h_tokens",
    "service_tier",
    "reported_cost_usd",
    "server_address",
    "prompt_name",
    "prompt_version",
)
_AS_THEY_ARE = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "start_ns",
    "received_at",
    "project",
    "service_name",
    "environment",
    "operation",
    "convention",
    "prompt_name",
    "prompt_version",
)


def read_calls(batches: Sequence[pa.RecordBatch]) -> pa.Table:
    """The candidates among these spans (record batches of `schema(Signal.SPANS)`), in their order, as one chunk of schema CANDIDATES.

    Work is done by column, and by distinct word where a column has a dictionary; only spans that carry one of the few attributes with
    something packed inside (`packed.py`) are looked at singly. Never raises for content.
    """
    spans = pa.Table.from_batches(list(batches), schema(Signal.SPANS))
    entries = scan([batch.column("attributes") for batch in batches], class_of)
    chosen, columns = _candidates(spans, entries)
    kind = _kind(columns)
    found = unpack(columns, entries, chosen, kind.where(KINDS.__contains__))
    failed = errors.failed(columns, found)
    ended = Coded.of(columns["finish_reasons"]).map(finish.normalise).fill(found["finish_reason"])
    unexplained, unfinished = np.zeros(spans.num_rows, bool), np.zeros(spans.num_rows, bool)
    unexplained[chosen[failed & ~Coded.of(columns["error_type"]).known]] = True
    unfinished[chosen[~ended.known]] = True
    said = happened(batches, spans.num_rows, unexplained, unfinished).of(chosen)
    answered = said.answered | np.isin(chosen, entries.rows[np.isin(entries.classes, IS_OUTPUT)])

    names = _names(columns, found)
    usage = settle(*_counts(columns, found, Coded.of(columns["scope_name"]), names["provider"]))
    timing = timing_of(columns, found, said)
    ended = _ended(ended.fill(said.finishes).map(finish.normalise), found)
    failure = errors.failure(columns, found, said, failed)
    adjusted = adjusted_count(columns["trace_state"])
    table = {
        "place": pa.array(chosen),
        **{name: columns[name] for name in _AS_THEY_ARE},
        **{name: word.array() for name, word in names.items()},
        **{name: count.array(pa.int64()) for name, count in usage.counts.items()},
        **timing,
        **failure,
        "observation_kind": kind.array(),
        "native_sdk": pa.array(Coded.of(columns["scope_name"]).where(lambda name: _NATIVE.match(name) is not None)),
        "never_counts": _never(columns, kind, found).array(),
        "has_usage": pa.array(usage.known),
        "has_output": pa.array(answered | ended.known),
        "usage_flags": usage.flags.array(),
        "reported_cost_usd": _reported(columns, found),
        "finish_reason": ended.array(),
        "response_id": _fill(columns["response_id"], found["response_id"]),
        "adjusted_count": adjusted.array(pa.float64()),
    }
    rows = pa.Table.from_arrays([table[name] for name in CANDIDATES.names], schema=CANDIDATES)
    # what looked like usage may have held none
    kept = usage.known | Coded.of(columns["observation_kind"]).where(KINDS.__contains__)
    return rows if kept.all() else rows.filter(pa.array(kept))


def _candidates(spans: pa.Table, entries: Entries) -> tuple[np.ndarray, dict[str, pa.Array]]:
    """Row numbers of the candidates, and the columns of _READ of these rows."""
    # unified and laid together first: filtering a hundred small chunks of forty columns costs ten times as much
    said = [name for name in _READ if spans[name].null_count < spans.num_rows]
    columns = {name: _whole(column) for name, column in zip(said, spans.select(said).unify_dictionaries().columns, strict=True)}
    is_call = np.zeros(spans.num_rows, bool)
    if "observation_kind" in columns:
        is_call |= Coded.of(columns["observation_kind"]).where(KINDS.__contains__)
    for name in COUNTS:
        if name in columns:
            is_call |= columns[name].is_valid().to_numpy(zero_copy_only=False)
    is_call[entries.rows[np.isin(entries.classes, CARRY_USAGE)]] = True
    chosen = np.flatnonzero(is_call)
    if len(chosen) < len(is_call):
        mask = pa.array(is_call)
        columns = {name: column.filter(mask) for name, column in columns.items()}
    nothing = {name: pa.nulls(len(chosen), spans.schema.field(name).type) for name in _READ if name not in columns}
    return chosen, columns | nothing


def _whole(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return joined if isinstance(joined, pa.Array) else joined.chunk(0)


def _kind(columns: dict[str, pa.Array]) -> Coded:
    """llm, embedding, reranker, agent or chain; never null.

    A span without a kind that carries usage is a call when it names a model, and an agent's sum when it names an agent.
    """
    kind = Coded.of(columns["observation_kind"]).map(lambda name: name if name in (*KINDS, "agent") else "chain")
    if kind.known.all():
        return kind
    rows = len(kind.codes)
    model = Coded.of(columns["response_model"]).known | Coded.of(columns["request_model"]).known
    embeds = Coded.of(columns["operation"]).where(lambda name: name.startswith("embed"))
    agent = Coded.of(columns["agent_name"]).known
    guess = np.select([agent, embeds, model], [0, 1, 2], 3)
    return kind.otherwise(choose(guess, ("agent", "embedding", "llm", "chain"))) if rows else kind


def _ended(said: Coded, found: Found) -> Coded:
    """Why it ended. An answer that asks for tools ended for them: some say `stop` then, some nothing."""
    asked = np.zeros(len(said.codes), bool)
    asked[list(found["asked_tools"])] = True
    asked &= ~said.known | said.where(lambda reason: reason == "stop")
    return said.keep(~asked).otherwise(choose(np.where(asked, 0, 1), ("tool_call", None))) if asked.any() else said


def _names(columns: dict[str, pa.Array], found: Found) -> dict[str, Coded]:
    """Provider, models, service tier, server address and application."""
    request = Coded.of(columns["request_model"]).fill(found["request_model"])
    # the answer itself knows better than an attribute that some fill with the model that was asked for
    answered = from_rows(len(request.codes), found["response_model"])
    model = answered.otherwise(Coded.of(columns["response_model"])).otherwise(request)
    address = Coded.of(columns["server_address"]).map(provider.host)
    named = Coded.of(columns["provider"]).map(provider.normalise).fill(found["provider"])
    if not named.known.all():
        named = (
            named.otherwise(address.map(provider.of_host)).otherwise(model.map(provider.of_model)).otherwise(request.map(provider.of_model))
        )
    return {
        "provider": named,
        "model_name": model,
        "request_model": request,
        "service_tier": Coded.of(columns["service_tier"]).fill(found["service_tier"]),
        "server_address": address,
        "application": Coded.of(columns["resource"]).map(application),
    }


def _counts(columns: dict[str, pa.Array], found: Found, scope: Coded, named: Coded) -> tuple[dict[str, Numbers], np.ndarray]:
    """The counts as sent, and the rows whose input leaves cached tokens out."""
    counts = {name: Numbers.of(columns[name]) for name in COUNTS}
    sent = counts["input_tokens"].known.copy()
    beside = counts_beside(scope, named) & sent
    for row, raw in found["raw_input_tokens"].items():
        # the span repeats a usage object whose meaning is known: a raw figure means the same, an inclusive one needs nothing
        inclusive = found["input_tokens"].get(row, raw)
        if sent[row]:
            beside[row] = counts["input_tokens"].values[row] == raw != inclusive
    for name, count in counts.items():
        count.fill(found[name])
    return counts, beside


def _never(columns: dict[str, pa.Array], kind: Coded, found: Found) -> Coded:
    """Reasons why a span is no call of a model, whatever else arrives; null where it may count."""
    scope, operation = Coded.of(columns["scope_name"]), Coded.of(columns["operation"])
    sums = scope.where(lambda name: name.startswith("strands")) & ~kind.where(KINDS.__contains__)
    # asks for an answer that is counted where it was made; makes an agent without running it
    idle = operation.where(lambda name: name in ("fetch_response", "create_agent"))
    # LiteLLM repeats the call below itself, as sent to the provider
    # … and the Vercel AI SDK the embeddings inside it
    repeats = Coded.of(columns["name"]).where(lambda name: name in ("raw_gen_ai_request", "ai.embed", "ai.embedMany"))
    return choose(np.select([sums, idle, repeats], [0, 1, 2], 3), ("cumulative_usage", "no_model_call", "repeats_call", None)).fill(
        found["never_counts"]
    )


def _reported(columns: dict[str, pa.Array], found: Found) -> pa.Array:
    """What the client says it cost; 0 is what those say who could not price it, so it is unknown."""
    cost = Numbers.of(columns["reported_cost_usd"]).fill(found["reported_cost_usd"])
    with np.errstate(invalid="ignore"):
        known = cost.known & (cost.values > 0) & (cost.values < _DEAREST_USD)
    return usd(np.rint(np.where(known, cost.values, 0) * PICO_PER_USD).astype(np.int64), known)


def _fill(column: pa.Array, found: Mapping[int, str]) -> pa.Array:
    if not found:
        return column
    texts = np.full(len(column), None, object)
    texts[list(found)] = list(found.values())
    return pc.call_function("coalesce", [column, pa.array(texts, pa.string())])


__all__ = ["CANDIDATES", "IDENTITY", "KINDS", "read_calls", "read_identity"]
