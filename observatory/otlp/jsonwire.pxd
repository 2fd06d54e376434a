# Types for jsonwire.py when Cython compiles it; Python never reads this file.

cimport cython

cdef object _U64, _U32, _F64, _NUMBER, _DECIMAL, _SPECIAL, _RANGES

cpdef bytes write(object request, dict fields)

@cython.locals(kind=int, repeated=bint, tag=bytes, inner=dict, field=tuple)
cdef _message(bytearray out, object value, dict fields, int depth)

@cython.locals(index=int, start=Py_ssize_t)
cdef _list(bytearray out, object value, int kind, bytes tag, dict inner, int depth)

@cython.locals(start=Py_ssize_t)
cdef _nested(bytearray out, object value, dict fields, int depth)

cdef Py_ssize_t _begin(bytearray out) except -1

@cython.locals(size=Py_ssize_t, length=bytearray)
cdef _end(bytearray out, Py_ssize_t start)

cdef _varint(bytearray out, unsigned long long value)

@cython.locals(data=bytes)
cdef _text(bytearray out, object value)

cdef _scalar(bytearray out, object value, int kind)

cdef _data(bytearray out, bytes data)

cdef bytes _hex(object value)

cdef bytes _base64(object value)

cdef object _integer(object value, int kind)

cdef double _double(object value) except? -1.0
