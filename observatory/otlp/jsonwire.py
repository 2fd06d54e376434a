# cython: annotation_typing=False
"""JSON values to protobuf bytes, by a table of fields. Plain Python that `jsonwire.pxd` lets Cython compile: three times as fast then.

`out` grows from the front; a message's length is put before it when it is known, which moves the message by a byte or two when it is longer
than 127.
"""

from __future__ import annotations

import json
import re
from binascii import Error as NotBinary, a2b_base64, a2b_hex
from struct import Struct
from typing import Any

STRING, HEX, BASE64, BOOL, INT64, UINT64, INT32, UINT32, SINT32, ENUM = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
FIXED64, SFIXED64, DOUBLE, FIXED32, MESSAGE, ANY_VALUE = 10, 11, 12, 13, 14, 15
DEEPEST = 200
"""Messages in messages: more than 64 values, which the decoder allows, take."""

Fields = dict[str, tuple[int, bool, bytes, "Fields"]]
"""By JSON name: kind, repeated or not, tag, and the fields of a message."""

_U64, _U32, _F64 = Struct("<Q"), Struct("<I"), Struct("<d")
_NUMBER = re.compile(r"-?[0-9]{1,20}")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_SPECIAL = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_RANGES = {
    INT64: (-(2**63), 2**63, "a signed 64-bit integer"),
    SFIXED64: (-(2**63), 2**63, "a signed 64-bit integer"),
    UINT64: (0, 2**64, "an unsigned 64-bit integer"),
    FIXED64: (0, 2**64, "an unsigned 64-bit integer"),
    INT32: (-(2**31), 2**31, "a signed 32-bit integer"),
    SINT32: (-(2**31), 2**31, "a signed 32-bit integer"),
    UINT32: (0, 2**32, "an unsigned 32-bit integer"),
    FIXED32: (0, 2**32, "an unsigned 32-bit integer"),
    ENUM: (-(2**31), 2**31, "an enum's number"),
}


class Wrong(Exception):
    """A value that OTLP/JSON does not allow; `path` is where, and grows from the inside while the error travels out."""

    def __init__(self, expected: str, got: Any) -> None:
        shown = json.dumps(got, default=repr) if not isinstance(got, (dict, list)) else "an object" if isinstance(got, dict) else "an array"
        super().__init__(f"expected {expected}, got {shown if len(shown) <= 60 else shown[:59] + '…'}")
        self.path = ""

    def within(self, name: str) -> Wrong:
        """The same, one step further out: `name` is a field or `[index]`."""
        dot = "." if self.path and not self.path.startswith("[") else ""
        self.path = name + dot + self.path
        return self


def write(request: Any, fields: Fields) -> bytes:
    """The message of these `fields` that `request` (what a JSON parser gave) stands for. Raises Wrong."""
    out = bytearray()
    _message(out, request, fields, 1)
    return bytes(out)


def _message(out: bytearray, value: Any, fields: Fields, depth: int) -> None:
    if type(value) is not dict:
        raise Wrong("an object", value)
    if depth > DEEPEST:
        raise Wrong(f"at most {DEEPEST} objects inside each other", value)
    for name, item in value.items():
        if item is None:
            continue
        field = fields.get(name)
        if field is None:
            continue
        kind, repeated, tag, inner = field
        try:
            if repeated:
                _list(out, item, kind, tag, inner, depth)
            elif kind == STRING:
                out += tag
                _text(out, item)
            elif kind >= MESSAGE:
                out += tag
                _nested(out, item, inner, depth)
            else:
                out += tag
                _scalar(out, item, kind)
        except Wrong as wrong:
            raise wrong.within(name) from None


def _list(out: bytearray, value: Any, kind: int, tag: bytes, inner: Fields, depth: int) -> None:
    if type(value) is not list:
        raise Wrong("an array", value)
    if not value:
        return
    index = 0
    start = 0
    if STRING < kind < MESSAGE:
        out += tag
        start = _begin(out)
    try:
        for item in value:
            if kind >= MESSAGE:
                out += tag
                _nested(out, {} if item is None and kind == ANY_VALUE else item, inner, depth)  # JavaScript's null in an array
            elif kind == STRING:
                out += tag
                _text(out, item)
            else:
                _scalar(out, item, kind)
            index += 1
    except Wrong as wrong:
        raise wrong.within(f"[{index}]") from None
    if STRING < kind < MESSAGE:
        _end(out, start)


def _nested(out: bytearray, value: Any, fields: Fields, depth: int) -> None:
    start = _begin(out)
    _message(out, value, fields, depth + 1)
    _end(out, start)


def _begin(out: bytearray) -> int:
    out.append(0)
    return len(out)


def _end(out: bytearray, start: int) -> None:
    size = len(out) - start
    if size < 0x80:
        out[start - 1] = size
    else:
        length = bytearray()
        _varint(length, size)
        out[start - 1 : start] = length


def _varint(out: bytearray, value: int) -> None:
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _text(out: bytearray, value: Any) -> None:
    if type(value) is not str:
        raise Wrong("a string", value)
    try:
        data = value.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair
        data = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode("utf-8")
    _varint(out, len(data))
    out += data


def _scalar(out: bytearray, value: Any, kind: int) -> None:
    if kind == HEX:
        _data(out, _hex(value))
    elif kind == BASE64:
        _data(out, _base64(value))
    elif kind == BOOL:
        if type(value) is not bool:
            raise Wrong("true or false", value)
        out.append(1 if value else 0)
    elif kind == DOUBLE:
        out += _F64.pack(_double(value))
    else:
        number = _integer(value, kind)
        if kind in (FIXED64, SFIXED64):
            out += _U64.pack(number & 0xFFFFFFFFFFFFFFFF)
        elif kind == FIXED32:
            out += _U32.pack(number)
        elif kind == SINT32:
            _varint(out, (number << 1 ^ number >> 31) & 0xFFFFFFFF)
        else:
            _varint(out, number & 0xFFFFFFFFFFFFFFFF)


def _data(out: bytearray, data: bytes) -> None:
    _varint(out, len(data))
    out += data


def _hex(value: Any) -> bytes:
    try:
        if type(value) is str:
            return a2b_hex(value)
    except ValueError:
        pass
    raise Wrong("hexadecimal digits", value)


def _base64(value: Any) -> bytes:
    """Standard or URL-safe alphabet, with padding or without."""
    try:
        if type(value) is str:
            text = value.rstrip("=").replace("-", "+").replace("_", "/")
            return a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except (NotBinary, ValueError):
        pass
    raise Wrong("base64", value)


def _integer(value: Any, kind: int) -> int:
    low, high, expected = _RANGES[kind]
    number = value
    if type(value) is not int:
        if kind == ENUM:
            number = None
        elif type(value) is str:
            number = int(value) if _NUMBER.fullmatch(value) else None
        else:
            number = int(value) if type(value) is float and value.is_integer() else None
    if number is None or not low <= number < high:
        raise Wrong(expected, value)
    return number


def _double(value: Any) -> float:
    try:
        if type(value) is float or type(value) is int:
            return float(value)
        if type(value) is str:
            special = _SPECIAL.get(value)
            if special is not None:
                return special
            if _DECIMAL.fullmatch(value):
                return float(value)
    except OverflowError:
        pass
    raise Wrong("a number", value)
