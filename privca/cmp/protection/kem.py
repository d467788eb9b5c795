"""Protection by a key encapsulation mechanism (RFC 9810 section 5.1.3.4)."""

from __future__ import annotations

from cryptography import x509

from privca.pkix import der
from privca.pkix.requested import AlgorithmIdentifier

KEM_BASED_MAC = x509.ObjectIdentifier("1.2.840.113533.7.66.16")


def is_kem(algorithm: bytes) -> bool:
    """Whether a protectionAlg (DER) is a KEM-based MAC."""
    return der.decode(AlgorithmIdentifier, algorithm, clause="RFC 9810 section 5.1.3.4").algorithm == KEM_BASED_MAC
