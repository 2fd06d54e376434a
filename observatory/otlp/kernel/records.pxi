# What spans and logs share: the resource and scope around the records, attribute lists, and the columns that are the same for a whole scope.

cdef inline Column* own(Records* records, int which) noexcept nogil:
    return &records.table.columns[records.plan.own[which]]


cdef inline void begin_listing(Records* records, Listing* listing) noexcept nogil:
    records.serial += 1
    listing.serial, listing.last = records.serial, -1


cdef int read_attribute(
    Records* records, Table* entries, Buffer* types, Listing* listing, bint routed, const uint8_t* p, const uint8_t* end
) noexcept nogil:
    """One KeyValue as an entry of `entries` and a letter of `types`."""
    cdef Fault* fault = &records.fault
    cdef Column* keys = &entries.columns[0]
    cdef Column* texts = &entries.columns[1]
    cdef Range key, part
    cdef Value value
    cdef int32_t index, stored, route
    cdef size_t before, size
    cdef Mark* mark
    cdef Said said
    if read_key_value(fault, p, end, &key, &part) < 0:
        return -1
    if ensure_row(fault, entries) < 0:
        return -1
    stored = index = intern_key(fault, &keys.words, &records.spare, listing, key.data, key.end - key.data)
    if index < 0:
        return -1
    if read_value(fault, part.data, part.end, 1, &value) < 0:
        return -1
    before = texts.text.size
    if put_value(records, &texts.text, &value, 1) < 0:
        return -1
    size = texts.text.size - before
    mark = &(<Mark*>keys.words.marks.data)[index]
    route = mark.route
    if unlikely(mark.serial == listing.serial):
        stored = number_key(records, &keys.words, index, listing.serial)
        if stored < 0:
            return -1
        if put_byte(fault, types, value.letter - 32) < 0:
            return -1
    else:
        mark.serial, mark.tried = listing.serial, 1
        if put_byte(fault, types, value.letter) < 0:
            return -1
    if routed and route >= 0:
        said.letter, said.number, said.text, said.size, said.value = value.letter, value.number, texts.text.data + before, size, UNREAD
        while route >= 0:
            if feed(records, &records.plan.on_record.routes[route], &said) < 0:
                return -1
            route = records.plan.on_record.routes[route].next
    (<int32_t*>keys.data)[entries.rows] = stored
    end_text(texts, entries.rows)
    entries.rows += 1
    entry(&keys.words, stored, &before)
    return spend(fault, ATTRIBUTE_PRICE + before + size)


cdef int32_t number_key(Records* records, Dictionary* keys, int32_t index, uint64_t serial) noexcept nogil:
    """The key that stands for a repetition of key `index`: `key#2`, `key#3` …, the first that is not in this list."""
    cdef uint32_t number = (<Mark*>keys.marks.data)[index].tried
    cdef size_t size
    cdef const uint8_t* text
    cdef int32_t found
    cdef Mark* mark
    while True:
        number += 1
        records.scalar.size = 0
        text = entry(keys, index, &size)
        if put(&records.fault, &records.scalar, text, size) < 0 or put_byte(&records.fault, &records.scalar, 35) < 0:
            return -1
        if put_int(&records.fault, &records.scalar, number) < 0:
            return -1
        found = intern(&records.fault, keys, &records.spare, records.scalar.data, records.scalar.size)
        if found < 0:
            return -1
        mark = &(<Mark*>keys.marks.data)[found]
        if mark.serial != serial:
            mark.serial, mark.tried = serial, 1
            (<Mark*>keys.marks.data)[index].tried = number
            return found


