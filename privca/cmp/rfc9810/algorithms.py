"""Kinds of public keys as AlgorithmIdentifiers (RFC 9810 section 5.3.19.2; RFC 5480, RFC 8410, RFC 9881, RFC 9935)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from cryptography import x509

from privca.pkix import der


def _identifier(oid: str, parameters: bytes = b"") -> bytes:
    return der.tlv(0x30, der.oid(x509.ObjectIdentifier(oid)), parameters)


def _curve(oid: str) -> bytes:
    return _identifier("1.2.840.10045.2.1", der.oid(x509.ObjectIdentifier(oid)))


RSA = _identifier("1.2.840.113549.1.1.1", b"\x05\x00")
KEYS: Mapping[str, bytes] = MappingProxyType(
    {
        "P-256": _curve("1.2.840.10045.3.1.7"),
        "P-384": _curve("1.3.132.0.34"),
        "P-521": _curve("1.3.132.0.35"),
        "RSA": RSA,
        "Ed25519": _identifier("1.3.101.112"),
        "Ed448": _identifier("1.3.101.113"),
        "X25519": _identifier("1.3.101.110"),
        "X448": _identifier("1.3.101.111"),
        "ML-DSA-44": _identifier("2.16.840.1.101.3.4.3.17"),
        "ML-DSA-65": _identifier("2.16.840.1.101.3.4.3.18"),
        "ML-DSA-87": _identifier("2.16.840.1.101.3.4.3.19"),
        "ML-KEM-768": _identifier("2.16.840.1.101.3.4.4.2"),
        "ML-KEM-1024": _identifier("2.16.840.1.101.3.4.4.3"),
    }
)
"""AlgorithmIdentifier (DER) of each kind of key that a profile may certify."""
KINDS: Mapping[bytes, str] = MappingProxyType({octets: kind for kind, octets in KEYS.items()})
_ENCRYPT = frozenset(("P-256", "P-384", "P-521", "RSA", "X25519", "X448", "ML-KEM-768", "ML-KEM-1024"))
_SIGN = frozenset(KEYS) - {"X25519", "X448", "ML-KEM-768", "ML-KEM-1024"}


def signing(kinds: Iterable[str]) -> list[bytes]:
    """Those of these kinds that sign."""
    return [KEYS[kind] for kind in kinds if kind in _SIGN]


def encrypting(kinds: Iterable[str]) -> list[bytes]:
    """Those of these kinds that encrypt, agree or encapsulate."""
    return [KEYS[kind] for kind in kinds if kind in _ENCRYPT]
