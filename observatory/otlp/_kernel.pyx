# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The native decoder of spans and logs: OTLP protobuf to Arrow columns, without the GIL and without a Python object for a span.

Read kernel/*.pxi in the order of the includes below. `reference.py` does the same in Python and is the oracle; faults, prices and letters
have the numbers of `faults.py` and `model/anyvalue.py`.
"""

import os

import pyarrow as pa

include "kernel/memory.pxi"
include "kernel/wire.pxi"
include "kernel/text.pxi"
include "kernel/structs.pxi"
include "kernel/dictionary.pxi"
include "kernel/columns.pxi"
include "kernel/routing.pxi"
include "kernel/values.pxi"
include "kernel/records.pxi"
include "kernel/spans.pxi"
include "kernel/logs.pxi"
include "kernel/arrow.pxi"

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE

_ORIGINS = (
    "resource", "resource_dropped_attributes_count", "resource_schema_url", "scope_name", "scope_version", "scope_attributes",
    "scope_dropped_attributes_count", "scope_schema_url", "service_name", "environment", "project", "received_at",
)
_SPANS = (
    "trace_id", "span_id", "parent_span_id", "trace_state", "flags", "name", "kind", "start_ns", "duration_ns", "status_code",
    "status_message", "attributes", "attribute_types", "dropped_attributes_count", "events", "dropped_events_count", "links",
    "dropped_links_count",
)
_LOGS = (
    "time_ns", "observed_time_ns", "severity_number", "severity_text", "event_name", "body", "body_type", "attributes",
    "attribute_types", "dropped_attributes_count", "flags", "trace_id", "span_id",
)


cdef int shape_of(object type_, bint nullable, Shape* shape) except -1:
    shape.nullable = nullable
    if pa.types.is_dictionary(type_):
        shape.kind, shape.width = WORD, 4
    elif pa.types.is_string(type_) or pa.types.is_binary(type_):
        shape.kind, shape.width = TEXT, 4
    elif pa.types.is_boolean(type_):
        shape.kind, shape.width = BIT, 0
    elif pa.types.is_map(type_):
        shape.kind, shape.width, shape.map_ = LIST, 4, True
        shapes_of([type_.key_field, type_.item_field], False, shape)
        shape.children[0].marked = True
    elif pa.types.is_list(type_) and pa.types.is_struct(type_.value_type):
        shape.kind, shape.width = LIST, 4
        shapes_of(list(type_.value_type), False, shape)
    else:
        shape.kind, shape.width = FIXED, type_.bit_width // 8
    return 0


cdef int shapes_of(list fields, bint top, Shape* parent) except -1:
    parent.children = <Shape*>calloc(len(fields), sizeof(Shape))
    if parent.children == NULL:
        raise MemoryError
    parent.count = len(fields)
    for i, field in enumerate(fields):
        shape_of(field.type, top and field.nullable, &parent.children[i])
    return 0


cdef void free_shapes(Shape* shape) noexcept:
    cdef int i
    for i in range(shape.count):
        free_shapes(&shape.children[i])
    free(shape.children)


cdef int add_word(Dictionary* words, bytes text) except -1:
    cdef Fault fault
    cdef Buffer unused
    memset(&unused, 0, sizeof(Buffer))
    if intern(&fault, words, &unused, <const uint8_t*>PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text)) < 0:
        raise MemoryError
    return 0


cdef class Kernel:
    """A decoder of spans or logs for one schema and one table of routes. Safe to use from several threads at once."""

    cdef Plan plan
    cdef object schema
    cdef list meanings  # (column, text) by number; `plan.meanings` points into these bytes

    def __cinit__(self, str signal, schema, routes, int64_t budget):
        self.schema = schema
        self.plan.logs, self.plan.budget, self.plan.event_slot = signal == "logs", budget, -1
        self.plan.seed = int.from_bytes(os.urandom(8), "little")  # so that nobody can send keys that all collide
        names = schema.names
        shapes_of(list(schema), True, &self.plan.root)
        for i, name in enumerate(_ORIGINS):
            self.plan.origins[i] = names.index(name)
        for i, name in enumerate(_LOGS if self.plan.logs else _SPANS):
            self.plan.own[i] = names.index(name)
        routes = list(routes)
        record_routes = [(names.index(route.column), route.key, route) for route in routes if route.where == "span"]
        resource_routes = [(_ORIGINS.index(route.column), route.key, route) for route in routes if route.where == "resource"]
        scope_routes = [(names.index(route.column), route.key, route) for route in routes if route.where == "scope"]
        self.meanings = []
        self.plan_slots(record_routes)
        self.plan_routes(&self.plan.on_record, record_routes)
        self.plan_routes(&self.plan.on_resource, resource_routes)
        self.plan_routes(&self.plan.on_scope, scope_routes)
        self.plan_meanings()

    def __dealloc__(self):
        free_shapes(&self.plan.root)
        self.free_routes(&self.plan.on_record)
        self.free_routes(&self.plan.on_resource)
        self.free_routes(&self.plan.on_scope)

        free(self.plan.meanings)

    cdef void free_routes(self, Routes* routes) noexcept:
        close_dictionary(&routes.keys)
        for at in range(routes.count):
            free(routes.routes[at].meanings)
            if at < routes.keys.count and routes.routes[at].values != NULL:  # a key's first route; the others point to the same
                close_dictionary(&routes.routes[at].values.words)
                free(routes.routes[at].values)
        free(routes.routes)

    cdef int plan_slots(self, list routes) except -1:
        """Every routed column gets a slot for the rank of what stands in it; plain text columns are written when a record ends."""
        columns = sorted({column for column, _, _ in routes})
        if len(columns) >= MOST_COLUMNS:
            raise ValueError(f"at most {MOST_COLUMNS - 1} columns can be routed, got {len(columns)}")
        self.plan.slots = len(columns)
        for slot, column in enumerate(columns):
            self.plan.floats[slot] = pa.types.is_float64(self.schema.field(column).type)
            if self.schema.field(column).name == "event_name":
                self.plan.event_slot = slot
        # a nullable text column that nothing is routed to must get its offsets all the same
        texts = [i for i, field in enumerate(self.schema) if i in columns or field.nullable if pa.types.is_string(field.type)]
        for column in texts:
            if column not in columns:
                raise ValueError(f"no attribute is routed to {self.schema.field(column).name}")
            self.plan.text_slots[self.plan.texts] = columns.index(column)
            self.plan.text_columns[self.plan.texts] = column
            self.plan.texts += 1
        return 0

    cdef int plan_routes(self, Routes* to, list routes) except -1:
        cdef Fault fault
        cdef Route* made
        columns = sorted({column for column, _, _ in routes})
        by_key = {}
        for column, key, route in routes:
            by_key.setdefault(key.encode(), []).append((column, route))
        to.routes = <Route*>calloc(len(routes) + 1, sizeof(Route))
        to.count = len(routes)
        if to.routes == NULL or open_dictionary(&fault, &to.keys, self.plan.seed, NULL) < 0:
            raise MemoryError
        # a key's index in the dictionary must be that of its first route, so keys come first and their further routes behind them
        spare = len(by_key)
        for index, (key, targets) in enumerate(by_key.items()):
            add_word(&to.keys, key)
            named = {value: None for _, route in targets for value in route.rule.meanings}
            to.routes[index].values = self.plan_values(list(named)) if named else NULL
            at = index
            for number, (column, route) in enumerate(targets):
                if route.rank >= NO_RANK:
                    raise ValueError(f"at most {NO_RANK} keys can be routed to {route.column}")
                made = &to.routes[at]
                made.column, made.rank, made.slot, made.next = column, route.rank, columns.index(column), -1
                made.values = to.routes[index].values
                self.plan_rule(made, route.rule, list(named))
                if number + 1 < len(targets):
                    made.next = at = spare
                    spare += 1
        return 0

    cdef Values* plan_values(self, list named) except NULL:
        cdef Fault fault
        cdef Values* values
        longest = max(len(value.encode()) for value in named)
        if longest > LONGEST_VALUE:
            raise ValueError(f"a value of a rule is at most {LONGEST_VALUE} bytes long, got {longest}")
        values = <Values*>calloc(1, sizeof(Values))
        if values == NULL or open_dictionary(&fault, &values.words, self.plan.seed, NULL) < 0:
            raise MemoryError
        values.longest = longest
        for value in named:
            add_word(&values.words, value.encode())
        return values

    cdef int plan_rule(self, Route* made, rule, list named) except -1:
        made.maps, made.above_zero, made.divisor = rule.maps, rule.above_zero, rule.divisor
        made.rest = self.number(made.column, rule.rest)
        if rule.meanings:
            made.meanings = <int32_t*>calloc(len(named), sizeof(int32_t))
            if made.meanings == NULL:
                raise MemoryError
            for index, value in enumerate(named):
                made.meanings[index] = self.number(made.column, rule.meanings.get(value, rule.rest))
        return 0

    cdef int32_t number(self, int32_t column, str meaning) except -3:
        """The number of a meaning in a column, a new one where there is none yet."""
        if meaning in ("", "*"):
            return AS_IT_IS if meaning else NO_VALUE
        known = (column, meaning.encode())
        if known not in self.meanings:
            self.meanings.append(known)
        return self.meanings.index(known)

    cdef int plan_meanings(self) except -1:
        self.plan.meanings = <Meaning*>calloc(len(self.meanings) + 1, sizeof(Meaning))
        if self.plan.meanings == NULL:
            raise MemoryError
        self.plan.count_meanings = len(self.meanings)
        for number, (column, text) in enumerate(self.meanings):
            self.plan.meanings[number].column, self.plan.meanings[number].size = column, len(text)
            self.plan.meanings[number].text = <const uint8_t*>PyBytes_AS_STRING(text)
        return 0

    def decode(self, bodies, int64_t received_at, projects):
        """Columns of all well-formed bodies, and for each body (rows, rejected, index, which, length, code, at, field); see `native.py`."""
        cdef list held = [bytes(body) for body in bodies]  # bytes are not copied by bytes()
        cdef int64_t count = len(held), i
        cdef Records records
        cdef Outcome_* outcomes = NULL
        cdef const uint8_t** starts = NULL
        cdef size_t* sizes = NULL
        cdef int32_t* project_of = NULL
        cdef int32_t* counts = NULL
        if len(projects) != count:
            raise ValueError(f"{count} bodies need {count} projects, got {len(projects)}")
        memset(&records, 0, sizeof(Records))
        records.plan, records.received_at = &self.plan, received_at
        try:
            outcomes = <Outcome_*>calloc(count + 1, sizeof(Outcome_))
            starts = <const uint8_t**>calloc(count + 1, sizeof(void*))
            sizes = <size_t*>calloc(count + 1, sizeof(size_t))
            project_of = <int32_t*>calloc(count + 1, sizeof(int32_t))
            if not outcomes or not starts or not sizes or not project_of:
                raise MemoryError
            records.table = open_table(&records.fault, self.plan.root.children, self.plan.root.count, self.plan.seed, &self.plan.on_record)
            if records.table == NULL or open_dictionary(&records.fault, &records.seen, self.plan.seed, &NO_ROUTES) < 0:
                raise MemoryError
            records.attributes = own(&records, G_ATTRIBUTES if self.plan.logs else S_ATTRIBUTES).child
            counts = <int32_t*>calloc(count_words(records.table, NULL, 0), sizeof(int32_t))
            records.said = <int32_t*>malloc(<size_t>self.plan.count_meanings * 4 + 4)
            if not counts or not records.said:
                raise MemoryError
            memset(records.said, 0xFF, <size_t>self.plan.count_meanings * 4)
            for i in range(count):
                starts[i], sizes[i] = <const uint8_t*>PyBytes_AS_STRING(held[i]), PyBytes_GET_SIZE(held[i])
                project_of[i] = -1 if projects[i] is None else self.project(&records, projects[i].encode())
            with nogil:
                for i in range(count):
                    records.project = project_of[i]
                    read_body(&records, starts[i], sizes[i], counts, &outcomes[i])
            answers = []
            for i in range(count):
                found = outcomes[i]
                answers.append((found.rows, found.rejected, found.index, found.which, found.length, found.code, found.at, found.field))
            return give(records.table, self.schema), answers
        finally:
            close_table(records.table)
            close_dictionary(&records.seen)
            discard(&records.spare)
            discard(&records.json)
            discard(&records.scalar)
            free(outcomes)
            free(starts)
            free(sizes)
            free(project_of)
            free(counts)
            free(records.said)

    cdef int32_t project(self, Records* records, bytes name) except -1:
        cdef int32_t index = intern(
            &records.fault, &origin_column(records, PROJECT).words, &records.spare, <const uint8_t*>PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name)
        )
        if index < 0:
            raise MemoryError
        return index
