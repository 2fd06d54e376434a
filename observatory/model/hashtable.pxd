# Types for hashtable.py when Cython compiles it; Python never reads this file.

cimport cython

@cython.locals(mask=cython.ulonglong, asked=cython.ulonglong, at=cython.ulonglong, slot=cython.longlong, i=cython.Py_ssize_t)
cpdef find(
    const int[::1] places,
    const unsigned long long[::1] key,
    const unsigned long long[::1] low,
    const unsigned long long[:] keys,
    const unsigned long long[:] lows,
    long long[::1] slots,
)

@cython.locals(mask=cython.ulonglong, at=cython.ulonglong, i=cython.Py_ssize_t)
cpdef insert(int[::1] places, const unsigned long long[::1] key, const long long[:] slots)

@cython.locals(mask=cython.ulonglong, at=cython.ulonglong, i=cython.Py_ssize_t)
cpdef remove(int[::1] places, const unsigned long long[::1] key, const long long[:] slots)

@cython.locals(mask=cython.ulonglong, asked=cython.ulonglong, at=cython.ulonglong, slot=cython.longlong, i=cython.Py_ssize_t)
cpdef Py_ssize_t put(
    int[::1] places,
    unsigned long long[::1] key,
    unsigned long long[::1] low,
    Py_ssize_t count,
    const unsigned long long[:] keys,
    const unsigned long long[:] lows,
    long long[::1] slots,
)

@cython.locals(group=cython.longlong, i=cython.Py_ssize_t)
cpdef together(const long long[::1] groups, const long long[::1] rows, long long[::1] ends, long long[::1] order)

@cython.locals(
    begin=cython.ulonglong, prime=cython.ulonglong, most=cython.ulonglong, state=cython.ulonglong, i=cython.Py_ssize_t, at=cython.Py_ssize_t
)
cpdef hash_texts(const unsigned char[:] letters, const int[:] offsets, unsigned long long[::1] keys)
