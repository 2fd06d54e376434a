"""The native decoder behind the contract's face: the kernel's numbers become outcomes and sentences here."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from observatory.model.batch import Decoded, Outcome
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.otlp import faults
from observatory.otlp._kernel import Kernel, reuse_memory  # pyright: ignore[reportMissingModuleSource]
from observatory.semconv.routes import Route

__all__ = ["NativeDecoder", "reuse_memory"]


class NativeDecoder:
    """A `contracts.Decoder` of spans or logs. The GIL is free while it reads."""

    def __init__(self, signal: Signal, routes: Sequence[Route], budget: int = faults.BUDGET) -> None:
        self._signal, self._budget = signal, budget
        self._kernel = Kernel(signal.value, schema(signal), routes, budget)

    def __call__(self, bodies: Sequence[bytes], received_at: int, projects: Sequence[str | None]) -> Decoded:
        """See `contracts.Decoder`."""
        columns, found = self._kernel.decode(bodies, received_at, projects)
        outcomes = [self._outcome(each, len(body)) for each, body in zip(found, bodies, strict=True)]
        return Decoded(pa.record_batch(columns), outcomes)

    def _outcome(self, found: tuple[int, int, int, int, int, int, int, int], size: int) -> Outcome:
        rows, rejected, index, which, length, code, at, field = found
        if code:
            return Outcome(error=faults.error(self._signal, code, at, field, size, self._budget))
        return Outcome(rows, rejected, faults.rejection(index, which, length) if rejected else "")
