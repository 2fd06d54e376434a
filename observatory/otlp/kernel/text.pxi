# Text into buffers: UTF-8 checked and repaired as Python's decode("utf-8", "replace") does, numbers as Python's repr, JSON, base64.

cdef extern from *:
    """
    #include <charconv>
    static inline int shortest(char* out, double value) {  // at most 24 characters: -1.2345678901234567e-308
        return (int)(std::to_chars(out, out + 32, value, std::chars_format::scientific).ptr - out);
    }
    static inline bool read_double(const char* p, const char* end, double* out) {
        auto read = std::from_chars(p, end, *out, std::chars_format::general);
        return read.ec == std::errc() && read.ptr == end;
    }
    """
    int shortest(char* out, double value) noexcept nogil
    bint read_double(const char* p, const char* end, double* out) noexcept nogil

cdef inline bint is_ascii(const uint8_t* p, size_t size) noexcept nogil:
    cdef uint64_t seen = 0
    cdef const uint8_t* end = p + size
    if size < 8:
        while p < end:
            seen |= p[0]
            p += 1
        return seen < 0x80
    while end - p >= 32:
        seen |= (load64(p) | load64(p + 8)) | (load64(p + 16) | load64(p + 24))
        p += 32
    while end - p >= 8:
        seen |= load64(p)
        p += 8
    return (seen | load64(end - 8)) & HIGH_BITS == 0


