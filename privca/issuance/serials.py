"""Serial numbers."""

from __future__ import annotations

from privca.base.entropy import Entropy


def serial_number(entropy: Entropy) -> bytes:
    """A positive serial number that is exactly 20 octets in DER, 158 of its bits random (RFC 5280 section 4.1.2.2: at most 20, positive)."""
    octets = entropy.octets(20)
    return bytes((octets[0] & 0x3F | 0x40,)) + octets[1:]
