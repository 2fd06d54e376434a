"""Feedback as people and programs send it: JSON in, rows of `schema(FEEDBACK)` out, and every mistake named by its JSON path.

A body is one object or an array of up to 1,000; an object with a mistake is refused alone. The door judges a body to answer its sender, the
ingest loop judges it again to make rows: both ask the same function, and it looks at nothing but its arguments.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import xxhash

from observatory.errors import BadRequest, Malformed
from observatory.model.batch import Decoded, Outcome
from observatory.model.clock import Nanos
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.query.times import parse_time, rfc3339

MOST = 1000  # objects of one request
MAX_WORD = 200  # characters of a name, a label and an id: they are grouped by, and stand in lists
MAX_REFERENCE = 1000  # characters of a response's and a user's id: others make them
MAX_COMMENT = 64 * 1024  # bytes of UTF-8
_MOST_STRANGE = 3  # unknown fields told of one object: finding what was meant takes 60 µs
_EARLIEST = 10**17  # nanoseconds, in March 1973: seconds, milliseconds and microseconds of today are all less

Row = dict[str, Any]


class Mistake(NamedTuple):
    """What is wrong, and where: `[3].score` of an array, `score` of a single object, empty for the whole body."""

    where: str
    message: str


class Judged(NamedTuple):
    """What a body holds: rows by column name, how many objects are refused, and why (one mistake or more for each)."""

    rows: list[Row]
    rejected: int
    mistakes: list[Mistake]


def judge(body: bytes, received_at: Nanos, project: str | None = None) -> Judged:
    """Read a body. Raises Malformed when it is no JSON, BadRequest when it is not an object or an array of 1 to 1,000."""
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"body: no JSON: {error}") from None
    many = isinstance(read, list)
    items = read if many else [read]
    if not many and not isinstance(read, dict):
        raise BadRequest(f"body: expected an object or an array of objects, got {_shown(read)}")
    if not 1 <= len(items) <= MOST:
        raise BadRequest(f"body: expected 1 to {MOST:,} objects, got {len(items):,}")
    digest, rows, mistakes, ids = xxhash.xxh3_128_digest(body), list[Row](), list[Mistake](), dict[str, int]()
    for index, item in enumerate(items):
        row, wrong = _judge_one(item)
        own_id = row.get("feedback_id")
        if not wrong and own_id in ids:
            wrong = [Mistake("id", f"[{ids[own_id]}] has it already")]
        if wrong:
            at = f"[{index}]" if many else ""
            mistakes.extend(Mistake(f"{at}.{where}".strip("."), message) for where, message in wrong)
            continue
        if own_id:
            ids[own_id] = index
        row.setdefault("time_ns", received_at)
        # of the request, the place in it and the time: the same bytes with times of their own are the same feedback also after hours
        row.setdefault("feedback_id", xxhash.xxh3_128_hexdigest(b"%b %d %d" % (digest, index, row["time_ns"])))
        rows.append({**row, "received_at": received_at, "project": project or "default"})
    return Judged(rows, len(items) - len(rows), mistakes)


def decode_feedback(bodies: Sequence[bytes], received_at: Nanos, projects: Sequence[str | None]) -> Decoded:
    """The `Decoder` of `Signal.FEEDBACK`."""
    rows: list[Row] = []
    outcomes: list[Outcome] = []
    for body, project in zip(bodies, projects, strict=True):
        try:
            judged = judge(body, received_at, project)
        except (Malformed, BadRequest) as error:
            outcomes.append(Outcome(error=Malformed(str(error))))
            continue
        rows.extend(judged.rows)
        outcomes.append(Outcome(len(judged.rows), judged.rejected, sentence(judged.mistakes[:1])))
    return Decoded(pa.RecordBatch.from_pylist(rows, schema(Signal.FEEDBACK)), outcomes)


def sentence(mistakes: Sequence[Mistake]) -> str:
    """Mistakes as one line of text."""
    return "; ".join(f"{where or 'body'}: {message}" for where, message in mistakes)


class _Wrong(ValueError):
    """A value is not what its field expects."""


def _judge_one(item: Any) -> tuple[Row, list[Mistake]]:
    if not isinstance(item, dict):
        return {}, [Mistake("", f"expected an object, got {_shown(item)}")]
    row: Row = {}
    strange = (name for name in item if name not in _FIELDS)
    mistakes = [Mistake(_key(name), _unknown(name[:60])) for name in islice(strange, _MOST_STRANGE)]
    for name, (column, read) in _FIELDS.items():
        value = item.get(name)
        if value is None or value == "":
            continue  # as good as absent: programs fill in what they do not have
        try:
            row[column] = read(value)
        except _Wrong as wrong:
            mistakes.append(Mistake(name, str(wrong)))
    named = {mistake.where for mistake in mistakes}
    for wanted, sentence in _WANTED:
        if not any(_FIELDS[name][0] in row or name in named for name in wanted):
            mistakes.append(Mistake(wanted[0], sentence))
    if "span_id" in row and "trace_id" not in row and "trace_id" not in named:
        mistakes.append(Mistake("span_id", "a span is named together with its trace: trace_id is missing"))
    return row, mistakes


def _id(digits: int) -> Callable[[Any], bytes]:
    pattern = re.compile(rf"[0-9a-fA-F]{{{digits}}}", re.ASCII)

    def read(value: Any) -> bytes:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise _Wrong(f"expected {digits} hex digits, got {_shown(value)}")
        if not value.strip("0"):
            raise _Wrong("an id of zeros names nothing")
        return bytes.fromhex(value)

    return read


def _text(longest: int) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise _Wrong(f"expected text, got {_shown(value)}")
        if len(value) > longest:
            raise _Wrong(f"expected at most {longest:,} characters, got {len(value):,}")
        return value

    return read


def _name(value: Any) -> str:
    text = _text(MAX_WORD)(value)
    if not text.strip():
        raise _Wrong("expected a name, got blanks")
    return text


def _comment(value: Any) -> str:
    text = _text(MAX_COMMENT)(value)
    size = len(text.encode())
    if size > MAX_COMMENT:
        raise _Wrong(f"expected at most {MAX_COMMENT:,} bytes of UTF-8, got {size:,}")
    return text


def _score(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _Wrong(f"expected a finite number, got {_shown(value)}")
    return float(value)


def _time(value: Any) -> Nanos:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _Wrong(f"expected a time as RFC 3339 or as nanoseconds since 1970, got {_shown(value)}")
    try:
        ns = parse_time(str(value), "time")
    except BadRequest as error:
        raise _Wrong(str(error).removeprefix("time: ")) from None
    if ns < _EARLIEST:
        raise _Wrong(f"{_shown(value)} is {rfc3339(ns)}; expected nanoseconds since 1970, or RFC 3339")
    return ns


_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "trace_id": ("trace_id", _id(32)),
    "span_id": ("span_id", _id(16)),
    "response_id": ("response_id", _text(MAX_REFERENCE)),
    "name": ("name", _name),
    "score": ("score", _score),
    "label": ("label", _text(MAX_WORD)),
    "comment": ("comment", _comment),
    "user_id": ("user_id", _text(MAX_REFERENCE)),
    "time": ("time_ns", _time),
    "id": ("feedback_id", _text(MAX_WORD)),
}
"""Field of a request -> column and how its value is read."""

_WANTED: tuple[tuple[tuple[str, ...], str], ...] = (
    (("name",), "what is judged must be named, such as `helpful`"),
    (("trace_id", "response_id", "span_id"), "what it is about must be named: trace_id (with span_id if it is one span), or response_id"),
    (("score", "label"), "a score or a label is needed"),
)
"""Of each of these at least one field is needed; the first is where its lack is reported."""


@lru_cache(1024)  # who mistakes a name does so a thousand times
def _unknown(name: str) -> str:
    close = get_close_matches(name, _FIELDS, 1)
    return "unknown field; " + (f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(_FIELDS)}")


def _key(name: str) -> str:
    """A field's name as part of a path; quoted when it would be mistaken for something else."""
    return name if re.fullmatch(r"[A-Za-z_]\w{0,59}", name, re.ASCII) else json.dumps(name[:60])


def _shown(value: Any) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "an array"
        case _:
            text = json.dumps(value, ensure_ascii=False)
            return text if len(text) <= 60 else text[:60] + "…"
