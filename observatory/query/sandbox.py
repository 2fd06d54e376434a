"""The process that runs a user's SQL, once, and ends: `python -m observatory.query.sandbox DATA_DIR`, question on stdin, frames on stdout.

Inside the server, DuckDB with external access off still overwrote a segment by `COPY … TO`, passed its memory limit 30 times and ignored
interrupts for 18 s. So the walls are the kernel's, put up before the question is read, in this order:

  * ends with its parent; no core dump, no new privileges, `nice 19`, first to go when the machine runs out of memory
  * RLIMIT_FSIZE 0: no file grows; RLIMIT_AS and RLIMIT_CPU: it cannot eat the machine
  * Landlock, where the kernel has it: nothing but reading below DATA_DIR, no TCP. All threads of DuckDB start behind it
  * DuckDB without extensions, spill, secrets or Python; only the segments of the question may be opened; configuration locked
  * exactly one SELECT, as DuckDB's own parser counts

The parent kills it at the deadline (`sandboxes.py`).
"""

from __future__ import annotations

import ctypes
import io
import os
import re
import resource
import signal
import struct
import sys
import sysconfig
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import orjson
import pyarrow as pa

from observatory.model import priority
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.query.answers import json_rows
from observatory.query.landlock import restrict
from observatory.storage.traces import SPAN_COLUMNS, summarize
from observatory.storage.views import Stream, ViewSpec, open_views

FRAME = struct.Struct("<cI")
COLUMNS, ROWS, ARROW, DONE, ERROR = b"C", b"R", b"A", b"D", b"E"
MAX_FRAME = 8 << 20

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_ROOM = 768 << 20  # address space beside DuckDB's limit: thread stacks, allocator slack, Arrow and JSON of the answer
_BATCH_ROWS = 2048
_POSITION = re.compile(r"^LINE (\d+): (.*)\n( *)\^", re.MULTILINE)


def main(arguments: list[str]) -> int:
    """Put up the walls, answer one question, end. Exit code 0 whenever a last frame (`DONE` or `ERROR`) was written."""
    data_dir = Path(arguments[0])
    answer = _private_stdout()
    _rehearse()
    _confine(data_dir)
    length = sys.stdin.buffer.read(4)
    if len(length) < 4:
        return 0  # the spare was not needed
    question = orjson.loads(sys.stdin.buffer.read(int.from_bytes(length, "little")))
    # before memory is limited: these rows are none of the query's
    derived = {signal: pa.ipc.open_stream(sys.stdin.buffer.read(size)).read_all() for signal, size in question["derived"].items()}
    resource.setrlimit(resource.RLIMIT_CPU, (question["cpu_s"], question["cpu_s"] + 1))
    room = _address_space() + question["memory_bytes"] + _ROOM
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    try:
        _answer(question, ViewSpec.from_json(question["spec"], derived), answer)
    except duckdb.Error as error:
        _write(answer, ERROR, _said(error))
    except _Refused as refused:
        _write(answer, ERROR, {"code": refused.code, "message": str(refused), "where": "query"})
    except MemoryError:
        _write(answer, ERROR, {"code": "out_of_memory", "message": _OUT_OF_MEMORY, "where": "query"})
    except BrokenPipeError:
        return 1  # nobody listens any more
    except Exception as error:
        _write(answer, ERROR, {"code": "query_died", "message": f"the query could not be run: {error!r}", "where": "query"})
    return 0


_OUT_OF_MEMORY = "the query needs more memory than it may use; select less, filter earlier, or aggregate"


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _private_stdout() -> BinaryIO:
    """The pipe to the parent, out of reach of anything that prints."""
    pipe = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    return os.fdopen(pipe, "wb")


def _rehearse() -> None:
    """Answer a question about nothing, so that what is imported and set up on the way is done before the question comes."""
    question = {"threads": 1, "memory_bytes": 64 << 20, "rows": 1, "bytes": 1, "arrow": False}
    nowhere = io.BytesIO()
    query = "SELECT *, {'t': now(), 'd': current_date} AS s FROM rehearsal WHERE a >= 1 AND b = 'x' AND c = '\\x01'::BLOB AND d IS NOT NULL"
    rows = pa.record_batch({"a": [1, 2], "b": ["x", "y"], "c": [b"\1", b"\2"], "d": pa.array(["x", "y"]).dictionary_encode()})
    with _connect(question) as con:
        _furnish(con, ViewSpec({}, []), query)
        con.register("rehearsal", Stream(rows.schema, lambda: iter([rows])))
        relation = con.sql(_one_select(con, query))
        _json(relation.to_arrow_reader(_BATCH_ROWS), question, nowhere)
        _arrow(relation.to_arrow_reader(_BATCH_ROWS), question, nowhere)
    summarize(schema(Signal.SPANS).empty_table().select(SPAN_COLUMNS))


