-- JSON is written by DuckDB, in C++ and without Python's lock: 30,000 spans cost 60 ms of tree or 200 ms of full spans this way, and nothing else
-- waits meanwhile; to_pylist and json.dumps would stall the server for two seconds.
-- Parts are joined by concat(), which skips NULL: a column without a value leaves no trace in the answer.

-- One OTLP value by its letter (model/schema.py). Integers beyond 2^53 are strings: a reader in JavaScript would round them. Arrays and key-value
-- lists are stored as JSON text already.
CREATE OR REPLACE MACRO typed_json(letter, value) AS CASE lower(letter)
    WHEN 's' THEN to_json(value)
    WHEN 'b' THEN value
    WHEN 'e' THEN 'null'
    WHEN 'a' THEN value
    WHEN 'k' THEN value
    WHEN 'i' THEN CASE WHEN length(value) < 16 OR abs(try_cast(value AS HUGEINT)) <= 9007199254740991 THEN value ELSE to_json(value) END
    WHEN 'd' THEN CASE WHEN value IN ('NaN', 'Infinity', '-Infinity') THEN to_json(value) ELSE value END
    ELSE to_json(value)
END;

CREATE OR REPLACE MACRO attributes_json(attributes, types) AS concat(
    '{',
    array_to_string(
        list_transform(
            map_entries(attributes), LAMBDA entry, i : concat(to_json(entry.key::VARCHAR), ':', typed_json(substr(types, i, 1), entry.value))
        ),
        ','
    ),
    '}'
);

CREATE OR REPLACE MACRO text_json(key, value) AS concat(',"', key, '":') || to_json(value::VARCHAR);
CREATE OR REPLACE MACRO filled_json(key, value) AS CASE WHEN value <> '' THEN concat(',"', key, '":') || to_json(value::VARCHAR) END;
CREATE OR REPLACE MACRO whole_json(key, value) AS concat(',"', key, '":') || value::VARCHAR;
CREATE OR REPLACE MACRO counted_json(key, value) AS CASE WHEN value <> 0 THEN concat(',"', key, '":', value::VARCHAR) END;
CREATE OR REPLACE MACRO token_json(key, value) AS concat(',"', key, '":')
    || CASE WHEN abs(value::HUGEINT) <= 9007199254740991 THEN value::VARCHAR ELSE '"' || value::VARCHAR || '"' END;
-- Dollars are exact text without trailing zeros.
CREATE OR REPLACE MACRO usd_json(key, value) AS concat(',"', key, '":"') || rtrim(rtrim(value::VARCHAR, '0'), '.') || '"';
CREATE OR REPLACE MACRO real_json(key, value) AS CASE WHEN isfinite(value) THEN concat(',"', key, '":', to_json(value)::VARCHAR) END;
-- `resource` and `scope_attributes` are JSON text of a key-value list; empty text where a sender sent none.
CREATE OR REPLACE MACRO object_json(key, value) AS concat(',"', key, '":', CASE WHEN value = '' THEN '{}' ELSE value::VARCHAR END);
CREATE OR REPLACE MACRO kind_text(kind) AS coalesce(['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'][kind + 1], kind::VARCHAR);
CREATE OR REPLACE MACRO status_text(code) AS coalesce(['unset', 'ok', 'error'][code + 1], code::VARCHAR);
