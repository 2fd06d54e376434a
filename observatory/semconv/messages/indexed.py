"""Attributes that spell a list out, one key for each leaf: `llm.input_messages.0.message.role`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LEVELS = 16  # a key with more dots than any convention has is a leaf


def nested(attributes: Mapping[str, Any], prefix: str) -> Any:
    """The list or dict below `prefix`, None when there is nothing; numbers as keys make lists, in their order, gaps closed."""
    root: dict[str, Any] = {}
    for key, value in attributes.items():
        if not key.startswith(prefix + "."):
            continue
        node = root
        *path, leaf = key[len(prefix) + 1 :].split(".", _LEVELS)
        for step in path:
            inner = node.get(step)
            if not isinstance(inner, _Node):
                node[step] = inner = _Node()
            node = inner
        if not isinstance(node.get(leaf), _Node):
            node[leaf] = value
    return _listed(root) if root else None


class _Node(dict[str, Any]):
    """A dict made here, not a value."""


def _listed(node: dict[str, Any]) -> Any:
    found = {key: _listed(item) if isinstance(item, _Node) else item for key, item in node.items()}
    if found and all(key.isdecimal() and key.isascii() for key in found):
        return [found[key] for key in sorted(found, key=lambda key: (len(key.lstrip("0")), key.lstrip("0")))]
    return found
