# Attributes to typed columns, by the table of semconv/routes.py; the same rules as routing.py.

cdef Routes NO_ROUTES


cdef int32_t route_of(const Routes* routes, const uint8_t* p, size_t size) noexcept nogil:
    cdef uint64_t slot
    if routes.count == 0:
        return -1
    return lookup(&routes.keys, p, size, hashed(p, size, routes.keys.seed), &slot)


cdef int feed(Records* records, const Route* route, Value* value, const uint8_t* text, size_t size) noexcept nogil:
    """Offer an attribute with its `text` to the column of the row being written, if no better one was there."""
    cdef Column* column = &records.table.columns[route.column]
    cdef int64_t row = records.table.rows, number
    cdef double fraction
    cdef int32_t index
    if route.rank >= records.ranks[route.slot]:
        return 0
    if column.kind == WORD or column.kind == TEXT:
        if size == 0 or value.letter == BYTES or value.letter == EMPTY:
            return 0
        if column.kind == WORD:
            index = intern(&records.fault, &column.words, &records.spare, text, size)
            if index < 0:
                return -1
            (<int32_t*>column.data)[row] = index
        else:
            records.pending[route.slot].size = size
            records.pending[route.slot].offset = text - records.attributes.columns[1].text.data
    elif column.kind == BIT:
        if value.letter == BOOL:
            number = value.number != 0
        elif value.letter == STRING and size == 4 and (memcmp(text, b"true", 4) == 0 or memcmp(text, b"True", 4) == 0):
            number = 1
        elif value.letter == STRING and size == 5 and (memcmp(text, b"false", 5) == 0 or memcmp(text, b"False", 5) == 0):
            number = 0
        else:
            return 0
        column.data[row >> 3] = <uint8_t>((column.data[row >> 3] & ~(1 << (row & 7))) | (number << (row & 7)))
    elif records.plan.floats[route.slot]:
        if value.letter == DOUBLE:
            fraction = as_double(value.number)
        elif value.letter == INT:
            fraction = <double><int64_t>value.number
        elif value.letter != STRING or not read_decimal(text, size, &fraction):
            return 0
        (<double*>column.data)[row] = fraction
    else:
        if value.letter == INT:
            number = <int64_t>value.number
        elif value.letter == DOUBLE:
            fraction = as_double(value.number)
            if not (-9223372036854775808.0 <= fraction < 9223372036854775808.0):
                return 0
            number = <int64_t>fraction
            if <double>number != fraction:
                return 0
        elif value.letter != STRING or not read_int(text, size, &number):
            return 0
        (<int64_t*>column.data)[row] = number
    if column.nullable:
        set_bit(column.bits, row)
    records.ranks[route.slot] = route.rank
    return 0


cdef int end_routed(Records* records) noexcept nogil:
    """Plain text columns are written when the record ends, in the order of rows; the others already are."""
    cdef Column* column
    cdef int i, slot
    cdef Pending* pending
    for i in range(records.plan.texts):
        slot = records.plan.text_slots[i]
        column = &records.table.columns[records.plan.text_columns[i]]
        pending = &records.pending[slot]
        if records.ranks[slot] != NO_RANK:
            if put(&records.fault, &column.text, records.attributes.columns[1].text.data + pending.offset, pending.size) < 0:
                return -1
        end_text(column, records.table.rows)
    return 0
