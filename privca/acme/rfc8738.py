"""IP addresses as identifiers (RFC 8738): which challenges prove them, and how TLS names them."""

from __future__ import annotations

import ipaddress

from privca.base.names import Name, NameKind

CHALLENGES = frozenset({"http-01", "tls-alpn-01"})
"""Section 4; section 7 forbids dns-01: who runs the reverse zone need not run the host."""


def allows(challenge_type: str, name: Name) -> bool:
    """Whether ``name`` is an IP address that a challenge of this type can prove."""
    return name.kind is NameKind.IP and challenge_type in CHALLENGES


def server_name(name: Name) -> str:
    """What stands for an IP address in SNI, which has no place for one: its reverse mapping (section 6), without a final dot."""
    return ipaddress.ip_address(name.value).reverse_pointer
