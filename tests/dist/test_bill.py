"""What stands beside the executable: checksums, the bill of materials, the licences of what is inside, signatures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[2]
DIST = ROOT / "dist"


def parts() -> dict[str, dict[str, object]]:
    return {part["name"]: part for part in json.loads((DIST / "sbom.cdx.json").read_text())["components"]}


def test_checksums_are_right(executable: Path) -> None:
    said = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=DIST, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout
    assert {"observatory: OK", "sbom.cdx.json: OK", "THIRD-PARTY-LICENSES.txt: OK"} <= set(said.stdout.splitlines())


def test_the_bill_is_valid_cyclonedx(executable: Path) -> None:
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str((DIST / "sbom.cdx.json").read_text())
    assert error is None, error


def test_the_bill_names_what_is_inside_and_nothing_of_the_workshop(executable: Path) -> None:
    inside = set(parts())
    assert {"cpython", "duckdb", "pyarrow", "numpy", "grpcio", "react", "libc6", "genai-prices", "cryptography"} <= inside
    assert inside.isdisjoint({"pytest", "playwright", "pyright", "ruff", "hypothesis", "vite", "typescript", "psutil", "mkdocs-material"})


def test_nothing_inside_is_under_a_licence_that_would_bind_ours(executable: Path) -> None:
    """PyInstaller's loader has an exception for programs it packs; libgcc and libstdc++ have one for programs that use them."""
    gpl = {name for name, part in parts().items() if "GPL" in json.dumps(part["licenses"])}
    assert gpl <= {"pyinstaller", "pyinstaller-hooks-contrib"}
    assert not {"libreadline8", "libgdbm6"} & set(parts())


def test_every_part_has_its_licence(executable: Path) -> None:
    text = (DIST / "THIRD-PARTY-LICENSES.txt").read_text()
    for name, part in parts().items():
        assert f"\n{name} {part['version']}: " in text
    assert "Permission is hereby granted, free of charge" in text


def test_a_build_with_a_key_is_verified_by_the_executable(executable: Path, tmp_path: Path, runtime: Path) -> None:
    secret, public, other = tmp_path / "secret.pem", tmp_path / "public.pem", tmp_path / "other.pem"
    for key in (secret, other):
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", secret, "-pubout", "-out", public], check=True)
    sums = tmp_path / "SHA256SUMS"
    sums.write_bytes((DIST / "SHA256SUMS").read_bytes())
    sign = "import sys, pathlib; sys.path.insert(0, 'packaging'); import build; build.sign(*map(pathlib.Path, sys.argv[1:]))"
    subprocess.run([sys.executable, "-c", sign, sums, secret], cwd=ROOT, check=True)
    assert subprocess.run([executable, "verify", sums, "--key", public]).returncode == 0
    sums.write_text(sums.read_text().replace("a", "b", 1))
    assert subprocess.run([executable, "verify", sums, "--key", public], capture_output=True).returncode == 1


@pytest.mark.slow
def test_pip_installs_the_sdk_from_the_executable_alone(executable: Path, tmp_path: Path, runtime: Path) -> None:
    from observatory.testing.server import ServerProcess

    clean = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", clean], check=True)
    with ServerProcess(tmp_path / "data", binary=str(executable)) as server:
        command = [clean / "bin/pip", "--isolated", "--disable-pip-version-check", "--no-cache-dir", "install", "--quiet"]
        subprocess.run([*command, "--index-url", f"{server.api}/simple/", "llm-observatory"], check=True)
        program = "import observatory, opentelemetry.sdk.trace; observatory.init(service_name='clean'); observatory.flush()"
        subprocess.run([clean / "bin/python", "-c", program], check=True, cwd=tmp_path)
