"""Codes and passcodes: how they are made, and which that people choose are good enough."""

from __future__ import annotations

from privca.base.entropy import Entropy

LEAST = 12
"""Characters that a code has at least. Who records a CMP or SCEP message can try codes against it at leisure."""
MOST = 200
"""Characters that a code has at most: a challengePassword holds 255 (RFC 2985 section 5.4.1)."""
# No letter or digit that is taken for another one when it is typed: 32 characters, so that five bits choose one evenly.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_CHARACTERS = 20


def generated(entropy: Entropy) -> bytes:
    """A new code or passcode: 20 characters that any protocol and keyboard can carry, 100 bits."""
    return "".join(_ALPHABET[octet & 31] for octet in entropy.octets(_CHARACTERS)).encode()


def code_fault(value: str) -> str:
    """What is wrong with a code that somebody chose; empty: nothing."""
    if not value.isascii() or not value.isprintable() or value != value.strip():
        # Each protocol has an encoding of its own for anything else, and clients differ in it.
        return "a code is made of printable ASCII characters, without a space at either end"
    if not LEAST <= len(value) <= MOST:
        return f"a code has {LEAST} to {MOST} characters; this one has {len(value)}"
    if len(set(value)) < LEAST // 2:
        return "this code is easily guessed: it has hardly any different characters"
    return ""
