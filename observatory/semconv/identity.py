"""Whose a span is: session, user and tags, for every span that says anything of them, so that the calls of its trace can have them too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.semconv.coded import Coded
from observatory.semconv.entries import scan
from observatory.semconv.packed import parse

IDENTITY = pa.schema(
    [
        ("place", pa.int64()),  # among the spans that were read; ascending
        ("session_id", pa.string()),
        ("user_id", pa.string()),
        ("tags", pa.list_(pa.field("item", pa.string()))),  # never null; distinct, in the order they came
        ("rank", pa.int8()),  # how much it is worth beside what other spans of the trace say, 0 first; see read_identity
    ]
)
_METADATA, _PARAMETERS = 1, 2
_CLASSES = {"metadata": _METADATA, "llm.invocation_parameters": _PARAMETERS}
_SESSIONS = ("session_id", "thread_id", "conversation_id")
_MOST_TAGS = 64
BY_METADATA, BY_OBSERVATION, BY_OTHER, BY_PARAMETER = range(4)


def read_identity(batches: Sequence[pa.RecordBatch]) -> pa.Table:
    """Schema IDENTITY, one row for each of these spans (`schema(Signal.SPANS)`) that names a session, a user or a tag, in their order.

    Ranks: BY_METADATA, a session in OpenInference's JSON `metadata`, which LangChain's configuration sets and which beats the span's own
    `session.id`; BY_OBSERVATION, attributes of a span that has an observation kind; BY_OTHER, of any other span, whose `session.id` may be
    a browser's; BY_PARAMETER, only a user given to the provider as a parameter of the request. Never raises for content.
    """
    spans = pa.Table.from_batches(list(batches), schema(Signal.SPANS))
    entries = scan([batch.column("attributes") for batch in batches], lambda key: _CLASSES.get(key, 0))
    session, user, wish = dict[int, str](), dict[int, str](), dict[int, str]()
    read: dict[tuple[str, int], tuple[str | None, str | None]] = {}
    for row, class_, text in zip(entries.rows.tolist(), entries.classes.tolist(), entries.texts(), strict=True):
        said = read.get((text, class_)) or read.setdefault((text, class_), _said(text, class_))
        if said[0]:
            session[row] = said[0]
        if said[1]:
            (user if class_ == _METADATA else wish)[row] = said[1]
    says = np.zeros(spans.num_rows, bool)
    for name in ("session_id", "user_id", "tags"):
        if spans[name].null_count < spans.num_rows:
            says |= spans[name].is_valid().to_numpy()
    says[[*session, *user, *wish]] = True
    rows = np.flatnonzero(says)
    return _table(spans, rows, session, user, wish)


def _table(spans: pa.Table, rows: np.ndarray, session: dict[int, str], user: dict[int, str], wish: dict[int, str]) -> pa.Table:
    of = ["session_id", "user_id", "tags", "observation_kind"]
    picked = spans.select(of).unify_dictionaries().combine_chunks().take(pa.array(rows)).combine_chunks()
    columns = dict(zip(of, (_only(column) for column in picked.columns), strict=True))
    own_user = columns["user_id"].is_valid().to_numpy(zero_copy_only=False)
    own = own_user | columns["session_id"].is_valid().to_numpy(zero_copy_only=False) | Coded.of(columns["tags"]).known
    own |= np.isin(rows, list(user))
    rank = np.where(Coded.of(columns["observation_kind"]).known, BY_OBSERVATION, BY_OTHER)
    rank = np.where(own, rank, BY_PARAMETER)
    rank[np.isin(rows, list(session))] = BY_METADATA
    return pa.Table.from_arrays(
        [
            pa.array(rows),
            _first(_sparse(rows, session), columns["session_id"]),
            _first(_first(columns["user_id"], _sparse(rows, user)), _sparse(rows, wish)),
            _tags(Coded.of(columns["tags"])),
            pa.array(rank, pa.int8()),
        ],
        schema=IDENTITY,
    )


def tags_of(text: str) -> list[str]:
    """Tags out of a `tags` column's text: an array as JSON, or names parted by commas; distinct, in order, at most 64."""
    said: object = None
    if text.startswith("["):
        said = parse(text)
    names = [str(item).strip() for item in said if isinstance(item, str | int | float)] if isinstance(said, list) else text.split(",")
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))[:_MOST_TAGS]


def _tags(tags: Coded) -> pa.Array:
    lists = pa.array([*(tags_of(word) for word in tags.words), []], IDENTITY.field("tags").type)
    return lists.take(pa.array(np.where(tags.codes < 0, len(tags.words), tags.codes)))


def _said(text: str, class_: int) -> tuple[str | None, str | None]:
    """Session and user in a JSON object, either None."""
    if '"' not in text or len(text) > 65_536:
        return None, None
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None, None
    if not isinstance(said, dict):
        return None, None
    if class_ == _PARAMETERS:
        return None, _text(said.get("user"))
    return next((session for key in _SESSIONS if (session := _text(said.get(key)))), None), _text(said.get("user_id"))


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None


def _only(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return joined if isinstance(joined, pa.Array) else joined.chunk(0)


def _sparse(rows: np.ndarray, found: dict[int, str]) -> pa.Array:
    if not found:
        return pa.nulls(len(rows), pa.string())
    texts = np.full(len(rows), None, object)
    texts[np.searchsorted(rows, list(found))] = list(found.values())
    return pa.array(texts, pa.string())


def _first(one: pa.Array, other: pa.Array) -> pa.Array:
    return pc.call_function("coalesce", [one, other]) if other.null_count < len(other) and one.null_count else one
