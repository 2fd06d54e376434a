"""docs/SQL.md lists exactly the columns there are, and its examples run."""

from __future__ import annotations

import random
import re
from pathlib import Path

import duckdb
import pytest
from storage_makers import Store, rows

from observatory.model.signal import RECEIVED
from observatory.storage.views import ViewSpec, open_views

PAGE = Path(__file__).parents[3] / "docs" / "SQL.md"
VIEWS = ("spans", "logs", "metric_points", "traces", "llm_calls", "llm_metrics", "llm_rollups", "span_rollups", "feedback")


def tables() -> str:
    """The part of the page below `## Columns`."""
    con = duckdb.connect()
    open_views(con, ViewSpec({}, []))
    said = []
    for view in VIEWS:
        lines = [f"### {view}", "| column | type |", "|---|---|"]
        for name, type_, *_ in con.execute(f"DESCRIBE {view}").fetchall():
            plain = type_.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMP").replace('"', "")
            lines.append(f"| `{name}` | {plain} |")
        said.append("\n".join(lines))
    return "\n\n".join(said)


def test_the_page_lists_the_columns() -> None:
    _, _, below = PAGE.read_text().partition("## Columns\n")
    assert below.strip() == tables(), "write the output of tests/unit/storage/test_sql_page.py:tables below `## Columns` of docs/SQL.md"


EXAMPLES = re.findall(r"SELECT .*?;", PAGE.read_text().partition("```sql")[2].partition("```")[0], re.DOTALL)


@pytest.mark.parametrize("query", EXAMPLES)
def test_the_examples_run(query: str, tmp_path: Path) -> None:
    store, rng = Store(tmp_path), random.Random(1)
    for signal in RECEIVED:
        store.put(signal, rows(signal, 20, rng))
    store.cut()
    store.put(RECEIVED[0], rows(RECEIVED[0], 20, rng))
    with store.engine.view() as view:
        view.run(query.rstrip(";"))
    store.close()


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 7
