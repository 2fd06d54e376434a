"""Log records that are a part of a trace: events of the GenAI conventions that carry messages, choices and evaluations."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

PREFIX = "gen_ai."
EVALUATION = "gen_ai.evaluation.result"


def follows_trace(logs: pa.RecordBatch) -> pa.Array:
    """Which records (of `schema(LOGS)`, at least `event_name` and `trace_id`) follow their trace: a boolean each."""
    names = logs.column("event_name")
    yes = pc.call_function("starts_with", [names.dictionary], pc.MatchSubstringOptions(PREFIX))
    return pc.call_function("and", [yes.take(names.indices).fill_null(False), logs.column("trace_id").is_valid()])
