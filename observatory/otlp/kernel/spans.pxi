# Spans, their events and links.

cdef enum:
    S_TRACE_ID, S_SPAN_ID, S_PARENT, S_STATE, S_FLAGS, S_NAME, S_KIND, S_START, S_DURATION, S_CODE, S_MESSAGE, S_ATTRIBUTES, S_TYPES
    S_DROPPED, S_EVENTS, S_DROPPED_EVENTS, S_LINKS, S_DROPPED_LINKS

cdef enum:
    E_TIME, E_NAME, E_ATTRIBUTES, E_TYPES, E_DROPPED

cdef enum:
    L_TRACE_ID, L_SPAN_ID, L_STATE, L_ATTRIBUTES, L_TYPES, L_DROPPED, L_FLAGS


cdef inline bint is_id(Range* id_, size_t size) noexcept nogil:
    cdef uint64_t seen
    if <size_t>(id_.end - id_.data) != size:
        return False
    seen = load64(id_.data)
    if size == 16:
        seen |= load64(id_.data + 8)
    return seen != 0


cdef int read_span(Records* records, const uint8_t* p, const uint8_t* end) noexcept nogil:
    cdef Fault* fault = &records.fault
    cdef int64_t row = records.table.rows
    cdef Table* attributes = records.attributes
    cdef Column* types = own(records, S_TYPES)
    cdef Column* column
    cdef Range trace_id, span_id, parent, state, name, said
    cdef uint64_t start = 0, finish = 0
    cdef uint32_t flags = 0, kind = 0, code = 0, dropped = 0, dropped_events = 0, dropped_links = 0
    cdef int32_t index
    cdef size_t size
    cdef Field field
    cdef const uint8_t* q
    cdef const uint8_t* stop
    cdef Listing listing
    begin_listing(records, &listing)
    trace_id.data = trace_id.end = span_id.data = span_id.end = parent.data = parent.end = NOTHING
    state.data = state.end = name.data = name.end = said.data = said.end = NOTHING
    while p < end:
        p = read_field(fault, p, end, &field)
        if p == NULL:
            return -1
        if field.tag == 0x4A:
            if read_attribute(records, attributes, &types.text, &listing, True, field.data, field.end) < 0:
                return -1
        elif field.tag == 0x0A:
            trace_id.data, trace_id.end = field.data, field.end
        elif field.tag == 0x12:
            span_id.data, span_id.end = field.data, field.end
        elif field.tag == 0x1A:
            state.data, state.end = field.data, field.end
        elif field.tag == 0x22:
            parent.data, parent.end = field.data, field.end
        elif field.tag == 0x2A:
            name.data, name.end = field.data, field.end
        elif field.tag == 0x30:
            kind = low32(field.number)
        elif field.tag == 0x39:
            start = field.number
        elif field.tag == 0x41:
            finish = field.number
        elif field.tag == 0x50:
            dropped = low32(field.number)
        elif field.tag == 0x5A:
            if read_event(records, own(records, S_EVENTS).child, field.data, field.end) < 0:
                return -1
        elif field.tag == 0x60:
            dropped_events = low32(field.number)
        elif field.tag == 0x6A:
            if read_link(records, own(records, S_LINKS).child, field.data, field.end) < 0:
                return -1
        elif field.tag == 0x70:
            dropped_links = low32(field.number)
        elif field.tag == 0x7A:
            q, stop = field.data, field.end
            while q < stop:
                q = read_field(fault, q, stop, &field)
                if q == NULL:
                    return -1
                if field.tag == 0x12:
                    said.data, said.end = field.data, field.end
                elif field.tag == 0x18:
                    code = low32(field.number)
        elif field.tag == 0x85:
            flags = low32(field.number)
    index = intern(fault, &own(records, S_NAME).words, &records.spare, name.data, name.end - name.data)
    if index < 0:
        return -1
    entry(&own(records, S_NAME).words, index, &size)
    column = own(records, S_STATE)
    if put_text(fault, &column.text, state.data, state.end - state.data) < 0:
        return -1
    size += column.text.size - (<int32_t*>column.data)[row]
    end_text(column, row)
    column = own(records, S_MESSAGE)
    if put_text(fault, &column.text, said.data, said.end - said.data) < 0:
        return -1
    size += column.text.size - (<int32_t*>column.data)[row]
    end_text(column, row)
    if spend(fault, size) < 0:
        return -1
    if unlikely(not (is_id(&trace_id, 16) and is_id(&span_id, 8) and (parent.end == parent.data or parent.end - parent.data == 8))):
        reject_span(records, &trace_id, &span_id, &parent)
        return 0
    memcpy(own(records, S_TRACE_ID).data + 16 * row, trace_id.data, 16)
    memcpy(own(records, S_SPAN_ID).data + 8 * row, span_id.data, 8)
    if is_id(&parent, 8):
        column = own(records, S_PARENT)
        memcpy(column.data + 8 * row, parent.data, 8)
        set_bit(column.bits, row)
    (<uint32_t*>own(records, S_FLAGS).data)[row] = flags
    (<int32_t*>own(records, S_NAME).data)[row] = index
    (<uint32_t*>own(records, S_KIND).data)[row] = kind
    (<uint64_t*>own(records, S_START).data)[row] = start
    (<uint64_t*>own(records, S_DURATION).data)[row] = finish - start
    (<uint32_t*>own(records, S_CODE).data)[row] = code
    (<uint32_t*>own(records, S_DROPPED).data)[row] = dropped
    (<uint32_t*>own(records, S_DROPPED_EVENTS).data)[row] = dropped_events
    (<uint32_t*>own(records, S_DROPPED_LINKS).data)[row] = dropped_links
    end_list(own(records, S_ATTRIBUTES), row)
    end_text(types, row)
    end_list(own(records, S_EVENTS), row)
    end_list(own(records, S_LINKS), row)
    if end_routed(records) < 0:
        return -1
    records.table.rows = row + 1
    records.outcome.index += 1 if records.outcome.rejected == 0 else 0
    return 0


