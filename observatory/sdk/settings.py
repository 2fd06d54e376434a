"""What is in force in this process: the client that `init` made, and the few values that are asked for at every call."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version as installed
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from observatory.sdk.client import Client

active: Client | None = None
"""Made by `init`; None before it, and when the SDK is disabled."""


def content() -> bool:
    """Values of the application may be recorded."""
    return active is None or active.config.capture_content


def longest() -> int:
    """Characters of one text that are kept."""
    return 65_536 if active is None else active.config.max_attribute_length


@cache
def version() -> str:
    """Of this package."""
    try:
        return installed("llm-observatory")
    except PackageNotFoundError:
        return "0"
