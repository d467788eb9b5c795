"""What the store needs from the keys beside it: secrets that must be recoverable are sealed before they are stored."""

from __future__ import annotations

from typing import Protocol


class Sealing(Protocol):
    """Authenticated encryption bound to a context (the adapter is ``keys.secrets``)."""

    def seal(self, plaintext: bytes, context: str) -> bytes:
        """Encrypt; only :meth:`open` with the same context gives the plaintext back."""

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt what :meth:`seal` made; an error if key, context or octets differ."""

    def derive(self, label: str) -> bytes:
        """32 secret octets for one purpose, the same each time."""
