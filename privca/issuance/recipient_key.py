"""One of the CA's keys as the recipient of an encrypted message."""

from __future__ import annotations

from collections.abc import Awaitable

from privca.issuance.ports import Keys
from privca.pkix.algorithms import Oaep


class RecipientKey:
    """A key by its reference, behind the port of a recipient (:class:`privca.pkix.rfc5652.opening.PrivateKey`)."""

    def __init__(self, keys: Keys, reference: str) -> None:
        self._keys = keys
        self._reference = reference

    def decrypt(self, ciphertext: bytes, oaep: Oaep | None = None) -> Awaitable[bytes]:
        """Decrypt; keys that are not RSA refuse it."""
        return self._keys.decrypt(self._reference, ciphertext, oaep)

    def agree(self, peer: bytes) -> Awaitable[bytes]:
        """The secret shared with a public key; RSA keys refuse it."""
        return self._keys.agree(self._reference, peer)

    def decapsulate(self, ciphertext: bytes) -> Awaitable[bytes]:
        """The shared secret of a KEM ciphertext; RSA keys refuse it."""
        return self._keys.decapsulate(self._reference, ciphertext)
