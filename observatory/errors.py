"""Everything that can go wrong, as one tree, and the one question about it: may it be offered again?

    ObservatoryError
    ├── Retryable           not taken, still yours, offer it again after `after` seconds
    ├── Rejected            not taken, still yours, never offer it again unchanged
    │   ├── Malformed           the bytes are not what they claim to be
    │   ├── TooLarge            over a stated limit
    │   ├── Unsupported         a content type, encoding or method we do not speak
    │   └── Unauthenticated     no key, or one we do not know
    ├── NotFound            no such trace, segment, page
    ├── Gone                it was here, and the message says why it no longer is
    ├── BadRequest          a question we cannot answer as asked; the message says where it is wrong
    └── CannotStart         one clear sentence, exit code 2
        └── BadConfig           every mistake in the configuration, each with its path

Doors translate: `Retryable` is 503 + Retry-After and UNAVAILABLE + RetryInfo; `Malformed` is 400 and INVALID_ARGUMENT; `TooLarge` is
413 and RESOURCE_EXHAUSTED without RetryInfo; `Unauthenticated` is 401. A door never answers 500 to an exporter: exporters drop what got
a 500.
"""

from __future__ import annotations

from collections.abc import Sequence


class ObservatoryError(Exception):
    """Any failure this package raises on purpose; `str()` is a sentence for the person who reads it."""


class Retryable(ObservatoryError):
    """Not taken, for a reason that passes. `after` is in seconds."""

    def __init__(self, message: str, after: float = 1.0) -> None:
        super().__init__(message)
        self.after = after


class Rejected(ObservatoryError):
    """Not taken, and offering the same bytes again will not help."""


class Malformed(Rejected):
    """The bytes are not what they claim to be; the message names the byte offset or the JSON path."""


class TooLarge(Rejected):
    """Over a stated limit; the message names the limit."""


class Unsupported(Rejected):
    """A content type, content encoding or method that is not spoken here."""


class Unauthenticated(Rejected):
    """A key is needed, and none or an unknown one was given."""


class NotFound(ObservatoryError):
    """Nothing of that name was ever stored here."""


class Gone(ObservatoryError):
    """It was stored here and no longer is; the message says since when and why."""


class BadRequest(ObservatoryError):
    """A question that cannot be answered as asked."""


class CannotStart(ObservatoryError):
    """The server cannot start; one sentence says why and what to do. The CLI exits with 2."""


class BadConfig(CannotStart):
    """Every mistake of a configuration at once, each with its path: `storage.retention_days: expected …`."""

    def __init__(self, source: str, mistakes: Sequence[str]) -> None:
        super().__init__(f"{source}: " + "; ".join(mistakes))
        self.mistakes = tuple(mistakes)
