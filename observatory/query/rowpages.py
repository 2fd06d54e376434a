"""Pages of rows that have a start, a trace and a span: which rows are on one by narrow columns, then the whole rows of those only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from observatory.query.cursors import decode_cursor, encode_cursor
from observatory.query.named import named

_DIGITS = 12  # behind the point of money


@dataclass(frozen=True, slots=True)
class Rows:
    """What is listed: `order` is the SQL that finds a page, `whole` the one that reads its rows; `keys` what it can be ordered by, as SQL
    that gives a BIGINT or a DECIMAL(18, 12), so that a cursor says it exactly.
    """

    order: str
    whole: str
    keys: dict[str, str]

    @property
    def sorts(self) -> list[str]:
        """All values of `sort`."""
        return [sign + name for name in self.keys for sign in ("-", "")]

    def page(
        self, con: duckdb.DuckDBPyConnection, filters: Sequence[str], values: dict[str, Any], *, sort: str, limit: int, cursor: str | None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """(rows, the cursor of the next page when there is one). `values` has `from_ns`, `to_ns` and what the filters name. Raises
        BadRequest for a cursor that is not understood.
        """
        descending, key = sort.startswith("-"), self.keys[sort.removeprefix("-")]
        filters, values = list(filters), {**values, "rows": limit + 1}
        behind = "TRUE"
        if cursor is not None:
            at, trace_id, span_id = decode_cursor(cursor, sort, (int, str, str))
            values |= {"at": Decimal(at).scaleb(-_DIGITS) if "usd" in key else at, "trace_id": trace_id, "span_id": span_id}
            behind = f"(key, trace_id, span_id) {'<' if descending else '>'} ($at, $trace_id, $span_id)"
            if key == "start_ns":  # what lies before is not read at all
                filters.append("start_ns <= $at" if descending else "start_ns >= $at")
        text = named(self.order).format(key=key, direction="DESC" if descending else "ASC", filter=" AND ".join(filters), behind=behind)
        found = con.sql(text, params=values).to_arrow_table()
        shown = found.slice(0, limit)
        following = None
        if found.num_rows > limit:
            last, *ids = (shown.column(name)[-1].as_py() for name in ("key", "trace_id", "span_id"))
            following = encode_cursor(sort, [int(last.scaleb(_DIGITS)) if isinstance(last, Decimal) else last, *ids])
        return self._whole(con, shown), following

    def _whole(self, con: duckdb.DuckDBPyConnection, keys: pa.Table) -> list[dict[str, Any]]:
        """The rows of a page in its order; a row that was stored twice is there once."""
        if not keys.num_rows:
            return []
        points = ", ".join(map(str, np.unique(keys.column("start_ns")).tolist()))
        con.register("page", keys.select(["start_ns", "trace_id", "span_id"]).append_column("place", pa.array(np.arange(keys.num_rows))))
        try:
            rows = con.sql(named(self.whole).format(points=points)).to_arrow_table().to_pylist()
        finally:
            con.unregister("page")
        seen: set[tuple[str, str]] = set()
        return [row for row in rows if (one := (row["trace_id"], row["span_id"])) not in seen and not seen.add(one)]
