"""Addresses: what is read, what is refused, and that nothing but loopback passes for loopback."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, strategies as st

from observatory.model.address import Address


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("127.0.0.1:4317", "127.0.0.1", 4317, True),
        ("127.8.9.10:0", "127.8.9.10", 0, True),
        ("[::1]:4317", "::1", 4317, True),
        ("[::ffff:127.0.0.1]:1", "::ffff:127.0.0.1", 1, True),
        ("localhost:4318", "localhost", 4318, True),
        ("LOCALHOST.:4318", "LOCALHOST.", 4318, True),
        ("0.0.0.0:4317", "0.0.0.0", 4317, False),
        ("[::]:4317", "::", 4317, False),
        ("192.168.1.5:65535", "192.168.1.5", 65535, False),
        ("[fe80::1%eth0]:4317", "fe80::1%eth0", 4317, False),
        ("localhost.example.com:1", "localhost.example.com", 1, False),
        ("my_host-1:80", "my_host-1", 80, False),
    ],
)
def test_what_is_read(text: str, host: str, port: int, loopback: bool) -> None:
    address = Address.parse(text)
    assert (address.host, address.port, address.loopback) == (host, port, loopback)
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    "text",
    ["", "4317", "localhost", ":4317", "::1:4317", "[::1]", "[127.0.0.1]:1", "[::g]:1", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:٣",
     "1.2.3:4", "256.0.0.1:1", "a b:1", "-a:1", "http://localhost:4318", "localhost:4318/v1", "a..b:1", "host:1:2"],
)  # fmt: skip
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected "):
        Address.parse(text)


@given(st.ip_addresses(), st.integers(0, 65535))
def test_loopback_means_what_the_standard_library_means(ip: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> None:
    address = Address.parse(f"[{ip}]:{port}" if ip.version == 6 else f"{ip}:{port}")
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    assert address.loopback == (mapped or ip).is_loopback
    assert str(address) == (f"[{ip}]:{port}" if ip.version == 6 else f"{ip}:{port}")


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_with_what_was_expected(text: str) -> None:
    try:
        address = Address.parse(text)
    except ValueError as error:
        assert str(error).startswith("expected ")
    else:
        assert Address.parse(str(address)) == address
