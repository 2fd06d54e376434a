"""What calls cost, in columns: `Prices.price` is the whole of it.

The kinds of calls in a table (provider, models, address, service tier) are few; each is looked up once and remembered. The rest is
integer arithmetic over the rows: every part of a cost is exact in 10^-12 dollars, see `rates.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa

from observatory.model.money import usd
from observatory.model.schema import COSTS, TEXT
from observatory.semconv.pricing import aliases
from observatory.semconv.pricing.plan import Book, Kind, Offer, Plan
from observatory.semconv.pricing.rates import UNITS, Price, cost
from observatory.semconv.pricing.table import Model, Provider, Table

UNKNOWN_MODEL = "unknown_model"
NO_USAGE = "no_usage"
LIMIT = 4 * 10**17
"""No call may cost more than 400,000 dollars by its tokens, nor as much again by its fees: beyond that its usage is nonsense, and
`DECIMAL(18, 12)` ends at a million."""

_REMEMBERED = 20_000  # kinds of calls; a plan takes about a kilobyte
_STANDARD = {"default", "standard", "auto", "on_demand", "scale"}  # tiers that are billed as if none was named


class Override(Protocol):
    """A price of one's own, see `config.PriceOverride`."""

    @property
    def provider(self) -> str:
        """Whose calls, as a pattern; empty: any."""
        ...

    @property
    def model(self) -> str:
        """Likewise."""
        ...

    def fits(self, kind: Kind) -> bool:
        """Whether it is for such calls."""
        ...

    def offer(self) -> Offer:
        """What it charges, and when."""
        ...


class Prices:
    """A price table with the overrides that come before it. Immutable but for what it remembers; threads may share it."""

    def __init__(self, table: Table, overrides: Sequence[Override] = ()) -> None:
        self.table = table
        self.overrides = tuple(overrides)
        self._plans: dict[Kind, Plan] = {}

    def price(self, calls: pa.Table | pa.RecordBatch) -> pa.Table:
        """The columns COSTS, `price_source` and `unpriced_reason`, row for row, of calls in the columns of `semconv.calls.CANDIDATES`.

        A cost is null and `unpriced_reason` says why when the model is not known (`unknown_model`), or when what its price depends on was
        not reported (`no_usage`). A call that failed without usage is neither priced nor unpriced: all is null.
        """
        kinds, codes = _kinds(calls)
        start_ns = _integers(calls, "start_ns")
        earliest, latest = (int(start_ns.min()), int(start_ns.max())) if len(start_ns) else (0, 0)
        plans = [self.plan(kind).among(earliest, latest) for kind in kinds]
        book = Book(plans)
        sheet = _sheets(plans, book, codes, start_ns)
        usage = _Usage(calls)
        has_usage, is_error = _flags(calls, "has_usage"), _flags(calls, "is_error")
        parts = usage.costs(book, sheet)
        found = sheet < len(book.sources)
        due = has_usage | ~is_error
        priced = due & book.usable[sheet] & (has_usage | ~book.needs_usage[sheet]) & ~usage.absurd(book, sheet)
        reason = np.where(priced | ~due, -1, np.where(found, 1, 0))
        costs = [usd(part, priced) for part in (*parts, np.sum(parts, axis=0))]
        return pa.table(
            [*costs, _words(np.where(priced, sheet, -1), book.sources), _words(reason, [UNKNOWN_MODEL, NO_USAGE])],
            names=[*COSTS, "price_source", "unpriced_reason"],
        )

    def plan(self, kind: Kind) -> Plan:
        """What this kind of call costs, and when."""
        known = self._plans.get(kind)
        if known is None:
            if len(self._plans) >= _REMEMBERED:
                self._plans.clear()
            known = self._plans[kind] = Plan.of(self.offers(kind))
        return known

    def offers(self, kind: Kind) -> list[Offer]:
        """Everything that prices this kind of call, the strongest first."""
        offers = [override.offer() for override in self.overrides if override.fits(kind)]
        if found := self.find(kind):
            offers.append(_offer(self.table, *found, kind.service_tier))
        return offers

    def find(self, kind: Kind) -> tuple[Provider, Provider, Model] | None:
        """Who bills a call, in whose list the model is, and the model; None when the table does not know it.

        Who bills is, in this order: whose address was called, who the provider is said to be, whom the model's name begins with, whose
        models have such names. For each the response's model is looked for before the request's.
        """
        name = aliases.provider_name(kind.provider)
        models = [model for model in (kind.model_name, kind.request_model) if model]
        host = self.table.provider_of_host(kind.server_address) if kind.server_address else None
        reported = self.table.provider(name) if name else None
        for provider in dict.fromkeys((host.id if host else None, reported.id if reported else None)):
            for model in models:
                if provider and (found := self._model(provider, model)):
                    return found
        if name in aliases.LOCAL:
            return None
        for model in models:
            if found := self._guess(model):
                return found
        return None

    def _guess(self, model: str) -> tuple[Provider, Provider, Model] | None:
        if prefixed := aliases.split_prefix(model):
            name, rest = prefixed
            provider = self.table.provider(name)
            if name in aliases.LOCAL:
                return None
            if provider and (found := self._model(provider.id, rest)):
                return found
        for spelling in aliases.model_names(model):
            provider = self.table.provider_of_model(spelling)
            if provider and (found := self.table.model(provider, spelling)):
                return provider, *found
        return None

    def _model(self, provider: str, model: str) -> tuple[Provider, Provider, Model] | None:
        owner = self.table.by_id[provider]
        for spelling in aliases.model_names(model):
            if found := self.table.model(owner, spelling):
                return owner, *found
        return None


