"""What real instrumentations sent (tests/data/captures), decoded, beside what truly happened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from observatory.model.signal import Signal
from observatory.otlp.decode import decoders
from observatory.otlp.json import to_protobuf

CAPTURES = Path(__file__).parents[2] / "data" / "captures"
_FILES = {Signal.SPANS: "traces", Signal.LOGS: "logs"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One recorded run: its spans as rows, and its meta.json."""

    name: str  # instrumentation/scenario
    spans: list[dict[str, Any]]
    calls: list[dict[str, Any]]
    expected: dict[str, Any]

    @property
    def instrumentation(self) -> str:
        return self.name.partition("/")[0]


def rows(folder: Path, signal: Signal) -> list[dict[str, Any]]:
    """Every row that was sent in one scenario, whether as protobuf or JSON."""
    bodies = [path.read_bytes() for path in sorted(folder.glob(f"*.{_FILES[signal]}.pb"))]
    bodies += [to_protobuf(signal, path.read_bytes()) for path in sorted(folder.glob(f"*.{_FILES[signal]}.json"))]
    return decoders().of(signal)(bodies, 0, [None] * len(bodies)).rows.to_pylist()


@cache
def scenarios() -> list[Scenario]:
    """All of them that sent spans."""
    found = []
    for meta in sorted(CAPTURES.glob("*/*/meta.json")):
        said = json.loads(meta.read_text())
        if spans := rows(meta.parent, Signal.SPANS):
            name = f"{meta.parent.parent.name}/{meta.parent.name}"
            found.append(Scenario(name, spans, said["provider_calls"], said["expected"]))
    return found
