"""Signatures: what is signed is told from what is not, without a connection."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from observatory.cli.main import main


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    private = Ed25519PrivateKey.generate()
    secret, public = tmp_path / "secret.pem", tmp_path / "public.pem"
    secret.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return secret, public


def test_what_openssl_signed_is_good_and_a_changed_byte_is_not(
    tmp_path: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "observatory"
    file.write_bytes(b"a program" * 1000)
    signature = tmp_path / "observatory.sig"
    sign = ["openssl", "pkeyutl", "-sign", "-inkey", str(keys[0]), "-rawin", "-in", str(file), "-out", str(signature)]
    subprocess.run(sign, check=True, capture_output=True)
    assert main(["verify", str(file), "--key", str(keys[1])]) == 0
    assert "signed by the owner of" in capsys.readouterr().out
    file.write_bytes(b"b program" + b"a program" * 999)
    assert main(["verify", str(file), "--key", str(keys[1])]) == 1
    assert "NOT" in capsys.readouterr().err


def test_a_signature_of_another_key_is_refused(tmp_path: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    (tmp_path / "elsewhere").write_bytes(Ed25519PrivateKey.generate().sign(b"x"))
    assert main(["verify", str(file), "--key", str(keys[1]), "--signature", str(tmp_path / "elsewhere")]) == 1


@pytest.mark.parametrize("text", ["", "not a key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_what_is_no_key_is_said_so(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "key.pem").write_text(text)
    assert main(["verify", str(tmp_path / "key.pem"), "--key", str(tmp_path / "key.pem")]) == 2
    assert "is no ed25519 public key" in capsys.readouterr().err


def test_a_missing_signature_is_named(tmp_path: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(keys[0]), "--key", str(keys[1])]) == 2
    assert f"cannot read {keys[0]}.sig: No such file or directory" in capsys.readouterr().err
