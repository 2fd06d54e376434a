"""The W3C trace state with what sampling decided: OpenTelemetry's member `ot`, of which `th` is the threshold, and `rv` the randomness."""

from __future__ import annotations

from observatory.model.threshold import NEVER

_MEMBERS, _CHARACTERS, _LONG = 32, 512, 128  # of a trace state; what is longer than the last goes first when it is too long
_VALUE = 256  # characters of the value of `ot`


def with_threshold(state: str, threshold: int | None) -> str:
    """`state` with `ot=th:` of a rejection threshold below 2^56, without `th` when it is None (a count that nobody knows).

    Other parts of `ot` and members of other vendors stay. A member that changes moves to the front, as W3C asks; when the state becomes
    longer than its limits, members are left out from the end, those beyond 128 characters first.
    """
    members = [member for part in state.split(",") if (member := part.strip(" \t"))]
    ours = next((member for member in members if member.startswith("ot=")), None)
    parts = [part for part in ("" if ours is None else ours[3:]).split(";") if part]
    others = [part for part in parts if not part.startswith("th:")]
    told = [] if threshold is None else [f"th:{_digits(threshold)}"]
    if sorted(parts) == sorted(told + others):
        return state
    rest = [member for member in members if not member.startswith("ot=")]
    return ",".join(_within_limits([f"ot={_value(told, others)}"] if told or others else [], rest))


def _digits(threshold: int) -> str:
    """Up to 14 hexadecimal digits, without zeros at the end."""
    assert 0 <= threshold < NEVER
    return f"{threshold:014x}".rstrip("0") or "0"


def _value(told: list[str], others: list[str]) -> str:
    """`rv` is kept whatever is too long: without it nobody could repeat the choice."""
    others = sorted(others, key=lambda part: not part.startswith("rv:"))
    while len(value := ";".join([*told, *others])) > _VALUE:
        others.pop()
    return value


def _within_limits(ours: list[str], rest: list[str]) -> list[str]:
    rest = rest[: _MEMBERS - len(ours)]
    while rest and len(",".join([*ours, *rest])) > _CHARACTERS:
        long = [number for number, member in enumerate(rest) if len(member) > _LONG]
        del rest[long[-1] if long else -1]
    return [*ours, *rest]
