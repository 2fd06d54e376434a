"""Do something once a module is imported: nothing that an application does not use is loaded for its sake."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from observatory.sdk import guard


class ImportHooks(importlib.abc.MetaPathFinder):
    """A finder that finds nothing by itself: it lets the others find what is waited for, and listens until it has run."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Callable[[], object]]] = {}
        self._asking = threading.local()

    def when_imported(self, module: str, action: Callable[[], object]) -> None:
        """Run the action after the module's code has run; at once when it has already. What it raises is caught and told."""
        self._waiting.setdefault(module, []).append(action)
        if module in sys.modules:
            self.imported(module)
        elif self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """See MetaPathFinder."""
        if fullname not in self._waiting or getattr(self._asking, "name", None) == fullname:
            return None
        self._asking.name = fullname
        try:
            spec = next(
                (
                    found
                    for finder in list(sys.meta_path)
                    if finder is not self
                    for found in [finder.find_spec(fullname, path, target)]
                    if found
                ),
                None,
            )
        finally:
            self._asking.name = None
        if spec is not None and spec.loader is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = _Listening(spec.loader, self)
        return spec

    def imported(self, module: str) -> None:
        """It has been: run what waits for it, once; with its package, where that is waited for and still being imported. What an action
        imports is told after the action: it may be imported for its sake."""
        pending: list[Callable[[], object]] | None = getattr(self._asking, "pending", None)
        if any(parent in self._waiting and _is_being_imported(parent) for parent in _parents(module)):
            return
        actions = self._waiting.pop(module, [])
        if pending is not None:
            pending.extend(actions)
            return
        self._asking.pending = pending = list(actions)
        try:
            while pending:
                guard.safely(pending.pop(0))()
        finally:
            self._asking.pending = None


class _Listening(importlib.abc.Loader):
    """The loader of one module, which tells when its code has run and then steps aside."""

    def __init__(self, inner: Any, hooks: ImportHooks) -> None:
        self._inner, self._hooks = inner, hooks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """See Loader."""
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """See Loader."""
        if module.__spec__ is not None:
            module.__spec__.loader = self._inner
        module.__loader__ = self._inner
        self._inner.exec_module(module)
        self._hooks.imported(module.__name__)


when_imported = ImportHooks().when_imported
"""Of the one finder that this process needs."""


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


def _is_being_imported(module: str) -> bool:
    return bool(getattr(getattr(sys.modules.get(module), "__spec__", None), "_initializing", False))
