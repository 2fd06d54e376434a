"""Which columns a query may need: never too few."""

from __future__ import annotations

import duckdb
import pytest

from observatory.storage.columns import needed


@pytest.mark.parametrize(
    ("query", "some", "not_some"),
    [
        ("SELECT count(*) FROM spans", set(), {"name", "attributes"}),
        ("SELECT s.name FROM spans s WHERE s.start_time > now() ORDER BY duration_ms", {"name", "start_time", "duration_ms"}, {"kind"}),
        ("SELECT service_name AS kind_of, count(*) FROM spans GROUP BY kind_of", {"service_name"}, {"attributes"}),
        ("SELECT a.name FROM spans a JOIN logs b USING (trace_id)", {"name", "trace_id", "spans", "logs"}, {"body"}),
        ("WITH x AS (SELECT NAME FROM spans) SELECT name FROM x", {"name"}, {"kind"}),
        ("SELECT list_transform(events, LAMBDA e : e.name) FROM spans", {"events"}, {"links"}),
        ('SELECT "Status" FROM spans', {"status"}, {"kind"}),
        ("SELECT (SELECT max(kind) FROM spans WHERE name = t.root_name) FROM traces t", {"kind", "name", "traces", "spans"}, {"links"}),
    ],
)
def test_named(query: str, some: set[str], not_some: set[str]) -> None:
    names = needed(duckdb.connect(), query)
    assert names is not None
    assert some <= names
    assert not not_some & names


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM spans",
        "FROM spans",
        "SELECT s.* FROM spans s",
        "SELECT * EXCLUDE (name) FROM spans",
        "SELECT COLUMNS('n.*') FROM spans",
        "SELECT spans FROM spans",
        "SELECT s FROM spans s",
        "SELECT name FROM spans NATURAL JOIN logs",
        "SELECT #1 FROM spans",
        "SUMMARIZE spans",
        "DESCRIBE spans",
        "SELECT b FROM spans AS s(a, b, c)",
        "PIVOT spans ON kind USING count(*)",
        "this is no SQL",
        "SELECT name FROM spans; SELECT * FROM logs",
    ],
)
def test_all(query: str) -> None:
    assert needed(duckdb.connect(), query) is None
