"""What kept traces tell of all: the one home of that arithmetic, for SQL (`estimate_macros.sql`) and for arrays.

A kept trace stands for w = 1/p traces, where p was its chance to be kept. Σ w·x over kept traces estimates Σ x over all without bias, and
Σ w(w − 1)·x² = Σ (1 − p)/p²·x² the variance of that (Horvitz and Thompson, for traces that are chosen independently). A trace is kept whole
or not at all, so x is what the *trace* adds: ten spans that pass are one x of ten. docs/SAMPLING.md tells users, with the limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from observatory.model.clock import Nanos
from observatory.query.named import named


@dataclass(frozen=True, slots=True)
class Estimate:
    """A sum over all traces, and its standard error: 0 where every trace that adds to it stands for itself, None where it cannot be told,
    because of some trace nobody knows for how many it stands. Such a trace counts for itself, so the value is then rather too small.
    """

    value: float
    standard_error: float | None = 0.0

    @staticmethod
    def of(value: float, variance: float, unknown: bool) -> Estimate:
        """As SQL gives them."""
        return Estimate(value, None if unknown else max(variance, 0.0) ** 0.5)

    def __int__(self) -> int:
        return round(self.value)


def said(weighed: bool, **counts: Estimate) -> dict[str, Any]:
    """`exact` and `standard_error`, by the names that an answer has for its counts. `weighed`: some trace of the window stands for others;
    then a count may lack traces of which no like was kept, so it is not exact even where its error is 0.
    """
    errors = {name: rounded(count.standard_error) for name, count in counts.items()}
    return {"exact": not weighed, "standard_error": errors if weighed else None}


def rounded(standard_error: float | None) -> float | None:
    """An error has no more digits than it is worth: three."""
    return None if standard_error is None else float(f"{standard_error:.3g}")


def horvitz_thompson(x: np.ndarray, w: np.ndarray) -> Estimate:
    """Of what kept traces add, and what each stands for."""
    return Estimate.of(float(w @ x), float((w * (w - 1)) @ (x * x)), False)


def weigh(con: duckdb.DuckDBPyConnection, from_ns: Nanos, to_ns: Nanos) -> bool:
    """Whether some traces with spans in [from_ns, to_ns) stand for more than themselves (or nobody knows how many). Then the connection has
    them as `trace_weights`, and the macros of estimates. Needs `trace_fragments`.
    """
    found = con.sql(named("trace_weights"), params={"from_ns": from_ns, "to_ns": to_ns}).to_arrow_table()
    if found.num_rows:
        con.register("trace_weights", found)
        con.execute(named("estimate_macros"))
    return found.num_rows > 0


def weigh_alike(con: duckdb.DuckDBPyConnection) -> None:
    """The same where every row stands for itself: a relation without rows."""
    con.execute("CREATE OR REPLACE TEMP TABLE trace_weights (trace_id VARCHAR, stands_for DOUBLE, unknown_count BOOLEAN)")
    con.execute(named("estimate_macros"))
