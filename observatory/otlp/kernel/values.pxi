# OTLP's AnyValue and KeyValue: the last of a oneof wins, and messages that repeat are joined, as protobuf has it.

cdef inline int read_key_value(Fault* fault, const uint8_t* p, const uint8_t* end, Range* key, Range* value) noexcept nogil:
    cdef Field field
    cdef const uint8_t* middle
    # what every exporter writes: key, then value, each shorter than 128 bytes
    if end - p >= 4 and p[0] == 0x0A and p[1] <= end - p - 4:
        middle = p + 2 + p[1]
        if p[1] < 0x80 and middle[0] == 0x12 and middle[1] < 0x80 and middle + 2 + middle[1] == end:
            key.data, key.end = p + 2, middle
            value.data, value.end, value.room = middle + 2, end, 0
            return 0
    key.data = key.end = NOTHING
    unset(value)
    while p < end:
        p = read_field(fault, p, end, &field)
        if p == NULL:
            return -1
        if field.tag == 0x0A:
            key.data, key.end = field.data, field.end
        elif field.tag == 0x12:
            if join(fault, value, field.data, field.end) < 0:
                return -1
    return 0


cdef inline int read_value(Fault* fault, const uint8_t* p, const uint8_t* end, int depth, Value* value) noexcept nogil:
    cdef Field field
    value.letter = EMPTY
    if unlikely(depth > DEEPEST_VALUE):
        return fail(fault, VALUE_DEEP, p, 0)
    if end - p >= 2 and p[0] == 0x0A and p[1] < 0x80 and p + 2 + p[1] == end:  # a short string and nothing else
        value.letter, value.part.data, value.part.end = STRING, p + 2, end
        return 0
    while p < end:
        p = read_field(fault, p, end, &field)
        if p == NULL:
            return -1
        if field.tag == 0x0A:
            value.letter, value.part.data, value.part.end = STRING, field.data, field.end
        elif field.tag == 0x18:
            value.letter, value.number = INT, field.number
        elif field.tag == 0x21:
            value.letter, value.number = DOUBLE, field.number
        elif field.tag == 0x10:
            value.letter, value.number = BOOL, field.number != 0
        elif field.tag == 0x3A:
            value.letter, value.part.data, value.part.end = BYTES, field.data, field.end
        elif field.tag == 0x2A or field.tag == 0x32:
            if value.letter != (ARRAY if field.tag == 0x2A else KVLIST):
                value.letter = ARRAY if field.tag == 0x2A else KVLIST
                unset(&value.part)
            if join(fault, &value.part, field.data, field.end) < 0:
                return -1
    return 0


cdef inline int put_value(Records* records, Buffer* out, Value* value, int depth) noexcept nogil:
    """The text of an attribute: anyvalue.text."""
    cdef Fault* fault = &records.fault
    if value.letter == STRING:
        return put_text(fault, out, value.part.data, value.part.end - value.part.data)
    if value.letter == INT:
        return put_int(fault, out, <int64_t>value.number)
    if value.letter == DOUBLE:
        return put_double(fault, out, as_double(value.number))
    if value.letter == BOOL:
        return put(fault, out, b"true", 4) if value.number else put(fault, out, b"false", 5)
    if value.letter == BYTES:
        return put_base64(fault, out, value.part.data, value.part.end - value.part.data)
    if value.letter == EMPTY:
        return 0
    return put_nested(records, out, value, depth)


cdef int put_json(Records* records, Buffer* out, Value* value, int depth) noexcept nogil:
    """A value inside a value: anyvalue.to_json."""
    cdef Fault* fault = &records.fault
    cdef double number
    if value.letter == STRING:
        return put_quoted(fault, out, &records.spare, value.part.data, value.part.end - value.part.data)
    if value.letter == EMPTY:
        return put(fault, out, b"null", 4)
    if value.letter == BYTES:
        if put(fault, out, b'{"$bytes":"', 11) < 0 or put_value(records, out, value, depth) < 0:
            return -1
        return put(fault, out, b'"}', 2)
    if value.letter == DOUBLE:
        number = as_double(value.number)
        if number - number != 0:  # NaN and the infinities
            if put(fault, out, b'{"$double":"', 12) < 0 or put_double(fault, out, number) < 0:
                return -1
            return put(fault, out, b'"}', 2)
    return put_value(records, out, value, depth)


