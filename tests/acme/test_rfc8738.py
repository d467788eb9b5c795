"""IP identifiers: which challenges, and what stands for them in TLS."""

from __future__ import annotations

import pytest

from privca.acme import rfc8737, rfc8738
from privca.acme.rfc8555 import dns01, http01
from privca.base.names import dns_name, ip_name


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_the_challenges_of_an_address(address: str) -> None:
    name = ip_name(address)
    assert http01.offered_for(name, False)
    assert rfc8737.offered_for(name, False)
    assert not dns01.offered_for(name, False)
    assert not rfc8738.allows("dns-01", name)
    assert not rfc8738.allows("http-01", dns_name("example.test"))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "1.2.0.192.in-addr.arpa"),
        ("2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
    ],
)
def test_tls_names_an_address_by_its_reverse_mapping(address: str, expected: str) -> None:
    name = ip_name(address)
    assert rfc8738.server_name(name) == expected
    assert rfc8737.plan(name, "p", "t", "x").server_name == expected
    assert http01.plan(name, "p", "t", "x").name == name
