"""The client library: what an application imports. It needs OpenTelemetry and nothing of the server."""
