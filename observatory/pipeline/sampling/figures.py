"""What sampling says of itself: for `GET /api/v1/sampling`, the status page and `/metrics`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from observatory.model.clock import SECOND
from observatory.pipeline.sampling.sampler import Sampler


def figures(sampler: Sampler) -> dict[str, Any]:
    """Counts since the first start with these policies; a trace that several policies kept is counted by each."""
    traces, counts, tally = sampler.open, sampler.counts(), sampler.tally
    live = traces.live.copy()
    decisions = sampler.decisions
    return {
        "keeps_everything": sampler.keeps_all,
        "policies": [
            {
                "name": policy.name,
                "settles": str(policy.settles),
                "kept_traces": tally.kept_by.traces[policy.name],
                "kept_spans": tally.kept_by.spans[policy.name],
                "dropped_traces": tally.dropped_by.traces[policy.name],
                "dropped_spans": tally.dropped_by.spans[policy.name],
            }
            for policy in sampler.plan.policies
        ],
        "spans": {"taken": counts.taken, "kept": counts.given, "dropped": counts.dropped, "open": counts.held},
        "traces": {"kept": tally.kept_traces, "dropped": tally.dropped_traces, "open": len(traces)},
        "open": {
            "bytes": int(traces.bytes[live].sum()),
            "oldest_s": round(max(0, sampler.now - int(traces.first_received[live].min())) / SECOND, 3) if live.any() else 0,
        },
        "late": dict(tally.late),
        "evicted_early": tally.evicted,
        "decisions": {
            "bytes": decisions.bytes,
            "reaches_back_s": None if (since := decisions.reaches) is None else round((sampler.now - since) / SECOND, 1),
        },
    }


class SamplingMetrics(Collector):
    """The same as Prometheus has it, made when it is asked for."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def collect(self) -> Iterator[Metric]:
        """One moment's figures."""
        said = figures(self._sampler)
        spans = CounterMetricFamily("observatory_sampling_spans", "Spans by what became of them", labels=["decision", "reason"])
        spans.add_metric(["kept", ""], said["spans"]["kept"])
        for reason, count in said["spans"]["dropped"].items():
            spans.add_metric(["dropped", reason], count)
        yield spans
        traces = CounterMetricFamily("observatory_sampling_traces", "Traces by what became of them", labels=["decision"])
        for decision in ("kept", "dropped"):
            traces.add_metric([decision], said["traces"][decision])
        yield traces
        for what in ("traces", "spans"):
            by = CounterMetricFamily(
                f"observatory_sampling_policy_{what}", f"{what.title()} by the policies that decided", labels=["policy", "decision"]
            )
            for policy in said["policies"]:
                for decision in ("kept", "dropped"):
                    by.add_metric([policy["name"], decision], policy[f"{decision}_{what}"])
            yield by
        late = CounterMetricFamily("observatory_sampling_late", "What came after its trace was decided", labels=["what"])
        for what, count in said["late"].items():
            late.add_metric([what], count)
        yield late
        yield CounterMetricFamily(
            "observatory_sampling_evicted_early", "Traces decided before their time for want of room", said["evicted_early"]
        )
        yield GaugeMetricFamily("observatory_sampling_open_traces", "Traces that are not decided", said["traces"]["open"])
        yield GaugeMetricFamily("observatory_sampling_open_spans", "Spans of traces that are not decided", said["spans"]["open"])
        yield GaugeMetricFamily("observatory_sampling_open_bytes", "Their bytes, before compression", said["open"]["bytes"])
        yield GaugeMetricFamily(
            "observatory_sampling_oldest_seconds", "Age of the oldest trace that is not decided", said["open"]["oldest_s"]
        )
        yield GaugeMetricFamily("observatory_sampling_decisions_bytes", "Disk taken by what was decided", said["decisions"]["bytes"])
