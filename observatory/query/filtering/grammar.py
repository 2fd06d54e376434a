"""Text to tree: the grammar, what stands between quotes, and errors that point at the character."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TypeAlias, cast

import pyarrow as pa
import pyarrow.compute as pc
from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from observatory.query.filtering.fault import FilterError, Place, shown
from observatory.query.filtering.tree import And, Compare, Everything, Expr, Not, Or, Pattern, Text

MAX_LENGTH = 4096
"""Characters of a filter."""
MAX_TERMS = 256
"""Conditions and values of a filter."""
MAX_DEPTH = 32
"""Groups and negations within each other, counted where they are not taken away by simplification."""

# The lexer knows what may come next, so a value may start with `-` or hold `:` and a word may not. Spaces between words say `and`.
GRAMMAR = r"""
?start: any_of
?any_of: all_of (_OR all_of)*
?all_of: term (_AND? term)*
?term: (_NOT | _MINUS) term -> negation
     | "(" any_of ")"
     | name OP _values -> compare
     | (WORD | STRING) -> text
name: WORD | STRING
_values: _value (_COMMA _value)*
       | "(" _value ((_OR | _COMMA) _value)* ")"
_value: VALUE | STRING

_AND.2: /and(?![^\s()"])/i
_OR.2: /or(?![^\s()"])/i
_NOT.2: /not(?![^\s()"])/i
_MINUS: "-"
_COMMA: ","
OP: /:?(?:>=|<=|!=|>|<|=|~)|:/
STRING: /"(?:[^"\\]|\\.)*"/s
WORD: /(?!-)(?:[^\s()":=<>~!,]|!(?!=))+/
VALUE: /[^\s()",]+/
%ignore /\s+/
"""
Branch: TypeAlias = Tree[Token]

_ESCAPES = {"\\": "\\", '"': '"', "*": "*", "n": "\n", "r": "\r", "t": "\t"}
_PAIR = re.compile(r"\\(.)|(\*)", re.DOTALL)


def parse(text: str) -> Expr:
    """The tree of a filter; blank text is `Everything`. Fields are not looked up yet, since they differ by what is filtered.

    Raises FilterError for text that is no filter, is longer than `MAX_LENGTH`, has more than `MAX_TERMS` conditions and values or is nested
    deeper than `MAX_DEPTH`, and for a regular expression that RE2 refuses.
    """
    if len(text) > MAX_LENGTH:
        raise FilterError(f"longer than {MAX_LENGTH} characters", Place(text, MAX_LENGTH, MAX_LENGTH + 1))
    if bad := re.search("[\0\ud800-\udfff]", text):
        raise FilterError("a character that is no text", Place(text, bad.start(), bad.end()))
    if not text.strip():
        return Everything()
    try:
        read = cast(Branch, _parser().parse(text))
    except UnexpectedInput as unexpected:
        raise _explained(unexpected, text) from None
    _measure(read, text)
    return _expr(read, text)


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)


def _measure(read: Branch, text: str) -> None:
    """Refuses what is too deep or too much; without recursion, so that it may look at any depth."""
    terms, waiting = 0, [(read, 0)]
    while waiting:
        branch, depth = waiting.pop()
        for child in branch.children:
            if isinstance(child, Tree):
                waiting.append((child, depth + 1))
                continue
            terms += branch.data != "name" and child.type != "OP"
            if depth > 2 * MAX_DEPTH:  # a group is two levels: any of, all of
                raise FilterError(f"more than {MAX_DEPTH} groups and negations within each other", _place(child, text))
            if terms > MAX_TERMS:
                raise FilterError(f"more than {MAX_TERMS} conditions and values", Place(text, 0, len(text)))


def _expr(read: Branch, text: str) -> Expr:
    match read.data:
        case "any_of":
            parts = [_expr(cast(Branch, child), text) for child in read.children]
            return Or(tuple(inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))))
        case "all_of":
            parts = [_expr(cast(Branch, child), text) for child in read.children]
            return And(tuple(inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,))))
        case "negation":
            return Not(_expr(cast(Branch, read.children[0]), text))
        case "text":
            token = cast(Token, read.children[0])
            return Text(_pattern(token, text), _place(token, text))
        case _:
            return _compare(read, text)


def _compare(read: Branch, text: str) -> Compare:
    field, op, *values = cast("list[Token]", [cast(Branch, read.children[0]).children[0], *read.children[1:]])
    kind = op.removeprefix(":") or ":"
    if kind in ("<", "<=", ">", ">=") and len(values) > 1:
        raise FilterError(f"`{kind}` compares with one value, not with {len(values)}", _place(values[1], text))
    name = _literal(field, text) if field.type == "STRING" else str(field)
    if field.type == "STRING" and not name.startswith(("attr.", "resource.")):
        name = f"attr.{name}"  # a name in quotes is an attribute's
    if kind == "~":
        patterns = [_regex(value, text) for value in values]
    elif kind == ":":
        patterns = [_pattern(value, text) for value in values]
    else:
        patterns = [Pattern((_literal(value, text),)) for value in values]
    place = _place(field, text)
    return Compare(name, kind, tuple(patterns), place, tuple(_place(value, text) for value in values))


def _pattern(token: Token, text: str) -> Pattern:
    """The token's text, parted at each `*`; between quotes `\\*` is a star."""
    _refuse_joined(token, text)
    if token.type != "STRING":
        return Pattern(tuple(token.split("*")))
    parts, last = [""], 1
    for found in _PAIR.finditer(token, 1, len(token) - 1):
        parts[-1] += token[last : found.start()]
        last = found.end()
        if found[2]:
            parts.append("")
        else:
            parts[-1] += _escaped(found, token, text)
    parts[-1] += token[last:-1]
    return Pattern(tuple(parts))


def _literal(token: Token, text: str) -> str:
    """The token's text; a `*` is a star."""
    _refuse_joined(token, text)
    if token.type != "STRING":
        return str(token)
    return _PAIR.sub(lambda found: "*" if found[2] else _escaped(found, token, text), token[1:-1])


def _escaped(found: re.Match[str], token: Token, text: str) -> str:
    try:
        return _ESCAPES[found[1]]
    except KeyError:
        raise FilterError(
            f"unknown escape {shown(found[0])} in quotes", _place(token, text), 'a backslash is written \\\\, a quote \\", a star \\*'
        ) from None


def _regex(token: Token, text: str) -> Pattern:
    """A regular expression; between quotes a backslash stays, except before a quote."""
    _refuse_joined(token, text)
    said = str(token)
    if token.type == "STRING":
        said = re.sub(r"\\(.)", lambda m: '"' if m[1] == '"' else m[0], said[1:-1], flags=re.DOTALL)
    try:
        pc.call_function("match_substring_regex", [pa.array([""])], pc.MatchSubstringOptions(said))
    except pa.ArrowInvalid as invalid:
        why = str(invalid).partition(":")[2].strip() or str(invalid)
        raise FilterError(f"not a regular expression: {why}", _place(token, text), "it is RE2's syntax, without look-around") from None
    return Pattern((said,))


def _refuse_joined(token: Token, text: str) -> None:
    """`a(b)` and `a"b"` would be two conditions, which nobody means."""
    after = text[_place(token, text).end :][:1]
    if after in ("(", '"'):
        raise FilterError(f"{shown(token)} goes on with `{after}`", _place(token, text), "put all of it into quotes, or a space between")


def _place(token: Token, text: str) -> Place:
    start = token.start_pos or 0
    return Place(text, start, start + len(token))


def _explained(unexpected: UnexpectedInput, text: str) -> FilterError:
    """What a person did, by what the parser met and would have taken."""
    position = unexpected.pos_in_stream or 0
    wanted: Sequence[str] = ()
    said = text[position : position + 1]
    if isinstance(unexpected, UnexpectedToken):
        wanted = sorted(unexpected.accepts or unexpected.expected)
        said = str(unexpected.token)
        position = len(text) if unexpected.token.type == "$END" else unexpected.token.start_pos or 0
    elif isinstance(unexpected, UnexpectedCharacters):
        wanted = sorted(unexpected.allowed or ())
    place = Place(text, position, position + max(1, len(said)))
    if said.startswith('"'):
        return FilterError("a quote that is not closed", place)
    if "VALUE" in wanted:
        return FilterError("a value is missing" if not said else f"a value is expected, not {shown(said)}", place)
    if "_COMMA" in wanted and "RPAR" in wanted and not {"WORD", "_AND"} & set(wanted):
        return FilterError(
            "a list of values goes on with `or`, a comma or `)`", place, "conditions on a field are `and`ed outside: `a:x a:y`"
        )
    return _misplaced(said, wanted, place)


def _misplaced(said: str, wanted: Sequence[str], place: Place) -> FilterError:
    match said:
        case "":
            what = (
                "a `(` that is not closed" if "RPAR" in wanted and "WORD" not in wanted else "the filter ends where a condition is expected"
            )
            return FilterError(what, place)
        case ")":
            return FilterError(
                "a `)` that closes nothing" if "WORD" not in wanted or "$END" in wanted else "a condition is expected before `)`", place
            )
        case ",":
            return FilterError("a comma that parts no values", place, "put text with a comma into quotes")
    if said[0] in ":=<>~!":
        return FilterError(f"no field before {shown(said)}", place, "put text with such characters into quotes")
    return FilterError(f"{shown(said)} is not expected here", place)
