"""Finding the few attributes of interest among all: by the distinct keys of a batch, then by position, never by looking at every span."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Entries:
    """Attributes whose key has a class: `rows` (of all batches laid end to end), `classes`, and where their text is."""

    rows: np.ndarray
    classes: np.ndarray
    batches: np.ndarray
    positions: np.ndarray
    values: list[pa.Array]

    def of(self, class_: int) -> np.ndarray:
        """The rows that have an attribute of this class, each once."""
        return np.unique(self.rows[self.classes == class_])

    def pick(self, wanted: np.ndarray) -> Entries:
        """The entries where `wanted` is True."""
        return Entries(self.rows[wanted], self.classes[wanted], self.batches[wanted], self.positions[wanted], self.values)

    def texts(self) -> list[str]:
        """The text of every entry, in order."""
        texts: list[str] = []
        bounds = np.flatnonzero(np.diff(self.batches)) + 1  # entries come batch by batch
        for positions, number in zip(
            np.split(self.positions, bounds), self.batches[[0, *bounds]] if len(self.batches) else (), strict=False
        ):
            texts += self.values[number].take(pa.array(positions)).to_pylist()
        return texts


class _Classes(dict[str, int]):
    """Asks `class_of` once for each distinct key of a scan; batches of one application have the same keys."""

    def __init__(self, class_of: Callable[[str], int]) -> None:
        super().__init__()
        self._class_of = class_of

    def __missing__(self, key: str) -> int:
        self[key] = class_ = self._class_of(key)
        return class_


def scan(maps: Sequence[pa.MapArray], class_of: Callable[[str], int]) -> Entries:
    """The entries of these attribute columns whose key `class_of` gives a number above 0; in order of row and of arrival.

    Costs one call of `class_of` for each distinct key, and one numpy look-up over the entries of batches that have such a key.
    """
    rows, classes, batches, positions = [], [], [], []
    values: list[pa.Array] = []
    known = _Classes(class_of)
    first = 0
    for number, column in enumerate(maps):
        values.append(column.items)
        keys = column.keys
        assert isinstance(keys, pa.DictionaryArray)
        table = np.array([*map(known.__getitem__, keys.dictionary.to_pylist()), 0], np.int16)
        if table.any():
            offsets = column.offsets.to_numpy()
            low, high = int(offsets[0]), int(offsets[-1])
            found = table[keys.indices.to_numpy(zero_copy_only=False)[low:high]]
            hits = np.flatnonzero(found)
            classes.append(found[hits])
            hits += low
            rows.append(np.searchsorted(offsets, hits, side="right") - 1 + first)
            positions.append(hits)
            batches.append(np.full(len(hits), number, np.int32))
        first += len(column)
    return Entries(_join(rows), _join(classes), _join(batches), _join(positions), values)


def _join(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
