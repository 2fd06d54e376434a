"""What `view=columns` says, as the objects of `view=tree`."""

from __future__ import annotations

from typing import Any


def as_objects(block: dict[str, Any]) -> list[dict[str, Any]]:
    """The spans of a block."""
    spans = rows_of(block["columns"], block["rows"])
    for span in spans:
        message = {"message": span.pop("message")} if span.get("message") else {}
        span["status"] = {"code": span["status"], **message}
        span["has_events"] = span["event_count"] > 0
        span.setdefault("parent_span_id", None)
        span.pop("message", None)
    for part, name in (("calls", "call"), ("subtrees", "subtree")):
        at = block[part]["at"]
        for place, said in zip(at, rows_of(block[part]["columns"], len(at)), strict=True):
            spans[place][name] = {"total_cost_usd": None} | said
    return spans


def rows_of(columns: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Columns as rows, without what has no value."""
    rows: list[dict[str, Any]] = [{} for _ in range(count)]
    for name, column in columns.items():
        values = column if isinstance(column, list) else [None if at < 0 else column["of"][at] for at in column["at"]]
        assert len(values) == count, name
        for row, value in zip(rows, values, strict=True):
            if value is not None:
                row[name] = value
    return rows
