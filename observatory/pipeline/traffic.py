"""What `/metrics` shows of calls of models: by provider and model, growing only, whatever is revised."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from observatory.model.money import PICO_PER_USD, picodollars

MAX_SERIES = 200  # pairs of provider and model; those that come later are `<other>`
OTHER = "<other>"
UNKNOWN = "unknown"
BUCKETS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
_KINDS = ("input", "output", "cache_read", "cache_write", "reasoning")
_MEASURES = ("calls", "errors", "cost_usd", *(f"{kind}_tokens" for kind in _KINDS))
_LABELS = ("provider", "model")
_SECOND = 1e9


class LlmTraffic(Collector):
    """Counters of calls that count, and how long they took. `observe` is called by one thread; scrapes come from any.

    A counter never falls. What a revision takes back (a call that turns out to wrap another, tokens that were too many) is counted in
    `observatory_llm_revoked_total`, so a total less what was revoked is the truth.
    """

    def __init__(self, registry: CollectorRegistry, series: int = MAX_SERIES) -> None:
        self._series: dict[tuple[str, str], int] = {}
        self._most = series
        self._names: list[tuple[str, str]] = []
        self._totals = np.zeros((len(_MEASURES), series + 1))  # the last is what is beyond
        self._revoked = np.zeros((len(_MEASURES), series + 1))
        self._took = np.zeros((series + 1, len(BUCKETS_S) + 1), np.int64)
        self._took_s = np.zeros(series + 1)
        self._lock = threading.Lock()
        registry.register(self)

    def observe(self, calls: pa.RecordBatch | pa.Table, sign: np.ndarray) -> None:
        """Rows of `schema(LLM_CALLS)` that count (+1) or are taken back (-1). A row that takes a call's place is both, and no call more."""
        if not calls.num_rows:
            return
        series = self._numbers(calls)
        order, first = _calls(calls, series, sign)
        values = _measures(calls)
        owner = series[order][first]
        with self._lock:
            for number, name in enumerate(_MEASURES):
                net = np.add.reduceat((values[name] * sign)[order], first)
                np.add.at(self._totals[number], owner, np.maximum(net, 0))
                np.add.at(self._revoked[number], owner, np.maximum(-net, 0))
            new = np.add.reduceat(sign[order], first) > 0
            last = np.append(first[1:], len(order)) - 1  # of each call the row that counts, for signs ascend
            seconds = (np.asarray(_one(calls, "duration_ns")).astype(np.float64) / _SECOND)[order][last][new]
            np.add.at(self._took, (owner[new], np.searchsorted(BUCKETS_S, seconds, side="left")), 1)
            np.add.at(self._took_s, owner[new], np.maximum(seconds, 0))

    def describe(self) -> Iterable[Metric]:
        """The families, so that registering does not read them."""
        return self._families()

    def collect(self) -> Iterable[Metric]:
        """What a scrape gets."""
        with self._lock:
            totals, revoked, took, took_s = self._totals.copy(), self._revoked.copy(), self._took.copy(), self._took_s.copy()
            places = [(name, number) for number, name in enumerate(self._names)]
        if totals[0, self._most] or revoked[0, self._most]:
            places.append(((OTHER, OTHER), self._most))
        calls, errors, tokens, cost, back, latency = self._families()
        for labels, place in places:
            said = dict(zip(_MEASURES, totals[:, place].tolist(), strict=True))
            calls.add_metric(labels, said["calls"])
            errors.add_metric(labels, said["errors"])
            cost.add_metric(labels, said["cost_usd"])
            for kind in _KINDS:
                tokens.add_metric([*labels, kind], said[f"{kind}_tokens"])
            for measure, value in zip(_MEASURES, revoked[:, place].tolist(), strict=True):
                if value:
                    back.add_metric([*labels, measure], value)
            upto = np.cumsum(took[place]).tolist()
            edges = [*(str(edge) for edge in BUCKETS_S), "+Inf"]
            latency.add_metric(labels, list(zip(edges, upto, strict=True)), took_s[place])
        return calls, errors, tokens, cost, back, latency

    def _families(
        self,
    ) -> tuple[
        CounterMetricFamily, CounterMetricFamily, CounterMetricFamily, CounterMetricFamily, CounterMetricFamily, HistogramMetricFamily
    ]:
        return (
            CounterMetricFamily("observatory_llm_calls", "Calls of models that count", labels=_LABELS),
            CounterMetricFamily("observatory_llm_errors", "Calls of models that failed", labels=_LABELS),
            CounterMetricFamily("observatory_llm_tokens", "Tokens by kind; input has the cached ones", labels=(*_LABELS, "kind")),
            CounterMetricFamily("observatory_llm_cost_usd", "What calls cost; those without a price add nothing", labels=_LABELS),
            CounterMetricFamily("observatory_llm_revoked", "What revisions took back of the totals", labels=(*_LABELS, "of")),
            HistogramMetricFamily("observatory_llm_call_seconds", "How long calls took, as first told", labels=_LABELS),
        )

    def _numbers(self, calls: pa.RecordBatch | pa.Table) -> np.ndarray:
        """The series of every row; Python's work is once for each pair in the rows."""
        provider, providers = _coded(calls, "provider")
        model, models = _coded(calls, "model_name")
        pairs, place = np.unique(provider * (len(models) + 1) + model, return_inverse=True)
        names = [(providers[pair // (len(models) + 1)], models[pair % (len(models) + 1)]) for pair in pairs.tolist()]
        return np.array([self._number(name) for name in names], np.int64)[place]

    def _number(self, name: tuple[str, str]) -> int:
        found = self._series.get(name)
        if found is None:
            if len(self._names) >= self._most:
                return self._most
            with self._lock:
                found = self._series[name] = len(self._names)
                self._names.append(name)
        return found


def _calls(calls: pa.RecordBatch | pa.Table, series: np.ndarray, sign: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows in the order of calls, and where each call begins. Without anything taken back every row is a call of its own."""
    rows = len(sign)
    if (sign > 0).all():
        return np.arange(rows), np.arange(rows)
    trace, span = _words(calls, "trace_id", 2), _words(calls, "span_id", 1)
    keys = (trace[:, 0], trace[:, 1], span[:, 0], series)
    order = np.lexsort((sign, *keys))
    changed = np.zeros(rows, bool)
    changed[0] = True
    for key in keys:
        changed[1:] |= key[order][1:] != key[order][:-1]
    return order, np.flatnonzero(changed)


def _measures(calls: pa.RecordBatch | pa.Table) -> dict[str, np.ndarray]:
    """Each measure of every row as float64: exact to 2^53, and a counter of Prometheus is no more."""
    tokens = {f"{kind}_tokens": np.asarray(_one(calls, f"{kind}_tokens").fill_null(0)).astype(np.float64) for kind in _KINDS}
    return {
        "calls": np.ones(calls.num_rows),
        "errors": np.asarray(_one(calls, "is_error")).astype(np.float64),
        "cost_usd": picodollars(_one(calls, "total_cost_usd")) / PICO_PER_USD,
        **tokens,
    }


def _coded(calls: pa.RecordBatch | pa.Table, column: str) -> tuple[np.ndarray, list[str]]:
    """A number for every row's text, and the texts; the last is that of rows without one."""
    values = _one(calls, column)
    coded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    words = [word if word is not None else UNKNOWN for word in coded.dictionary.to_pylist()]
    return np.asarray(coded.indices.fill_null(len(words))).astype(np.int64), [*words, UNKNOWN]


def _words(calls: pa.RecordBatch | pa.Table, column: str, size: int) -> np.ndarray:
    ids = _one(calls, column)
    return np.frombuffer(ids.buffers()[1], np.uint64, offset=ids.offset * 8 * size, count=len(ids) * size).reshape(-1, size)


def _one(calls: pa.RecordBatch | pa.Table, column: str) -> pa.Array:
    values = calls.column(column)
    if isinstance(values, pa.ChunkedArray):
        return values.chunk(0) if values.num_chunks == 1 else values.unify_dictionaries().combine_chunks()
    return values
