"""The `observatory` command: one file a command."""
