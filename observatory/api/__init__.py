"""Answers over HTTP: REST, SQL, health, metrics, the page."""
