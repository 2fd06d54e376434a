"""What decides whether a trace is kept: one file a policy. They see a table with a row for each trace, never a span."""
