"""Nonces (RFC 8555 sections 6.5 and 7.2): made without a store, spent in it, so that all workers of one store agree.

A nonce is its end (5 octets, seconds since 1970), 12 octets that make it unique, and 16 octets of a keyed BLAKE2b (RFC 7693) over its scope
and both. The scope is a profile ID, or nothing for a nonce that was handed out where the account tells the profile, which every profile
accepts.

A process that serves alone spends its nonces in its own memory (:class:`SpentHere`), under a key that it made for itself. So whatever other
process there is, before it, after it or beside it, refuses its nonces, and it refuses theirs: no nonce is ever good twice, and a client whose
nonce was issued before a restart is told badNonce and retries with the one that comes with it, as section 6.5 wants. A transaction for each
request would cost 6 % of an issuance.
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
_TIME, _UNIQUE, _MAC = 5, 12, 16
_LENGTH = (_TIME + _UNIQUE + _MAC) // 3 * 4
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


class SpentHere:
    """The spent nonces of one process: they are numbered, and a bit for each number tells whether it was spent.

    The bits lie in blocks, each kept until the last nonce that was spent in it has expired: 8 KiB for 65536 nonces, and nothing for
    those that nobody spends.
    """

    _BLOCK = 1 << 16

    def __init__(self) -> None:
        self._next = 0
        self._blocks: dict[int, bytearray] = {}
        self._ends: dict[int, datetime] = {}

    def number(self) -> bytes:
        """The next number, in as many octets as a nonce has for it."""
        self._next += 1
        return self._next.to_bytes(_UNIQUE, "big")

    def spend(self, number: bytes, expires: datetime) -> bool:
        """Record that a nonce appeared; False if it had appeared before."""
        block, at = divmod(int.from_bytes(number, "big"), self._BLOCK)
        bits = self._blocks.get(block)
        if bits is None:
            bits = self._blocks[block] = bytearray(self._BLOCK // 8)
            self._ends[block] = expires
        elif expires > self._ends[block]:
            self._ends[block] = expires
        octet, bit = at >> 3, 1 << (at & 7)
        if bits[octet] & bit:
            return False
        bits[octet] |= bit
        return True

    def forget(self, expired_before: datetime) -> None:
        """Drop the blocks in which nothing that was spent is still alive."""
        for block in [block for block, end in self._ends.items() if end < expired_before]:
            del self._blocks[block], self._ends[block]


class Nonces:
    """Makes and spends nonces; ``key`` is secret and the same in all workers of the store.

    :param here: where this process remembers what is spent, if it serves alone; then nobody else ever has ``key``.
    """

    def __init__(self, key: bytes, store: AcmeStore, here: SpentHere | None = None) -> None:
        # Copied for each MAC, since a key costs the hash as much as a block of text.
        self._keyed = hashlib.blake2b(digest_size=_MAC, key=key)
        self._store = store
        self._here = here
        self._good = 0

    def issue(self, scope: str, expires: datetime, entropy: Entropy) -> str:
        """A fresh nonce."""
        unique = entropy.octets(_UNIQUE) if self._here is None else self._here.number()
        body = int(expires.timestamp()).to_bytes(_TIME, "big") + unique
        return urlsafe_b64encode(body + self._mac(scope, body)).decode("ascii")

    async def spend(self, nonce: object, profile_id: str, now: datetime, refused: int = 0) -> None:
        """Accept a nonce once; of so many good ones refuse the last, as any server may refuse one.

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
        unique = body[_TIME:]
        fresh = await self._store.spend_nonce(scope, unique, expires) if self._here is None else self._here.spend(unique, expires)
        if not fresh:
            raise Refused(Reason.BAD_NONCE, "RFC 8555 section 6.5", "this nonce was used before")
        self._good += 1
        if refused and self._good % refused == 0:
            raise Refused(
                Reason.BAD_NONCE, "RFC 8555 section 6.5", f"of {refused} nonces one is refused here, for clients to try again"
            )

    async def forget(self, expired_before: datetime) -> None:
        """Forget spent nonces that had expired before that time; also those that the store has from processes that shared it."""
        if self._here is not None:
            self._here.forget(expired_before)
        await self._store.forget_nonces(expired_before)

    def _mac(self, scope: str, body: bytes) -> bytes:
        mac = self._keyed.copy()
        mac.update(scope.encode() + b"\0" + body)
        return mac.digest()