class _Usage:
    """The units of each call, as int64 columns that are disjoint and never negative; what exceeds its whole is cut."""

    def __init__(self, calls: pa.Table | pa.RecordBatch) -> None:
        self.input = np.maximum(_integers(calls, "input_tokens"), 0)
        self.output = np.maximum(_integers(calls, "output_tokens"), 0)
        hour = np.maximum(_integers(calls, "cache_write_1h_tokens"), 0)
        read = np.clip(_integers(calls, "cache_read_tokens"), 0, self.input)
        write = np.clip(np.maximum(_integers(calls, "cache_write_tokens"), hour), 0, self.input - read)
        hour = np.minimum(hour, write)
        plain = self.input - read - write
        heard = np.maximum(_integers(calls, "input_audio_tokens"), 0)
        audio = np.minimum(heard, plain)
        read_audio = np.minimum(heard - audio, read)  # sound is taken to be new as far as it can be
        reasoning = np.clip(_integers(calls, "reasoning_tokens"), 0, self.output)
        spoken = np.clip(_integers(calls, "output_audio_tokens"), 0, self.output - reasoning)
        self.nanoseconds = np.maximum(_integers(calls, "duration_ns"), 0)
        self.counts = {
            "input": plain - audio,
            "input_audio": audio,
            "cache_read": read - read_audio,
            "cache_audio_read": read_audio,
            "cache_write": write - hour,
            "cache_write_1h": hour,
            "output": self.output - reasoning - spoken,
            "reasoning": reasoning,
            "output_audio": spoken,
            "request": np.ones(len(plain), np.int64),
            "nanosecond": self.nanoseconds,
        }

    def costs(self, book: Book, sheet: np.ndarray) -> list[np.ndarray]:
        """The parts of COSTS without their sum, in 10^-12 dollars; nonsense where `absurd`."""
        row = book.row[sheet]
        for step in book.steps:
            row = row + (self.input > step[sheet])
        return [sum((self._cost(unit, book, row) for unit in units), start=np.zeros(len(row), np.int64)) for units in _PARTS]

    def absurd(self, book: Book, sheet: np.ndarray) -> np.ndarray:
        """Where the cost would be beyond LIMIT."""
        most = LIMIT // book.highest_of_tokens[sheet] // 2
        return (self.input > most) | (self.output > most) | (self.nanoseconds > LIMIT // book.highest_of_time[sheet])

    def _cost(self, unit: str, book: Book, row: np.ndarray) -> np.ndarray:
        position = UNITS.index(unit)
        whole, fraction = book.whole[position], book.fraction[position]
        count = self.counts[unit]
        if not (whole.any() or fraction.any()) or not count.any():
            return np.zeros(len(row), np.int64)
        return cost(count, whole[row], fraction[row] if fraction.any() else None)


_PARTS = (
    ("input", "input_audio"),
    ("cache_read", "cache_audio_read"),
    ("cache_write", "cache_write_1h"),
    ("output", "reasoning", "output_audio"),
    ("request", "nanosecond"),
)


def _offer(table: Table, biller: Provider, owner: Provider, model: Model, tier: str | None) -> Offer:
    context = _context(tier) if biller is owner else {}  # another's service tiers are not known to be offered
    dated = model.dated(context)
    source = f"{table.source.partition(' ')[0]}:{owner.id}/{model.id}"

    def price(at: int) -> Price | None:
        stated = model.price(at, context)
        return stated if stated.known or model.also else None  # the list says what it is charged by, or nothing at all

    return Offer(
        source,
        price,
        frozenset(d.from_ns for d in dated if d.from_ns is not None),
        frozenset(time for d in dated if d.daily_ns for time in d.daily_ns),
    )


def _context(tier: str | None) -> dict[str, str]:
    name = (tier or "").strip().lower()
    if not name or name in _STANDARD:
        return {}
    more = {"batch": {"processing": "batch"}, "fast": {"speed": "fast"}}
    return {"service_tier": name, **more.get(name, {})}


def _kinds(calls: pa.Table | pa.RecordBatch) -> tuple[list[Kind], np.ndarray]:
    """The distinct kinds of calls, and for each row the position of its own."""
    codes = np.zeros(calls.num_rows, np.int64)
    columns = []
    sizes = 1
    for name in Kind._fields:
        indices, words = _dictionary(calls, name)
        if sizes * (len(words) + 1) > 2**62:  # number the combinations anew before they outgrow 64 bits
            codes = np.unique(codes, return_inverse=True)[1]
            sizes = calls.num_rows
        codes = codes * (len(words) + 1) + indices
        sizes *= len(words) + 1
        columns.append((indices, words))
    encoded = pa.array(codes).dictionary_encode()
    position = encoded.indices.to_numpy()
    first = np.empty(len(encoded.dictionary), np.int64)
    first[position[::-1]] = np.arange(len(position))[::-1]
    kinds = [
        Kind(*(words[int(indices[row])].as_py() if indices[row] < len(words) else None for indices, words in columns)) for row in first
    ]
    return kinds, position


def _word(words: pa.Array, position: int) -> str | None:
    return words[int(position)].as_py() if position < len(words) else None


def _dictionary(calls: pa.Table | pa.RecordBatch, name: str) -> tuple[np.ndarray, pa.Array]:
    """A text column as positions in an array; a null is the position behind its end."""
    column = calls.column(name)
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):  # without a chunk
        array = pa.array([], array.type)
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    return encoded.indices.fill_null(len(encoded.dictionary)).to_numpy().astype(np.int64), encoded.dictionary


