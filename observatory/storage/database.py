"""How DuckDB is opened inside the server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb

from observatory.model import priority


def connect(config: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A database in memory. DuckDB starts its threads when it is opened and they inherit the opener's priority: behind acknowledgements."""
    with ThreadPoolExecutor(1, initializer=priority.lower, initargs=(priority.ANSWERS,)) as opener:
        return opener.submit(duckdb.connect, config=config).result()
