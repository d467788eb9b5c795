"""What EST needs from the outside beside the CA: keys that it makes for clients, and keys that it encrypts them to."""

from __future__ import annotations

from typing import Protocol


class KeyMaker(Protocol):
    """Makes keys for others. They are kept nowhere."""

    async def make(self, kind: str) -> bytes:
        """A new private key of a kind of ``EstOptions.server_key``: PrivateKeyInfo (PKCS #8) as DER."""


class DecryptionKeys(Protocol):
    """Keys to which a generated private key is encrypted, by the identifier that a client names. How both sides came to have them is no
    matter of EST (RFC 7030 sections 4.4.1.1 and 4.4.1.2)."""

    async def secret_key(self, profile_id: str, identifier: bytes) -> bytes | None:
        """The key-encryption key (16, 24 or 32 octets, AES) of this identifier, or None."""

    async def recipient(self, profile_id: str, identifier: bytes) -> bytes | None:
        """The certificate (DER) of the public key of this identifier, or None."""
