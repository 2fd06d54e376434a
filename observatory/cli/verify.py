"""`observatory verify`: whether a file is what its maker signed; needs no connection."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from observatory.errors import CannotStart

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

EPILOG = """\
  observatory verify observatory-new --key maker.pem     its signature is observatory-new.sig beside it

Use an executable you trust already, and a public key you got by another way than the file.
Without one: openssl pkeyutl -verify -pubin -inkey maker.pem -rawin -in FILE -sigfile FILE.sig
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """A file, the public key, and where the signature is."""
    command = commands.add_parser(
        "verify",
        help="check the signature of a downloaded file",
        description="Check the detached ed25519 signature of a file. The exit code is 0 when it is good, 1 when it is not.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument("--key", type=Path, required=True, metavar="PUB", help="the maker's public key, PEM")
    command.add_argument("--signature", type=Path, metavar="SIG", help="default: FILE.sig")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 when the signature is good, 1 when it is not. Raises CannotStart when a file cannot be read."""
    from cryptography.exceptions import InvalidSignature

    key = public_key(args.key)
    signature = _read(args.signature or args.file.with_name(args.file.name + ".sig"))
    try:
        key.verify(signature, _read(args.file))
    except InvalidSignature:
        print(f"observatory: {args.file} is NOT what the owner of {args.key} signed; do not use it", file=sys.stderr)
        return 1
    print(f"{args.file}: signed by the owner of {args.key}")
    return 0


def public_key(path: Path) -> Ed25519PublicKey:
    """The key in a PEM file. Raises CannotStart when it is another kind."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise CannotStart(f"--key: {path} is no ed25519 public key in PEM")
    return key


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotStart(f"cannot read {path}: {error.strerror}") from error
