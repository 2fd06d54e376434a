# Texts that repeat, each stored once. Keys of attributes carry marks, so that "is it in this list already" is one comparison.

cdef extern from *:
    """
    static inline uint64_t fold(uint64_t a, uint64_t b) {
        unsigned __int128 product = (unsigned __int128)a * b;
        return (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    """
    uint64_t fold(uint64_t a, uint64_t b) noexcept nogil


cdef inline uint64_t hashed(const uint8_t* p, size_t size, uint64_t seed) noexcept nogil:
    cdef uint64_t state = seed ^ (<uint64_t>size * <uint64_t>0x9E3779B97F4A7C15)
    cdef uint64_t last = 0
    cdef size_t left = size
    while left > 8:
        state = fold(state ^ load64(p), <uint64_t>0xA0761D6478BD642F)
        p += 8
        left -= 8
    if size >= 8:
        last = load64(p + left - 8)
    elif size >= 4:
        last = load32(p) | (<uint64_t>load32(p + size - 4) << 32)
    elif size:
        last = p[0] | (<uint64_t>p[size >> 1] << 8) | (<uint64_t>p[size - 1] << 16)
    return fold(state ^ last, <uint64_t>0xE7037ED1A0B428DB ^ seed)


cdef inline bint same(const uint8_t* a, const uint8_t* b, size_t size) noexcept nogil:
    """Of short texts, which keys and names are, memcmp is mostly the call."""
    cdef size_t at
    if size >= 8:
        for at in range(0, size - 8, 8):
            if load64(a + at) != load64(b + at):
                return False
        return load64(a + size - 8) == load64(b + size - 8)
    for at in range(size):
        if a[at] != b[at]:
            return False
    return True


cdef inline const uint8_t* entry(const Dictionary* words, int32_t index, size_t* size) noexcept nogil:
    cdef const int32_t* offsets = <const int32_t*>words.offsets.data
    size[0] = offsets[index + 1] - offsets[index]
    return words.text.data + offsets[index]


cdef int32_t lookup(const Dictionary* words, const uint8_t* p, size_t size, uint64_t hash_, uint64_t* slot_out) noexcept nogil:
    """The index of a text, or -1 and the free slot where it belongs."""
    cdef uint64_t slot = hash_ & words.mask, found
    cdef size_t length
    cdef const uint8_t* text
    while True:
        found = words.slots[slot]
        if found == 0:
            slot_out[0] = slot
            return -1
        if found >> 32 == hash_ >> 32:
            text = entry(words, <int32_t><uint32_t>found - 1, &length)
            if length == size and same(text, p, size):
                return <int32_t><uint32_t>found - 1
        slot = (slot + 1) & words.mask


cdef int rehash(Fault* fault, Dictionary* words, uint64_t room) noexcept nogil:
    cdef uint64_t* slots = <uint64_t*>calloc(room, 8)
    cdef uint64_t slot, hash_
    cdef size_t size
    cdef const uint8_t* text
    cdef int32_t index
    if slots == NULL:
        return fail(fault, NO_ROOM, NULL, 0)
    free(words.slots)
    words.slots, words.mask = slots, room - 1
    for index in range(words.count):
        text = entry(words, index, &size)
        hash_ = hashed(text, size, words.seed)
        slot = hash_ & words.mask
        while slots[slot]:
            slot = (slot + 1) & words.mask
        slots[slot] = (hash_ >> 32 << 32) | <uint64_t>(index + 1)
    return 0


cdef int open_dictionary(Fault* fault, Dictionary* words, uint64_t seed, const Routes* routes) noexcept nogil:
    cdef int32_t zero = 0
    words.seed, words.routes, words.marked = seed, routes, routes != NULL
    if put(fault, &words.offsets, &zero, 4) < 0 or ensure(fault, &words.text, 1) < 0:
        return -1
    return rehash(fault, words, 64)


cdef void close_dictionary(Dictionary* words) noexcept nogil:
    discard(&words.text)
    discard(&words.offsets)
    discard(&words.marks)
    free(words.slots)
    words.slots = NULL


cdef int32_t insert(Fault* fault, Dictionary* words, const uint8_t* p, size_t size, uint64_t hash_, uint64_t slot) noexcept nogil:
    cdef int32_t end
    cdef Mark mark
    if <uint64_t>words.count * 2 >= words.mask:
        if rehash(fault, words, (words.mask + 1) * 2) < 0:
            return -1
        lookup(words, p, size, hash_, &slot)
    if put(fault, &words.text, p, size) < 0:
        return -1
    end = <int32_t>words.text.size
    if put(fault, &words.offsets, &end, 4) < 0:
        return -1
    if words.marked:
        mark.serial, mark.tried, mark.next, mark.route = 0, 0, -1, route_of(words.routes, p, size)
        if put(fault, &words.marks, &mark, sizeof(Mark)) < 0:
            return -1
    words.slots[slot] = (hash_ >> 32 << 32) | <uint64_t>(words.count + 1)
    words.count += 1
    return words.count - 1


cdef int32_t intern_new(Fault* fault, Dictionary* words, Buffer* spare, const uint8_t* p, size_t size, uint64_t hash_, uint64_t slot) noexcept nogil:
    cdef int32_t index
    if is_ascii(p, size) or is_utf8(p, size):
        return insert(fault, words, p, size, hash_, slot)
    spare.size = 0
    if put_repaired(fault, spare, p, size) < 0:
        return -1
    hash_ = hashed(spare.data, spare.size, words.seed)
    index = lookup(words, spare.data, spare.size, hash_, &slot)
    return index if index >= 0 else insert(fault, words, spare.data, spare.size, hash_, slot)


cdef inline int32_t intern(Fault* fault, Dictionary* words, Buffer* spare, const uint8_t* p, size_t size) noexcept nogil:
    """The index of a text, which is stored (repaired, if it is not UTF-8) when it is new; -1 and a fault when there is no room."""
    cdef uint64_t slot = 0
    cdef uint64_t hash_ = hashed(p, size, words.seed)
    cdef int32_t index = lookup(words, p, size, hash_, &slot)
    if unlikely(index < 0):
        return intern_new(fault, words, spare, p, size, hash_, slot)
    return index


cdef inline int32_t intern_key(Fault* fault, Dictionary* words, Buffer* spare, Listing* listing, const uint8_t* p, size_t size) noexcept nogil:
    """`intern` that looks first at the key that came next last time: most lists have their keys in the order of the list before."""
    cdef int32_t last = listing.last
    cdef int32_t guess = words.first if last < 0 else (<Mark*>words.marks.data)[last].next
    cdef size_t length
    cdef const uint8_t* text
    if 0 <= guess < words.count:
        text = entry(words, guess, &length)
        if length == size and same(text, p, size):
            listing.last = guess
            return guess
    guess = intern(fault, words, spare, p, size)
    if guess >= 0:
        if last < 0:
            words.first = guess
        else:
            (<Mark*>words.marks.data)[last].next = guess
        listing.last = guess
    return guess


cdef int forget(Fault* fault, Dictionary* words, int32_t count) noexcept nogil:
    """Back to the first `count` texts, after a body that was refused."""
    if count == words.count:
        return 0
    words.count = count
    words.text.size = (<int32_t*>words.offsets.data)[count]
    words.offsets.size = (<size_t>count + 1) * 4
    if words.marked:
        words.marks.size = <size_t>count * sizeof(Mark)
    return rehash(fault, words, words.mask + 1)
