"""`observatory run app.py args`: the application as it is, traced."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from observatory.errors import CannotStart
from observatory.model import program

_EPILOG = """\
examples:
  observatory run app.py --port 8000
  observatory run -m flask run
  observatory run uvicorn shop:app
  observatory run --service shop --endpoint http://observatory:4318 app.py

Every Python program that the application starts is traced, too. Settings are read from OBSERVATORY_* and OTEL_* variables; see docs/SDK.md.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Put the command into the parser."""
    parser = commands.add_parser(
        "run",
        help="run a Python application, traced without a change of its code",
        description="Run a Python application so that every call of a model is traced, without a change of its code.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--service", metavar="NAME", help="name of the service (default: the script's)")
    parser.add_argument("--endpoint", metavar="URL", help="where traces are sent (default: http://localhost:4318)")
    parser.add_argument(
        "-m",
        dest="module",
        metavar="MODULE …",
        nargs=argparse.REMAINDER,
        help="run a module, as python -m does; the rest are its arguments",
    )
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="PROGRAM …", help="a .py file, or a command such as uvicorn, and its arguments"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Become the application: its exit code and signals are its own. Raises CannotStart when there is nothing to run."""
    command = command_line(args.module, args.command)
    env = environment(dict(os.environ), args.service, args.endpoint)
    sys.stdout.flush()
    os.execvpe(command[0], command, env)


def command_line(module: list[str] | None, words: list[str]) -> list[str]:
    """What to execute. Raises CannotStart."""
    if program.frozen():
        raise CannotStart(
            "this executable has no Python for an application to run in; in the application's own environment: "
            "pip install --index-url http://127.0.0.1:4319/simple/ llm-observatory, and there `observatory run …`"
        )
    words = words[1:] if words[:1] == ["--"] else words
    if module:
        return [sys.executable, "-m", *module]
    if not words:
        raise CannotStart("nothing to run: observatory run app.py, or observatory run -m module")
    if words[0].endswith(".py") or Path(words[0]).is_dir():
        return [sys.executable, *words]
    beside = Path(sys.executable).with_name(words[0])
    found = str(beside) if beside.is_file() else shutil.which(words[0])
    if found is None:
        raise CannotStart(f"{words[0]}: no such command, and not a .py file")
    return [found, *words[1:]]


def environment(env: dict[str, str], service: str | None, endpoint: str | None) -> dict[str, str]:
    """The environment in which every Python starts the SDK by itself."""
    package = Path(__file__).parents[1]
    # the package's own place comes last: what stands in `sys.path` because of it must shadow nothing of the application's
    places = [str(package / "sdk" / "autostart"), *filter(None, env.get("PYTHONPATH", "").split(os.pathsep)), str(package.parent)]
    env |= {"PYTHONPATH": os.pathsep.join(dict.fromkeys(places)), "OBSERVATORY_RUN": "1"}
    if service is not None:
        env["OTEL_SERVICE_NAME"] = service
    if endpoint is not None:
        env["OBSERVATORY_ENDPOINT"] = endpoint
    return env