cdef int feed_resource(Records* records, Range* key, Value* value, const uint8_t* json, size_t size) noexcept nogil:
    """Offer a resource's attribute, whose JSON was just written, to service_name, environment and project."""
    cdef Fault* fault = &records.fault
    cdef int32_t at = route_of(&records.plan.on_resource, key.data, key.end - key.data)
    cdef const Route* route
    cdef const uint8_t* text
    cdef size_t length
    cdef int32_t index, meaning
    cdef Said said
    if at < 0 or value.letter == EMPTY or value.letter == BYTES:
        return 0
    if value.letter != ARRAY and value.letter != KVLIST:
        records.scalar.size = 0
        if put_value(records, &records.scalar, value, 1) < 0:
            return -1
        json, size = records.scalar.data, records.scalar.size
    said.letter, said.text, said.size, said.value = value.letter, json, size, UNREAD
    while at >= 0:
        route = &records.plan.on_resource.routes[at]
        at = route.next
        if size == 0 or route.rank >= records.origin_ranks[route.column]:
            continue
        text, length = json, size
        if route.maps:
            meaning = meaning_of(route, &said)
            if meaning == NO_VALUE:
                continue
            if meaning >= 0:
                text, length = records.plan.meanings[meaning].text, records.plan.meanings[meaning].size
        index = intern(fault, &origin_column(records, route.column).words, &records.spare, text, length)
        if index < 0:
            return -1
        records.origin[route.column], records.origin_ranks[route.column] = index, route.rank
    return 0


cdef inline Column* origin_column(Records* records, int which) noexcept nogil:
    return &records.table.columns[records.plan.origins[which]]


cdef int set_origin(Records* records, int which, const uint8_t* data, const uint8_t* end) noexcept nogil:
    cdef Column* column = origin_column(records, which)
    cdef size_t size
    records.origin[which] = intern(&records.fault, &column.words, &records.spare, data, end - data)
    if records.origin[which] < 0:
        return -1
    entry(&column.words, <int32_t>records.origin[which], &size)
    return spend(&records.fault, size)


cdef int describe(
    Records* records, Range* part, uint32_t attributes_tag, uint32_t dropped_tag, int attributes_at, int dropped_at, Range* name, Range* version
) noexcept nogil:
    """A resource (which has neither name nor version) or a scope: its dropped count and its attributes as JSON; `name` and `version` are found."""
    cdef Fault* fault = &records.fault
    cdef const uint8_t* p = part.data
    cdef Field field
    records.origin[dropped_at] = 0
    name.data, name.end, version.data, version.end = NOTHING, NOTHING, NOTHING, NOTHING
    while p < part.end:
        p = read_field(fault, p, part.end, &field)
        if p == NULL:
            return -1
        if field.tag == dropped_tag:
            records.origin[dropped_at] = low32(field.number)
        elif attributes_tag != 0x0A and field.tag == 0x0A:
            name.data, name.end = field.data, field.end
        elif attributes_tag != 0x0A and field.tag == 0x12:
            version.data, version.end = field.data, field.end
    records.json.size = 0
    if put_object(records, &records.json, part.data, part.end, attributes_tag, 0, attributes_tag == 0x0A) < 0:
        return -1
    return set_origin(records, attributes_at, records.json.data, records.json.data + records.json.size)


cdef int read_resource_records(Records* records, const uint8_t* p, const uint8_t* end) noexcept nogil:
    cdef Fault* fault = &records.fault
    cdef const uint8_t* start = p
    cdef Field field
    cdef Range resource, url, unused
    unset(&resource)
    url.data = url.end = NOTHING
    while p < end:
        p = read_field(fault, p, end, &field)
        if p == NULL:
            return -1
        if field.tag == 0x0A:
            if join(fault, &resource, field.data, field.end) < 0:
                return -1
        elif field.tag == 0x1A:
            url.data, url.end = field.data, field.end
    records.origin[SERVICE_NAME] = records.origin[ENVIRONMENT] = records.origin[PROJECT] = -1
    memset(records.origin_ranks, NO_RANK, ORIGINS)
    if describe(records, &resource, 0x0A, 0x10, RESOURCE, RESOURCE_DROPPED, &unused, &unused) < 0:
        return -1
    if set_origin(records, RESOURCE_URL, url.data, url.end) < 0:
        return -1
    if records.project >= 0:
        records.origin[PROJECT] = records.project
    elif records.origin[PROJECT] < 0:
        records.origin[PROJECT] = intern(fault, &origin_column(records, PROJECT).words, &records.spare, b"default", 7)
        if records.origin[PROJECT] < 0:
            return -1
    p = start
    while p < end:
        p = read_field(fault, p, end, &field)
        if field.tag == 0x12 and read_scope_records(records, field.data, field.end) < 0:
            return -1
    return 0


