"""Counting: candidates in, rows of `llm_calls` out, revised whenever something that arrives later changes what counts or whose it is.

The memory is bounded: `calls` candidates and twice `spans` links, and ten minutes. What is older is judged by what was known then.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from observatory.model.arrays import distinct, one, whole
from observatory.model.clock import MINUTE, Nanos
from observatory.pipeline.counting import family, identity, rows, rule, twins
from observatory.pipeline.counting.identity import IDENTITY, OUTCOME, Sayings
from observatory.pipeline.counting.keys import SpanKeys, among, joined, span_keys, text_keys
from observatory.pipeline.counting.links import Links
from observatory.pipeline.counting.memory import EMBEDDING, LLM, RERANKER, SUM, Memory
from observatory.pipeline.counting.rows import IS_CALL, IS_NATIVE, IS_NEVER
from observatory.storage.spill import Spill

CALLS = 131_072
SPANS = 1_048_576
AGE = 10 * MINUTE

_GROUPS = {"llm": LLM, "embedding": EMBEDDING, "reranker": RERANKER}
_NO_ROWS = np.zeros(0, np.int64)


class Counted(NamedTuple):
    """What one step says: rows of `schema(LLM_CALLS)`, and what changed of the sums of calls that count: rows with their sign."""

    calls: pa.Table
    changes: pa.Table
    signs: np.ndarray


class Counting:
    """Told every span (its ids only) and every candidate, once, in order of arrival."""

    def __init__(self, price: rows.Price, calls: int = CALLS, spans: int = SPANS, age: Nanos = AGE, spill: Spill | None = None) -> None:
        self.price, self._spill = price, spill or Spill()
        self._memory = Memory(calls)
        self._links = Links(spans, age)
        self._responses = Links(calls, age)
        self._used_traces = Links(calls, age)  # traces with a call of a language model that has usage
        self._identities, self._outcomes = Sayings(IDENTITY, calls, age), Sayings(OUTCOME, calls, age)
        self._lonely = twins.Lonely()
        self._sums = _NO_ROWS  # candidates of group SUM
        self._lacking = _NO_ROWS  # rows without a session, a user or tags
        self._waiting = _NO_ROWS  # rows of which an ancestor has not arrived
        self._inside = _NO_ROWS  # rows without usage inside a call, which depend on what else is inside it
        self.duplicates = 0

    def step(self, spans: pa.Table, candidates: pa.Table, said: pa.Table, ended: pa.Table, now: Nanos) -> Counted:
        """`spans` has the three ids of all new spans; `candidates` and `said` are what `semconv.calls` reads of them (`read_calls`,
        `read_identity`), `ended` what `semconv.outcomes.read_outcomes` says of new log records.
        """
        most = self._memory.capacity // 2
        if candidates.num_rows > most:  # a flood: the first half would be forgotten before it was judged
            return self._in_two(spans, candidates, said, ended, now)
        keys = SpanKeys.of(spans)
        fresh, numbers = self._number(keys.span[_places(candidates)])
        self._link(keys, _places(candidates), numbers, now)
        self.duplicates += int((~fresh).sum())
        if not fresh.all():
            candidates, numbers = candidates.filter(pa.array(fresh)).combine_chunks(), numbers[fresh]
        new = numbers
        self._register(new, candidates, keys.at(_places(candidates)))
        touched = [new, self._relate(new), self._sum_up(new, now)]
        stood_back = twins.by_response(self._memory, self._responses, new, _responses(candidates), now)
        stood_back = np.concatenate((stood_back, self._lonely.match(self._memory, new)))
        touched.append(stood_back)
        winners, losers = self._pairs(stood_back, self._memory.each(*touched))
        touched.append(self._lend_usage(winners, losers))
        touched.append(self._dependent(np.concatenate(touched)))
        news = self._identities.learn(keys.trace[_places(said)], np.asarray(one(said, "rank")), said, now)
        told = self._outcomes.learn(span_keys(one(ended, "trace_id"), one(ended, "span_id")), np.zeros(ended.num_rows), ended, now)
        told = self._links.find(told).row
        touched.append(told[self._memory.known(told) & (told >= 0)])
        self._say_first(candidates, said, new)
        return self._say(self._memory.each(*touched), winners, losers, news)

    def recall(self, links: pa.Table, calls: pa.Table, now: Nanos) -> None:
        """After a restart: ids of recent spans, and the latest rows of recent calls. They are published already: nothing is said."""
        new = self._memory.add(calls.num_rows)
        keys = SpanKeys.of(calls)
        self._register(new, _as_candidates(calls), keys, np.asarray(one(calls, "facts")))
        self._link(SpanKeys.of(links), _NO_ROWS, _NO_ROWS, now)
        # a call that says no parent may have one, and others may be looking for what is above them both
        keys = keys._replace(parent=np.where(keys.parent == 0, self._links.find(keys.span).parent, keys.parent))
        self._link(keys, np.arange(len(new)), new, now)  # behind the links, which have them too: of one key the last is found
        self._relate(new)
        self._sum_up(new, now)
        twins.by_response(self._memory, self._responses, new, _responses(calls), now)
        self._lonely.match(self._memory, new)
        self._memory.keep(new, calls)
        self._lacking = np.concatenate((self._lacking, new[identity.lacking(calls)]))
        self._settle(new, calls)

    def adopt(self, calls: pa.Table) -> None:
        """Rows that were revised elsewhere (at new prices) are the latest now."""
        keys = span_keys(one(calls, "trace_id"), one(calls, "span_id"))
        row = self._links.find(keys).row
        mine = self._memory.known(row) & (row >= 0)
        if mine.any():
            table = calls.filter(pa.array(mine)).unify_dictionaries().combine_chunks()
            self._memory.keep(row[mine], table)
            self._settle(row[mine], table)

    def _settle(self, numbers: np.ndarray, calls: pa.Table) -> None:
        at = self._memory.at(numbers)
        self._memory.revision[at] = np.asarray(one(calls, "revision"))
        self._memory.counted[at] = np.asarray(one(calls, "counted"))
        said = [REASON_NUMBERS.get(text, 1) for text in one(calls, "not_counted_reason").cast(pa.string()).to_pylist()]
        self._memory.reason[at] = np.array(said, np.uint8)

    def _in_two(self, spans: pa.Table, candidates: pa.Table, said: pa.Table, ended: pa.Table, now: Nanos) -> Counted:
        """The spans up to half of the candidates, then the others."""
        middle = candidates.num_rows // 2
        place = int(_places(candidates)[middle])
        early = int(np.searchsorted(_places(said), place))
        first = self.step(spans.slice(0, place), candidates.slice(0, middle), said.slice(0, early), ended.slice(0, 0), now)
        rest = self.step(spans.slice(place), _moved(candidates.slice(middle), place), _moved(said.slice(early), place), ended, now)
        return _together(first, rest)

    def _number(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(which candidates were not received before, in this step or another; the row number of each). The others have the number of their
        first, so that it is found whichever of them is: a client that sent a span twice made one call.
        """
        order = np.argsort(keys, kind="stable")  # sorted: looked up twice as fast
        ordered = keys[order]
        starts = np.flatnonzero(np.concatenate((np.ones(min(len(keys), 1), bool), ordered[1:] != ordered[:-1])))
        first = order[starts]
        number = self._links.find(ordered[starts]).row.copy()
        fresh = np.zeros(len(keys), bool)
        fresh[first[number < 0]] = True
        rank = np.cumsum(fresh) - 1
        number[number < 0] = self._memory.add(int(fresh.sum()))[rank[first[number < 0]]]
        numbers = np.empty(len(keys), np.int64)
        numbers[order] = np.repeat(number, np.diff(np.append(starts, len(keys))))
        return fresh, numbers

    def _register(self, new: np.ndarray, candidates: pa.Table, keys: SpanKeys, facts: np.ndarray | None = None) -> None:
        memory, at = self._memory, self._memory.at(new)
        memory.key[at], memory.trace[at], memory.frontier[at] = keys.span, keys.trace, keys.parent
        memory.start[at] = start = np.asarray(one(candidates, "start_ns"))
        memory.end[at] = start + np.asarray(one(candidates, "duration_ns"))
        memory.group[at] = _groups(one(candidates, "observation_kind"))
        memory.likeness[at] = joined(text_keys(one(candidates, "service_name")), text_keys(one(candidates, "provider")))
        memory.model[at] = text_keys(one(candidates, "request_model"))
        bits = facts if facts is not None else facts_of(candidates)
        memory.call[at], memory.native[at], memory.never[at] = (bits & bit != 0 for bit in (IS_CALL, IS_NATIVE, IS_NEVER))
        memory.usage[at] = np.asarray(one(candidates, "has_usage"))
        memory.error[at] = np.asarray(one(candidates, "is_error"))

    def _link(self, spans: SpanKeys, places: np.ndarray, numbers: np.ndarray, now: Nanos) -> None:
        """Remember who is whose parent; a candidate, at its place, with its row number."""
        rows = np.full(len(spans.span), -1, np.int64)
        rows[places] = numbers
        self._links.add(spans.span, rows, now, spans.parent)

    def _relate(self, new: np.ndarray) -> np.ndarray:
        """Follow the ways up of new rows and of those that were waiting. Returns the rows of which something changed."""
        memory = self._memory
        rows = np.concatenate((self._waiting[memory.known(self._waiting)], new))
        found = family.climb(memory, self._links, rows)
        self._waiting = rows[memory.frontier[memory.at(rows)] != 0]
        calls = found[memory.group[memory.at(found)] != SUM]
        self._inside = self._inside[memory.known(self._inside)]
        self._inside = np.concatenate((self._inside, calls[~memory.usage[memory.at(calls)]]))
        return np.concatenate((found, family.tell_ancestors(memory, calls)))

    def _sum_up(self, new: np.ndarray, now: Nanos) -> np.ndarray:
        """Sums whose trace shows a call with usage stand back. Returns the rows that do now."""
        memory = self._memory
        at = memory.at(new)
        used = (memory.group[at] == LLM) & memory.usage[at] & ~memory.never[at]
        traces = distinct(memory.trace[at[used]])
        traces = traces[~self._used_traces.find(traces).known]
        self._used_traces.add(traces, np.zeros(len(traces), np.int64), now)
        self._sums = np.concatenate((self._sums, new[memory.group[at] == SUM]))
        self._sums = self._sums[memory.known(self._sums)]
        there = memory.at(self._sums)
        open_ = self._sums[~memory.inner_usage[there]]
        shown = open_[self._used_traces.find(memory.trace[memory.at(open_)]).known]
        memory.inner_usage[memory.at(shown)] = True
        return shown

    def _say_first(self, candidates: pa.Table, said: pa.Table, new: np.ndarray) -> None:
        """First rows of new candidates; kept, and not yet judged."""
        if not len(new):
            return
        mine = identity.own(said, _places(candidates))
        belongs, _ = identity.completed(mine, self._identities.of(self._memory.trace[self._memory.at(new)]))
        ended, _ = identity.completed(candidates, self._outcomes.of(self._memory.key[self._memory.at(new)]))
        candidates = candidates.set_column(candidates.column_names.index("finish_reason"), "finish_reason", ended.column(0))
        table = rows.made(candidates, belongs, facts_of(candidates), self.price)
        self._memory.keep(new, table)
        self._memory.revision[self._memory.at(new)] = -1
        self._lacking = np.concatenate((self._lacking, new[identity.lacking(table)]))

    def _say(self, touched: np.ndarray, winners: np.ndarray, losers: np.ndarray, news: np.ndarray) -> Counted:
        memory = self._memory
        lacking = self._lacking[memory.known(self._lacking)]
        lacking = lacking[among(memory.trace[memory.at(lacking)], news)]
        affected = memory.each(touched, winners, lacking)
        if not len(affected):
            return _nothing()
        before = memory.latest(affected)
        after, changed = self._complete(before, affected)
        if len(winners):
            after, more = self._enrich(after, affected, winners, losers)
            changed |= more
        at = memory.at(affected)
        reasons = rule.judge(memory, affected)
        first = memory.revision[at] < 0
        turned = ((reasons == 0) != memory.counted[at]) | (reasons != memory.reason[at])
        says = first | turned | changed
        was = memory.counted[at] & ~first
        if not says.all():
            affected, reasons, was = (each[says] for each in (affected, reasons, was))
            before, after = (table.filter(pa.array(says)) for table in (before, after))
        return self._publish(before, after, affected, reasons, was)

    def _publish(self, before: pa.Table, after: pa.Table, affected: np.ndarray, reasons: np.ndarray, was: np.ndarray) -> Counted:
        memory, at = self._memory, self._memory.at(affected)
        memory.revision[at] += 1
        memory.counted[at], memory.reason[at] = reasons == 0, reasons
        own = one(after, "not_counted_reason")
        calls = rows.judged(after, reasons, own)
        settled = (memory.frontier[at] == 0) & (memory.outer[at] < 0)  # nothing above it will ever change how it counts
        calls = rows.replaced(calls, {"revision": pa.array(memory.revision[at]), "parent_span_id": rows.parents(after, ~settled)})
        calls = pa.Table.from_batches([self._spill.rows(batch) for batch in calls.to_batches()], calls.schema)  # it waits for a cut
        memory.keep(affected, calls)
        now_counted = reasons == 0
        changes = calls if now_counted.all() else calls.filter(pa.array(now_counted))
        if was.any():
            changes = whole([before.filter(pa.array(was)), changes])
        signs = np.concatenate((np.full(int(was.sum()), -1), np.full(int(now_counted.sum()), 1)))
        return Counted(calls, changes, signs)

    def _complete(self, before: pa.Table, affected: np.ndarray) -> tuple[pa.Table, np.ndarray]:
        """Rows with what their traces say of whose they are, and log records of how they ended."""
        if (self._memory.revision[self._memory.at(affected)] < 0).all():
            return before, np.zeros(len(affected), bool)  # first rows are complete as far as it is known
        more = self._identities.of(self._memory.trace[self._memory.at(affected)])
        columns, changed = identity.completed(before, more)
        reasons, ended = identity.completed(before, self._outcomes.of(self._memory.key[self._memory.at(affected)]))
        changed |= ended
        if not changed.any():
            return before, changed
        both = (*columns.column_names, *reasons.column_names)
        after = rows.replaced(before, dict(zip(both, (*columns.columns, *reasons.columns), strict=True)))
        lacking = identity.lacking(after)
        self._lacking = np.setdiff1d(self._lacking[self._memory.known(self._lacking)], affected[~lacking])
        return after, changed

    def _pairs(self, stood_back: np.ndarray, touched: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows and those that stand back for them: by `twin`, or an SDK's own span inside."""
        memory = self._memory
        at = memory.at(touched)
        inside = touched[memory.native[at] & (memory.outer[at] >= 0) & memory.known(memory.outer[at])]
        losers = np.concatenate((stood_back, inside))
        winners = np.concatenate((memory.twin[memory.at(stood_back)], memory.outer[memory.at(inside)]))
        valid = memory.known(winners) & (winners >= 0) & memory.known(losers)
        winners, first = np.unique(winners[valid], return_index=True)
        return winners, losers[valid][first]

    def _dependent(self, touched: np.ndarray) -> np.ndarray:
        """Rows without usage inside a touched one: whether they are a part of it may have changed."""
        if not len(self._inside) or not len(touched):
            return _NO_ROWS
        return self._inside[np.isin(self._memory.outer[self._memory.at(self._inside)], touched)]

    def _lend_usage(self, winners: np.ndarray, losers: np.ndarray) -> np.ndarray:
        """A call without usage has that of the span that stands back for it. Returns the ancestors to which this is news."""
        w, lost = self._memory.at(winners), self._memory.at(losers)
        gains = self._memory.usage[lost] & ~self._memory.usage[w]
        self._memory.usage[w[gains]] = True
        return np.concatenate((winners[gains], family.tell_ancestors(self._memory, winners[gains])))

    def _enrich(self, after: pa.Table, affected: np.ndarray, winners: np.ndarray, losers: np.ndarray) -> tuple[pa.Table, np.ndarray]:
        place = np.searchsorted(affected, winners)
        some, changed = rows.enriched(after.take(pa.array(place)), self._memory.latest(losers), self.price)
        everywhere = np.zeros(len(affected), bool)
        if not changed.any():
            return after, everywhere
        everywhere[place[changed]] = True
        source = np.arange(len(affected))
        source[place] = len(affected) + np.arange(len(place))
        both = whole([after, some])
        return both.take(pa.array(source)).combine_chunks(), everywhere


REASON_NUMBERS = {text: number for number, text in enumerate(rule.REASONS)}


def facts_of(candidates: pa.Table) -> np.ndarray:
    """The bits of `facts`."""
    usage, output, error = (np.asarray(one(candidates, name)) for name in ("has_usage", "has_output", "is_error"))
    # a stream that was left has neither usage nor output where its instrumentation tells them at the end only: its first chunk was paid for
    call = (
        usage | output | error | np.asarray(one(candidates, "response_id").is_valid()) | np.asarray(one(candidates, "ttft_ns").is_valid())
    )
    native = np.asarray(one(candidates, "native_sdk"))
    never = np.asarray(one(candidates, "never_counts").is_valid())
    return (call * IS_CALL + native * IS_NATIVE + never * IS_NEVER).astype(np.int32)


def _places(rows: pa.Table) -> np.ndarray:
    """Where these rows are among the spans of the step."""
    return np.asarray(one(rows, "place"))


def _moved(rows: pa.Table, by: int) -> pa.Table:
    """The same, where the first `by` spans are not there."""
    at = rows.column_names.index("place")
    return rows.set_column(at, "place", pa.array(_places(rows) - by))


def _responses(calls: pa.Table) -> np.ndarray:
    """Keys of what the provider calls them, within their service; 0 for none."""
    return joined(text_keys(one(calls, "service_name")), text_keys(one(calls, "response_id")))


def _groups(kinds: pa.Array) -> np.ndarray:
    names = kinds.dictionary.to_pylist()
    of_word = np.array([_GROUPS.get(name, SUM) for name in names] + [SUM], np.uint8)
    return of_word[np.asarray(kinds.indices.fill_null(len(names)))]


def _as_candidates(calls: pa.Table) -> pa.Table:
    return calls.append_column("has_usage", pc.call_function("is_valid", [calls.column("total_tokens")]))


def _nothing() -> Counted:
    empty = rows.CALLS.empty_table()
    return Counted(empty, empty, np.zeros(0, np.int64))


def _together(one_: Counted, two: Counted) -> Counted:
    calls, changes = whole([one_.calls, two.calls]), whole([one_.changes, two.changes])
    return Counted(calls, changes, np.concatenate((one_.signs, two.signs)))
