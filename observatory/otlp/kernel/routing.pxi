# Attributes to typed columns, by the table of semconv/routes.py; the same rules as routing.py.

cdef Routes NO_ROUTES


cdef int32_t route_of(const Routes* routes, const uint8_t* p, size_t size) noexcept nogil:
    cdef uint64_t slot
    if routes.count == 0:
        return -1
    return lookup(&routes.keys, p, size, hashed(p, size, routes.keys.seed), &slot)


cdef int32_t meaning_of(const Route* route, uint8_t letter, const uint8_t* text, size_t size) noexcept nogil:
    """What the rule of a route that maps reads a value as: a meaning's number, NO_VALUE or AS_IT_IS."""
    cdef uint8_t[LONGEST_VALUE] folded
    cdef uint64_t slot
    cdef size_t at
    cdef int32_t index
    if size == 0 or letter == BYTES or letter == EMPTY:
        return NO_VALUE
    if route.values == NULL or size > route.values.longest:
        return route.rest
    for at in range(size):
        folded[at] = text[at] + 32 if 65 <= text[at] <= 90 else text[at]
    index = lookup(&route.values.words, folded, size, hashed(folded, size, route.values.words.seed), &slot)
    return route.rest if index < 0 else route.values.meanings[index]


cdef int32_t say(Records* records, int32_t number) noexcept nogil:
    """The index of a meaning in its column's dictionary; -1 and a fault when there is no room."""
    cdef const Meaning* meaning = &records.plan.meanings[number]
    cdef Dictionary* words = &records.table.columns[meaning.column].words
    if records.said[number] < 0:
        records.said[number] = intern(&records.fault, words, &records.spare, meaning.text, meaning.size)
    return records.said[number]


cdef int feed(Records* records, const Route* route, Value* value, const uint8_t* text, size_t size) noexcept nogil:
    """Offer an attribute with its `text` to the column of the row being written, if no better one was there."""
    cdef Column* column = &records.table.columns[route.column]
    cdef int64_t row = records.table.rows, number
    cdef double fraction
    cdef int32_t index, meaning = AS_IT_IS
    cdef uint8_t letter = value.letter
    if route.rank >= records.ranks[route.slot]:
        return 0
    if route.maps:
        meaning = meaning_of(route, letter, text, size)
        if meaning == NO_VALUE:
            return 0
        if meaning >= 0:
            letter, text, size = STRING, records.plan.meanings[meaning].text, records.plan.meanings[meaning].size
    if column.kind == WORD or column.kind == TEXT:
        if size == 0 or letter == BYTES or letter == EMPTY:
            return 0
        if column.kind == WORD:
            index = say(records, meaning) if meaning >= 0 else intern(&records.fault, &column.words, &records.spare, text, size)
            if index < 0:
                return -1
            (<int32_t*>column.data)[row] = index
        else:
            records.pending[route.slot].size = size
            records.pending[route.slot].said = text if meaning >= 0 else NULL
            records.pending[route.slot].offset = 0 if meaning >= 0 else text - records.attributes.columns[1].text.data
    elif column.kind == BIT:
        if letter == BOOL:
            number = value.number != 0
        elif letter == STRING and size == 4 and (memcmp(text, b"true", 4) == 0 or memcmp(text, b"True", 4) == 0):
            number = 1
        elif letter == STRING and size == 5 and (memcmp(text, b"false", 5) == 0 or memcmp(text, b"False", 5) == 0):
            number = 0
        else:
            return 0
        column.data[row >> 3] = <uint8_t>((column.data[row >> 3] & ~(1 << (row & 7))) | (number << (row & 7)))
    elif records.plan.floats[route.slot]:
        if letter == DOUBLE:
            fraction = as_double(value.number)
        elif letter == INT:
            fraction = <double><int64_t>value.number
        elif letter != STRING or not read_decimal(text, size, &fraction):
            return 0
        if route.above_zero and not fraction > 0:
            return 0
        (<double*>column.data)[row] = fraction / route.divisor
    else:
        if letter == INT:
            number = <int64_t>value.number
        elif letter == DOUBLE:
            fraction = as_double(value.number)
            if not (-9223372036854775808.0 <= fraction < 9223372036854775808.0):
                return 0
            number = <int64_t>fraction
            if <double>number != fraction:
                return 0
        elif letter != STRING or not read_int(text, size, &number):
            return 0
        if route.above_zero and number <= 0:
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
    cdef const uint8_t* text
    for i in range(records.plan.texts):
        slot = records.plan.text_slots[i]
        column = &records.table.columns[records.plan.text_columns[i]]
        pending = &records.pending[slot]
        if records.ranks[slot] != NO_RANK:
            text = pending.said if pending.said != NULL else records.attributes.columns[1].text.data + pending.offset
            if put(&records.fault, &column.text, text, pending.size) < 0:
                return -1
        end_text(column, records.table.rows)
    return 0
