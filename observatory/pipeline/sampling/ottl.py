"""Conditions of OTTL (the Collector's language) as filters: comparisons and IsMatch, joined by `and` and `or`. The rest is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from observatory.query.filtering.tree import And, Compare, Expr, Not, Or, Pattern


class NotTold(ValueError):
    """It cannot be said in our words; the message says what."""


_PATH = r"""(?:span\.|resource\.)?attributes\["(?:[^"\\]|\\.)*"\]|(?:span\.)?(?:name|kind(?:\.string)?|status\.code)"""
_LITERAL = r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|nil|[A-Z][A-Z_]+'
_TERM = re.compile(
    rf"\s*(?:(?P<not>not\s+)?IsMatch\(\s*(?P<of>{_PATH})\s*,\s*(?P<regex>\"(?:[^\"\\]|\\.)*\")\s*\)"
    rf"|(?P<path>{_PATH})\s*(?P<op>==|!=|>=|<=|>|<)\s*(?P<literal>{_LITERAL}))\s*"
)
_JOIN = re.compile(r"(and|or)\b")
_STATUS = {"STATUS_CODE_UNSET": "unset", "STATUS_CODE_OK": "ok", "STATUS_CODE_ERROR": "error", "0": "unset", "1": "ok", "2": "error"}
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


def filter_of(conditions: Sequence[str]) -> str:
    """A filter over spans that any of the conditions matches. Raises NotTold with the condition that cannot be told."""
    parts = [_condition(text) for text in conditions]
    if not parts:
        raise NotTold("there is no condition")
    return str(
        parts[0] if len(parts) == 1 else Or(tuple(inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))))
    )


def _condition(text: str) -> Expr:
    """`and` binds closer than `or`, in OTTL as here."""
    alternatives: list[list[Expr]] = [[]]
    at = 0
    while True:
        term = _TERM.match(text, at)
        if term is None:
            raise NotTold(f"this condition is beyond what is translated: {text}")
        alternatives[-1].append(_term(term, text))
        at = term.end()
        if at == len(text):
            break
        join = _JOIN.match(text, at)
        if join is None:
            raise NotTold(f"this condition is beyond what is translated: {text}")
        if join[1] == "or":
            alternatives.append([])
        at = join.end()
    each = [parts[0] if len(parts) == 1 else And(tuple(parts)) for parts in alternatives]
    return each[0] if len(each) == 1 else Or(tuple(each))


def _term(term: re.Match[str], text: str) -> Expr:
    if term["of"]:
        found = Compare(_field(term["of"]), "~", (Pattern((json.loads(term["regex"]),)),))
        return Not(found) if term["not"] else found
    field, op, literal = _field(term["path"]), term["op"], term["literal"]
    if literal == "nil":
        there = Compare(field, ":", (Pattern(("", "")),))
        return there if op == "!=" else Not(there)
    value = _value(field, literal, text)
    if op == "==":
        return Compare(field, "=", (value,))
    if op == "!=":  # of what is missing, OTTL says that it differs
        return Not(Compare(field, "=", (value,)))
    if literal.startswith('"') or field in ("name", "kind", "status"):
        raise NotTold(f"texts have no order here: {text}")
    return Compare(field, op, (value,))


def _field(path: str) -> str:
    key = re.search(r'\["(.*)"\]', path)
    if key:
        return ("resource." if path.startswith("resource.") else "attr.") + json.loads(f'"{key[1]}"')
    return "status" if "status" in path else "kind" if "kind" in path else "name"


def _value(field: str, literal: str, text: str) -> Pattern:
    said = json.loads(literal) if literal.startswith('"') else literal
    if field == "status":
        said = _STATUS.get(said, said)
    if field == "kind":
        said = _KINDS[int(said)] if said.isdigit() and int(said) < len(_KINDS) else said.removeprefix("SPAN_KIND_").lower()
    if not literal.startswith('"') and re.fullmatch("[A-Z][A-Z_]+", said):
        raise NotTold(f"{literal} is not known: {text}")
    return Pattern((said,))
