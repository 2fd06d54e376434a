"""How the built executable treats its surroundings."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from observatory.model import program


def test_programs_of_the_system_find_their_own_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    mine = {"LD_LIBRARY_PATH": "/unpacked/_internal", "LD_LIBRARY_PATH_ORIG": "/the/users", "HOME": "/home"}
    program.restore_library_path(mine)
    assert mine == {"LD_LIBRARY_PATH": "/the/users", "HOME": "/home"}
    none = {"LD_LIBRARY_PATH": "/unpacked/_internal"}
    program.restore_library_path(none)
    assert none == {}


def test_without_an_executable_nothing_is_changed() -> None:
    environment = {"LD_LIBRARY_PATH": "/the/users"}
    program.restore_library_path(environment)
    assert environment == {"LD_LIBRARY_PATH": "/the/users"}
    assert program.sql_sandbox() == (sys.executable, "-m", "observatory.query.sandbox")


def test_the_executable_starts_itself_for_sql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert program.sql_sandbox() == (sys.executable, program.SQL_SANDBOX)


def test_the_file_a_person_started_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVATORY_EXECUTABLE", "/opt/observatory")
    assert program.executable() == Path(sys.argv[0]).absolute(), "only the executable's launcher is believed"
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert program.executable() == Path("/opt/observatory")
