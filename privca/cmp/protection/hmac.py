"""MAC algorithms that messages are protected with (RFC 9481 section 6.2), and hash functions by their identifiers (section 2)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from types import MappingProxyType

from cryptography import x509

from privca.base.refused import Reason, Refused
from privca.pkix import der
from privca.pkix.requested import AlgorithmIdentifier

_CLAUSE = "RFC 9481 section 6.2"

HASHES: Mapping[str, str] = MappingProxyType(
    {
        "1.3.14.3.2.26": "sha1",
        "2.16.840.1.101.3.4.2.4": "sha224",
        "2.16.840.1.101.3.4.2.1": "sha256",
        "2.16.840.1.101.3.4.2.2": "sha384",
        "2.16.840.1.101.3.4.2.3": "sha512",
    }
)
"""Names of hash functions for :mod:`hashlib` by OID."""
MACS: Mapping[str, str] = MappingProxyType(
    {
        # id-hmacSHA1 of RFC 4210, which RFC 9481 keeps for older peers, and the same by PKCS #5.
        "1.3.6.1.5.5.8.1.2": "sha1",
        "1.2.840.113549.2.7": "sha1",
        "1.2.840.113549.2.8": "sha224",
        "1.2.840.113549.2.9": "sha256",
        "1.2.840.113549.2.10": "sha384",
        "1.2.840.113549.2.11": "sha512",
    }
)
"""Hash functions of HMAC algorithms by OID."""


def name(identifier: AlgorithmIdentifier, known: Mapping[str, str], what: str) -> str:
    """The hash function that an AlgorithmIdentifier stands for. :raises Refused: ``BAD_SIGNATURE_ALGORITHM``."""
    oid = identifier.algorithm.dotted_string
    found = known.get(oid)
    if found is None or isinstance(identifier.parameters, der.TLV):
        raise Refused(
            Reason.BAD_SIGNATURE_ALGORITHM, _CLAUSE, f"unknown {what}", expected=", ".join(sorted(set(known.values()))), got=oid
        )
    return found


def compute(key: bytes, message: bytes, hash_name: str) -> bytes:
    """HMAC (RFC 2104)."""
    return hmac.digest(key, message, hash_name)


def size(hash_name: str) -> int:
    """Octets of a hash, which are the size of the HMAC key too."""
    return hashlib.new(hash_name, usedforsecurity=False).digest_size


def _identifiers(known: Mapping[str, str], parameters: bytes) -> Mapping[str, bytes]:
    """The AlgorithmIdentifier (DER) of each hash function, by the first OID that stands for it."""
    found: dict[str, bytes] = {}
    for dotted, hash_name in known.items():
        found.setdefault(hash_name, der.tlv(0x30, der.oid(x509.ObjectIdentifier(dotted)), parameters))
    return MappingProxyType(found)


PRFS: Mapping[str, str] = MappingProxyType({oid: name for oid, name in MACS.items() if not oid.startswith("1.3.6.1")})
"""PBKDF2 knows HMACs by the OIDs of PKCS #5 alone (RFC 8018 section B.1)."""
HASH_IDENTIFIERS = _identifiers(HASHES, b"")
MAC_IDENTIFIERS = _identifiers(MACS, b"\x05\x00")
PRF_IDENTIFIERS = _identifiers(PRFS, b"\x05\x00")
