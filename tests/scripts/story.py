"""Stories of sampling: what arrives when, what is asked, and what must be answered. `tests/scripts/README.md` says how to write one.

A story goes through the real stages in their real order, with a clock that it turns itself.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from observatory.contracts import Batch, DerivedRows, OpenRecord
from observatory.model.clock import SECOND
from observatory.model.position import seq_of
from observatory.model.signal import Signal
from observatory.otlp.decode import decoders
from observatory.pipeline.counting.counting import Counting
from observatory.pipeline.cpu import CpuSeconds
from observatory.pipeline.ingest import Durable
from observatory.pipeline.measure import Measure
from observatory.pipeline.observe import Observe
from observatory.pipeline.open_rows import OpenRecords
from observatory.pipeline.rollup import RollupCalls
from observatory.pipeline.sampling import build
from observatory.pipeline.sampling.config import SamplingConfig
from observatory.pipeline.sampling.sampling import Sampling
from observatory.pipeline.summarize import Summarize
from observatory.receivers.feedback_rows import decode_feedback
from observatory.semconv.pricing.config import PricesConfig
from observatory.semconv.pricing.source import load
from observatory.storage.traces import fold

BEGIN = 1_795_000_000 * SECOND
_UNITS = {"ms": SECOND // 1000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}


class Story:
    """One appliance's stages, at a time of their own."""

    def __init__(self, directory: Path, config: dict[str, Any]) -> None:
        self.directory, self.now, self.seq, self.spans = directory, BEGIN, 0, 0
        self.names: dict[bytes, str] = {}
        self.decode = decoders()
        self.config = SamplingConfig.model_validate(config)
        self.journal: list[Durable] = []
        self.kept: Sequence[Batch] = ()
        self.measured = 0
        self._assemble()

    def _assemble(self) -> None:
        self.open_rows = OpenRecords()
        self.sampler = build.sampler(self.config, self.directory)
        self.sampling = Sampling(self.sampler, self.directory, self.open_rows, 60 * SECOND)
        prices = load(PricesConfig(), self.directory)
        stages = (Summarize(), Measure(Counting(prices.price), RollupCalls(), lambda calls, signs: None))
        self.observe = Observe(self.open_rows, stages, self.sampling, CpuSeconds(), lambda now: None)
        self.observe.resume(0, self.now)

    def load(self, signal: Signal, lines: list[str]) -> None:
        """Rows arrive now, in one request."""
        if signal is Signal.FEEDBACK:
            bodies = [self._feedback(fields(line)) for line in lines]
        else:
            bodies = [self._request(signal, [fields(line) for line in lines])]
        decoder = decode_feedback if signal is Signal.FEEDBACK else self.decode.of(signal)
        rows = decoder(bodies, self.now, [None] * len(bodies)).rows
        self.seq += 1
        record = OpenRecord(self.seq, signal, "", 0, 0, rows.num_rows, self.now, self.now, self.now)
        durable = [Durable(record, rows)]
        self.journal += durable
        self.observe.found(durable)
        self.observe(durable, self.now)

    def until(self, at: int) -> None:
        """Time passes."""
        self.now = BEGIN + at
        self.observe([], self.now)  # the tick at this very moment included; later ones may come after what is still to arrive

    def flush(self) -> None:
        """What a cut does to sampling: everything decided so far is on disk."""
        moment = self.sampling.moment(0)
        self.sampling.save(moment)
        self.sampling.settle(moment, gathered=True)
        self.sampling.catch_up()
        self.kept = [*self.kept, *self.open_rows.derived_rows(self.measured, moment.position).batches]  # in segments from now on
        self.measured = moment.position

    def restart(self) -> None:
        """After a crash: what the last flush wrote is known, and the journal has the records since."""
        kept, now = self.kept, self.now
        self._assemble()
        self.kept = kept
        self.open_rows.resume(self.measured)
        self.sampling.start(self.measured)
        done = seq_of(self.measured)
        self.observe.resume(done, self.sampler.now or BEGIN)
        for durable in [each for each in self.journal if each.record.seq > done]:
            self.observe.found([durable])
            self.observe([durable], durable.record.received_at)
        self.now = now

    def answer(self, asked: str) -> list[str]:
        """`traces`: what was kept, by trace; then what was dropped, by reason, and how many are open."""
        rows = DerivedRows(0, [*self.kept, *self.open_rows.derived_rows(self.measured).batches])
        still = {id for id in self.sampler.open.listing()().column("trace_id").to_pylist()}
        said = []
        for row in sorted(fold(rows.of(Signal.TRACES)).to_pylist(), key=lambda row: self.names[row["trace_id"]]):
            counts = "?" if row["adjusted_count"] is None else f"{row['adjusted_count']:g}"
            state = "open" if row["trace_id"] in still else f"kept by={row['decided_by'] or '-'} count={counts}"
            said.append(f"{self.names[row['trace_id']]}  spans={row['span_count']}  {state}")
        if asked == "traces":
            said += [f"dropped {count} {reason}" for reason, count in sorted(self.sampler.tally.dropped.items()) if count]
        return said

    def _request(self, signal: Signal, rows: list[dict[str, str]]) -> bytes:
        request: Any = ExportTraceServiceRequest() if signal is Signal.SPANS else ExportLogsServiceRequest()
        for row in rows:
            resource = request.resource_spans.add() if signal is Signal.SPANS else request.resource_logs.add()
            _attribute(resource.resource, "service.name", row.pop("service", "shop"))
            for key in [key for key in row if key.startswith("resource.")]:
                _attribute(resource.resource, key.removeprefix("resource."), row.pop(key))
            if signal is Signal.SPANS:
                self._span(resource.scope_spans.add().spans.add(), row)
            else:
                self._log(resource.scope_logs.add().log_records.add(), row)
        return request.SerializeToString()

    def _span(self, span: Any, row: dict[str, str]) -> None:
        self.spans += 1
        span.trace_id, span.span_id = self._trace(row), self.spans.to_bytes(8, "big")
        if "child" in row:
            row.pop("child")
            span.parent_span_id = b"parent.."
        took = time_of(row.pop("took", "1s"))
        ago = time_of(row.pop("ago", "0s"))
        span.name, span.trace_state = row.pop("name", "work"), row.pop("tracestate", "")
        span.flags = 0x101 if row.pop("sampled", None) is not None else 0x100
        span.start_time_unix_nano, span.end_time_unix_nano = self.now - ago - took, self.now - ago
        if "error" in row:
            span.status.code = 2
            if kind := row.pop("error"):
                _attribute(span, "error.type", kind)
        if "ok" in row:
            row.pop("ok")
            span.status.code = 1
        for short, key in _SHORT.items():
            if short in row:
                _attribute(span, key, row.pop(short))
        if any(a.key == "gen_ai.request.model" for a in span.attributes):
            _attribute(span, "gen_ai.operation.name", row.pop("operation", "chat"))
        for key, value in row.items():
            _attribute(span, key, value)

    def _log(self, log: Any, row: dict[str, str]) -> None:
        log.trace_id, log.time_unix_nano = self._trace(row), self.now
        log.event_name = row.pop("event", "")
        for key, value in row.items():
            _attribute(log, key, value)

    def _feedback(self, row: dict[str, str]) -> bytes:
        trace = self._trace(row).hex()
        return f'{{"trace_id": "{trace}", "name": "{row.get("name", "helpful")}", "score": {row.get("score", "1")}}}'.encode()

    def _trace(self, row: dict[str, str]) -> bytes:
        """`trace=a` is a trace whose randomness is in the middle; `r=0.99` says another, as a share."""
        name, share = row.pop("trace"), float(row.pop("r", "0.5"))
        id = sum(map(ord, name)).to_bytes(8, "big") + b"\1" + int(share * (2**56 - 1)).to_bytes(7, "big")
        self.names[id] = name
        return id


