"""The server's side of the SQL sandbox: one child process a question, a warm spare, a queue, a deadline that kills."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from observatory.errors import BadRequest, ObservatoryError, Retryable
from observatory.model import program

_FRAME_HEADER = 5
_PIECE = 1 << 20
_COLUMNS, _DONE, _ERROR = b"C", b"D", b"E"


class SqlRefused(BadRequest):
    """The query's own fault. `code` is `sql`, `not_a_select`, `out_of_memory`, `deadline` or `query_died`; `where` points into it."""

    def __init__(self, code: str, message: str, where: str = "query") -> None:
        super().__init__(message)
        self.code, self.where = code, where


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What one question may use, and how many may run."""

    deadline_s: float = 30.0
    memory_bytes: int = 512 << 20
    threads: int = 2
    json_rows: int = 10_000
    json_bytes: int = 64 << 20
    parallel: int = 2
    waiting: int = 8
    spare_idle_s: float = 300.0


@dataclass(slots=True)
class SqlAnswer:
    """An answer on its way: `columns` are known, `pieces` follow (JSON rows, or bytes of Arrow), then `done` says how it ended."""

    columns: list[dict[str, str]]
    pieces: AsyncGenerator[bytes, None]
    done: dict[str, Any] = field(default_factory=dict)


class Sandboxes:
    """Runs questions in child processes. Starts none before the first question; afterwards one spare waits, warm, for a while."""

    def __init__(self, data_dir: Path, limits: SandboxLimits, command: Sequence[str] | None = None) -> None:
        self._data_dir, self._limits = data_dir, limits
        self._command = tuple(command or program.sql_sandbox())
        self._turn = asyncio.Semaphore(limits.parallel)
        self._waiting = 0
        self._spare: asyncio.subprocess.Process | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @asynccontextmanager
    async def ask(self, query: str, spec: Any, *, arrow: bool = False, rows: int | None = None) -> AsyncIterator[SqlAnswer]:
        """Run one SELECT over the views of `spec` (a `ViewSpec`; its segments must stay pinned meanwhile).

        Raises SqlRefused for what is wrong with the query, here or while `pieces` are read, and Retryable when too many wait already.
        The process is gone when the context is left, whatever happened.
        """
        async with self._place():
            process = await self._take()
            try:
                async with asyncio.timeout(self._limits.deadline_s):
                    await self._send(process, query, spec, arrow, rows)
                    answer = await self._begin(process)
                    yield answer
            except TimeoutError:
                said = f"the query ran longer than {self._limits.deadline_s:g} s and was stopped; narrow its time window or select less"
                raise SqlRefused("deadline", said) from None
            finally:
                await _end(process)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        if self._closed or (self._turn.locked() and self._waiting >= self._limits.waiting):
            raise Retryable(f"{self._limits.parallel} queries run and {self._waiting} wait already; try again", after=2.0)
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turn.release()

    async def _take(self) -> asyncio.subprocess.Process:
        process, self._spare = self._spare, None
        if process is None or process.returncode is not None:
            process = await self._start()
        task = asyncio.create_task(self._keep_spare())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return process

    async def _keep_spare(self) -> None:
        if self._spare is not None or self._closed:
            return
        spare = self._spare = await self._start()
        try:
            await asyncio.sleep(self._limits.spare_idle_s)
        finally:
            if self._spare is spare:
                self._spare = None
                await _end(spare)

    async def _start(self) -> asyncio.subprocess.Process:
        package = str(Path(__file__).parents[2])
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH", "")))),
            "LANG": "C.UTF-8",
            "MALLOC_ARENA_MAX": "2",  # glibc maps 64 MB of address space per arena otherwise, and address space is what we limit
            "OMP_NUM_THREADS": "1",
        }
        return await asyncio.create_subprocess_exec(
            *self._command,
            str(self._data_dir.resolve()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            cwd=self._data_dir,
            limit=1 << 20,
        )

    async def _send(self, process: asyncio.subprocess.Process, query: str, spec: Any, arrow: bool, rows: int | None) -> None:
        limits = self._limits
        payload: dict[str, pa.Buffer] = await asyncio.get_running_loop().run_in_executor(None, spec.payload)
        question = orjson.dumps(
            {
                "query": query,
                "spec": spec.to_json(),
                "derived": {signal: stream.size for signal, stream in payload.items()},
                "arrow": arrow,
                "rows": min(rows or limits.json_rows, limits.json_rows),
                "bytes": limits.json_bytes,
                "memory_bytes": limits.memory_bytes,
                "threads": limits.threads,
                "cpu_s": int(limits.deadline_s * limits.threads) + 5,
            }
        )
        assert process.stdin is not None
        process.stdin.write(len(question).to_bytes(4, "little") + question)
        with suppress(ConnectionError):  # it died: what it said, or did not say, is read next
            await process.stdin.drain()
            for stream in payload.values():
                for start in range(0, stream.size, _PIECE):  # the pipe takes no more at once, and what it does not take is copied
                    process.stdin.write(memoryview(stream)[start : start + _PIECE])
                    await process.stdin.drain()

    async def _begin(self, process: asyncio.subprocess.Process) -> SqlAnswer:
        kind, data = await _frame(process)
        if kind != _COLUMNS:
            raise _refused(data)
        answer = SqlAnswer(orjson.loads(data)["columns"], _nothing())
        answer.pieces = _pieces(process, answer)
        return answer

    async def close(self) -> None:
        """Kill the spare. Questions still running are their callers' to leave."""
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _nothing() -> AsyncGenerator[bytes, None]:
    return
    yield


async def _pieces(process: asyncio.subprocess.Process, answer: SqlAnswer) -> AsyncGenerator[bytes, None]:
    while True:
        kind, data = await _frame(process)
        if kind == _ERROR:
            raise _refused(data)
        if kind == _DONE:
            answer.done.update(orjson.loads(data))
            return
        yield data


async def _frame(process: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    assert process.stdout is not None
    try:
        header = await process.stdout.readexactly(_FRAME_HEADER)
        return header[:1], await process.stdout.readexactly(int.from_bytes(header[1:], "little"))
    except asyncio.IncompleteReadError:
        raise await _died(process) from None


async def _died(process: asyncio.subprocess.Process) -> ObservatoryError:
    assert process.stderr is not None
    code = await process.wait()
    words = (await process.stderr.read(1 << 16)).decode(errors="replace").strip().splitlines()
    last = f": {words[-1][:300]}" if words else ""
    if code < 0:
        return SqlRefused(
            "query_died", f"the query's process was ended by signal {-code}{last}; it probably needed more memory than it may use"
        )
    return SqlRefused("query_died", f"the query's process ended with exit code {code}{last}")


def _refused(data: bytes) -> SqlRefused:
    said = orjson.loads(data)
    return SqlRefused(said["code"], said["message"], said["where"])


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    await process.wait()
