"""Where a listener listens: `127.0.0.1:4317`, `[::1]:4317`, `localhost:0`."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?")


@dataclass(frozen=True, slots=True)
class Address:
    """A host (IPv4, IPv6 without brackets, or a name) and a port; port 0 asks for any free one. `str()` reads back by `parse`."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Raises ValueError with what was expected. An empty host is refused: whether it meant all addresses or this machine is a guess."""
        host, colon, port = text.strip().rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ValueError("expected host:port with a port from 0 to 65535, such as 127.0.0.1:4317")
        if not host:
            raise ValueError(f"expected a host before the colon: 127.0.0.1:{port} for this machine only, 0.0.0.0:{port} for every address")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
            if not _is_ip(host, 6):
                raise ValueError(f"expected an IPv6 address in the brackets, such as [::1]:{port}")
        elif ":" in host:
            raise ValueError(f"expected brackets around an IPv6 address, such as [::1]:{port}")
        elif not _is_ip(host, 4) and (not _NAME.fullmatch(host) or re.fullmatch(r"[0-9.]+", host)):
            raise ValueError(f"expected an address or a host name before the colon, such as 127.0.0.1:{port}")
        return cls(host, int(port))

    @property
    def loopback(self) -> bool:
        """Only this machine can reach it. A name other than `localhost` may point anywhere, so it is not."""
        if self.host.rstrip(".").lower() == "localhost":
            return True
        try:
            ip = ipaddress.ip_address(self.host)
        except ValueError:
            return False
        mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
        return (mapped or ip).is_loopback

    @property
    def every(self) -> bool:
        """All addresses of this machine: `0.0.0.0` or `::`."""
        return self.host in ("0.0.0.0", "::")

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _is_ip(host: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(host).version == version
    except ValueError:
        return False


def _validate(value: Any) -> Address:
    if isinstance(value, Address):
        return value
    if not isinstance(value, str):
        raise ValueError("expected host:port as text, such as 127.0.0.1:4317")
    return Address.parse(value)


AddressText = Annotated[Address, PlainValidator(_validate), PlainSerializer(str), WithJsonSchema({"type": "string", "title": "host:port"})]
"""An `Address` as a key of `config.toml`: written as text, read as an `Address`."""
