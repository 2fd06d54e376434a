"""The public view `feedback`: what was posted as feedback, and evaluations that came as log events, as one table.

Evaluations are log records named `gen_ai.evaluation.result` (OpenTelemetry's GenAI conventions). They are read where they lie: a scan of
the column `event_name`, and of the rest only rows of that name. The convention allows span events of that name too. They are not in the
view: finding them would read the events of every span, and no library is known to send them.
"""

from __future__ import annotations

import duckdb

STORED = "feedback_rows"
"""The view of the rows of `schema(FEEDBACK)`; `feedback` stands on it and on `logs`."""

# The same id again replaces what was said before. `received_at` is of a micro-batch: what came in one is told apart by its content.
FEEDBACK_VIEW = """
SELECT
    feedback_id, time, time_ns, trace_id, span_id, response_id, name, score, label, comment, user_id, 'api' AS source,
    NULL::VARCHAR AS error_type, received_at, project
FROM feedback_rows
QUALIFY row_number() OVER (
    PARTITION BY project, feedback_id
    ORDER BY received_at DESC, time_ns DESC, name, score, label, comment, trace_id, span_id, response_id, user_id
) = 1
UNION ALL
SELECT
    md5(concat_ws('|', project, dated_ns, trace_id, span_id, attributes)) AS feedback_id,
    make_timestamptz(dated_ns // 1000) AS time,
    dated_ns AS time_ns,
    trace_id, span_id,
    attributes['gen_ai.response.id'] AS response_id,
    attributes['gen_ai.evaluation.name'] AS name,
    CASE WHEN isfinite(try_cast(attributes['gen_ai.evaluation.score.value'] AS DOUBLE))
        THEN try_cast(attributes['gen_ai.evaluation.score.value'] AS DOUBLE) END AS score,
    attributes['gen_ai.evaluation.score.label'] AS label,
    attributes['gen_ai.evaluation.explanation'] AS comment,
    attributes['user.id'] AS user_id,
    'event' AS source,
    attributes['error.type'] AS error_type,
    received_at, project
FROM (
    SELECT
        *,
        CASE WHEN time_ns <> 0 THEN time_ns WHEN observed_time_ns <> 0 THEN observed_time_ns ELSE epoch_ns(received_at) END AS dated_ns
    FROM logs
    WHERE event_name = 'gen_ai.evaluation.result'
) AS evaluation
"""

_OF_LOGS = ("event_name", "attributes", "trace_id", "span_id", "time_ns", "observed_time_ns", "received_at", "project")
_OF_FEEDBACK = (
    *("feedback_id", "time", "time_ns", "trace_id", "span_id", "response_id", "name", "score", "label", "comment", "user_id"),
    *("received_at", "project"),
)


def stands_on(names: set[str] | None) -> set[str] | None:
    """The names a query needs, with those that `feedback` needs when it is one of them; None, which is all, stays None."""
    if names is None or "feedback" not in names:
        return names
    return names | {STORED, "logs", *_OF_LOGS, *_OF_FEEDBACK}


def open_feedback(con: duckdb.DuckDBPyConnection) -> None:
    """Make the view; `feedback_rows` and `logs` must be there."""
    con.execute(f"CREATE OR REPLACE TEMP VIEW feedback AS {FEEDBACK_VIEW}")
