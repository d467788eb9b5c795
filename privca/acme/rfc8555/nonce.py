"""Nonces (RFC 8555 sections 6.5 and 7.2): made without a store, spent in it, so that all workers of one store agree.

A nonce is its end (5 octets, seconds since 1970), 12 random octets, and 16 octets of a keyed BLAKE2b (RFC 7693) over its scope and both. The
scope is a profile ID, or nothing for a nonce that was handed out where the account tells the profile, which every profile accepts.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

from privca.acme.ports import AcmeStore
from privca.base.entropy import Entropy
from privca.base.refused import Reason, Refused

ANY_PROFILE = ""
_TIME, _RANDOM, _MAC = 5, 12, 16
_LENGTH = (_TIME + _RANDOM + _MAC) // 3 * 4
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


class Nonces:
    """Makes and spends nonces; ``key`` is secret and the same in all workers of the store."""

    def __init__(self, key: bytes, store: AcmeStore) -> None:
        self._key = key
        self._store = store

    def issue(self, scope: str, expires: datetime, entropy: Entropy) -> str:
        """A fresh nonce."""
        body = int(expires.timestamp()).to_bytes(_TIME, "big") + entropy.octets(_RANDOM)
        return urlsafe_b64encode(body + self._mac(scope, body)).decode("ascii")

    async def spend(self, nonce: object, profile_id: str, now: datetime) -> None:
        """Accept a nonce once.

        Called before anything else of the request is judged: a nonce that has appeared is spent, whatever becomes of the request.

        :raises Refused: ``BAD_NONCE``; ``MALFORMED`` if it is not base64url text (section 6.5.2).
        """
        if nonce is None:
            raise Refused(Reason.BAD_NONCE, "RFC 8555 section 6.5", "the protected header has no nonce")
        if not isinstance(nonce, str) or not _BASE64URL.fullmatch(nonce):
            raise Refused(Reason.MALFORMED, "RFC 8555 section 6.5.2", "a nonce is base64url text")
        octets = urlsafe_b64decode(nonce) if len(nonce) == _LENGTH else b""
        body, mac = octets[:-_MAC], octets[-_MAC:]
        for scope in (profile_id, ANY_PROFILE):
            if hmac.compare_digest(mac, self._mac(scope, body)):
                break
        else:
            raise Refused(Reason.BAD_NONCE, "RFC 8555 section 6.5", "this nonce was never issued here")
        expires = datetime.fromtimestamp(int.from_bytes(body[:_TIME], "big"), UTC)
        if expires <= now:
            raise Refused(Reason.BAD_NONCE, "RFC 8555 section 6.5", "this nonce is too old")
        if not await self._store.spend_nonce(scope, body[_TIME:], expires):
            raise Refused(Reason.BAD_NONCE, "RFC 8555 section 6.5", "this nonce was used before")

    def _mac(self, scope: str, body: bytes) -> bytes:
        return hashlib.blake2b(scope.encode() + b"\0" + body, digest_size=_MAC, key=self._key).digest()
