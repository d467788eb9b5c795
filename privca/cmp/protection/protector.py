"""How an answer is protected: like the request (RFC 9483 section 3.2), and never by a MAC under a secret that the request did not prove."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from privca.base.exchange import Exchange
from privca.cmp.protection.password import PasswordMac
from privca.cmp.rfc9810.message import directory_name
from privca.enrollment.credentials import Secret
from privca.issuance.authorities import Authorities
from privca.issuance.delegates import Delegates, Purpose
from privca.issuance.options.cmp import CmpOptions
from privca.issuance.ports import Keys


@dataclass(frozen=True, slots=True)
class Prepared:
    """What stands in the header of an answer before it is protected. ``sender`` is a GeneralName, ``algorithm`` an AlgorithmIdentifier,
    both as DER; ``certificates`` begin extraCerts."""

    sender: bytes
    key_identifier: bytes | None
    algorithm: bytes | None
    certificates: Sequence[bytes] = ()


class Protector(Protocol):
    """Protects the answers to one sender."""

    @property
    def credential(self) -> bytes:
        """A digest of what the sender proved itself with: the same for all messages of a transaction. Empty: nothing."""

    async def prepare(self, exchange: Exchange) -> Prepared:
        """What the header must say."""

    async def protect(self, part: bytes) -> bytes | None:
        """The protection over a ProtectedPart (DER); None: there is none."""


class SigningProtector:
    """Signs with the CMP delegate of the CA, or with the CA's own key where the profile says so.

    :param signer: the certificate of the sender (DER) whose signature verified; empty if none did.
    """

    def __init__(
        self, authority: str, options: CmpOptions, delegates: Delegates, authorities: Authorities, keys: Keys, signer: bytes
    ) -> None:
        self._authority = authority
        self._options = options
        self._delegates = delegates
        self._authorities = authorities
        self._keys = keys
        self._reference = self._hash_name = ""
        self.credential = hashlib.sha256(b"certificate" + signer).digest() if signer else b""

    async def prepare(self, exchange: Exchange) -> Prepared:
        """The delegate's, or the CA's, name, key identifier and chain."""
        if self._options.signer == "ca":
            key = await self._authorities.current(self._authority)
            self._reference, self._hash_name = key.signer.reference, key.signer.hash_name
            chain = (await self._authorities.chains(self._authority, key.signer.number))[0]
            return Prepared(
                directory_name(key.signer.subject_der), key.signer.facts.key_identifier, key.signer.algorithm, chain[:-1] or chain
            )
        delegate = await self._delegates.current(self._authority, Purpose.CMP)
        self._reference, self._hash_name = delegate.reference, delegate.hash_name
        # The root is left out: nobody may trust it because it stands here (RFC 9483 section 3.3).
        return Prepared(
            directory_name(delegate.subject.public_bytes()),
            delegate.key_identifier,
            delegate.algorithm,
            (delegate.certificate, *delegate.chain[:-1]),
        )

    async def protect(self, part: bytes) -> bytes:
        """The signature."""
        return await self._keys.sign(self._reference, part, self._hash_name)


class MacProtector:
    """Computes a MAC under the secret that the request was protected with, and a salt of our own."""

    def __init__(
        self,
        authority: str,
        options: CmpOptions,
        authorities: Authorities,
        derived: DerivedKeys,
        secret: Secret,
        mac: PasswordMac,
    ) -> None:
        self._authority = authority
        self._options = options
        self._authorities = authorities
        self._derived = derived
        self._secret = secret
        self._mac = mac
        self._key = b""
        self.credential = hashlib.sha256(b"secret" + secret.id.encode() + b"\0" + secret.reference.encode()).digest()

    @property
    def secret(self) -> Secret:
        """The secret that verified."""
        return self._secret

    async def prepare(self, exchange: Exchange) -> Prepared:
        """The CA's name; the client's reference tells which secret it is."""
        self._mac, self._key = self._derived.ours(exchange, self._secret, self._mac, self._options.iterations)
        authority = await self._authorities.current(self._authority)
        return Prepared(directory_name(authority.signer.subject_der), self._secret.reference.encode(), self._mac.encode())

    async def protect(self, part: bytes) -> bytes:
        """The MAC."""
        return self._mac.compute(self._key, part)


class DerivedKeys:
    """Keys that were derived from secrets lately, in memory alone: the parameters of a MAC should stay the same throughout a transaction
    (RFC 9810 section 5.1.3.1), so that neither side computes them for every message. Ours stay the same for a secret as long as they are
    remembered: a salt keeps tables of guesses from being made in advance, and needs not be new for each message."""

    _MAXIMUM = 256

    def __init__(self) -> None:
        self._ours: dict[tuple[object, ...], tuple[PasswordMac, bytes]] = {}
        self._theirs: dict[tuple[bytes, PasswordMac], bytes] = {}

    def ours(self, exchange: Exchange, secret: Secret, received: PasswordMac, iterations: int) -> tuple[PasswordMac, bytes]:
        """Parameters with a salt of ours, otherwise like those received, and the key."""
        count = max(iterations, received.iterations)
        name = (secret.value, received.scheme, received.derivation, received.mac, received.key_octets, count)
        known = self._ours.pop(name, None)
        if known is None:
            mac = received.for_reply(exchange.entropy, iterations)
            known = (mac, mac.key(secret.value))
            if len(self._ours) >= self._MAXIMUM:
                del self._ours[next(iter(self._ours))]
        self._ours[name] = known
        return known

    def theirs(self, secret: Secret, received: PasswordMac) -> bytes:
        """The key for parameters that a client chose."""
        name = (secret.value, received)
        known = self._theirs.pop(name, None)
        if known is None:
            known = received.key(secret.value)
            if len(self._theirs) >= self._MAXIMUM:
                del self._theirs[next(iter(self._theirs))]
        self._theirs[name] = known
        return known


class NoProtector:
    """Leaves an answer unprotected: where nothing is known that its reader could verify (RFC 9483 section 3.6.4)."""

    credential = b""

    def __init__(self, sender: bytes) -> None:
        self._sender = sender

    async def prepare(self, exchange: Exchange) -> Prepared:
        """No algorithm."""
        return Prepared(self._sender, None, None)

    async def protect(self, part: bytes) -> None:
        """Nothing."""
        return
