"""Questions: traces, logs, and the sandbox for SQL of users."""
