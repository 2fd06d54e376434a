"""Believable LLM applications for `observatory demo`: they speak through the real OpenTelemetry SDK and exporters."""
