"""A module as it is where nothing was compiled."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType


def uncompiled(module: ModuleType) -> ModuleType:
    """The Python source beside a compiled module, as a module of its own."""
    assert module.__file__ is not None
    name = module.__name__.rpartition(".")[2]
    spec = importlib.util.spec_from_file_location(f"plain_{name}", Path(module.__file__).with_name(f"{name}.py"))
    assert spec and spec.loader
    plain = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plain)
    return plain