cdef int put_nested(Records* records, Buffer* out, Value* value, int depth) noexcept nogil:
    cdef Fault* fault = &records.fault
    cdef const uint8_t* p = value.part.data
    cdef const uint8_t* end = value.part.end
    cdef Field field
    cdef Value item
    cdef bint first = True
    if value.letter == KVLIST:
        return put_object(records, out, p, end, 0x0A, depth, False)
    if put_byte(fault, out, 91) < 0:
        return -1
    while p < end:
        p = read_field(fault, p, end, &field)
        if p == NULL:
            return -1
        if field.tag == 0x0A:
            if not first and put_byte(fault, out, 44) < 0:
                return -1
            first = False
            if read_value(fault, field.data, field.end, depth + 1, &item) < 0 or put_json(records, out, &item, depth + 1) < 0:
                return -1
    return put_byte(fault, out, 93)


cdef int keys_repeat(Records* records, const uint8_t* p, const uint8_t* end, uint32_t tag) noexcept nogil:
    """1 when a key-value list cannot be a plain JSON object: a key repeats, or its only key starts with `$`. -1 for a fault."""
    cdef Fault* fault = &records.fault
    cdef Field field, inner
    cdef const uint8_t* q
    cdef Range key
    cdef int32_t index
    cdef int count = 0, repeats = 0
    cdef bint marker = False
    cdef Mark* mark
    if records.seen.count > 4096 and forget(fault, &records.seen, 0) < 0:
        return -1
    records.serial += 1
    while p < end:
        p = read_field(fault, p, end, &field)
        if p == NULL:
            return -1
        if field.tag != tag:
            continue
        q = field.data
        key.data = key.end = NOTHING
        while q < field.end:
            q = read_field(fault, q, field.end, &inner)
            if q == NULL:
                return -1
            if inner.tag == 0x0A:
                key.data, key.end = inner.data, inner.end
        index = intern(fault, &records.seen, &records.spare, key.data, key.end - key.data)
        if index < 0:
            return -1
        mark = &(<Mark*>records.seen.marks.data)[index]
        if mark.serial == records.serial:
            repeats = 1
        mark.serial = records.serial
        marker = key.data < key.end and key.data[0] == 36
        count += 1
    return 1 if repeats or (count == 1 and marker) else 0


cdef int put_object(Records* records, Buffer* out, const uint8_t* p, const uint8_t* end, uint32_t tag, int depth, bint resource) noexcept nogil:
    """The KeyValues in field `tag` as a JSON object (or `$kvlist`); those of a resource are offered to its routes on the way."""
    cdef Fault* fault = &records.fault
    cdef int pairs = keys_repeat(records, p, end, tag)
    cdef Field field
    cdef Range key, part
    cdef Value value
    cdef size_t start
    cdef bint first = True
    if pairs < 0 or (put(fault, out, b'{"$kvlist":[', 12) if pairs else put_byte(fault, out, 123)) < 0:
        return -1
    while p < end:
        p = read_field(fault, p, end, &field)
        if p == NULL:
            return -1
        if field.tag != tag:
            continue
        if not first and put_byte(fault, out, 44) < 0:
            return -1
        first = False
        if read_key_value(fault, field.data, field.end, &key, &part) < 0:
            return -1
        if pairs and put_byte(fault, out, 91) < 0:
            return -1
        if put_quoted(fault, out, &records.spare, key.data, key.end - key.data) < 0 or put_byte(fault, out, 44 if pairs else 58) < 0:
            return -1
        start = out.size
        if read_value(fault, part.data, part.end, depth + 1, &value) < 0 or put_json(records, out, &value, depth + 1) < 0:
            return -1
        if resource and feed_resource(records, &key, &value, out.data + start, out.size - start) < 0:
            return -1
        if pairs and put_byte(fault, out, 93) < 0:
            return -1
    return put(fault, out, b"]}", 2) if pairs else put_byte(fault, out, 125)