cdef int read_scope_records(Records* records, const uint8_t* p, const uint8_t* end) noexcept nogil:
    """One pass: the scope's columns are filled when its records are read, as its schema url comes last. (A first pass over a megabyte of
    records for their sake was 13 % of all time: each step to the next record waits for memory.)"""
    cdef Fault* fault = &records.fault
    cdef int64_t first = records.table.rows
    cdef Field field
    cdef Range scope, url, name, version
    cdef bint logs = records.plan.logs
    unset(&scope)
    url.data = url.end = NOTHING
    while p < end:
        p = read_field(fault, p, end, &field)
        if p == NULL:
            return -1
        if field.tag == 0x12:
            if ensure_row(fault, records.table) < 0 or spend(fault, ROW_PRICE) < 0:
                return -1
            memset(records.ranks, NO_RANK, records.plan.slots)
            if (read_log(records, field.data, field.end) if logs else read_span(records, field.data, field.end)) < 0:
                return -1
        elif field.tag == 0x0A:
            if join(fault, &scope, field.data, field.end) < 0:
                return -1
        elif field.tag == 0x1A:
            url.data, url.end = field.data, field.end
    if describe(records, &scope, 0x1A, 0x20, SCOPE_ATTRIBUTES, SCOPE_DROPPED, &name, &version) < 0:
        return -1
    if set_origin(records, SCOPE_NAME, name.data, name.end) < 0 or set_origin(records, SCOPE_VERSION, version.data, version.end) < 0:
        return -1
    if set_origin(records, SCOPE_URL, url.data, url.end) < 0:
        return -1
    fill_origin(records, first)
    return fill_said(records, first, &name)


cdef int fill_said(Records* records, int64_t first, Range* name) noexcept nogil:
    """What the name of a scope says of all its records, for the rows since `first`."""
    cdef int32_t at = route_of(&records.plan.on_scope, name.data, name.end - name.data)
    cdef const Route* route
    cdef Column* column
    cdef int32_t index
    cdef int64_t row
    while at >= 0:
        route = &records.plan.on_scope.routes[at]
        at = route.next
        index = say(records, route.rest)
        if index < 0:
            return -1
        column = &records.table.columns[route.column]
        for row in range(first, records.table.rows):
            (<int32_t*>column.data)[row] = index
            set_bit(column.bits, row)
    return 0


cdef void fill_origin(Records* records, int64_t first) noexcept nogil:
    """The columns of resource, scope and arrival, for the rows since `first`."""
    cdef Column* column
    cdef int64_t row
    cdef int64_t* numbers
    cdef int32_t* words
    cdef int32_t word
    cdef int which
    for which in range(ORIGINS):
        column = origin_column(records, which)
        if which == RECEIVED_AT:
            numbers = <int64_t*>column.data
            for row in range(first, records.table.rows):
                numbers[row] = records.received_at
            continue
        if records.origin[which] < 0:
            continue  # stays null
        words, word = <int32_t*>column.data, <int32_t>records.origin[which]
        for row in range(first, records.table.rows):
            words[row] = word
        if column.nullable:
            for row in range(first, records.table.rows):
                set_bit(column.bits, row)


cdef void read_body(Records* records, const uint8_t* body, size_t size, int32_t* counts, Outcome_* outcome) noexcept nogil:
    """One request into rows, or into nothing and a fault; the rows of other bodies stay as they are."""
    cdef Fault* fault = &records.fault
    cdef const uint8_t* p = body
    cdef const uint8_t* end = body + size
    cdef const uint8_t* at = body
    cdef int64_t before = records.table.rows
    cdef Field field
    cdef int code = 0
    memset(outcome, 0, sizeof(Outcome_))
    records.outcome = outcome
    fault.code, fault.field, fault.left = 0, 0, records.plan.budget
    fault.at = NULL
    count_words(records.table, counts, 0)
    while p < end:
        at = p
        p = read_field(fault, p, end, &field)
        if p == NULL or (field.tag == 0x0A and read_resource_records(records, field.data, field.end) < 0):
            code = fault.code
            break
    free_blocks(fault)
    if code:
        cut_back(records.table, before)
        outcome.rejected = 0
        outcome.code, outcome.field = code, fault.field
        # in a joined copy there is no byte to name; the field that holds it must do
        outcome.at = (fault.at if body <= fault.at <= end else at) - body
        forget_words(fault, records.table, counts, 0)
        memset(records.said, 0xFF, <size_t>records.plan.count_meanings * 4)
    outcome.rows = records.table.rows - before
