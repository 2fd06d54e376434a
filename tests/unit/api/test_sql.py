"""SQL of users: it answers exactly, it reads only what it may, and whatever it tries, the server is fine."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from pathlib import Path

import aiohttp
import psutil
import pyarrow as pa
import pytest
from asking import Asked, open_asked

from observatory.api.config import ApiConfig
from observatory.testing.spans import Maker

FAST = ApiConfig(sql_deadline_s=8, sql_memory_bytes=128 << 20)


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    async with open_asked(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
async def stocked(tmp_path):
    """One trace in segments, one in the journal, with limits that bombs reach soon."""
    async with open_asked(tmp_path / "data", FAST) as asked:
        make = Maker(3)
        await asked.store(make.trace(service="shop"), cut=True)
        await asked.store(make.trace(service="desk"))
        yield asked


def files(asked: Asked) -> dict[str, str]:
    """Every stored file but the journal, which may grow."""
    root = asked.engine.data_dir
    found = [*root.rglob("segments/**/*"), *root.glob("x*")]
    return {str(path): sha256(path.read_bytes()).hexdigest() for path in sorted(found) if path.is_file()}


async def test_segments_and_journal_are_one_table(stocked):
    answer = await stocked.sql("SELECT service_name, count(*) AS n FROM spans GROUP BY ALL ORDER BY 1")
    assert answer["columns"] == [{"name": "service_name", "type": "VARCHAR"}, {"name": "n", "type": "BIGINT"}]
    assert answer["rows"] == [["desk", 8], ["shop", 8]]
    assert (answer["truncated"], answer["row_count"]) == (False, 2)
    assert answer["elapsed_ms"] > 0
    states = await stocked.sql("SELECT service_name, state, span_count FROM traces ORDER BY 1")
    assert states["rows"] == [["desk", "open", 8], ["shop", "kept", 8]]


async def test_what_was_derived_and_is_in_memory_reaches_the_process_of_the_question(stocked):
    """Sums by minute cannot be read from the journal; 16 spans are 16 spans only when the open half is carried over."""
    answer = await stocked.sql("SELECT service_name, sum(count)::INT FROM span_rollups GROUP BY 1 ORDER BY 1")
    assert answer["rows"] == [["desk", 8], ["shop", 8]]
    p50 = "histogram_quantile(list(duration_ns_buckets), list(duration_ns_counts), 0.5)"
    answer = await stocked.sql(f"SELECT abs({p50} / (SELECT quantile_disc(duration_ns, 0.5) FROM spans) - 1) < 0.0055 FROM span_rollups")
    assert answer["rows"] == [[True]]
    assert (await stocked.sql("SELECT count(*) FROM llm_metrics"))["rows"] == [[0]]


async def test_every_type_has_one_json_form(stocked):
    answer = await stocked.sql(
        """SELECT 9007199254740991, 9007199254740992, -9007199254740993::HUGEINT, 1.5, 12345678901234567.25, 'NaN'::DOUBLE, '-inf'::FLOAT,
        INTERVAL 14 MONTH + INTERVAL 3 DAY - INTERVAL 1500 MILLISECOND, '\\x00\\xFF'::BLOB, TIMESTAMP_NS '2026-01-31 09:30:00.123456789',
        TIMESTAMPTZ '2026-01-31 09:30:00+00', TIMESTAMP '2026-01-31 09:30:00', DATE '1969-12-31', TIME '23:59:59.5', 'infinity'::TIMESTAMP,
        MAP {'a': 1}, MAP {1: 'a'}, [1, NULL], {'a': [{'b': 1::HUGEINT << 100}]}, uuid '00112233-4455-6677-8899-aabbccddeeff', NULL,
        true, '{"a":1}'::JSON, 'x'::ENUM('x', 'y'), [1, 2]::INTEGER[2], 1::UTINYINT, 0.0::DOUBLE"""
    )
    assert answer["rows"] == [
        [
            9007199254740991, "9007199254740992", "-9007199254740993", 1.5, "12345678901234567.25", "NaN", "-Infinity",
            "P14M3DT-1.5S", "00ff", "2026-01-31T09:30:00.123456789",
            "2026-01-31T09:30:00.000000Z", "2026-01-31T09:30:00.000000", "1969-12-31", "23:59:59.500000", "infinity",
            {"a": 1}, [[1, "a"]], [1, None], {"a": [{"b": str(1 << 100)}]}, "00112233-4455-6677-8899-aabbccddeeff", None,
            True, '{"a":1}', "x", [1, 2], 1, 0.0,
        ]
    ]  # fmt: skip


async def test_rows_beyond_the_limit_are_not_told_and_that_is_said(stocked):
    answer = await stocked.sql("SELECT * FROM range(20000)")
    assert (len(answer["rows"]), answer["truncated"], answer["row_count"]) == (10_000, True, 10_000)
    exact = await stocked.sql("SELECT * FROM range(5000)", max_rows=5000)
    assert (len(exact["rows"]), exact["truncated"]) == (5000, False)
    few = await stocked.sql("SELECT * FROM range(5000)", max_rows=7)
    assert (few["rows"], few["truncated"]) == ([[n] for n in range(7)], True)
    wide = await stocked.sql("SELECT repeat('x', 1000000) FROM range(200)")
    assert wide["truncated"]
    assert 60 < len(wide["rows"]) < 80


async def test_arrow_streams_everything(stocked):
    headers = {"Accept": "application/vnd.apache.arrow.stream"}
    async with stocked.client.post("/api/v1/sql", json={"query": "SELECT range AS n FROM range(100000)"}, headers=headers) as response:
        assert response.content_type == "application/vnd.apache.arrow.stream"
        table = pa.ipc.open_stream(await response.read()).read_all()
    assert table.column("n").to_pylist() == list(range(100_000))
    async with stocked.client.post("/api/v1/sql", json={"query": "SELECT nope"}, headers=headers) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (400, "sql")


async def test_an_arrow_answer_that_fails_half_way_is_not_taken_for_whole(stocked):
    query = "SELECT CASE WHEN range = 900000 THEN error('late') ELSE range END::VARCHAR FROM range(1000000)"
    headers = {"Accept": "application/vnd.apache.arrow.stream"}
    async with stocked.client.post("/api/v1/sql", json={"query": query}, headers=headers) as response:
        with pytest.raises(aiohttp.ClientPayloadError):
            assert response.status == 200
            await response.read()


REFUSED = {
    "COPY (SELECT 1) TO '{data}/x.parquet'": "not_a_select",
    "COPY (SELECT 1) TO '{segment}'": "not_a_select",
    "COPY spans FROM '/etc/passwd'": "not_a_select",
    "ATTACH '{data}/x.db'": "not_a_select",
    "INSTALL httpfs": "not_a_select",
    "LOAD httpfs": "not_a_select",
    "SET threads = 1": "not_a_select",
    "SET enable_external_access = true": "not_a_select",
    "PRAGMA database_list": "not_a_select",
    "CREATE TABLE t AS SELECT 1": "not_a_select",
    "CREATE OR REPLACE VIEW spans AS SELECT 1": "not_a_select",
    "EXPORT DATABASE '{data}/x'": "not_a_select",
    "INSERT INTO spans SELECT * FROM spans": "not_a_select",
    "DROP VIEW spans": "not_a_select",
    "CALL enable_logging()": "not_a_select",
    "EXPLAIN ANALYZE SELECT 1": "not_a_select",
    "SELECT 1; SELECT 2": "not_a_select",
    "SELECT 1; COPY (SELECT 1) TO '{data}/x'": "not_a_select",
    "-- nothing": "not_a_select",
    "SELECT * FROM read_csv('/etc/passwd')": "sql",
    "SELECT * FROM '/etc/passwd'": "sql",
    "SELECT * FROM read_text('/etc/passwd')": "sql",
    "SELECT * FROM read_blob('{data}/manifest.sqlite3')": "sql",
    "SELECT * FROM read_text('{data}/../data/lock')": "sql",
    "SELECT * FROM glob('/*')": "sql",
    "SELECT * FROM glob('{data}/**')": "sql",
    "SELECT * FROM read_parquet('https://example.com/x.parquet')": "sql",
    "SELECT * FROM question": "sql",
    "SELECT * FROM duckdb_secrets()": "sql",
    "SELECT * FROM query('COPY (SELECT 1) TO ''{data}/x''')": "sql",
    "SELECT getenv('HOME')": "sql",
    "SELEC 1": "sql",
    "SELECT $1": "sql",
}


async def test_what_is_not_reading_is_refused(stocked):
    before = files(stocked)
    segment = next(path for path in before if path.endswith(".parquet"))
    said = {}
    for query in REFUSED:
        answer = await stocked.sql(query.format(data=stocked.engine.data_dir, segment=segment), 400)
        said[query] = answer["error"]["code"]
        assert files(stocked) == before, query
    assert said == REFUSED


async def test_a_mistake_is_located(stocked):
    error = (await stocked.sql("SELECT name\nFROM spans WHER kind = 'server'", 400))["error"]
    assert error["code"] == "sql"
    assert error["where"] == "query, line 2, column 17", error


BOMBS = {
    "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c": (408, "deadline"),
    "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t": (None, None),
    "SELECT list(a.range) FROM range(100000000) a": (None, None),
    "SELECT DISTINCT repeat(range::VARCHAR, 1000) FROM range(10000000)": (None, None),
    "SELECT string_agg(repeat('x', 1000000)) FROM range(100000)": (None, None),
    "SELECT a.*, b.* FROM range(100000000) a JOIN range(100000000) b USING (range) ORDER BY hash(a.range)": (None, None),
    "SELECT " + "(" * 50_000 + "1" + ")" * 50_000: (None, None),
}


@pytest.mark.parametrize("query", BOMBS, ids=lambda query: query[:30])
async def test_bombs_go_off_in_a_process_of_their_own(stocked, query):
    began = time.monotonic()
    async with stocked.client.post("/api/v1/sql", json={"query": query}) as response:
        body = await response.json()
    status, code = BOMBS[query]
    assert response.status in ((status,) if status else (400, 408)), body
    assert body["error"]["code"] in ((code,) if code else ("deadline", "out_of_memory", "query_died", "sql")), body
    assert time.monotonic() - began < 40
    assert (await stocked.sql("SELECT count(*) FROM spans"))["rows"] == [[16]]
    assert not stocked.manifest._pins


async def test_too_many_questions_are_sent_away_and_may_come_back(tmp_path):
    async with open_asked(tmp_path / "data", ApiConfig(sql_parallel=1, sql_waiting=1, sql_deadline_s=6)) as asked:
        slow = {"query": "SELECT count(*) FROM range(1000000) a, range(1000000) b"}

        async def ask() -> tuple[int, str]:
            async with asked.client.post("/api/v1/sql", json=slow) as response:
                return response.status, response.headers.get("Retry-After", "")

        answers = await asyncio.gather(*(ask() for _ in range(4)))
        assert sorted(answers) == [(408, ""), (408, ""), (503, "2"), (503, "2")]
        assert (await asked.sql("SELECT 1"))["rows"] == [[1]]


async def test_the_process_ends_with_its_client(asked):
    query = {"query": "SELECT count(*) FROM range(1000000) a, range(1000000) b"}
    sandboxes = asked.api._sql._sandboxes
    await asked.sql("SELECT 1")
    await until(lambda: sandboxes._spare is not None)
    spare = psutil.Process(sandboxes._spare.pid)  # it will run the next question
    task = asyncio.create_task(aiohttp.request("POST", f"{asked.url}/api/v1/sql", json=query).__aenter__())
    await until(lambda: bool(asked.manifest._pins) and sandboxes._spare is not None and sandboxes._spare.pid != spare.pid)
    task.cancel()
    await until(lambda: not spare.is_running() and not asked.manifest._pins)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - nothing tells when a process of the system is gone
            await asyncio.sleep(0.02)


def running(process: psutil.Process) -> list[psutil.Process]:
    return [child for child in process.children() if child.status() != psutil.STATUS_ZOMBIE]


async def test_no_process_runs_before_the_first_question_and_none_after_the_end(tmp_path):
    before = {child.pid for child in psutil.Process().children()}
    async with open_asked(tmp_path / "data") as asked:
        await asked.get("/api/v1/traces")
        assert {child.pid for child in psutil.Process().children()} == before
        await asked.sql("SELECT 1")
    assert {child.pid for child in running(psutil.Process())} <= before


async def test_the_walls_of_the_kernel_stand_without_duckdbs(tmp_path):
    """What the sandbox's process may do, asked of a process that put up the same walls and then tries in Python."""
    (tmp_path / "inside").write_text("readable", encoding="utf-8")
    attempts = f"""
import json, os, pathlib, resource, socket, sys
from observatory.query import sandbox
inside = pathlib.Path({str(tmp_path)!r})
sandbox._confine(inside)
def tried(what):
    try:
        return what() and "done"
    except OSError as error:
        return type(error).__name__
print(json.dumps({{
    "read inside": tried(lambda: (inside / "inside").read_text()),
    "read outside": tried(lambda: pathlib.Path("/etc/passwd").read_text()),
    "write inside": tried(lambda: (inside / "new").write_text("x")),
    "list outside": tried(lambda: os.listdir("/")),
    "remove inside": tried(lambda: (inside / "inside").unlink() or True),
    "run": tried(lambda: os.execv("/bin/true", ["true"])),
    "nice": os.nice(0) >= 10,
}}))
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", attempts, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    said = json.loads(out)
    if said["read outside"] == "done":
        pytest.skip("this kernel has no Landlock")
    denied = "PermissionError"
    assert said == {"read inside": "done", "nice": True} | dict.fromkeys(
        ("read outside", "write inside", "list outside", "remove inside", "run"), denied
    )
