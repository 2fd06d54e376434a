"""What can be asked of each kind of row: one table of fields for spans, traces and calls. docs/FILTER.md shows it; a test compares them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache


class Kind(StrEnum):
    """How a field is compared."""

    TEXT = "text"
    TEXTS = "texts"  # a list column; any of them
    LISTING = "list"  # text: a JSON array, or names parted by commas; any of them
    WORD = "word"  # one of `Field.words`, in either case
    ID = "id"  # lower-case hex
    COUNT = "count"  # integers; of several columns their sum
    NUMBER = "number"  # doubles
    DURATION = "duration"  # integer nanoseconds
    SECONDS = "seconds"  # a duration as a double
    TIME = "time"  # integer nanoseconds since 1970
    MONEY = "money"  # decimal dollars
    DOLLARS = "dollars"  # dollars as a double
    TRUTH = "truth"  # a boolean


TEXTUAL = (Kind.TEXT, Kind.TEXTS, Kind.LISTING, Kind.ID)
"""Kinds whose values may hold `*` and that know `~`."""


@dataclass(frozen=True, slots=True)
class Field:
    """A name of the language and the column it means.

    `columns` are of the public view (docs/SQL.md); of several texts any may match, of several counts the sum is compared. Stored columns
    have the same names unless `mask.py` says otherwise. `unsaid` is what a null in the first column reads as.
    """

    name: str
    kind: Kind
    columns: tuple[str, ...]
    about: str
    aliases: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    unsaid: str | None = None
    blank: bool = False  # an empty text means that there is none
    sql: str | None = None  # in place of the first column
    codes: tuple[tuple[str, str], ...] = ()  # SQL for some of `words` over columns as they are stored, which a scan looks for by itself


def _field(said: str, kind: Kind, columns: str, about: str, **more: object) -> Field:
    name, *aliases = said.split()
    return Field(name, kind, tuple(columns.split()), about, tuple(aliases), **more)  # type: ignore[arg-type]


_OK = ("ok", "error")
STATUS = ("unset", *_OK)
_STATUS_CODES = (("ok", "status_code = 1"), ("error", "status_code = 2"))
SPAN_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_OBSERVATIONS = ("llm", "embedding", "agent", "chain", "tool", "retriever", "reranker", "guardrail", "evaluator", "other")
_RECEIVED = _field("received received_at", Kind.TIME, "received_at", "when it arrived, in microseconds", sql="epoch_ns(received_at)")
_TRACE = _field("trace trace_id", Kind.ID, "trace_id", "id of the trace")
_SERVICE = _field("service service_name service.name", Kind.TEXT, "service_name", "service.name of the resource")
_START = _field("start time timestamp ts start_time", Kind.TIME, "start_ns", "when it started")
_USER = _field("user user_id", Kind.TEXT, "user_id", "user")
_SESSION = _field("session session_id conversation", Kind.TEXT, "session_id", "session or conversation")
_PROJECT = _field("project", Kind.TEXT, "project", "project")

_CALL = (  # of spans and of calls alike
    _TRACE,
    _field("span span_id", Kind.ID, "span_id", "id of the span"),
    _START,
    _field("duration", Kind.DURATION, "duration_ns", "how long it took"),
    _SERVICE,
    _field("environment env deployment.environment.name", Kind.TEXT, "environment", "deployment environment"),
    _PROJECT,
    _RECEIVED,
    _field("operation op operation_name", Kind.TEXT, "operation", "chat, embeddings, execute_tool …"),
    _field("request_model", Kind.TEXT, "request_model", "model that was asked for"),
    _field("convention", Kind.TEXT, "convention", "whose attribute names it speaks: otel, openinference …"),
    _field("input_tokens prompt_tokens", Kind.COUNT, "input_tokens", "tokens in, cached ones included"),
    _field("output_tokens completion_tokens", Kind.COUNT, "output_tokens", "tokens out, reasoning included"),
    _field("cache_read_tokens cached_tokens", Kind.COUNT, "cache_read_tokens", "tokens in that were read from a cache"),
    _field("cache_write_tokens", Kind.COUNT, "cache_write_tokens", "tokens in that were written to a cache"),
    _field("reasoning_tokens", Kind.COUNT, "reasoning_tokens", "tokens out that were reasoning"),
    _field("streaming stream", Kind.TRUTH, "streaming", "whether the answer was streamed"),
    _field("error_type", Kind.TEXT, "error_type", "error.type"),
    _field("http_status http_status_code", Kind.COUNT, "http_status_code", "HTTP status of the answer"),
    _SESSION,
    _USER,
    _field("response_id", Kind.TEXT, "response_id", "id the provider gave the answer"),
    _field("service_tier tier", Kind.TEXT, "service_tier", "service tier"),
    _field("server server_address", Kind.TEXT, "server_address", "address of the provider"),
    _field("prompt prompt_name", Kind.TEXT, "prompt_name", "name of the prompt"),
    _field("prompt_version", Kind.TEXT, "prompt_version", "version of the prompt"),
)

SPANS = (
    _field("name", Kind.TEXT, "name", "name of the span"),
    _field("parent parent_span_id", Kind.ID, "parent_span_id", "id of the parent; `-parent:*` is a root"),
    _field("status", Kind.WORD, "status", "status of the span", words=STATUS, codes=_STATUS_CODES),
    _field("message status_message", Kind.TEXT, "status_message", "message of the status", blank=True),
    _field("kind span_kind", Kind.WORD, "kind", "OpenTelemetry's kind", words=SPAN_KINDS),
    _field(
        "observation observation_kind type",
        Kind.WORD,
        "observation_kind",
        "what the span is of",
        words=_OBSERVATIONS,
        unsaid="other",
    ),
    _field("scope scope_name", Kind.TEXT, "scope_name", "instrumentation scope", blank=True),
    _field("provider", Kind.TEXT, "provider", "provider of the model"),
    _field("model", Kind.TEXT, "response_model request_model", "model that answered or was asked for"),
    _field("response_model", Kind.TEXT, "response_model", "model that answered"),
    _field("tokens total_tokens", Kind.COUNT, "input_tokens output_tokens", "tokens in and out"),
    _field("ttft time_to_first_token", Kind.SECONDS, "time_to_first_token_s", "time to the first token"),
    _field("finish finish_reason finish_reasons", Kind.LISTING, "finish_reasons", "why the answer ended; any of them"),
    _field("agent agent_name", Kind.TEXT, "agent_name", "agent"),
    _field("tool tool_name", Kind.TEXT, "tool_name", "tool"),
    _field("tag tags", Kind.LISTING, "tags", "tags; any of them"),
    _field("reported_cost cost reported_cost_usd", Kind.DOLLARS, "reported_cost_usd", "what the client says it cost"),
    *_CALL,
)

TRACES = (
    _TRACE,
    _field("name root_name root", Kind.TEXT, "root_name", "name of the root span"),
    _field("service services service.name", Kind.TEXTS, "services", "services; any of them"),
    _field("root_service service_name", Kind.TEXT, "service_name", "service of the root span"),
    _PROJECT,
    _START,
    _field("duration", Kind.DURATION, "duration_ns", "from the earliest start to the latest end"),
    _field("spans span_count", Kind.COUNT, "span_count", "number of spans"),
    _field("errors error_count", Kind.COUNT, "error_count", "number of spans with an error"),
    _field("status", Kind.WORD, "status", "`error` when any span has one", words=_OK),
    _field("state", Kind.WORD, "state", "`open` while spans of it are still in the journal", words=("open", "kept")),
    _field("calls llm_calls", Kind.COUNT, "llm_calls", "calls of models that count"),
    _field("input_tokens prompt_tokens", Kind.COUNT, "input_tokens", "tokens in of these calls"),
    _field("output_tokens completion_tokens", Kind.COUNT, "output_tokens", "tokens out of these calls"),
    _field("tokens total_tokens", Kind.COUNT, "input_tokens output_tokens", "tokens in and out of these calls"),
    _field("cost total_cost total_cost_usd", Kind.MONEY, "total_cost_usd", "what these calls cost; missing when none has a price"),
    _field("unpriced unpriced_calls", Kind.COUNT, "unpriced_calls", "calls without a known price"),
    _field("model models", Kind.TEXTS, "models", "models that were called; any of them"),
    _SESSION,
    _USER,
    _RECEIVED,
)

LLM_CALLS = (
    *_CALL,
    _field("status", Kind.WORD, "is_error", "status of the call", words=_OK, sql="CASE WHEN is_error THEN 'error' ELSE 'ok' END"),
    _field("observation observation_kind type", Kind.WORD, "observation_kind", "what the span is of", words=_OBSERVATIONS),
    _field("counted", Kind.TRUTH, "counted", "whether it counts for tokens and cost"),
    _field("not_counted_reason reason", Kind.TEXT, "not_counted_reason", "why it does not"),
    _field("revision", Kind.COUNT, "revision", "how often it was revised"),
    _field("provider", Kind.TEXT, "provider", "provider of the model; `unknown` when nothing says", unsaid="unknown"),
    _field("model", Kind.TEXT, "model_name request_model", "model that answered or was asked for", unsaid="unknown"),
    _field("model_name response_model", Kind.TEXT, "model_name", "model that answered, else the one asked for", unsaid="unknown"),
    _field("application app", Kind.TEXT, "application", "application"),
    _field("ttft time_to_first_token", Kind.DURATION, "ttft_ns", "time to the first token"),
    _field("tokens total_tokens", Kind.COUNT, "total_tokens", "tokens in and out"),
    _field("cost total_cost total_cost_usd", Kind.MONEY, "total_cost_usd", "what it cost"),
    _field("input_cost input_cost_usd", Kind.MONEY, "input_cost_usd", "of input that was not cached"),
    _field("output_cost output_cost_usd", Kind.MONEY, "output_cost_usd", "of output"),
    _field("cache_read_cost cache_read_cost_usd", Kind.MONEY, "cache_read_cost_usd", "of reads of a cache"),
    _field("cache_write_cost cache_write_cost_usd", Kind.MONEY, "cache_write_cost_usd", "of writes to a cache"),
    _field("other_cost other_cost_usd", Kind.MONEY, "other_cost_usd", "of fees by request or second"),
    _field("reported_cost reported_cost_usd", Kind.MONEY, "reported_cost_usd", "what the client says it cost"),
    _field("price_source price", Kind.TEXT, "price_source", "which price was applied; `-price:*` is unpriced"),
    _field("unpriced_reason unpriced", Kind.TEXT, "unpriced_reason", "why it has no cost"),
    _field("usage_flags usage", Kind.LISTING, "usage_flags", "what was mended in its usage"),
    _field("finish finish_reason finish_reasons", Kind.TEXT, "finish_reason", "why the answer ended"),
    _field("error_class", Kind.TEXT, "error_class", "class of the error"),
    _field("tag tags", Kind.TEXTS, "tags", "tags; any of them"),
    _field("adjusted_count", Kind.NUMBER, "adjusted_count", "how many calls it stands for"),
)

TARGETS: dict[str, tuple[Field, ...]] = {"spans": SPANS, "traces": TRACES, "llm_calls": LLM_CALLS}
"""What can be filtered, and its fields."""

ANYWHERE = {
    "spans": ("name", "status_message"),  # and values of attributes, names and values of events
    "llm_calls": (
        "provider", "model_name", "request_model", "operation", "application", "service_name", "environment", "user_id", "session_id",
        "prompt_name", "finish_reason", "error_type", "server_address", "response_id",
    ),
}  # fmt: skip
"""The columns in which words without a field are looked for; of traces, those of its spans."""


@cache
def names(target: str) -> dict[str, Field]:
    """Every name and alias of a target's fields."""
    return {name: field for field in TARGETS[target] for name in (field.name, *field.aliases)}