_SHORT = {
    "model": "gen_ai.request.model", "provider": "gen_ai.provider.name",
    "in": "gen_ai.usage.input_tokens", "out": "gen_ai.usage.output_tokens",
    "ttft": "gen_ai.response.time_to_first_chunk", "user": "user.id", "session": "session.id",
}  # fmt: skip


def _attribute(holder: Any, key: str, text: str) -> None:
    value: AnyValue
    if text in ("true", "false"):
        value = AnyValue(bool_value=text == "true")
    elif re.fullmatch(r"-?\d+", text) and key not in ("user.id", "session.id"):
        value = AnyValue(int_value=int(text))
    elif re.fullmatch(r"-?\d+\.\d+", text):
        value = AnyValue(double_value=float(text))
    else:
        value = AnyValue(string_value=text)
    holder.attributes.append(KeyValue(key=key, value=value))


def fields(line: str) -> dict[str, str]:
    """`a=1 b="two words" c` as a dict; a word alone has an empty value."""
    found = re.findall(r'([^\s=]+)(?:=("(?:[^"]*)"|\S*))?', line)
    return {key: value.strip('"') for key, value in found}


def time_of(text: str) -> int:
    """`1.5s`, `300ms`, `10m`, `2h` in nanoseconds."""
    found = re.fullmatch(r"([\d.]+)(ms|s|m|h)", text)
    assert found, f"a time such as 1.5s, 300ms or 10m, not {text!r}"
    return int(float(found[1]) * _UNITS[found[2]])


def tell(text: str, directory: Path) -> str:
    """The story with the answers as they are; equal to `text` when it is true."""
    blocks = [block for block in re.split(r"(?m)^(?=\S)", text) if block]
    story: Story | None = None
    told: list[str] = []
    config = ""
    for block in blocks:
        head, _, rest = block.partition("\n")
        told.append(head + "\n")
        lines = [line for line in rest.split("\n") if line.strip()]
        if head.startswith("config"):
            config = "\n".join(line.strip() for line in lines)
        if head.startswith(("load", "tick", "flush", "restart")) and story is None:
            story = Story(directory, tomllib.loads(config))
        if found := re.fullmatch(r"load (spans|logs|feedback)(?: at (\S+))?", head.strip()):
            assert story is not None
            if found[2]:
                story.until(time_of(found[2]) - 1)
                story.now = BEGIN + time_of(found[2])
            story.load(Signal(found[1]), lines)
        elif found := re.fullmatch(r"tick (\S+)", head.strip()):
            assert story is not None
            story.until(time_of(found[1]))
        elif head.strip() in ("flush", "restart"):
            assert story is not None
            getattr(story, head.strip())()
        elif found := re.fullmatch(r"query (\S+)", head.strip()):
            assert story is not None
            rest = "".join(f"  {line}\n" for line in story.answer(found[1])) + ("\n" if rest.endswith("\n\n") else "")
        told.append(rest)
    return "".join(told)