def _confine(data_dir: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    os.nice(priority.USER_SQL)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900", encoding="ascii")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write that would grow a file is an error message, not a death
    _STATM.append(os.open("/proc/self/statm", os.O_RDONLY))
    restrict([data_dir, *(path for path in (*_CGROUP, *_libraries()) if path.exists())])


def _libraries() -> set[Path]:
    """Where Python imports from: nothing secret, and some module is always imported late."""
    bundle = getattr(sys, "_MEIPASS", None)
    return {Path(bundle)} if bundle else {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}


_STATM: list[int] = []
_CGROUP = (Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))  # DuckDB 2.0 aborts at start when it sees these and may not read them


def _address_space() -> int:
    return int(os.pread(_STATM[0], 64, 0).split()[0]) * resource.getpagesize()


def _answer(question: dict[str, Any], spec: ViewSpec, answer: BinaryIO) -> None:
    started = time.monotonic()
    con = _connect(question)
    statement = _one_select(con, question["query"])
    _furnish(con, spec, question["query"])
    relation = con.sql(statement)
    names, types = relation.columns, [str(type_) for type_ in relation.types]
    _write(answer, COLUMNS, {"columns": [{"name": name, "type": type_} for name, type_ in zip(names, types, strict=True)]})
    reader = relation.to_arrow_reader(_BATCH_ROWS)
    rows, truncated = (_arrow if question["arrow"] else _json)(reader, question, answer)
    elapsed = round((time.monotonic() - started) * 1000, 3)
    _write(answer, DONE, {"rows": rows, "truncated": truncated, "elapsed_ms": elapsed})


def _connect(question: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        config={
            "threads": question["threads"],
            "memory_limit": f"{question['memory_bytes'] >> 20}MiB",
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
        }
    )


def _furnish(con: duckdb.DuckDBPyConnection, spec: ViewSpec, query: str) -> None:
    """The views, and then nothing else any more."""
    open_views(con, spec, query)
    paths = ", ".join("'" + path.replace("'", "''") + "'" for path in spec.paths())
    con.execute(f"SET allowed_paths = [{paths}]")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def _one_select(con: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    statements = con.extract_statements(query)
    if len(statements) != 1:
        got = "none" if not statements else f"{len(statements)}: " + ", ".join(_name(statement) for statement in statements[:5])
        raise _Refused("not_a_select", f"expected exactly one SELECT statement, got {got}")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise _Refused("not_a_select", f"only SELECT is allowed here, got {_name(statements[0])}: this interface reads and changes nothing")
    return statements[0]


def _name(statement: duckdb.Statement) -> str:
    return statement.type.name.replace("_", " ")


def _arrow(reader: pa.RecordBatchReader, question: dict[str, Any], answer: BinaryIO) -> tuple[int, bool]:
    rows = 0
    frames = _Frames(answer)
    with pa.ipc.new_stream(pa.PythonFile(frames, mode="w"), reader.schema) as stream:
        for batch in reader:
            rows += batch.num_rows
            stream.write_batch(batch)
    frames.flush()
    return rows, False


def _json(reader: pa.RecordBatchReader, question: dict[str, Any], answer: BinaryIO) -> tuple[int, bool]:
    rows = size = 0
    for batch in reader:
        # a few rows at a time: one row may be a whole conversation
        step = max(1, min(_BATCH_ROWS, batch.num_rows * (1 << 20) // max(batch.nbytes, 1)))
        for offset in range(0, batch.num_rows, step):
            part = batch.slice(offset, min(step, question["rows"] - rows))
            if not part.num_rows or size > question["bytes"]:
                return rows, True
            text = orjson.dumps(json_rows(part))[1:-1]
            _write_bytes(answer, ROWS, b"," + text if rows else text)
            rows += part.num_rows
            size += len(text)
    return rows, False


class _Frames:
    """A file for Arrow's writer whose bytes leave as frames of about 1 MB."""

    closed = False

    def __init__(self, answer: BinaryIO) -> None:
        self._answer, self._held = answer, bytearray()

    def write(self, data: Any) -> int:
        view = memoryview(data)
        self._held += view
        if len(self._held) >= 1 << 20:
            self.flush()
        return view.nbytes

    def flush(self) -> None:
        if self._held:
            _write_bytes(self._answer, ARROW, bytes(self._held))
            self._held.clear()

    def close(self) -> None:
        self.flush()


def _said(error: duckdb.Error) -> dict[str, str]:
    message = str(error)
    code = "out_of_memory" if isinstance(error, duckdb.OutOfMemoryException) else "sql"
    where = "query"
    if (found := _POSITION.search(message)) and not found[2].startswith("..."):
        where = f"query, line {found[1]}, column {len(found[3]) - len(f'LINE {found[1]}: ') + 1}"
    return {"code": code, "message": message if code == "sql" else f"{_OUT_OF_MEMORY} ({message})", "where": where}


def _write(answer: BinaryIO, kind: bytes, value: dict[str, Any]) -> None:
    _write_bytes(answer, kind, orjson.dumps(value))


def _write_bytes(answer: BinaryIO, kind: bytes, data: bytes) -> None:
    for start in range(0, len(data) or 1, MAX_FRAME):
        piece = data[start : start + MAX_FRAME]
        answer.write(FRAME.pack(kind, len(piece)))
        answer.write(piece)
    answer.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