cdef void reject_span(Records* records, Range* trace_id, Range* span_id, Range* parent) noexcept nogil:
    """Drop the row being written; of the first rejected span keep which id was wrong, for the client."""
    cdef Outcome_* outcome = records.outcome
    cdef Range* wrong
    cut_back(records.table, records.table.rows)
    outcome.rejected += 1
    if outcome.rejected == 1:
        outcome.which = 0 if not is_id(trace_id, 16) else 1 if not is_id(span_id, 8) else 2
        wrong = trace_id if outcome.which == 0 else span_id if outcome.which == 1 else parent
        outcome.length = wrong.end - wrong.data


cdef int read_event(Records* records, Table* events, const uint8_t* p, const uint8_t* end) noexcept nogil:
    cdef Fault* fault = &records.fault
    cdef int64_t row = events.rows
    cdef Range name
    cdef uint64_t time = 0
    cdef uint32_t dropped = 0
    cdef int32_t index
    cdef size_t size
    cdef Field field
    cdef Listing listing
    begin_listing(records, &listing)
    name.data = name.end = NOTHING
    if ensure_row(fault, events) < 0:
        return -1
    while p < end:
        p = read_field(fault, p, end, &field)
        if p == NULL:
            return -1
        if field.tag == 0x1A:
            if read_attribute(
                records, events.columns[E_ATTRIBUTES].child, &events.columns[E_TYPES].text, &listing, False, field.data, field.end
            ) < 0:
                return -1
        elif field.tag == 0x09:
            time = field.number
        elif field.tag == 0x12:
            name.data, name.end = field.data, field.end
        elif field.tag == 0x20:
            dropped = low32(field.number)
    index = intern(fault, &events.columns[E_NAME].words, &records.spare, name.data, name.end - name.data)
    if index < 0:
        return -1
    entry(&events.columns[E_NAME].words, index, &size)
    (<uint64_t*>events.columns[E_TIME].data)[row] = time
    (<int32_t*>events.columns[E_NAME].data)[row] = index
    (<uint32_t*>events.columns[E_DROPPED].data)[row] = dropped
    end_list(&events.columns[E_ATTRIBUTES], row)
    end_text(&events.columns[E_TYPES], row)
    events.rows = row + 1
    return spend(fault, EVENT_PRICE + size)


cdef int read_link(Records* records, Table* links, const uint8_t* p, const uint8_t* end) noexcept nogil:
    cdef Fault* fault = &records.fault
    cdef int64_t row = links.rows
    cdef Range trace_id, span_id, state
    cdef uint32_t dropped = 0, flags = 0
    cdef size_t before
    cdef Field field
    cdef Listing listing
    begin_listing(records, &listing)
    trace_id.data = trace_id.end = span_id.data = span_id.end = state.data = state.end = NOTHING
    if ensure_row(fault, links) < 0:
        return -1
    while p < end:
        p = read_field(fault, p, end, &field)
        if p == NULL:
            return -1
        if field.tag == 0x22:
            if read_attribute(
                records, links.columns[L_ATTRIBUTES].child, &links.columns[L_TYPES].text, &listing, False, field.data, field.end
            ) < 0:
                return -1
        elif field.tag == 0x0A:
            trace_id.data, trace_id.end = field.data, field.end
        elif field.tag == 0x12:
            span_id.data, span_id.end = field.data, field.end
        elif field.tag == 0x1A:
            state.data, state.end = field.data, field.end
        elif field.tag == 0x28:
            dropped = low32(field.number)
        elif field.tag == 0x35:
            flags = low32(field.number)
    before = links.columns[L_STATE].text.size
    if put(fault, &links.columns[L_TRACE_ID].text, trace_id.data, trace_id.end - trace_id.data) < 0:
        return -1
    if put(fault, &links.columns[L_SPAN_ID].text, span_id.data, span_id.end - span_id.data) < 0:
        return -1
    if put_text(fault, &links.columns[L_STATE].text, state.data, state.end - state.data) < 0:
        return -1
    end_text(&links.columns[L_TRACE_ID], row)
    end_text(&links.columns[L_SPAN_ID], row)
    end_text(&links.columns[L_STATE], row)
    end_list(&links.columns[L_ATTRIBUTES], row)
    end_text(&links.columns[L_TYPES], row)
    (<uint32_t*>links.columns[L_DROPPED].data)[row] = dropped
    (<uint32_t*>links.columns[L_FLAGS].data)[row] = flags
    links.rows = row + 1
    before = links.columns[L_STATE].text.size - before
    return spend(fault, LINK_PRICE + (trace_id.end - trace_id.data) + (span_id.end - span_id.data) + before)
