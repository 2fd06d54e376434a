"""Tail sampling: which traces are kept, decided on whole traces that wait on disk."""
