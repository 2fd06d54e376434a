"""What the built executable runs: the command line, or, as its own child, the process that runs a user's SQL."""

from __future__ import annotations

import os
import sys

from observatory.model import program


def run() -> int:
    """The exit code. What a person never sees, the command line of the SQL process, comes first, because it must start fast."""
    program.restore_library_path(os.environ)
    if sys.argv[1:2] == [program.SQL_SANDBOX]:
        from observatory.query.sandbox import main as sandbox

        return sandbox(sys.argv[2:])
    from observatory.cli.main import main

    return main()


sys.exit(run())
