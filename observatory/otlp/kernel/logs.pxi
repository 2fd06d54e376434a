# Log records. An id that is not one becomes null: the record says something without it.

cdef enum:
    G_TIME, G_OBSERVED, G_SEVERITY, G_SEVERITY_TEXT, G_EVENT_NAME, G_BODY, G_BODY_TYPE, G_ATTRIBUTES, G_TYPES, G_DROPPED, G_FLAGS
    G_TRACE_ID, G_SPAN_ID


cdef int put_word(Records* records, Column* column, const uint8_t* data, size_t length) noexcept nogil:
    cdef size_t size
    cdef int32_t index = intern(&records.fault, &column.words, &records.spare, data, length)
    if index < 0:
        return -1
    (<int32_t*>column.data)[records.table.rows] = index
    entry(&column.words, index, &size)
    return <int>size


cdef int read_log(Records* records, const uint8_t* p, const uint8_t* end) noexcept nogil:
    cdef Fault* fault = &records.fault
    cdef int64_t row = records.table.rows
    cdef Column* types = own(records, G_TYPES)
    cdef Column* column
    cdef Range trace_id, span_id, severity_text, event_name, body
    cdef uint64_t time = 0, observed = 0
    cdef uint32_t severity = 0, dropped = 0, flags = 0
    cdef int severity_size, event_size = 0
    cdef Field field
    cdef Value value
    cdef Listing listing
    begin_listing(records, &listing)
    trace_id.data = trace_id.end = span_id.data = span_id.end = NOTHING
    severity_text.data = severity_text.end = event_name.data = event_name.end = NOTHING
    unset(&body)
    while p < end:
        p = read_field(fault, p, end, &field)
        if p == NULL:
            return -1
        if field.tag == 0x32:
            if read_attribute(records, records.attributes, &types.text, &listing, True, field.data, field.end) < 0:
                return -1
        elif field.tag == 0x09:
            time = field.number
        elif field.tag == 0x59:
            observed = field.number
        elif field.tag == 0x10:
            severity = low32(field.number)
        elif field.tag == 0x1A:
            severity_text.data, severity_text.end = field.data, field.end
        elif field.tag == 0x2A:
            if join(fault, &body, field.data, field.end) < 0:
                return -1
        elif field.tag == 0x38:
            dropped = low32(field.number)
        elif field.tag == 0x45:
            flags = low32(field.number)
        elif field.tag == 0x4A:
            trace_id.data, trace_id.end = field.data, field.end
        elif field.tag == 0x52:
            span_id.data, span_id.end = field.data, field.end
        elif field.tag == 0x62:
            event_name.data, event_name.end = field.data, field.end
    if read_value(fault, body.data, body.end, 1, &value) < 0:
        return -1
    column = own(records, G_BODY)
    if put_value(records, &column.text, &value, 1) < 0:
        return -1
    end_text(column, row)
    severity_size = put_word(records, own(records, G_SEVERITY_TEXT), severity_text.data, severity_text.end - severity_text.data)
    if severity_size < 0 or put_word(records, own(records, G_BODY_TYPE), &value.letter, 1) < 0:
        return -1
    if event_name.end > event_name.data or not has_event_name(records):
        event_size = put_word(records, own(records, G_EVENT_NAME), event_name.data, event_name.end - event_name.data)
        if event_size < 0:
            return -1
    if spend(fault, <size_t>severity_size + <size_t>event_size + column.text.size - <size_t>(<int32_t*>column.data)[row]) < 0:
        return -1
    (<uint64_t*>own(records, G_TIME).data)[row] = time
    (<uint64_t*>own(records, G_OBSERVED).data)[row] = observed
    (<uint32_t*>own(records, G_SEVERITY).data)[row] = severity
    (<uint32_t*>own(records, G_DROPPED).data)[row] = dropped
    (<uint32_t*>own(records, G_FLAGS).data)[row] = flags
    if is_id(&trace_id, 16):
        column = own(records, G_TRACE_ID)
        memcpy(column.data + 16 * row, trace_id.data, 16)
        set_bit(column.bits, row)
    if is_id(&span_id, 8):
        column = own(records, G_SPAN_ID)
        memcpy(column.data + 8 * row, span_id.data, 8)
        set_bit(column.bits, row)
    end_list(own(records, G_ATTRIBUTES), row)
    end_text(types, row)
    if end_routed(records) < 0:
        return -1
    records.table.rows = row + 1
    return 0


cdef inline bint has_event_name(Records* records) noexcept nogil:
    """An attribute was routed to `event_name`; the column is not nullable, so its rank tells."""
    cdef int slot = records.plan.event_slot
    return slot >= 0 and records.ranks[slot] != NO_RANK
