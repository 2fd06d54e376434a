"""OTLP bytes to columns and back."""
