"""What the API tells of the configuration: every key, what set it, and no secret."""

from __future__ import annotations

import json
from pathlib import Path

from observatory.cli.sources import load_with_origins
from observatory.configured import Origins, told
from observatory.settings import Settings


def test_every_key_is_told_with_what_set_it(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('[storage]\nretention_days = 3\n[receivers]\napi_keys = ["never-shown", "nor-this"]\n')
    settings, origins = load_with_origins(
        file, {"OBSERVATORY_API__THREADS": "2", "OTHER": "x"}, {"server.data": str(tmp_path / "data"), "server.listen": None}
    )
    said = told(settings, origins)
    keys = {f"{section['name']}.{key['key']}": key for section in said["sections"] for key in section["keys"]}
    assert said["file"] == str(file)
    assert set(keys) == {f"{name}.{key}" for name, section in settings.model_dump().items() for key in section}
    assert {name: key["set_by"] for name, key in keys.items() if key["set_by"]} == {
        "storage.retention_days": str(file),
        "receivers.api_keys": str(file),
        "api.threads": "OBSERVATORY_API__THREADS",
        "server.data": "--data",
    }
    assert (keys["storage.retention_days"]["value"], keys["api.threads"]["value"]) == (3, 2)
    assert keys["api.threads"] == {
        "key": "threads", "value": 2, "default": 4, "set_by": "OBSERVATORY_API__THREADS", "environment": "OBSERVATORY_API__THREADS",
        "takes": "a whole number from 1 to 64", "secret": False,
        "says": "Threads that answer API requests. The event loop only passes bytes on; four let a list be answered while large traces are "
        "written.",
    }  # fmt: skip
    assert (keys["receivers.api_keys"]["value"], keys["receivers.api_keys"]["secret"]) == (["***", "***"], True)
    assert "never-shown" not in json.dumps(said)


def test_without_origins_all_is_default() -> None:
    said = told(Settings(), Origins())
    assert said["file"] is None
    assert all(key["set_by"] is None and key["value"] == key["default"] for section in said["sections"] for key in section["keys"])
