"""Randomness as an argument, so that vectors and faults can be reproduced from a seed."""

from __future__ import annotations

import hashlib
import os
from base64 import urlsafe_b64encode
from typing import Protocol


class Entropy(Protocol):
    """Hands out random octets."""

    def octets(self, count: int) -> bytes:
        """``count`` random octets."""


class SystemEntropy:
    """The operating system's generator."""

    def octets(self, count: int) -> bytes:
        """``count`` octets from the operating system."""
        return os.urandom(count)


class SeededEntropy:
    """SHA-256 in counter mode over a seed: reproducible, for vectors and labs only, never for keys that matter."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._counter = 0

    def octets(self, count: int) -> bytes:
        """The next ``count`` octets of the sequence."""
        out = b""
        while len(out) < count:
            out += hashlib.sha256(self._seed + self._counter.to_bytes(8, "big")).digest()
            self._counter += 1
        return out[:count]


def token(entropy: Entropy, octets: int = 16) -> str:
    """A random base64url string of ``octets`` octets: 16 are the 128 bits that RFC 8555 section 8.1 asks for at least."""
    return urlsafe_b64encode(entropy.octets(octets)).rstrip(b"=").decode("ascii")