cdef inline int character(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Bytes of the UTF-8 character at p < end, or minus the bytes that make one U+FFFD together."""
    cdef uint8_t first = p[0], low = 0x80, high = 0xBF
    cdef int size, i
    if first < 0x80:
        return 1
    if first < 0xC2 or first > 0xF4:
        return -1
    size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    if first == 0xE0:
        low = 0xA0
    elif first == 0xED:
        high = 0x9F  # no surrogates
    elif first == 0xF0:
        low = 0x90
    elif first == 0xF4:
        high = 0x8F
    for i in range(1, size):
        if p + i == end or p[i] < low or p[i] > high:
            return -i
        low, high = 0x80, 0xBF
    return size


cdef bint is_utf8(const uint8_t* p, size_t size) noexcept nogil:
    cdef const uint8_t* end = p + size
    cdef int step
    while p < end:
        if end - p >= 8 and load64(p) & HIGH_BITS == 0:
            p += 8
            continue
        step = character(p, end)
        if step < 0:
            return False
        p += step
    return True


cdef int put_repaired(Fault* fault, Buffer* out, const uint8_t* p, size_t size) noexcept nogil:
    cdef const uint8_t* end = p + size
    cdef int step
    while p < end:
        step = character(p, end)
        if step > 0:
            if put(fault, out, p, step) < 0:
                return -1
            p += step
        else:
            if put(fault, out, b"\xef\xbf\xbd", 3) < 0:
                return -1
            p -= step
    return 0


cdef inline int put_text(Fault* fault, Buffer* out, const uint8_t* p, size_t size) noexcept nogil:
    cdef uint8_t* to
    cdef uint64_t a, b, c, d
    if 8 <= size <= 32:  # most values: look and copy in one go, by words that overlap
        if ensure(fault, out, size) < 0:
            return -1
        to = out.data + out.size
        a, b = load64(p), load64(p + size - 8)
        c = d = 0
        if size > 16:
            c, d = load64(p + 8), load64(p + size - 16)
            store64(to + 8, c)
            store64(to + size - 16, d)
        store64(to, a)
        store64(to + size - 8, b)
        if (a | b | c | d) & HIGH_BITS == 0:
            out.size += size
            return 0
    if is_ascii(p, size) or is_utf8(p, size):
        return put(fault, out, p, size)
    return put_repaired(fault, out, p, size)


cdef int put_int(Fault* fault, Buffer* out, int64_t value) noexcept nogil:
    cdef uint8_t[20] digits
    cdef int first = 20
    cdef uint64_t rest = <uint64_t>value if value >= 0 else 0 - <uint64_t>value
    while True:
        first -= 1
        digits[first] = <uint8_t>(48 + rest % 10)
        rest //= 10
        if rest == 0:
            break
    if value < 0:
        first -= 1
        digits[first] = 45
    return put(fault, out, &digits[first], 20 - first)


cdef int put_double(Fault* fault, Buffer* out, double value) noexcept nogil:
    """Python's repr: shortest digits, with an exponent below 1e-4 and from 1e16 on; NaN and Infinity as OTLP/JSON has them."""
    cdef char[40] science
    cdef char* digits = science
    cdef int size, count, exponent = 0, i
    if value != value:
        return put(fault, out, b"NaN", 3)
    if value - value != 0:
        return put(fault, out, b"Infinity", 8) if value > 0 else put(fault, out, b"-Infinity", 9)
    size = shortest(science, value)  # d[.ddd]e±dd
    if digits[0] == 45:
        if put_byte(fault, out, 45) < 0:
            return -1
        digits += 1
        size -= 1
    count = 0
    while digits[count] != 101:
        count += 1
    for i in range(count + 2, size):
        exponent = exponent * 10 + (digits[i] - 48)
    if digits[count + 1] == 45:
        exponent = -exponent
    if exponent < -4 or exponent >= 16:
        return put(fault, out, digits, size)
    if count > 1:  # close the gap where the point was: only digits from here on
        digits[1] = digits[0]
        digits += 1
        count -= 1
    if exponent < 0:
        if put(fault, out, b"0.000", 1 - exponent) < 0:
            return -1
        return put(fault, out, digits, count)
    if ensure(fault, out, 24) < 0:
        return -1
    for i in range(count if count > exponent + 1 else exponent + 1):
        if i == exponent + 1:
            put_byte(fault, out, 46)
        put_byte(fault, out, digits[i] if i < count else 48)
    return put(fault, out, b".0", 2) if count <= exponent + 1 else 0


cdef const char* ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


cdef int put_base64(Fault* fault, Buffer* out, const uint8_t* p, size_t size) noexcept nogil:
    cdef uint8_t* to
    cdef uint32_t three
    if ensure(fault, out, size // 3 * 4 + 4) < 0:
        return -1
    to = out.data + out.size
    while size >= 3:
        three = (<uint32_t>p[0] << 16) | (<uint32_t>p[1] << 8) | p[2]
        to[0], to[1], to[2], to[3] = ALPHABET[three >> 18], ALPHABET[three >> 12 & 63], ALPHABET[three >> 6 & 63], ALPHABET[three & 63]
        p += 3
        size -= 3
        to += 4
    if size:
        three = (<uint32_t>p[0] << 16) | (<uint32_t>p[1] << 8 if size == 2 else 0)
        to[0], to[1], to[2], to[3] = ALPHABET[three >> 18], ALPHABET[three >> 12 & 63], ALPHABET[three >> 6 & 63] if size == 2 else 61, 61
        to += 4
    out.size = to - out.data
    return 0


cdef const char* HEX = b"0123456789abcdef"
cdef const char* ESCAPES = b"btn_fr"


cdef int put_escaped(Fault* fault, Buffer* out, const uint8_t* p, size_t size) noexcept nogil:
    """A JSON string of valid UTF-8, escaped as json.dumps(ensure_ascii=False) does."""
    cdef const uint8_t* end = p + size
    cdef uint8_t* to
    if ensure(fault, out, size * 6 + 2) < 0:  # a control character takes six
        return -1
    to = out.data + out.size
    to[0] = 34
    to += 1
    while p < end:
        if p[0] >= 32 and p[0] != 34 and p[0] != 92:
            to[0] = p[0]
            to += 1
        elif p[0] == 34 or p[0] == 92:
            to[0], to[1] = 92, p[0]
            to += 2
        elif 8 <= p[0] <= 13 and p[0] != 11:
            to[0], to[1] = 92, ESCAPES[p[0] - 8]
            to += 2
        else:
            to[0], to[1], to[2], to[3], to[4], to[5] = 92, 117, 48, 48, HEX[p[0] >> 4], HEX[p[0] & 15]
            to += 6
        p += 1
    to[0] = 34
    out.size = to + 1 - out.data
    return 0


cdef int put_quoted(Fault* fault, Buffer* out, Buffer* spare, const uint8_t* p, size_t size) noexcept nogil:
    """A JSON string of any bytes; `spare` is overwritten when they are not UTF-8."""
    if is_ascii(p, size) or is_utf8(p, size):
        return put_escaped(fault, out, p, size)
    spare.size = 0
    if put_repaired(fault, spare, p, size) < 0:
        return -1
    return put_escaped(fault, out, spare.data, spare.size)


cdef bint is_digit(uint8_t c) noexcept nogil:
    return 48 <= c <= 57


cdef bint read_int(const uint8_t* p, size_t size, int64_t* out) noexcept nogil:
    """[+-] and one to nineteen digits, within int64."""
    cdef const uint8_t* end = p + size
    cdef bint negative
    cdef uint64_t value = 0
    if size == 0:
        return False
    negative = p[0] == 45
    if negative or p[0] == 43:
        p += 1
    if not 1 <= end - p <= 19:
        return False
    while p < end:
        if not is_digit(p[0]):
            return False
        value = value * 10 + (p[0] - 48)  # below 10**19 < 2**64
        p += 1
    if value > <uint64_t>0x7FFFFFFFFFFFFFFF + negative:
        return False
    out[0] = <int64_t>(0 - value if negative else value)
    return True


cdef bint read_decimal(const uint8_t* p, size_t size, double* out) noexcept nogil:
    """[+-] digits [. digits] [e [+-] digits], neither too large nor too small for a double; at least one digit before the exponent."""
    cdef const uint8_t* end = p + size
    cdef const uint8_t* q
    cdef int digits = 0
    if p < end and p[0] == 43:
        p += 1
        if p < end and p[0] == 45:
            return False
    q = p
    if q < end and q[0] == 45:
        q += 1
    while q < end and is_digit(q[0]):
        digits = 1
        q += 1
    if q < end and q[0] == 46:
        q += 1
        while q < end and is_digit(q[0]):
            digits = 1
            q += 1
    if not digits:
        return False
    if q < end and (q[0] == 101 or q[0] == 69):
        q += 1
        if q < end and (q[0] == 43 or q[0] == 45):
            q += 1
        if q == end or not is_digit(q[0]):
            return False
        while q < end and is_digit(q[0]):
            q += 1
    return q == end and read_double(<const char*>p, <const char*>end, out)
