"""Log lines on stderr: text for people, one JSON object a line for machines."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from observatory.settings import LogConfig


class TextFormatter(logging.Formatter):
    """`10:24:03.412 warning pipeline.journal  the disk is full`: local time, because a person compares it with a clock."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback below it when there is one."""
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S.%f")[:-3]
        line = f"{time} {record.levelname.lower():<7} {record.name.removeprefix('observatory.')}  {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One object a line: `time` (RFC 3339, UTC), `level`, `logger`, `message`, and `error` with the traceback when there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Always one line: JSON escapes what would break it."""
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False, default=str)


def configure(config: LogConfig) -> None:
    """Send what this process logs to stderr. Other libraries are heard from `warning` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if config.format == "json" else TextFormatter())
    handler.addFilter(_ours_to_know)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("observatory").setLevel(config.level.upper())
    logging.captureWarnings(True)


def _ours_to_know(record: logging.LogRecord) -> bool:
    """aiohttp reports bytes that are no HTTP with a traceback. They were answered with 400, and anyone can send a million of them."""
    error = record.exc_info[1] if record.exc_info else None
    return record.name != "aiohttp.server" or type(error).__module__ != "aiohttp.http_exceptions"
