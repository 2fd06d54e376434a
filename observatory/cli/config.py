"""`observatory config`: check a configuration, show what is in force, print every key with its default."""

from __future__ import annotations

import argparse

from observatory.cli.serve import add_server_flags, config_path, settings_and_origins, settings_of


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Each is a command of its own: `config check`, `config show`, `config default`, `config schema`."""
    config = commands.add_parser("config", help="check, show or print the configuration")
    kinds = config.add_subparsers(title="what to do", metavar="WHAT", required=True)
    check = kinds.add_parser("check", help="say every mistake of a configuration; exit code 2 when there is one")
    show = kinds.add_parser("show", help="print what is in force, and whether default, file, environment or a flag said so")
    default = kinds.add_parser("default", help="print config.toml: every key, its default and its meaning")
    schema = kinds.add_parser("schema", help="print the JSON schema of config.toml, for editors")
    for command in (check, show):
        add_server_flags(command)
    check.set_defaults(run=_check)
    show.set_defaults(run=_show)
    default.set_defaults(run=_default)
    schema.set_defaults(run=_schema)


def _check(args: argparse.Namespace) -> int:
    settings_of(args)
    print(f"{config_path(args) or 'the defaults'}: no mistakes. A running server takes a change when it is started again.")
    return 0


def _show(args: argparse.Namespace) -> int:
    from observatory.cli.manual import toml_text

    settings, origins = settings_and_origins(args)
    print(toml_text(settings, note=lambda section, key: origins.set_by.get(f"{section}.{key}", "default")), end="")
    return 0


def _default(_: argparse.Namespace) -> int:
    from observatory.cli.manual import manual

    print(manual(), end="")
    return 0


def _schema(_: argparse.Namespace) -> int:
    from observatory.cli.manual import schema_text

    print(schema_text(), end="")
    return 0
