"""Secrets of the store that must be recovered in clear (MAC keys, passcodes), sealed under one key that lies in a file."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privca.base.refused import Reason, Refused
from privca.keys.files import private_directory, read_private, write_private

_KEY_OCTETS = 32
_NONCE_OCTETS = 12
_TAG_OCTETS = 16
# The first octet of everything sealed, so that another scheme can be told from this one.
_VERSION = b"\x01"


class SecretBox:
    """AES-256-GCM under keys that are derived from the 32 octets in ``key_file`` (mode 0600).

    :param create: make the key file if there is none; else a missing one is refused, since a new key opens nothing that is stored.
    :raises Refused: ``INTERNAL`` if the file is missing, open to others, or not 32 octets.
    """

    def __init__(self, key_file: Path, *, create: bool = False) -> None:
        if create and not key_file.exists():
            private_directory(key_file.parent)
            write_private(key_file, os.urandom(_KEY_OCTETS))
        key = read_private(key_file, _KEY_OCTETS + 1)
        if len(key) != _KEY_OCTETS:
            raise Refused(
                Reason.INTERNAL, "keys: format", f"{key_file}: not a key of {_KEY_OCTETS} octets", got=f"{len(key)} octets"
            )
        self._key = key
        self._file = key_file
        self._derived: dict[str, bytes] = {}
        # Sealing has a key of its own: a label of derive() can never be it, since it begins in another way.
        self._aead = AESGCM(self._hkdf(b"privca seal v1"))

    def __repr__(self) -> str:
        return f"SecretBox({str(self._file)!r})"

    def seal(self, plaintext: bytes, context: str) -> bytes:
        """``plaintext`` encrypted and bound to ``context`` (table, record, field): it opens there and nowhere else.

        The nonce is random: one key file is good for 2^32 calls (NIST SP 800-38D section 8.3).
        """
        nonce = os.urandom(_NONCE_OCTETS)
        return _VERSION + nonce + self._aead.encrypt(nonce, plaintext, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """What :meth:`seal` sealed.

        :raises Refused: ``INTERNAL``, the same text for each cause: another key, another context, or octets that were changed.
        """
        try:
            if len(sealed) < len(_VERSION) + _NONCE_OCTETS + _TAG_OCTETS or not sealed.startswith(_VERSION):
                raise InvalidTag
            nonce, rest = sealed[1 : 1 + _NONCE_OCTETS], sealed[1 + _NONCE_OCTETS :]
            return self._aead.decrypt(nonce, rest, context.encode())
        except InvalidTag:
            raise Refused(Reason.INTERNAL, "keys: sealed secret", f"a stored secret does not open with {self._file}") from None

    def derive(self, label: str) -> bytes:
        """32 octets for one purpose, the same each time (HKDF-SHA256, RFC 5869, ``label`` as info)."""
        known = self._derived.get(label)
        if known is None:
            known = self._derived[label] = self._hkdf(b"privca derive v1 " + label.encode())
        return known

    def _hkdf(self, info: bytes) -> bytes:
        return HKDF(SHA256(), _KEY_OCTETS, salt=None, info=info).derive(self._key)
