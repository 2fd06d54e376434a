"""Which traces are kept: whole traces, decided when they are known."""
