# The protobuf wire format. A tag is the number on the wire, so a known field of a wrong wire type is an unknown one. No byte at or beyond
# `end` is ever read: every load is behind a comparison with it.

cdef struct Field:
    uint32_t tag
    uint64_t number        # wire types 0, 1, 5
    const uint8_t* data    # wire type 2
    const uint8_t* end


cdef inline uint32_t low32(uint64_t number) noexcept nogil:
    return <uint32_t>number


cdef const uint8_t* long_varint(
    Fault* fault, const uint8_t* at, const uint8_t* p, const uint8_t* end, uint32_t field, int longest, int too_long, uint64_t* out
) noexcept nogil:
    cdef uint64_t value = 0
    cdef int i
    for i in range(longest):
        if p + i == end:
            fail(fault, CUT, at, field)
            return NULL
        value |= <uint64_t>(p[i] & 0x7F) << (7 * i)
        if p[i] < 0x80:
            out[0] = value
            return p + i + 1
    fail(fault, too_long, at, field)
    return NULL


cdef const uint8_t* long_tag(Fault* fault, const uint8_t* p, const uint8_t* end, uint32_t* out) noexcept nogil:
    cdef uint64_t tag = p[0] & 0x7F
    cdef int i
    for i in range(1, 5):
        if p + i == end:
            fail(fault, TAG_CUT, p, 0)
            return NULL
        tag |= <uint64_t>(p[i] & 0x7F) << (7 * i)
        if p[i] < 0x80:
            if tag > <uint64_t>0xFFFFFFFF:
                break
            out[0] = low32(tag)
            return p + i + 1
    fail(fault, TAG_LONG, p, 0)
    return NULL


cdef inline const uint8_t* read_tag(Fault* fault, const uint8_t* p, const uint8_t* end, uint32_t* out) noexcept nogil:
    cdef const uint8_t* at = p
    if p[0] < 0x80:
        out[0] = p[0]
        p += 1
    else:
        p = long_tag(fault, p, end, out)
        if p == NULL:
            return NULL
    if unlikely(out[0] < 8):
        fail(fault, FIELD_ZERO, at, 0)
        return NULL
    return p


cdef inline const uint8_t* read_payload(Fault* fault, const uint8_t* at, const uint8_t* p, const uint8_t* end, Field* field) noexcept nogil:
    cdef uint32_t wire = field.tag & 7
    cdef uint64_t size
    if wire == 2:
        if p < end and p[0] < 0x80:
            size = p[0]
            p += 1
        else:
            p = long_varint(fault, at, p, end, field.tag >> 3, 5, LENGTH_LONG, &size)
            if p == NULL:
                return NULL
        if unlikely(size > <uint64_t>(end - p)):
            fail(fault, CUT, at, field.tag >> 3)
            return NULL
        field.data = p
        field.end = p + size
        return field.end
    if wire == 0:
        if p < end and p[0] < 0x80:
            field.number = p[0]
            return p + 1
        return long_varint(fault, at, p, end, field.tag >> 3, 10, NUMBER_LONG, &field.number)
    if wire == 1:
        if unlikely(end - p < 8):
            fail(fault, CUT, at, field.tag >> 3)
            return NULL
        field.number = load64(p)
        return p + 8
    if wire == 5:
        if unlikely(end - p < 4):
            fail(fault, CUT, at, field.tag >> 3)
            return NULL
        field.number = load32(p)
        return p + 4
    fail(fault, GROUP_END if wire == 4 else WIRE_TYPE, at, field.tag >> 3)
    return NULL


cdef const uint8_t* skip_group(Fault* fault, const uint8_t* at, const uint8_t* p, const uint8_t* end, uint32_t number) noexcept nogil:
    cdef uint32_t[DEEPEST_GROUP] opened
    cdef int depth = 1
    cdef const uint8_t* inner
    cdef Field field
    opened[0] = number
    while p < end:
        inner = p
        p = read_tag(fault, p, end, &field.tag)
        if p == NULL:
            return NULL
        if field.tag & 7 == 3:
            if depth == DEEPEST_GROUP:
                fail(fault, GROUP_DEEP, inner, field.tag >> 3)
                return NULL
            opened[depth] = field.tag >> 3
            depth += 1
        elif field.tag & 7 == 4:
            depth -= 1
            if opened[depth] != field.tag >> 3:
                fail(fault, GROUP_END, inner, field.tag >> 3)
                return NULL
            if depth == 0:
                return p
        else:
            p = read_payload(fault, inner, p, end, &field)
            if p == NULL:
                return NULL
    fail(fault, GROUP_OPEN, at, number)
    return NULL


cdef inline const uint8_t* read_field(Fault* fault, const uint8_t* p, const uint8_t* end, Field* field) noexcept nogil:
    """Reads the field at p < end, a group whole; gives the byte behind it, or NULL and a fault."""
    cdef const uint8_t* at = p
    p = read_tag(fault, p, end, &field.tag)
    if p == NULL:
        return NULL
    if unlikely(field.tag & 7 == 3):
        return skip_group(fault, at, p, end, field.tag >> 3)
    return read_payload(fault, at, p, end, field)