def _sheets(plans: Sequence[Plan], book: Book, codes: np.ndarray, start_ns: np.ndarray) -> np.ndarray:
    """For each row the position of its sheet in the book."""
    nobody = len(book.sources)
    single = np.array([plan.grid[0, 0] if plan.grid.size == 1 else -1 for plan in plans], np.int64)
    place = np.where(single >= 0, single + book.first[: len(plans)], nobody)
    sheet = place[codes] if len(plans) else np.zeros(0, np.int64)
    for i, plan in enumerate(plans):
        if plan.grid.size > 1:
            rows = np.flatnonzero(codes == i)
            at = plan.at(start_ns[rows])
            sheet[rows] = np.where(at >= 0, at + book.first[i], nobody)
    return sheet


def _integers(calls: pa.Table | pa.RecordBatch, name: str) -> np.ndarray:
    column = calls.column(name)
    return np.asarray((column.fill_null(0) if column.null_count else column).to_numpy(), np.int64)


def _flags(calls: pa.Table | pa.RecordBatch, name: str) -> np.ndarray:
    column = calls.column(name).fill_null(False)
    return np.asarray(column.to_numpy() if isinstance(column, pa.ChunkedArray) else column.to_numpy(zero_copy_only=False), bool)


def _words(positions: np.ndarray, words: list[str]) -> pa.Array:
    indices = pa.array(positions.astype(np.int32), mask=positions < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string())).cast(TEXT)
