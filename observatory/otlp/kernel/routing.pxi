# Attributes to typed columns, by the table of semconv/routes.py; the same rules as routing.py.

cdef Routes NO_ROUTES


cdef int32_t route_of(const Routes* routes, const uint8_t* p, size_t size) noexcept nogil:
    cdef uint64_t slot
    if routes.count == 0:
        return -1
    return lookup(&routes.keys, p, size, hashed(p, size, routes.keys.seed), &slot)


cdef inline uint64_t lower(uint64_t letters) noexcept nogil:
    """Eight bytes at once, capitals A to Z in lower case."""
    cdef uint64_t low = letters & ~HIGH_BITS
    cdef uint64_t capital = (low + <uint64_t>0x3F3F3F3F3F3F3F3F) & ~(low + <uint64_t>0x2525252525252525) & ~letters & HIGH_BITS
    return letters | (capital >> 2)


cdef inline uint64_t ending(const uint8_t* p, size_t size) noexcept nogil:
    """The last eight bytes, or all of a shorter text (which is not empty), as `hashed` reads them."""
    if size >= 8:
        return load64(p + size - 8)
    if size >= 4:
        return load32(p) | (<uint64_t>load32(p + size - 4) << 32)
    return p[0] | (<uint64_t>p[size >> 1] << 8) | (<uint64_t>p[size - 1] << 16)


cdef int32_t value_of(const Values* values, const uint8_t* text, size_t size) noexcept nogil:
    """The number of a value among those that rules name, -1 for none of them: `lookup` of the text in lower case, without a copy of it."""
    cdef uint64_t hash_ = values.words.seed ^ (<uint64_t>size * <uint64_t>0x9E3779B97F4A7C15), last, slot, found
    cdef const uint8_t* named
    cdef size_t at = 0, length
    if size > values.longest:
        return -1
    last = lower(ending(text, size))
    while size - at > 8:
        hash_ = fold(hash_ ^ lower(load64(text + at)), <uint64_t>0xA0761D6478BD642F)
        at += 8
    hash_ = fold(hash_ ^ last, <uint64_t>0xE7037ED1A0B428DB ^ values.words.seed)
    slot = hash_ & values.words.mask
    while True:
        found = values.words.slots[slot]
        if found == 0:
            return -1
        if found >> 32 == hash_ >> 32:
            named = entry(&values.words, <int32_t><uint32_t>found - 1, &length)
            if length == size and ending(named, size) == last:
                at = 0
                while size - at > 8 and load64(named + at) == lower(load64(text + at)):
                    at += 8
                if size - at <= 8:
                    return <int32_t><uint32_t>found - 1
        slot = (slot + 1) & values.words.mask


cdef inline int32_t meaning_of(const Route* route, Said* said) noexcept nogil:
    """What the rule of a route that maps reads a value as: a meaning's number, NO_VALUE or AS_IT_IS."""
    if said.size == 0 or said.letter == BYTES or said.letter == EMPTY:
        return NO_VALUE
    if route.meanings == NULL:
        return route.rest
    if said.value == UNREAD:
        said.value = value_of(route.values, said.text, said.size)
    return route.rest if said.value < 0 else route.meanings[said.value]


cdef int32_t say_first(Records* records, int32_t number) noexcept nogil:
    cdef const Meaning* meaning = &records.plan.meanings[number]
    cdef Dictionary* words = &records.table.columns[meaning.column].words
    records.said[number] = intern(&records.fault, words, &records.spare, meaning.text, meaning.size)
    return records.said[number]


cdef inline int32_t say(Records* records, int32_t number) noexcept nogil:
    """The index of a meaning in its column's dictionary; -1 and a fault when there is no room."""
    cdef int32_t index = records.said[number]
    return say_first(records, number) if unlikely(index < 0) else index


cdef int feed(Records* records, const Route* route, Said* attribute) noexcept nogil:
    """Offer an attribute to the column of the row being written, if no better one was there."""
    cdef Column* column = &records.table.columns[route.column]
    cdef int64_t row = records.table.rows, number
    cdef double fraction
    cdef int32_t index, meaning = AS_IT_IS
    cdef uint8_t letter = attribute.letter
    cdef const uint8_t* text = attribute.text
    cdef size_t size = attribute.size
    if route.rank >= records.ranks[route.slot]:
        return 0
    if route.maps:
        meaning = meaning_of(route, attribute)
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
            number = attribute.number != 0
        elif letter == STRING and size == 4 and (memcmp(text, b"true", 4) == 0 or memcmp(text, b"True", 4) == 0):
            number = 1
        elif letter == STRING and size == 5 and (memcmp(text, b"false", 5) == 0 or memcmp(text, b"False", 5) == 0):
            number = 0
        else:
            return 0
        column.data[row >> 3] = <uint8_t>((column.data[row >> 3] & ~(1 << (row & 7))) | (number << (row & 7)))
    elif records.plan.floats[route.slot]:
        if letter == DOUBLE:
            fraction = as_double(attribute.number)
        elif letter == INT:
            fraction = <double><int64_t>attribute.number
        elif letter != STRING or not read_decimal(text, size, &fraction):
            return 0
        if route.above_zero and not fraction > 0:
            return 0
        (<double*>column.data)[row] = fraction / route.divisor
    else:
        if letter == INT:
            number = <int64_t>attribute.number
        elif letter == DOUBLE:
            fraction = as_double(attribute.number)
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
