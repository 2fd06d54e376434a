"""Text columns as numbers and words: what is said of a distinct word is said once, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Coded:
    """`codes` (int32, one a row) points into `words`; -1 is null. Words are distinct, and some may be used by no row."""

    codes: np.ndarray
    words: list[str]

    @staticmethod
    def of(column: pa.Array) -> Coded:
        """A dictionary column, or one of strings."""
        if not isinstance(column, pa.DictionaryArray):
            column = column.dictionary_encode()
        assert isinstance(column, pa.DictionaryArray)
        codes = column.indices
        if codes.null_count:
            codes = codes.fill_null(-1)
        return Coded(codes.to_numpy(zero_copy_only=False), column.dictionary.to_pylist())

    @staticmethod
    def empty(rows: int) -> Coded:
        """Null in every row."""
        return Coded(np.full(rows, -1, np.int32), [])

    @property
    def known(self) -> np.ndarray:
        """True where a row is not null."""
        return self.codes >= 0

    def map(self, say: Callable[[str], str | None]) -> Coded:
        """Each word by what `say` makes of it; None is null."""
        numbers: dict[str, int] = {}
        said = [say(word) for word in self.words]
        table = np.array([-1 if word is None else numbers.setdefault(word, len(numbers)) for word in said] + [-1], np.int32)
        return Coded(table[self.codes], list(numbers))  # -1 picks the last entry, which is null

    def where(self, test: Callable[[str], bool]) -> np.ndarray:
        """True where a row has a word that passes `test`."""
        return np.array([test(word) for word in self.words] + [False], bool)[self.codes]

    def keep(self, rows: np.ndarray) -> Coded:
        """Null where `rows` is False."""
        return Coded(np.where(rows, self.codes, np.int32(-1)), self.words)

    def otherwise(self, other: Coded) -> Coded:
        """The rows of `other` where this is null."""
        missing = self.codes < 0
        if not missing.any() or not (other.codes[missing] >= 0).any():
            return self
        numbers = {word: number for number, word in enumerate(self.words)}
        table = np.array([numbers.setdefault(word, len(numbers)) for word in other.words] + [-1], np.int32)
        return Coded(np.where(missing, table[other.codes], self.codes), list(numbers))

    def fill(self, found: Mapping[int, str]) -> Coded:
        """The words of `found` (row -> word) where this is null."""
        return self.otherwise(from_rows(len(self.codes), found)) if found else self

    def array(self) -> pa.DictionaryArray:
        """As the schema's dictionary columns."""
        indices = pa.array(self.codes, pa.int32(), mask=self.codes < 0)
        return pa.DictionaryArray.from_arrays(indices, pa.array(self.words, pa.string()))


def from_rows(rows: int, found: Mapping[int, str]) -> Coded:
    """A column of `rows` rows from the few that have a word."""
    numbers: dict[str, int] = {}
    codes = np.full(rows, -1, np.int32)
    for row, word in found.items():
        codes[row] = numbers.setdefault(word, len(numbers))
    return Coded(codes, list(numbers))


def choose(numbers: np.ndarray, words: Iterable[str | None]) -> Coded:
    """A column from small numbers, each of which stands for a word of a fixed list (None: null)."""
    return Coded(numbers.astype(np.int32), [f"\0{i}" if word is None else word for i, word in enumerate(words)]).map(
        lambda word: None if word.startswith("\0") else word
    )
