"""Who may export: anyone, or whoever has one of the configured keys."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from pydantic import SecretStr

from observatory.errors import Unauthenticated


class Keys:
    """The keys of `receivers.api_keys`. Compared as digests in constant time, so that an answer's time tells nothing of a key."""

    def __init__(self, keys: Sequence[SecretStr]) -> None:
        self._digests = [_digest(key.get_secret_value()) for key in keys]

    def check(self, authorization: str | None, api_key: str | None) -> None:
        """Raises `Unauthenticated` unless one of the two headers carries a key, or none is asked for."""
        if not self._digests:
            return
        scheme, _, token = (authorization or "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else api_key
        if given is None:
            raise Unauthenticated("an API key is needed: send `Authorization: Bearer KEY` or `x-api-key: KEY`")
        digest = _digest(given)
        found = False
        for known in self._digests:  # all of them, always
            found |= hmac.compare_digest(known, digest)
        if not found:
            raise Unauthenticated("this API key is not known here; `receivers.api_keys` in the configuration has the known ones")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()
