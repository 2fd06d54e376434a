-- Where failures of a window, and of the time before it, began. A failed span whose own child failed only passes the failure on: the anti join
-- leaves the span where it began. `$before_ns` is where the time before the window begins that tells what is new from what is not. Events are not
-- read: recorded exceptions are in the status message as well, and reading the events of 200,000 failures among 10 M spans took 4 s.
failed AS MATERIALIZED (
    SELECT
        trace_id,
        span_id,
        parent_span_id,
        start_ns,
        service_name,
        name,
        observation_kind,
        coalesce(response_model, request_model) AS model,
        coalesce(nullif(error_type, ''), regexp_extract(status_message, '^([A-Za-z_][A-Za-z0-9_.]*): ', 1)) AS error_type,
        left(status_message, 1000) AS message
    FROM {spans}
    WHERE status_code = 2 AND start_ns >= $before_ns AND start_ns < $to_ns AND {filter}
),
began AS (
    SELECT
        *,
        start_ns >= $from_ns AS here,
        regexp_replace(message, '[0-9a-fA-F]{{8,}}(-[0-9a-fA-F]{{4,}})*|\d+([.,]\d+)*', '#', 'g') AS pattern
    FROM failed
    ANTI JOIN (SELECT DISTINCT trace_id AS of_trace, parent_span_id AS parent FROM failed WHERE parent_span_id IS NOT NULL) AS children
        ON trace_id = of_trace AND span_id = parent
)
