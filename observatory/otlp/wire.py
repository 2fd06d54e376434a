"""The protobuf wire format in pure Python: reading with byte offsets and exact bounds, and writing.

A tag here is the number on the wire, `field number << 3 | wire type`, so a known field of a wrong wire type is an unknown field, as
protobuf has it. Wire types: 0 varint, 1 eight bytes, 2 length-delimited, 3 and 4 group begin and end, 5 four bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from observatory.otlp.faults import (
    CUT,
    DEEPEST_GROUP,
    FIELD_ZERO,
    GROUP_DEEP,
    GROUP_END,
    GROUP_OPEN,
    LENGTH_LONG,
    NUMBER_LONG,
    TAG_CUT,
    TAG_LONG,
    WIRE_TYPE,
    Fault,
)

_U64 = struct.Struct("<Q").unpack_from
_U32 = struct.Struct("<I").unpack_from


Bytes = bytes | bytearray
"""A body, or (a bytearray) a copy in which the parts of a repeated message were joined; a fault in a copy is at byte -1."""


def fields(data: Bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Each field of the message at `data[start:end]`: (tag, at, value, stop).

    `at` is where its tag begins. A number's `value` is unsigned 64 or 32 bits; a length-delimited field is `data[value:stop]`. Groups
    are skipped whole. Raises `Fault`; never looks beyond `end`.
    """
    position = start
    while position < end:
        at = position
        try:
            tag, position = _tag(data, at, end)
            if tag & 7 == 3:
                position = _skip_group(data, at, position, end, tag >> 3)
                continue
            value, position = _payload(data, at, position, end, tag)
        except Fault as fault:
            if isinstance(data, bytearray):
                fault.at = -1
            raise
        yield tag, at, value, position


def _tag(data: Bytes, at: int, end: int) -> tuple[int, int]:
    tag = data[at]
    position = at + 1
    if tag >= 0x80:
        tag &= 0x7F
        for shift in (7, 14, 21, 28, 35):
            if shift == 35:
                raise Fault(TAG_LONG, at)
            if position == end:
                raise Fault(TAG_CUT, at)
            byte = data[position]
            position += 1
            tag |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        if tag > 0xFFFFFFFF:
            raise Fault(TAG_LONG, at)
    if tag < 8:
        raise Fault(FIELD_ZERO, at)
    return tag, position


def _varint(data: Bytes, at: int, position: int, end: int, field: int, longest: int, too_long: int) -> tuple[int, int]:
    value = shift = 0
    for _ in range(longest):
        if position == end:
            raise Fault(CUT, at, field)
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position
        shift += 7
    raise Fault(too_long, at, field)


def _payload(data: Bytes, at: int, position: int, end: int, tag: int) -> tuple[int, int]:
    field = tag >> 3
    match tag & 7:
        case 0:
            return _varint(data, at, position, end, field, 10, NUMBER_LONG)
        case 1:
            if end - position < 8:
                raise Fault(CUT, at, field)
            return _U64(data, position)[0], position + 8
        case 2:
            length, position = _varint(data, at, position, end, field, 5, LENGTH_LONG)
            if length > end - position:
                raise Fault(CUT, at, field)
            return position, position + length
        case 5:
            if end - position < 4:
                raise Fault(CUT, at, field)
            return _U32(data, position)[0], position + 4
        case 4:
            raise Fault(GROUP_END, at, field)
        case _:
            raise Fault(WIRE_TYPE, at, field)


def _skip_group(data: Bytes, at: int, position: int, end: int, field: int) -> int:
    open_groups = [field]
    while position < end:
        inner = position
        tag, position = _tag(data, inner, end)
        match tag & 7:
            case 3:
                if len(open_groups) == DEEPEST_GROUP:
                    raise Fault(GROUP_DEEP, inner, tag >> 3)
                open_groups.append(tag >> 3)
            case 4:
                if open_groups.pop() != tag >> 3:
                    raise Fault(GROUP_END, inner, tag >> 3)
                if not open_groups:
                    return position
            case _:
                _, position = _payload(data, inner, position, end, tag)
    raise Fault(GROUP_OPEN, at, field)


def varint(value: int) -> bytes:
    """A non-negative number below 2**64 as a varint."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(tag: bytes, value: int) -> bytes:
    """A varint field; negative numbers take ten bytes as protobuf's int64 and enums do."""
    return tag + varint(value & 0xFFFFFFFFFFFFFFFF)


def block(tag: bytes, data: bytes) -> bytes:
    """A length-delimited field."""
    return tag + varint(len(data)) + data
