"""Which addresses the prober may connect to (RFC 8555 section 10.4: a validation server must not be a way into its own network).

The judgement is made on the very address that is connected to, never on a name: a name can resolve to something else a moment later.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

# For `serve`. Private networks are not in it: certifying hosts there is what a private CA is for.
DENIED_BY_DEFAULT: tuple[IPNetwork, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8 127.0.0.0/8 169.254.0.0/16 224.0.0.0/4 240.0.0.0/4 "  # unspecified, loopback, link-local, multicast, reserved and broadcast
        "::1/128 fe80::/10 ff00::/8 "
        # Unspecified; IPv4 inside IPv6 in ways that nobody uses any longer (RFC 4291 section 2.5.5.1), or that depend on the network
        # (RFC 7915, RFC 8215): where packets to these end cannot be told from the address.
        "::/96 ::ffff:0:0:0/96 64:ff9b:1::/48"
    ).split()
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressPolicy:
    """``allow`` wins over ``deny``; ``own`` (our listeners as address and port) is denied always, so that no redirect reaches ourselves.

    An own listener on ``0.0.0.0`` or ``::`` stands for that port on every address of this machine.
    """

    def __init__(
        self, allow: Iterable[IPNetwork] = (), deny: Iterable[IPNetwork] = (), own: Iterable[tuple[str, int]] = ()
    ) -> None:
        self._allow = tuple(allow)
        self._deny = tuple(deny)
        listeners = [(ipaddress.ip_address(address), port) for address, port in own]
        self._own = frozenset((address, port) for address, port in listeners if not address.is_unspecified)
        self._own_everywhere = frozenset(port for address, port in listeners if address.is_unspecified)

    def objection(self, address: str, port: int) -> str:
        """Why ``address`` must not be connected to on ``port``; empty if it may be."""
        target = ipaddress.ip_address(address)
        if isinstance(target, ipaddress.IPv6Address) and target.scope_id is not None:
            return f"{address} names a network interface of this machine"
        reached = _reached(target)
        for meant in reached:
            if meant.is_unspecified:
                return f"{address} is this machine itself"
            if (meant, port) in self._own or (port in self._own_everywhere and _is_ours(meant)):
                return f"{address} port {port} is this server itself"
        for meant in reached:
            if any(meant in network for network in self._allow if network.version == meant.version):
                continue
            for network in self._deny:
                if network.version == meant.version and meant in network:
                    return f"{address} is in {network}, which this server does not connect to"
        return ""


def _reached(address: IPAddress) -> tuple[IPAddress, ...]:
    """The address, and the IPv4 address that packets to it end at, if it is written as an IPv6 one."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inner is None and address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return (address,) if inner is None else (address, inner)


def _is_ours(address: IPAddress) -> bool:
    """Whether this machine has the address: only then can a socket be bound to it. Nothing is sent."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
