"""From an export to durable columns: the one ingest loop and what it calls."""
