"""How fast OTLP bytes become columns."""
