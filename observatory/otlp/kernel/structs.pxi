# The kernel's data: declared together because they point at each other.

cdef enum:
    MOST_COLUMNS = 255

cdef enum:
    NO_RANK = 255
    ORIGINS = 12

cdef enum:  # what a value is read as, beside the numbers of meanings; the rules of semconv/routes.py
    NO_VALUE = -1
    AS_IT_IS = -2
    UNREAD = -3
    LONGEST_VALUE = 64

cdef enum:  # columns that are filled once for all records of a scope
    RESOURCE = 0
    RESOURCE_DROPPED = 1
    RESOURCE_URL = 2
    SCOPE_NAME = 3
    SCOPE_VERSION = 4
    SCOPE_ATTRIBUTES = 5
    SCOPE_DROPPED = 6
    SCOPE_URL = 7
    SERVICE_NAME = 8
    ENVIRONMENT = 9
    PROJECT = 10
    RECEIVED_AT = 11

cdef enum:
    STRING = 115   # the letters of model/anyvalue.py
    INT = 105
    DOUBLE = 100
    BOOL = 98
    BYTES = 121
    EMPTY = 101
    ARRAY = 97
    KVLIST = 107

cdef struct Records
cdef struct Routes
cdef struct Table

cdef struct Mark:  # of one attribute key
    uint64_t serial  # of the last attribute list it was in
    uint32_t tried   # the last number tried for a repetition in that list
    int32_t route    # the first route it feeds, -1 for none
    int32_t next     # the key that came after it last time, or -1

cdef struct Listing:  # an attribute list that is being read
    uint64_t serial
    int32_t last  # its last key so far, or -1

cdef struct Dictionary:
    Buffer text
    Buffer offsets  # int32, count + 1
    Buffer marks    # Mark, count; only when `routed`
    uint64_t* slots  # hash << 32 | index + 1
    uint64_t mask
    uint64_t seed
    int32_t count
    int32_t first  # the key that came first in the last list
    bint marked
    const Routes* routes  # what a new key's mark is filled from

cdef enum Kind:
    FIXED
    BIT
    TEXT
    WORD  # dictionary of text
    LIST  # of structs, or a map

cdef struct Shape:  # one column of a schema
    Kind kind
    size_t width  # bytes of a row in `data`; 0 for BIT
    bint nullable
    bint marked   # WORD: keys of attributes
    bint map_
    int count     # children's columns
    Shape* children

cdef struct Column:
    Kind kind
    size_t width
    bint nullable
    uint8_t* data  # values, bits, indices or (rows + 1) offsets
    uint8_t* bits  # validity, when nullable; a row is null until it is set
    Buffer text
    Dictionary words
    Table* child

cdef struct Table:
    int64_t rows
    int64_t room
    int count
    Column* columns
    const Shape* shapes

cdef struct Meaning:  # what rules read values as
    int32_t column  # of the route
    size_t size
    const uint8_t* text

cdef struct Values:  # that the rules of one key name, of all its columns, so that a value is looked up once
    Dictionary words  # in lower case
    size_t longest

cdef struct Route:
    int32_t column  # in the table of records, or, of a resource's routes, in `Origin.routed`
    uint8_t slot
    uint8_t rank
    uint8_t maps    # whether it looks at what the value says
    uint8_t above_zero
    int32_t next    # another column that the same key feeds, -1 for none
    int32_t rest    # what values are read as that `values` does not name: a meaning's number, NO_VALUE or AS_IT_IS
    Values* values  # of its key; NULL when no rule names any
    int32_t* meanings  # of each of them; NULL when this rule names none
    double divisor

cdef struct Routes:
    Dictionary keys  # a key's index is that of its first route
    Route* routes
    int count

cdef struct Value:
    uint8_t letter
    uint64_t number
    Range part  # of text, bytes, array or key-value list

cdef struct Said:  # an attribute that is offered to columns
    uint8_t letter
    uint64_t number
    const uint8_t* text
    size_t size
    int32_t value  # its number among its key's `values`, -1 for none of them, UNREAD

cdef struct Pending:
    const uint8_t* said  # a meaning's text; NULL: the attribute's, at `offset`
    size_t offset
    size_t size

cdef struct Plan:  # what a decoder knows before it sees a body
    bint logs
    int64_t budget
    uint64_t seed
    Shape root
    Routes on_record
    Routes on_resource  # `column` is one of SERVICE_NAME, ENVIRONMENT, PROJECT
    Routes on_scope  # by its name
    int[ORIGINS] origins  # where in the table
    int[18] own  # where in the table, by SpanColumn or LogColumn
    int event_slot  # of a log's event_name, -1 when no attribute is routed to it
    int slots
    bint[MOST_COLUMNS] floats
    int texts
    Meaning* meanings
    int count_meanings
    int[MOST_COLUMNS] text_slots
    int[MOST_COLUMNS] text_columns

cdef struct Outcome_:  # of one body
    int64_t rows
    int64_t rejected
    int64_t index  # of the first that was rejected, of all records of the body
    int which
    int64_t length
    int code
    uint32_t field
    int64_t at

cdef struct Records:  # one micro-batch in the making
    Fault fault
    const Plan* plan
    Table* table
    Table* attributes
    Buffer spare   # repaired text
    Buffer json    # a resource or a scope
    Buffer scalar  # the text of a resource's attribute
    Dictionary seen  # keys of the key-value list being read
    uint64_t serial  # of attribute and key-value lists
    int32_t* said  # for each meaning its index in the dictionary of its column, -1 when it is not there yet
    int64_t received_at
    int32_t project  # of the body, -1 when its resources say
    int64_t[ORIGINS] origin  # the index or number that stands in each of those columns now, -1 for null
    uint8_t[ORIGINS] origin_ranks
    uint8_t[MOST_COLUMNS] ranks
    Pending[MOST_COLUMNS] pending
    Outcome_* outcome
