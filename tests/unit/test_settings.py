"""Settings: defaults, where the data goes, and the order in which file, environment and flags win."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from observatory.cli.sources import load
from observatory.errors import BadConfig, CannotStart
from observatory.model.address import Address
from observatory.settings import ServerConfig, Settings


def test_data_goes_where_the_platform_keeps_a_persons_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Settings().server.data == tmp_path / "observatory"
    monkeypatch.setenv("XDG_DATA_HOME", "relative/is/ignored/by/the/standard")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings().server.data == tmp_path / ".local/share/observatory"
    assert load(None, {}, {"server.data": "~/elsewhere"}).server.data == tmp_path / "elsewhere"


def test_every_door_is_loopback_by_default() -> None:
    server = Settings().server
    assert all(address.loopback for address in (server.listen, server.otlp_grpc, server.otlp_http))


@pytest.mark.parametrize("door", ["listen", "otlp_grpc", "otlp_http"])
@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.168.0.1:0", "example.com:0"])
def test_a_door_to_other_machines_needs_insecure(door: str, address: str) -> None:
    with pytest.raises(BadConfig, match=f"server.{door} .*authentication does not exist yet.*--insecure"):
        load(None, {}, {f"server.{door}": address})
    settings = load(None, {}, {f"server.{door}": address, "server.insecure": True})
    assert getattr(settings.server, door) == Address.parse(address)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().server = ServerConfig()  # type: ignore[misc]


def test_flags_win_over_the_environment_and_the_environment_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[server]\nlisten = "127.0.0.1:1"\notlp_grpc = "127.0.0.1:1"\notlp_http = "127.0.0.1:1"\n')
    environment = {"OBSERVATORY_SERVER__OTLP_GRPC": "127.0.0.1:2", "OBSERVATORY_SERVER__OTLP_HTTP": "127.0.0.1:2", "PATH": "/bin"}
    server = load(file, environment, {"server.otlp_http": "127.0.0.1:3", "server.listen": None}).server
    assert (server.listen.port, server.otlp_grpc.port, server.otlp_http.port) == (1, 2, 3)


def test_the_environment_speaks_every_type() -> None:
    settings = load(
        None,
        {
            "OBSERVATORY_STORAGE__RETENTION_DAYS": "3.5",
            "OBSERVATORY_STORAGE__THREADS": "1",
            "OBSERVATORY_SERVER__INSECURE": "true",
            "OBSERVATORY_LOG__LEVEL": "debug",
            "OBSERVATORY_SERVER__DATA": "2026",  # a directory may look like a number
            "OBSERVATORY_RECEIVERS__API_KEYS": '["a", "b"]',
        },
    )
    assert (settings.storage.retention_days, settings.storage.threads, settings.server.insecure) == (3.5, 1, True)
    assert (settings.log.level, settings.server.data.name) == ("debug", "2026")
    assert [key.get_secret_value() for key in settings.receivers.api_keys] == ["a", "b"]


def test_mistakes_say_which_variable_or_flag_made_them(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[cut]\nsegment_age_s = 0\n")
    with pytest.raises(BadConfig) as caught:
        load(file, {"OBSERVATORY_STORAGE__THREADS": "many", "OBSERVATORY_STORAGE__THREAD": "2"}, {"server.otlp_http": "nowhere"})
    assert set(caught.value.mistakes) == {
        'server.otlp_http (--otlp-http): expected host:port with a port from 0 to 65535, such as 127.0.0.1:4317, got "nowhere"',
        "cut.segment_age_s: expected a number above 0, got 0",
        'storage.threads (OBSERVATORY_STORAGE__THREADS): expected a whole number from 1 to 256, got "many"',
        "storage.thread (OBSERVATORY_STORAGE__THREAD): unknown key; did you mean `threads`?",
    }
    assert str(caught.value).startswith(f"{file}: ")


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"cannot read the configuration .*/none.toml: No such file or directory"):
        load(tmp_path / "none.toml", {})
    with pytest.raises(CannotStart, match="Is a directory"):
        load(tmp_path, {})


def test_a_user_without_a_home_is_told_to_name_a_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", classmethod(nobody))
    with pytest.raises(BadConfig, match=r"server.data: this user has no home directory .*--data"):
        load(None, {})
    assert load(None, {}, {"server.data": "/srv/observatory"}).server.data == Path("/srv/observatory")
