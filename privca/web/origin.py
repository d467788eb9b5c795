"""Under which name a client reached us: only names that the server was given ever appear in a URL of ours.

A Host field is the client's word. Were it believed, anybody could make the server hand out URLs of another host (cache poisoning, and
JWS ``url`` members for foreign origins), so an unknown name is replaced by the first configured one; its port is kept, since a
forwarded port (containers) is what the client must come back to.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

_KEPT = 256


class Origins:
    """Host fields to origins, for the names of one server; ``names`` are host names and IP addresses, the first one is the default."""

    def __init__(self, names: Sequence[str]) -> None:
        if not names:
            raise ValueError("a server has at least one name")
        self._names = frozenset(_canonical(name) for name in names)
        self._first = _bracketed(_canonical(names[0]))
        self._known: dict[tuple[bool, str, int], str] = {}

    def origin(self, tls: bool, authority: str, port: int) -> str:
        """``scheme://host[:port]`` for a Host field; ``port`` is that of the listener, for requests without one."""
        key = (tls, authority, port)
        known = self._known.get(key)
        if known is None:
            known = self._make(tls, authority, port)
            if len(self._known) < _KEPT and len(authority) <= 260:
                self._known[key] = known
        return known

    def knows(self, authority: str) -> bool:
        """Whether the host of a Host field is one of the names."""
        return _canonical(_split(authority)[0]) in self._names

    def _make(self, tls: bool, authority: str, port: int) -> str:
        scheme, default = ("https", 443) if tls else ("http", 80)
        host, asked = _split(authority)
        if not authority:
            asked = "" if port == default else str(port)
        elif asked and not 0 < int(asked) < 65536:
            asked = str(port)
        canonical = _canonical(host)
        named = _bracketed(canonical) if canonical in self._names else self._first
        return f"{scheme}://{named}:{asked}" if asked else f"{scheme}://{named}"


def _split(authority: str) -> tuple[str, str]:
    if authority.startswith("["):
        host, _, rest = authority[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _, port = authority.partition(":")
    return host, port


def _canonical(name: str) -> str:
    bare = name.removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return bare.lower().removesuffix(".")


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name
