"""What counting must know again after a restart, read back from the segments of the last minutes: ids of spans, and rows of calls."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from observatory.contracts import Segment
from observatory.model.arrays import whole
from observatory.model.clock import Nanos
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.pipeline.counting.counting import AGE, CALLS, SPANS
from observatory.pipeline.measure import LINKS
from observatory.storage.calls import fold
from observatory.storage.manifest import Manifest

log = logging.getLogger(__name__)


def recent(manifest: Manifest, data_dir: Path) -> tuple[pa.Table, pa.Table]:
    """(`LINKS` of spans, the latest rows of calls) of the ten minutes before the newest span, at most as many as counting remembers.

    Half a second for a million spans. A segment that cannot be read is left out: what it held is judged alone.
    """
    newest = max((s.received_to for s in manifest.live(Signal.SPANS)), default=0)
    links = _latest(manifest.live(Signal.SPANS), data_dir, list(LINKS), newest - AGE, SPANS)
    calls = _latest(manifest.live(Signal.LLM_CALLS), data_dir, None, newest - AGE, CALLS)
    latest = fold(calls or schema(Signal.LLM_CALLS).empty_table())
    return links or schema(Signal.SPANS).empty_table().select(LINKS), pa.Table.from_batches([latest])


def _latest(segments: Sequence[Segment], data_dir: Path, columns: list[str] | None, since: Nanos, most: int) -> pa.Table | None:
    """The rows received last, in the order of arrival."""
    found: list[pa.Table] = []
    rows = 0
    for segment in sorted((s for s in segments if s.received_to >= since), key=lambda s: (s.received_to, s.id), reverse=True):
        try:
            for group in _backwards(data_dir / segment.uri, columns):
                found.append(group)
                rows += group.num_rows
                if rows >= most:
                    break
        except (OSError, pa.ArrowException) as error:
            log.warning("%s cannot be read back: calls that what it holds would change are judged without it: %s", segment.uri, error)
        if rows >= most:
            break
    return whole(found[::-1]).slice(max(0, rows - most)) if found else None


def _backwards(path: Path, columns: list[str] | None) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for group in reversed(range(file.num_row_groups)):
            yield file.read_row_group(group, columns=columns, use_threads=False)
