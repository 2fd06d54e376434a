"""`observatory service`: the appliance as a systemd service of its own user."""

from __future__ import annotations

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

from observatory.errors import CannotStart
from observatory.model import program

UNIT = Path(__file__).with_name("observatory.service")
USER = "observatory"
DATA = Path("/var/lib/observatory")
CONFIG = Path("/etc/observatory/config.toml")
PROGRAM = Path("/usr/local/bin/observatory")
PLACE = Path("/etc/systemd/system/observatory.service")

EPILOG = """\
  sudo ./observatory service install     user, directories, configuration, unit; enabled and started
  ./observatory service print            the unit alone, to read it or to install it by other means
  sudo ./observatory service remove      stop it and take the unit away; data and configuration stay

Installing again with a newer executable is the upgrade. The one before is kept as observatory.previous beside it.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`service install`, `service print`, `service remove`."""
    service = commands.add_parser(
        "service",
        help="run it as a systemd service",
        description="Run the appliance as a hardened systemd service of its own user, started with the machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = service.add_subparsers(title="what to do", metavar="WHAT", required=True)
    install = kinds.add_parser("install", help="install, enable and start it; again: upgrade it")
    install.add_argument(
        "--root", metavar="DIR", type=Path, default=Path("/"), help="install into this tree, an image's, and start nothing"
    )
    install.set_defaults(run=_install)
    kinds.add_parser("print", help="print the unit").set_defaults(run=_print)
    kinds.add_parser("remove", help="stop and remove it; data and configuration stay").set_defaults(run=_remove)


def unit(executable: Path = PROGRAM, data: Path = DATA, config: Path = CONFIG) -> str:
    """The text of the systemd unit."""
    _, first, rest = UNIT.read_text(encoding="utf-8").partition("[Unit]")
    filled = (first + rest).format(executable=executable, data=data, config=config, user=USER)
    return f"# Written by `observatory service install`; changes belong into `systemctl edit observatory`.\n{filled}"


def configuration(data: Path = DATA) -> str:
    """The configuration file that is written when there is none."""
    return (
        "# What differs from the defaults; `observatory config default` prints every key and its meaning.\n\n[server]\n"
        f'# the unit lets the service write here and nowhere else: another directory also needs ReadWritePaths=\ndata = "{data}"\n'
    )


def _print(_: argparse.Namespace) -> int:
    print(unit(), end="")
    return 0


def _install(args: argparse.Namespace) -> int:
    root: Path = args.root
    live = root == Path("/")
    try:
        if live:
            _must_be_root()
            _make_user()
        _copy_program(_below(root, PROGRAM))
        _write(_below(root, PLACE), unit(), 0o644)
        if not _below(root, CONFIG).exists():
            _write(_below(root, CONFIG), configuration(), 0o644)
        data = _below(root, DATA)
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if live:
            shutil.chown(data, USER, USER)
            _systemctl("daemon-reload")
            _systemctl("enable", "--quiet", USER)
            _systemctl("restart", USER)
    except OSError as error:
        raise CannotStart(f"the service cannot be installed: {error.filename or ''}: {error.strerror or error}") from error
    for what, path in (("program", PROGRAM), ("configuration", CONFIG), ("data", DATA), ("unit", PLACE)):
        print(f"{what:<14} {_below(root, path)}")
    if live:
        print("\nIt runs: `systemctl status observatory`, `journalctl -u observatory`. The page: http://127.0.0.1:4319")
    return 0


def _remove(_: argparse.Namespace) -> int:
    _must_be_root()
    if not PLACE.exists():
        raise CannotStart(f"there is no {PLACE}; nothing was installed")
    _systemctl("disable", "--now", "--quiet", USER)
    PLACE.unlink()
    _systemctl("daemon-reload")
    print(f"removed; what stays: {PROGRAM}, {CONFIG}, {DATA} and the user {USER}")
    return 0


def _must_be_root() -> None:
    if os.geteuid() != 0:
        raise CannotStart(f"this needs root: sudo {sys.argv[0] if not program.frozen() else program.executable()} service …")
    if not Path("/run/systemd/system").is_dir():
        raise CannotStart("this machine does not run systemd; `observatory service print` shows what the service needs")


def _make_user() -> None:
    known = subprocess.run(["getent", "passwd", USER], capture_output=True).returncode == 0
    if not known:
        shell = ["--shell", "/usr/sbin/nologin", "--home-dir", str(DATA), "--no-create-home"]
        _run("useradd", "--system", "--user-group", *shell, USER)


def _copy_program(target: Path) -> None:
    """Ourselves, published by rename: the running service keeps the file it was started from."""
    source = program.executable().resolve()
    if target.exists() and (source == target.resolve() or filecmp.cmp(source, target, shallow=False)):
        return  # what was there before stays the way back
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(source, temporary)
    temporary.chmod(0o755)
    if target.exists():
        target.replace(target.with_name(f"{target.name}.previous"))
    temporary.replace(target)


def _write(path: Path, text: str, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _below(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _systemctl(*arguments: str) -> None:
    _run("systemctl", *arguments)


def _run(*command: str) -> None:
    said = subprocess.run(command, capture_output=True, text=True)
    if said.returncode:
        raise CannotStart(f"{' '.join(command)}: {said.stderr.strip() or f'exit code {said.returncode}'}")
