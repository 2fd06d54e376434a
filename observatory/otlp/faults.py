"""What can be wrong with the bytes of an OTLP request, as numbers the kernel can return and sentences a person can use.

Both decoders find the same fault at the same byte, so that a test can compare their answers whole.
"""

from __future__ import annotations

from observatory.errors import Malformed, ObservatoryError, Retryable, TooLarge
from observatory.model.signal import Signal

CUT = 1
TAG_CUT = 2
TAG_LONG = 3
FIELD_ZERO = 4
NUMBER_LONG = 5
LENGTH_LONG = 6
WIRE_TYPE = 7
GROUP_END = 8
GROUP_OPEN = 9
GROUP_DEEP = 10
VALUE_DEEP = 11
OVER_BUDGET = 12
NO_ROOM = 13

DEEPEST_VALUE = 64
"""How many values may be nested in each other; the specification names no number, google.protobuf stops at about 46 arrays."""
DEEPEST_GROUP = 64

BUDGET = 1 << 30
"""Bytes of columns one request may become. Two bytes of a request can become thirty of columns, so limiting the request is not enough."""

# The price of an item in columns, apart from its text: what the fixed-width columns take, rounded up.
ROW, EVENT, LINK, ATTRIBUTE = 512, 64, 96, 16

_SENTENCES = {
    CUT: "field {field} is cut short",
    TAG_CUT: "a field tag is cut short",
    TAG_LONG: "a field tag is longer than 32 bits",
    FIELD_ZERO: "field number 0 does not exist",
    NUMBER_LONG: "field {field}: a number is longer than 10 bytes",
    LENGTH_LONG: "field {field}: a length is longer than 5 bytes",
    WIRE_TYPE: "field {field} has a wire type that does not exist",
    GROUP_END: "field {field}: a group ends here that did not begin",
    GROUP_OPEN: "field {field}: a group has no end",
    GROUP_DEEP: f"field {{field}}: groups are nested deeper than {DEEPEST_GROUP}",
    VALUE_DEEP: f"values are nested deeper than {DEEPEST_VALUE}",
}


class Fault(Exception):
    """What stops the decoding of one body: a number of this file, the byte where, the field's number."""

    def __init__(self, code: int, at: int = 0, field: int = 0) -> None:
        super().__init__(code, at, field)
        self.code, self.at, self.field = code, at, field


def error(signal: Signal, code: int, at: int, field: int, size: int, budget: int = BUDGET) -> ObservatoryError:
    """The error of a body of `size` bytes that has fault `code` at byte `at`."""
    if code == OVER_BUDGET:
        return TooLarge(f"these {signal} would take more than {budget >> 20} MiB as columns; send fewer in one request")
    if code == NO_ROOM:
        return Retryable(f"no memory left to decode {size} bytes of {signal}", after=1.0)
    return Malformed(f"cannot decode {signal} at byte {at} of {size}: {_SENTENCES[code].format(field=field)}")


TRACE_ID, SPAN_ID, PARENT_SPAN_ID = 0, 1, 2
_IDS = ("trace_id must be 16 bytes and not all zero", "span_id must be 8 bytes and not all zero", "parent_span_id must be 8 bytes or empty")


def rejection(index: int, which: int, length: int) -> str:
    """Why the span at `index` (from 0, over the request) was refused: its id `which` has `length` bytes, all zero if that is right."""
    right = (16, 8, -1)[which]
    return f"span {index}: {_IDS[which]}, got {'only zeros' if length == right else length}"
