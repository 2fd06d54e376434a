# Growable memory, and what stops the decoding of a body. Everything here is malloc's, because Arrow takes the buffers over as they are.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

cdef extern from *:
    """
    #include <cstdint>
    #include <cstring>
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the kernel reads numbers as they lie");
    static const size_t LARGEST = ((size_t)1 << 31) - 64;  // what an int32 offset can point at
    static const uint64_t HIGH_BITS = 0x8080808080808080u;
    static inline uint64_t load64(const uint8_t* p) { uint64_t v; std::memcpy(&v, p, 8); return v; }
    static inline void store64(uint8_t* p, uint64_t v) { std::memcpy(p, &v, 8); }
    static inline uint32_t load32(const uint8_t* p) { uint32_t v; std::memcpy(&v, p, 4); return v; }
    static inline double as_double(uint64_t bits) { double v; std::memcpy(&v, &bits, 8); return v; }
    """
    const size_t LARGEST
    const uint64_t HIGH_BITS
    uint64_t load64(const uint8_t* p) noexcept nogil
    void store64(uint8_t* p, uint64_t v) noexcept nogil
    uint32_t load32(const uint8_t* p) noexcept nogil
    double as_double(uint64_t bits) noexcept nogil
    bint unlikely(bint) noexcept nogil

cdef enum:
    # the numbers of faults.py
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
    DEEPEST_GROUP = 64
    ROW_PRICE = 512
    EVENT_PRICE = 64
    LINK_PRICE = 96
    ATTRIBUTE_PRICE = 16

cdef const uint8_t* NOTHING = <const uint8_t*>b""

cdef struct Buffer:
    uint8_t* data
    size_t size
    size_t room

cdef struct Block:  # a joined copy of a message that came in parts; freed with the body
    Block* next

cdef struct Fault:
    int code
    uint32_t field
    const uint8_t* at
    int64_t left  # bytes of columns this body may still become
    Block* blocks


cdef int fail(Fault* fault, int code, const uint8_t* at, uint32_t field) noexcept nogil:
    fault.code, fault.at, fault.field = code, at, field
    return -1


cdef inline int spend(Fault* fault, size_t size) noexcept nogil:
    fault.left -= <int64_t>size
    if unlikely(fault.left < 0):
        return fail(fault, OVER_BUDGET, NULL, 0)
    return 0


cdef int widen(Fault* fault, Buffer* buffer, size_t more) noexcept nogil:
    cdef size_t room = buffer.room * 2
    cdef uint8_t* data
    if buffer.size + more > LARGEST:
        return fail(fault, NO_ROOM, NULL, 0)
    if room < buffer.size + more:
        room = buffer.size + more
    if room < 256:
        room = 256
    data = <uint8_t*>realloc(buffer.data, room)
    if data == NULL:
        return fail(fault, NO_ROOM, NULL, 0)
    buffer.data, buffer.room = data, room
    return 0


cdef inline int ensure(Fault* fault, Buffer* buffer, size_t more) noexcept nogil:
    """After it, `more` bytes can be written at `buffer.data + buffer.size`."""
    if unlikely(buffer.room - buffer.size < more):
        return widen(fault, buffer, more)
    return 0


cdef inline int put(Fault* fault, Buffer* buffer, const void* data, size_t size) noexcept nogil:
    if ensure(fault, buffer, size) < 0:
        return -1
    memcpy(buffer.data + buffer.size, data, size)
    buffer.size += size
    return 0


cdef inline int put_byte(Fault* fault, Buffer* buffer, uint8_t byte) noexcept nogil:
    if ensure(fault, buffer, 1) < 0:
        return -1
    buffer.data[buffer.size] = byte
    buffer.size += 1
    return 0


cdef void discard(Buffer* buffer) noexcept nogil:
    free(buffer.data)
    buffer.data = NULL
    buffer.size = buffer.room = 0


# A message as protobuf sees it: bytes in the body, or a copy in which the parts of a message that came twice were joined.
cdef struct Range:
    const uint8_t* data
    const uint8_t* end
    size_t room  # of the copy; 0 while the bytes are the body's own


cdef inline void unset(Range* part) noexcept nogil:
    part.data = NULL
    part.end = NULL
    part.room = 0


cdef int join_again(Fault* fault, Range* part, const uint8_t* data, const uint8_t* end) noexcept nogil:
    cdef size_t before = part.end - part.data, more = end - data
    cdef size_t room
    cdef Block* block
    if spend(fault, more if part.room else before + more) < 0:
        return -1
    if part.room < before + more:
        room = 2 * (before + more) + 64
        block = <Block*>malloc(sizeof(Block) + room)
        if block == NULL:
            return fail(fault, NO_ROOM, NULL, 0)
        block.next, fault.blocks = fault.blocks, block
        memcpy(<uint8_t*>block + sizeof(Block), part.data, before)
        part.data, part.room = <uint8_t*>block + sizeof(Block), room
    memcpy(<uint8_t*>part.data + before, data, more)
    part.end = part.data + before + more
    return 0


cdef inline int join(Fault* fault, Range* part, const uint8_t* data, const uint8_t* end) noexcept nogil:
    if unlikely(part.data != NULL):
        return join_again(fault, part, data, end)
    part.data, part.end = data, end
    return 0


cdef void free_blocks(Fault* fault) noexcept nogil:
    cdef Block* block
    while fault.blocks != NULL:
        block, fault.blocks = fault.blocks, fault.blocks.next
        free(block)
