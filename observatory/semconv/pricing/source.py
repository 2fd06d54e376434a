"""Where the price table comes from: a file that was dropped in, else the bundled one; and when to look again."""

from __future__ import annotations

import logging
from pathlib import Path

from observatory.model.clock import Nanos
from observatory.semconv.pricing.bundled import bundled
from observatory.semconv.pricing.config import PricesConfig
from observatory.semconv.pricing.prices import Prices
from observatory.semconv.pricing.table import Table, parsed
from observatory.semconv.pricing.upstream import of_file

log = logging.getLogger(__name__)

FILE_NAME = "prices.json"
LOOK_EVERY_NS = 10 * 10**9


def table_path(config: PricesConfig, data_dir: Path) -> Path:
    """Where a table is looked for."""
    return Path(config.file).expanduser() if config.file else data_dir / FILE_NAME


def read(path: Path) -> Table:
    """A table from a file: compiled, or published by genai-prices. Raises OSError, and ValueError with a sentence."""
    return parsed(of_file(path.read_bytes()))


def load(config: PricesConfig, data_dir: Path) -> Prices:
    """The prices in force. A file that cannot be used is an error in the log, and the bundled table is used instead."""
    return PriceSource(config, data_dir).current(0)


class PriceSource:
    """The prices in force, by the file as it is: `current` looks at its time at most every ten seconds. One thread at a time asks."""

    def __init__(self, config: PricesConfig, data_dir: Path) -> None:
        self.trouble: str | None = None
        """Why the file is not in force; None when it is, or when there is none."""
        self._path = table_path(config, data_dir)
        self._named = bool(config.file)
        self._overrides = config.override
        self._looked: Nanos | None = None
        self._seen: tuple[int, int, int] | None = (-1, -1, -1)  # differs from every file, and from none
        self._prices: Prices | None = None

    def current(self, now: Nanos) -> Prices:
        """A new value when the file has changed, else the same one. After a broken file what held before holds on."""
        if self._prices is None or self._looked is None or abs(now - self._looked) >= LOOK_EVERY_NS:
            self._looked = now
            seen = self._state()
            if self._prices is None or seen != self._seen:
                self._seen = seen
                self._prices = self._taken(seen is not None)
        return self._prices

    def _taken(self, exists: bool) -> Prices:
        self.trouble = None
        if not exists and not self._named:
            return Prices(bundled(), self._overrides)
        try:
            prices = Prices(read(self._path), self._overrides)
            log.info("prices are from %s: %s", self._path, prices.table.source)
            return prices
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) else error
            held = self._prices or Prices(bundled(), self._overrides)
            self.trouble = f"cannot use the price table {self._path}: {said}; the prices of {held.table.source} stay in force"
            log.error("%s", self.trouble)
            return held

    def _state(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
