"""What a call asks the fake provider to do, written in the prompt, so that it passes through every client and framework unchanged.

| in the prompt | the provider |
|---|---|
| `[fail=429]` | answers with this status, every time |
| `[fail_once=500]` | answers with it the first time it sees this very prompt, then as usual: what a client's retry sees |
| `[tool=get_weather {"city": "Lisbon"}]` | calls this tool until a tool's result is in the conversation; several are called in parallel |
| `[first=0.2]` | waits this many seconds before the answer, or before the first chunk of a stream |
| `[gap=0.05]` | waits between chunks |
| `[words=20]` | answers with this many words |
| `[break=3]` | closes the connection after this many chunks of a stream |
| `[think]` | reasons before it answers, where the format knows how |
| `[cached=7]` | says that so many of the input tokens were read from its cache |
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

_ORDER = re.compile(r"\[(fail|fail_once|first|gap|words|break|cached|think)(?:=([0-9.]+))?\]")
_TOOL = re.compile(r"\[tool=(\w+)(?: (\{.*?\}))?\]")


@dataclass(frozen=True, slots=True)
class Tool:
    """A call of a tool that the model asks for."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Script:
    """What one prompt asks for; seconds, counts and statuses as written."""

    fail: int | None = None
    fail_once: int | None = None
    first_s: float = 0.0
    gap_s: float = 0.0
    words: int = 8
    break_after: int | None = None
    cached: int = 0
    think: bool = False
    tools: tuple[Tool, ...] = field(default=())


def read(prompt: str, *, tool_answered: bool) -> Script:
    """The script of a prompt; an order that stands twice counts as it stands last."""
    said = {name: value for name, value in _ORDER.findall(prompt)}

    def number(name: str, default: float) -> float:
        return float(said[name]) if said.get(name) else default

    tools = [] if tool_answered else _TOOL.findall(prompt)
    return Script(
        fail=int(number("fail", 0)) or None,
        fail_once=int(number("fail_once", 0)) or None,
        first_s=number("first", 0),
        gap_s=number("gap", 0),
        words=int(number("words", 8)),
        break_after=int(number("break", 0)) if said.get("break") else None,
        cached=int(number("cached", 0)),
        think="think" in said,
        tools=tuple(Tool(f"call_{name}_{i}", name, json.loads(arguments or "{}")) for i, (name, arguments) in enumerate(tools)),
    )
