"""Law kits: hand in a factory and batches, and the contract is checked under every way of cutting them up."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pyarrow as pa

from observatory.contracts import ABSTAIN, DROP, SAMPLE, Batch, Paced, Policy, Settles, Signal, Stage, State, Votes
from observatory.model.clock import SECOND
from observatory.model.schema import schema
from observatory.model.threshold import NEVER
from observatory.testing.clock import NOON
from observatory.testing.tracetable import trace_table


def row_count(batch: Batch) -> int:
    """What an output batch accounts for, for a stage that passes rows on."""
    return batch.rows.num_rows


def check_stage(
    make_stage: Callable[[], Stage], batches: Sequence[Batch], *, same_rows: bool = True, accounts_for: Callable[[Batch], int] = row_count
) -> None:
    """Check that a Stage keeps its law: after each call, rows in == rows out + dropped + held, and after `drain` nothing is held.

    Checked for the batches as they are, in reverse order, one row at a time (of the first 64 rows) and all in one, with ticks between.
    What comes out has the schema of its signal. With `same_rows`, the rows given and dropped in the end must be as many in every variant;
    switch it off for a stage whose decisions may depend on how rows arrive. A stage that derives rows says by `accounts_for` how many
    input rows an output batch stands for. Raises AssertionError that says where.
    """
    ends: dict[str, tuple[int, int]] = {}
    for name, variant in _variants(batches).items():
        given, dropped = _run(name, make_stage(), variant, accounts_for)
        if name not in ("row by row", "nothing"):  # they see only part of the rows
            ends[name] = (given, dropped)
    if same_rows:
        assert len(set(ends.values())) <= 1, f"rows (given, dropped) depend on how they arrive: {ends}"


def _run(name: str, stage: Stage, batches: Sequence[Batch], accounts_for: Callable[[Batch], int]) -> tuple[int, int]:
    now = NOON
    taken = given = 0
    for i, batch in enumerate(batches):
        taken += batch.rows.num_rows
        given += _rows(stage.process(batch, now), f"{name}: process of batch {i}", accounts_for)
        _check(stage, taken, given, f"{name}: after batch {i}")
        now += SECOND // 4
        given += _rows(stage.tick(now), f"{name}: tick after batch {i}", accounts_for)
        _check(stage, taken, given, f"{name}: tick after batch {i}")
    given += _rows(stage.drain(now), f"{name}: drain", accounts_for)
    dropped = _check(stage, taken, given, f"{name}: after drain")
    assert stage.counts().held == 0, f"{name}: {stage.counts().held} rows are still held after drain"
    return given, dropped


def _check(stage: Stage, taken: int, given: int, where: str) -> int:
    counts = stage.counts()
    dropped = sum(counts.dropped.values())
    assert counts.taken == taken, f"{where}: handed in {taken} rows, the stage counted {counts.taken}"
    assert counts.given == given, f"{where}: got {given} rows, the stage counted {counts.given}"
    assert counts.held >= 0 and all(count >= 0 for count in counts.dropped.values()), f"{where}: negative counts {counts}"
    assert taken == given + dropped + counts.held, f"{where}: {taken} in != {given} out + {dropped} dropped + {counts.held} held"
    return dropped


def _rows(batches: Iterable[Batch], where: str, accounts_for: Callable[[Batch], int]) -> int:
    total = 0
    for batch in batches:
        assert batch.rows.schema.equals(schema(batch.signal)), f"{where}: columns are not those of {batch.signal}"
        batch.rows.validate(full=True)
        total += accounts_for(batch)
    return total


def _variants(batches: Sequence[Batch]) -> dict[str, Sequence[Batch]]:
    rows = [Batch(batch.signal, batch.rows.slice(i, 1), batch.seq) for batch in batches for i in range(batch.rows.num_rows)]
    if not batches:
        return {"nothing": []}
    return {
        "as given": batches,
        "reversed": list(reversed(batches)),
        "halves": [half for batch in batches for half in _halves(batch)],
        "row by row": rows[:64],
        "all in one": [whole for signal in Signal for whole in _whole(signal, batches)],
        "with empty batches": [item for batch in batches for item in (Batch(batch.signal, batch.rows.slice(0, 0)), batch)],
        "nothing": [],
    }


def _halves(batch: Batch) -> list[Batch]:
    middle = batch.rows.num_rows // 2
    return [Batch(batch.signal, batch.rows.slice(0, middle), batch.seq), Batch(batch.signal, batch.rows.slice(middle), batch.seq)]


def _whole(signal: Signal, batches: Sequence[Batch]) -> list[Batch]:
    of_signal = [batch.rows for batch in batches if batch.signal == signal]
    if not of_signal:
        return []
    table = pa.Table.from_batches(of_signal).unify_dictionaries().combine_chunks()
    return [Batch(signal, chunk) for chunk in table.to_batches()]


def check_policy(policy: Policy, *, stateful: bool = False, seed: int = 0, traces: int = 200) -> None:
    """Check what a Policy promises, on traces made up from `seed`.

    A vote a row, of the right types; DROP only from one that vetoes; SAMPLE under no threshold below `least_threshold`, and only of traces
    whose randomness reaches a known one; the same table, state and time give the same votes, and a state that went through a checkpoint is
    as good. Without state, votes depend neither on the order of rows nor on how they are cut up. What settles at once votes the same when
    a trace has grown; what grows never takes SAMPLE or DROP back. Raises AssertionError that says where.
    """
    rng = random.Random(seed)
    rows = [_trace_at_random(number, rng) for number in range(traces)]
    table = trace_table(rows, policy)
    start = _warmed(policy) if stateful else {}
    votes = _votes(policy, table, copy.deepcopy(start), "all rows")
    _same(votes, _votes(policy, table, copy.deepcopy(start), "again"), "the same table, state and time")
    _same(votes, _votes(policy, table, _through_checkpoint(start), "restored"), "a restored state")
    assert _votes(policy, table.slice(0, 0), copy.deepcopy(start), "no rows").choice.shape == (0,)
    if not stateful:
        order = np.array(rng.sample(range(traces), traces))
        turned = _votes(policy, table.take(pa.array(order)), {}, "another order")
        _same(Votes(votes.choice[order], votes.threshold[order]), turned, "rows in another order")
        for cut in (1, traces // 3):
            parts = [_votes(policy, table.slice(at, cut), {}, "parts") for at in range(0, traces, cut)]
            joined = Votes(np.concatenate([p.choice for p in parts]), np.concatenate([p.threshold for p in parts]))
            _same(votes, joined, f"rows {cut} at a time")
    grown = [_grown(row, rng) for row in rows]
    later = _votes(policy, trace_table(grown, policy), copy.deepcopy(start), "grown")
    if policy.settles is Settles.AT_ONCE:
        _same(votes, later, "traces that have grown, of a policy that settles at once")
    if policy.settles is Settles.GROWS:
        said = votes.choice != ABSTAIN
        assert (later.choice[said] == votes.choice[said]).all(), "a policy that grows took its word back when traces grew"


def _trace_at_random(number: int, rng: random.Random) -> dict[str, object]:
    return {
        "id": number,
        "took_s": rng.choice([0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 6.0, 3600.0]),
        "span_count": rng.choice([1, 1, 2, 3, 8, 500]),
        "error_count": rng.choice([0, 0, 1]),
        "bytes": rng.randrange(200, 100_000),
        "cost": rng.choice([0, 10**9, 10**11, 10**12]),
        "input_tokens": rng.choice([0, 10, 5000]),
        "output_tokens": rng.choice([0, 10, 5000]),
        "ttft_ns": rng.choice([0, SECOND // 2, 3 * SECOND]),
        "feedback": rng.random() < 0.1,
        "evaluation": rng.random() < 0.1,
        "yes": rng.random() < 0.4,
        "key": rng.choice([0, 1, 2, 3]),
    }


def _grown(row: dict[str, object], rng: random.Random) -> dict[str, object]:
    """The same trace with more of what never shrinks."""
    grown: dict[str, object] = dict(row)
    for name in ("took_s", "span_count", "error_count", "bytes", "ttft_ns"):
        grown[name] = row[name] + rng.choice([0, 1, 1000])  # type: ignore[operator]
    for name in ("feedback", "evaluation", "yes"):
        grown[name] = bool(row[name]) or rng.random() < 0.5
    return grown


def _warmed(policy: Policy) -> State:
    """What it remembers after a busy minute."""
    state: State = {}
    for second in range(60):
        now = NOON + (second - 60) * SECOND
        if isinstance(policy, Paced):
            policy.arrived(5000, state, now)
        policy.vote(trace_table([{"id": 10_000 + second, "key": second % 3, "span_count": 40}], policy), state, now)
    return state


def _votes(policy: Policy, table: pa.RecordBatch, state: State, where: str) -> Votes:
    votes = policy.vote(table, state, NOON)
    assert votes.choice.dtype == np.int8 and votes.threshold.dtype == np.uint64, f"{where}: votes are int8 and uint64"
    assert votes.choice.shape == votes.threshold.shape == (table.num_rows,), f"{where}: {table.num_rows} rows, {votes.choice.shape} votes"
    assert np.isin(votes.choice, (ABSTAIN, SAMPLE, DROP)).all(), f"{where}: no such choice"
    assert policy.vetoes or not (votes.choice == DROP).any(), f"{where}: DROP from a policy that does not veto"
    sampled = votes.choice == SAMPLE
    threshold = votes.threshold[sampled]
    assert (threshold >= np.uint64(policy.least_threshold)).all(), f"{where}: SAMPLE under a lower threshold than the least"
    randomness = np.asarray(table.column("randomness"))[sampled]
    assert (randomness >= threshold)[threshold <= np.uint64(NEVER)].all(), f"{where}: SAMPLE of a trace that its threshold rejects"
    return votes


def _same(one: Votes, other: Votes, what: str) -> None:
    assert (one.choice == other.choice).all(), f"{what} gave other votes"
    sampled = one.choice == SAMPLE
    assert (one.threshold[sampled] == other.threshold[sampled]).all(), f"{what} gave other thresholds"


def _through_checkpoint(state: State) -> State:
    """As a checkpoint keeps it: JSON, and arrays."""
    kept: State = {}
    for name, value in state.items():
        if isinstance(value, dict):
            kept[name] = _through_checkpoint(value)
        else:
            kept[name] = value.copy() if isinstance(value, np.ndarray) else json.loads(json.dumps(value))
    return kept
