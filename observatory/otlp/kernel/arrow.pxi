# Tables to Arrow by its C data interface: buffers change hands without being copied, and each array frees what it was given.

from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New

cdef extern from *:
    """
    #include <cstdlib>
    #ifdef __GLIBC__
    #include <malloc.h>
    static void keep_freed_memory() { mallopt(M_MMAP_THRESHOLD, 32 << 20); mallopt(M_TRIM_THRESHOLD, 64 << 20); }
    #else
    static void keep_freed_memory() {}
    #endif
    """
    void keep_freed_memory()


def reuse_memory():
    """Let this process keep up to 64 MiB of freed memory, for all of its malloc, where the C library is glibc.

    Columns are megabytes that live for milliseconds. Given back to the system and faulted in anew for each batch they cost half as much
    again as decoding them (0.78 instead of 0.50 us a span). glibc arrives at these very limits by itself once a block of 32 MiB was freed.
    """
    keep_freed_memory()

cdef extern from *:
    """
    #ifndef ARROW_C_DATA_INTERFACE
    #define ARROW_C_DATA_INTERFACE
    struct ArrowArray {
        int64_t length, null_count, offset, n_buffers, n_children;
        const void** buffers;
        struct ArrowArray** children;
        struct ArrowArray* dictionary;
        void (*release)(struct ArrowArray*);
        void* private_data;
    };
    #endif
    """
    cdef struct ArrowArray:
        int64_t length
        int64_t null_count
        int64_t offset
        int64_t n_buffers
        int64_t n_children
        const void** buffers
        ArrowArray** children
        ArrowArray* dictionary
        void (*release)(ArrowArray*) noexcept nogil
        void* private_data


cdef void release(ArrowArray* array) noexcept nogil:
    cdef int64_t i
    for i in range(array.n_buffers):
        free(<void*>array.buffers[i])
    free(array.buffers)
    for i in range(array.n_children):
        if array.children[i] != NULL:
            if array.children[i].release != NULL:
                array.children[i].release(array.children[i])
            free(array.children[i])
    free(array.children)
    if array.dictionary != NULL:
        if array.dictionary.release != NULL:
            array.dictionary.release(array.dictionary)
        free(array.dictionary)
    array.release = NULL


cdef const void* fitted(uint8_t** data, size_t size) noexcept:
    """The buffer, out of our hands, shrunk to what is used: half of a doubled buffer may be air."""
    cdef uint8_t* moved = <uint8_t*>realloc(data[0], size if size else 1)
    if moved == NULL:
        moved = data[0]
    data[0] = NULL
    return moved


cdef ArrowArray* fill(ArrowArray* array, int64_t length, int buffers, int children) except NULL:
    """Room for the parts, so that `release` works at every moment from here on."""
    memset(array, 0, sizeof(ArrowArray))
    array.length, array.release = length, release
    array.buffers = <const void**>calloc(buffers, sizeof(void*))
    array.children = <ArrowArray**>calloc(children, sizeof(void*)) if children else NULL
    if array.buffers == NULL or (children and array.children == NULL):
        raise MemoryError
    array.n_buffers, array.n_children = buffers, children
    return array


cdef ArrowArray* allocated() except NULL:
    cdef ArrowArray* array = <ArrowArray*>calloc(1, sizeof(ArrowArray))
    if array == NULL:
        raise MemoryError
    return array


cdef int give_words(Dictionary* words, ArrowArray* array) except -1:
    fill(array, words.count, 3, 0)
    array.buffers[1] = fitted(&words.offsets.data, words.offsets.size)
    array.buffers[2] = fitted(&words.text.data, words.text.size)
    return 0


cdef int give_column(Column* column, int64_t rows, ArrowArray* array) except -1:
    fill(array, rows, 3 if column.kind == TEXT else 2, 1 if column.kind == LIST else 0)
    if column.nullable:
        array.null_count = -1
        array.buffers[0] = fitted(&column.bits, <size_t>(rows + 7) // 8)
    array.buffers[1] = fitted(&column.data, bytes_for(column, rows))
    if column.kind == TEXT:
        array.buffers[2] = fitted(&column.text.data, column.text.size)
    elif column.kind == WORD:
        array.dictionary = allocated()
        give_words(&column.words, array.dictionary)
    elif column.kind == LIST:
        array.children[0] = allocated()
        give_table(column.child, array.children[0])
    return 0


cdef int give_table(Table* table, ArrowArray* array) except -1:
    """A table as a struct array."""
    cdef int i
    fill(array, table.rows, 1, table.count)
    for i in range(table.count):
        array.children[i] = allocated()
        give_column(&table.columns[i], table.rows, array.children[i])
    return 0


cdef void free_array(object capsule) noexcept:
    cdef ArrowArray* array = <ArrowArray*>PyCapsule_GetPointer(capsule, b"arrow_array")
    if array.release != NULL:
        array.release(array)
    free(array)


cdef class Columns:
    """Decoded columns on their way to pyarrow (`__arrow_c_array__`), which takes them over; a second call gets nothing."""

    cdef object schema
    cdef object array

    def __arrow_c_array__(self, requested_schema=None):
        """The schema and the columns as capsules of Arrow's PyCapsule interface."""
        array, self.array = self.array, None
        if array is None:
            raise ValueError("these columns were handed over before")
        return self.schema.__arrow_c_schema__(), array


cdef Columns give(Table* table, object schema):
    cdef ArrowArray* array = allocated()
    cdef Columns columns = Columns()
    columns.schema = schema
    columns.array = PyCapsule_New(array, b"arrow_array", free_array)
    give_table(table, array)
    return columns
