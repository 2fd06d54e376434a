# Columns that grow by rows: a small Arrow builder whose layout follows the schema it is given. The row at `rows` is the one being written;
# it counts when `rows` is raised, and `cut_back` drops it together with all it put into texts and child tables.


cdef size_t bytes_for(const Column* column, int64_t rows) noexcept nogil:
    if column.kind == BIT:
        return <size_t>(rows + 7) // 8
    return column.width * <size_t>(rows + (1 if column.kind == TEXT or column.kind == LIST else 0))


cdef int resize(Fault* fault, uint8_t** data, size_t before, size_t after, bint zeroed) noexcept nogil:
    cdef uint8_t* moved = <uint8_t*>realloc(data[0], after)
    if moved == NULL:
        return fail(fault, NO_ROOM, NULL, 0)
    if zeroed:
        memset(moved + before, 0, after - before)
    data[0] = moved
    return 0


cdef int grow(Fault* fault, Table* table, int64_t least) noexcept nogil:
    cdef int64_t room = table.room * 2 if table.room * 2 > least else (least + 63) // 64 * 64
    cdef Column* column
    cdef size_t before
    cdef int i
    if room > <int64_t>LARGEST:
        return fail(fault, NO_ROOM, NULL, 0)
    for i in range(table.count):
        column = &table.columns[i]
        before = bytes_for(column, table.room) if table.room else 0
        if resize(fault, &column.data, before, bytes_for(column, room), column.nullable) < 0:
            return -1
        if column.nullable and resize(fault, &column.bits, <size_t>table.room // 8, <size_t>room // 8, True) < 0:
            return -1
        if table.room == 0 and (column.kind == TEXT or column.kind == LIST):
            (<int32_t*>column.data)[0] = 0
    table.room = room
    return 0


cdef inline int ensure_row(Fault* fault, Table* table) noexcept nogil:
    if unlikely(table.rows == table.room):
        return grow(fault, table, table.rows + 1)
    return 0


cdef Table* open_table(Fault* fault, const Shape* shapes, int count, uint64_t seed, const Routes* routes) noexcept nogil:
    """`routes` are those of this table's own attribute list; lists inside lists have none."""
    cdef Table* table = <Table*>calloc(1, sizeof(Table))
    cdef Column* column
    cdef const Routes* for_child
    cdef int i
    if table == NULL:
        fail(fault, NO_ROOM, NULL, 0)
        return NULL
    table.columns = <Column*>calloc(count, sizeof(Column))
    table.shapes = shapes
    if table.columns == NULL:
        free(table)
        fail(fault, NO_ROOM, NULL, 0)
        return NULL
    for i in range(count):
        column = &table.columns[i]
        column.kind, column.width, column.nullable = shapes[i].kind, shapes[i].width, shapes[i].nullable
        table.count = i + 1
        if column.kind == TEXT and ensure(fault, &column.text, 1) < 0:
            break
        if column.kind == WORD and open_dictionary(fault, &column.words, seed, routes if shapes[i].marked else NULL) < 0:
            break
        if column.kind == LIST:
            for_child = routes if shapes[i].map_ else &NO_ROUTES
            column.child = open_table(fault, shapes[i].children, shapes[i].count, seed, for_child)
            if column.child == NULL:
                break
    else:
        if grow(fault, table, 64) == 0:
            return table
    close_table(table)
    return NULL


cdef void close_table(Table* table) noexcept nogil:
    cdef int i
    if table == NULL:
        return
    for i in range(table.count):
        free(table.columns[i].data)
        free(table.columns[i].bits)
        discard(&table.columns[i].text)
        close_dictionary(&table.columns[i].words)
        close_table(table.columns[i].child)
    free(table.columns)
    free(table)


cdef void cut_back(Table* table, int64_t rows) noexcept nogil:
    """Back to the first `rows` rows; dictionaries keep their texts."""
    cdef Column* column
    cdef int64_t end = table.rows + 1 if table.rows < table.room else table.room, row
    cdef int i
    for i in range(table.count):
        column = &table.columns[i]
        if column.kind == TEXT:
            column.text.size = (<int32_t*>column.data)[rows]
        elif column.kind == LIST:
            cut_back(column.child, (<int32_t*>column.data)[rows])
        if column.nullable:
            for row in range(rows, end):
                column.bits[row >> 3] &= ~(1 << (row & 7))
            if column.kind == FIXED or column.kind == WORD:
                memset(column.data + <size_t>rows * column.width, 0, <size_t>(end - rows) * column.width)
            elif column.kind == BIT:
                for row in range(rows, end):
                    column.data[row >> 3] &= ~(1 << (row & 7))
    table.rows = rows


cdef int count_words(Table* table, int32_t* counts, int found) noexcept nogil:
    """How many texts each dictionary holds, in an order `forget_words` knows; gives how many dictionaries there are."""
    cdef int i
    for i in range(table.count):
        if table.columns[i].kind == WORD:
            if counts != NULL:
                counts[found] = table.columns[i].words.count
            found += 1
        elif table.columns[i].kind == LIST:
            found = count_words(table.columns[i].child, counts, found)
    return found


cdef int forget_words(Fault* fault, Table* table, const int32_t* counts, int found) noexcept nogil:
    cdef int i
    for i in range(table.count):
        if table.columns[i].kind == WORD:
            if forget(fault, &table.columns[i].words, counts[found]) < 0:
                return -1
            found += 1
        elif table.columns[i].kind == LIST:
            found = forget_words(fault, table.columns[i].child, counts, found)
            if found < 0:
                return -1
    return found


cdef inline void set_bit(uint8_t* bits, int64_t row) noexcept nogil:
    bits[row >> 3] |= <uint8_t>(1 << (row & 7))


cdef inline void end_text(Column* column, int64_t row) noexcept nogil:
    """The text of `row` is what was put into the column's buffer since the row before."""
    (<int32_t*>column.data)[row + 1] = <int32_t>column.text.size


cdef inline void end_list(Column* column, int64_t row) noexcept nogil:
    (<int32_t*>column.data)[row + 1] = <int32_t>column.child.rows
