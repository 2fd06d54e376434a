"""How this program starts itself again, and others, whether it runs from Python or is the built executable."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

SQL_SANDBOX = "--sql-sandbox"
"""The first argument by which the built executable knows that it is the process that runs a user's SQL."""


def frozen() -> bool:
    """Whether this is the built executable, which has no Python beside it."""
    return bool(getattr(sys, "frozen", False))


def sql_sandbox() -> tuple[str, ...]:
    """The command that starts `observatory.query.sandbox`; its arguments follow."""
    return (sys.executable, SQL_SANDBOX) if frozen() else (sys.executable, "-m", "observatory.query.sandbox")


def executable() -> Path:
    """The file a person starts: the one-file executable itself, not what it unpacked."""
    named = os.environ.get("OBSERVATORY_EXECUTABLE")
    return Path(named or sys.argv[0] if frozen() else sys.argv[0]).absolute()


def restore_library_path(environ: MutableMapping[str, str]) -> None:
    """Undo what the executable's loader did to `LD_LIBRARY_PATH`: programs of the system must not find our libraries before theirs."""
    original = environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if original is not None:
        environ["LD_LIBRARY_PATH"] = original
    elif frozen():
        environ.pop("LD_LIBRARY_PATH", None)
