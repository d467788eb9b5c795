"""HTTP Digest authentication (RFC 7616): qop ``auth`` with MD5 and SHA-256.

A nonce says when it was made, and for which profile, under a key that all workers have: nothing is stored for a client that has only asked.
It may be used again until it expires: what a nonce count guards against, a request that is overheard and sent again, TLS guards
against already (section 5.12).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import msgspec

from privca.base.refused import Reason, Refused
from privca.jose import rfc4648

_CLAUSE = "RFC 7616 section 3.4"
_TIME, _MAC = 8, 16
# Both are what the RFC names; MD5 here is a keyed proof inside TLS, not a signature.
_HASHES: Mapping[str, Callable[[bytes], Any]] = MappingProxyType(
    {"MD5": lambda octets: hashlib.md5(octets, usedforsecurity=False), "SHA-256": hashlib.sha256}
)
_PARAMETER = re.compile(r'[ \t]*([A-Za-z*]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([!#$%&\'*+.^_`|~0-9A-Za-z/:=-]+))[ \t]*(?:,|$)')
_MAXIMUM = 2048
_NEEDED = frozenset({"username", "realm", "nonce", "uri", "response", "qop", "nc", "cnonce"})


class Response(msgspec.Struct, frozen=True):
    """What a client answers to a challenge, its form checked. ``response`` is in lower-case hex."""

    algorithm: str
    username: str
    realm: str
    nonce: str
    uri: str
    nc: str
    cnonce: str
    response: str


class Nonces:
    """Makes nonces and knows its own. :param key: secret, the same in all workers of one store."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, profile_id: str, now: datetime) -> str:
        """A nonce for clients of one profile."""
        time = int(now.timestamp()).to_bytes(_TIME, "big")
        return rfc4648.encode(time + self._mac(profile_id, time))

    def is_fresh(self, nonce: str, profile_id: str, now: datetime, life: timedelta) -> bool:
        """Whether this nonce was made here, for this profile, not longer ago than ``life``."""
        try:
            octets = rfc4648.decode(nonce, "the nonce")
        except Refused:
            return False
        time, mac = octets[:_TIME], octets[_TIME:]
        if not hmac.compare_digest(mac, self._mac(profile_id, time)):
            return False
        return timedelta() <= now - datetime.fromtimestamp(int.from_bytes(time, "big"), now.tzinfo) <= life

    def _mac(self, profile_id: str, time: bytes) -> bytes:
        return hmac.digest(self._key, time + profile_id.encode(), "sha256")[:_MAC]


def challenges(realm: str, algorithms: Sequence[str], nonce: str, *, stale: bool = False) -> list[str]:
    """What WWW-Authenticate says, one challenge for each algorithm (section 3.7). ``stale``: only the nonce was wrong."""
    said = ", stale=true" if stale else ""
    return [f'Digest qop="auth", realm="{realm}", nonce="{nonce}", algorithm={algorithm}{said}' for algorithm in algorithms]


def read(credentials: str, algorithms: Sequence[str]) -> Response:
    """What follows the scheme (section 3.4). :raises Refused: ``MALFORMED``."""
    found: dict[str, str] = {}
    at = 0
    while at < len(credentials):
        parameter = _PARAMETER.match(credentials, at) if len(credentials) <= _MAXIMUM else None
        if parameter is None or parameter[1].lower() in found:
            raise Refused(Reason.MALFORMED, _CLAUSE, "Digest credentials are parameters, each once, with commas between")
        quoted = parameter[2]
        found[parameter[1].lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else parameter[3]
        at = parameter.end()
    missing = _NEEDED - found.keys()
    if missing:
        raise Refused(Reason.MALFORMED, _CLAUSE, "Digest credentials lack a parameter", expected=", ".join(sorted(missing)))
    algorithm = found.get("algorithm", "MD5")
    if algorithm not in algorithms or found["qop"] != "auth":
        raise Refused(
            Reason.MALFORMED,
            "RFC 7616 section 3.3",
            "Digest with an algorithm or quality of protection that was not offered",
            expected=f"{' or '.join(algorithms)}, qop auth",
        )
    if not re.fullmatch(r"[0-9A-Fa-f]{8}", found["nc"]):
        raise Refused(Reason.MALFORMED, _CLAUSE, "a nonce count is 8 hexadecimal digits")
    return Response(
        algorithm,
        found["username"],
        found["realm"],
        found["nonce"],
        found["uri"],
        found["nc"],
        found["cnonce"],
        found["response"].lower(),
    )


def verify(answer: Response, password: bytes, method: str) -> bool:
    """Whether the answer was computed with this password (section 3.4.1). In constant time for each password."""
    make = _HASHES[answer.algorithm]

    def digest(*parts: bytes) -> str:
        hashed: str = make(b":".join(parts)).hexdigest()
        return hashed

    a1 = digest(answer.username.encode(), answer.realm.encode(), password)
    a2 = digest(method.encode(), answer.uri.encode())
    expected = digest(a1.encode(), answer.nonce.encode(), answer.nc.encode(), answer.cnonce.encode(), b"auth", a2.encode())
    return hmac.compare_digest(expected.encode(), answer.response.encode())
