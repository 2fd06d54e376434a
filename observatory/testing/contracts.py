"""Law kits: hand in a factory and batches, and the contract is checked under every way of cutting them up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa

from observatory.contracts import Batch, Signal, Stage
from observatory.model.clock import SECOND
from observatory.model.schema import schema
from observatory.testing.clock import NOON


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
