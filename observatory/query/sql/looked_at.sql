-- The rows of a window whose values are counted, as narrow as the question is, and whether they pass its filter: in one scan, since a view over
-- segments and journal costs as much to begin as a column of a million rows costs to read. `{rows}` are all rows, or slices of the window.
CREATE OR REPLACE TEMP TABLE looked_at AS
SELECT {values}, ({filter}) IS TRUE AS passes
FROM {rows}
WHERE start_ns >= $from_ns AND start_ns < $to_ns
