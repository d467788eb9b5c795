"""Keys that generated private keys are encrypted to (port: :class:`privca.est.ports.DecryptionKeys`), as an administrator lays them down.

``DIRECTORY/PROFILE/HEX.key`` is a secret key: 16, 24 or 32 octets in hex, mode 0600; ``DIRECTORY/PROFILE/HEX.pem`` a certificate. HEX is the
key identifier that the client names, in lower case. They are read when they are asked for, so that they can be changed at any time.
"""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from privca.base.refused import Reason, Refused
from privca.keys.files import read_private

_LENGTHS = (16, 24, 32)
_MAXIMUM_OCTETS = 1 << 14


class DecryptionKeyFiles:
    """The files below one directory, which need not be there."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def secret_key(self, profile_id: str, identifier: bytes) -> bytes | None:
        """The secret key of this identifier. :raises Refused: ``INTERNAL`` if its file is open to others or has something else in it."""
        path = self._path(profile_id, identifier, "key")
        if not path.exists():
            return None
        try:
            key = bytes.fromhex(read_private(path, _MAXIMUM_OCTETS).decode("ascii"))
        except ValueError:
            key = b""
        if len(key) not in _LENGTHS:
            raise Refused(Reason.INTERNAL, "keys: format", f"{path}: not 16, 24 or 32 octets in hex")
        return key

    async def recipient(self, profile_id: str, identifier: bytes) -> bytes | None:
        """The certificate of this identifier. :raises Refused: ``INTERNAL`` if its file has none in it."""
        path = self._path(profile_id, identifier, "pem")
        if not path.exists():
            return None
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes()[:_MAXIMUM_OCTETS])
        except ValueError:
            raise Refused(Reason.INTERNAL, "keys: format", f"{path}: not a certificate in PEM") from None
        return certificate.public_bytes(Encoding.DER)

    def _path(self, profile_id: str, identifier: bytes, suffix: str) -> Path:
        # Hexadecimal digits name no other directory, whatever a client sends.
        return self._directory / profile_id / f"{identifier.hex()}.{suffix}"
