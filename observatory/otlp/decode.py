"""Which decoders serve: the native kernel where it was built, else the pure-Python ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from observatory.contracts import Decoder
from observatory.errors import CannotStart
from observatory.model.signal import Signal
from observatory.otlp.metrics import MetricsDecoder
from observatory.otlp.reference import ReferenceDecoder
from observatory.semconv.routes import routes


@dataclass(frozen=True, slots=True)
class Decoders:
    """One decoder for each signal that arrives. They are safe to call from several threads at once."""

    spans: Decoder
    logs: Decoder
    metric_points: Decoder
    native: bool
    """Spans and logs are decoded by the kernel; False is some forty times slower, and whoever starts a server on it says so."""

    def of(self, signal: Signal) -> Decoder:
        """The decoder of a received signal."""
        return {Signal.SPANS: self.spans, Signal.LOGS: self.logs, Signal.METRIC_POINTS: self.metric_points}[signal]


def decoders(prefer: Literal["auto", "native", "reference"] = "auto") -> Decoders:
    """The decoders of this installation. `native` raises CannotStart where the kernel was not built.

    With the kernel, this process's malloc keeps up to 64 MiB of freed memory from now on (see `_kernel.reuse_memory`).
    """
    metric_points = MetricsDecoder(routes(Signal.METRIC_POINTS))
    if prefer != "reference":
        try:
            from observatory.otlp.native import NativeDecoder, reuse_memory
        except ImportError as missing:
            if prefer == "native":
                raise CannotStart(
                    f"the native decoder was not built ({missing}); install a C++ compiler and reinstall llm-observatory"
                ) from missing
        else:
            reuse_memory()
            return Decoders(
                spans=NativeDecoder(Signal.SPANS, routes(Signal.SPANS)),
                logs=NativeDecoder(Signal.LOGS, routes(Signal.LOGS)),
                metric_points=metric_points,
                native=True,
            )
    return Decoders(
        spans=ReferenceDecoder(Signal.SPANS, routes(Signal.SPANS)),
        logs=ReferenceDecoder(Signal.LOGS, routes(Signal.LOGS)),
        metric_points=metric_points,
        native=False,
    )
