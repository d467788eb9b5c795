"""Algorithms by name and by AlgorithmIdentifier, for CMS and what is built on it (SCEP, EST, CMC, CMP). One table for each purpose.

RFC 3370, 5754 and 8702 (digests, RSA, ECDSA), RFC 8419 (EdDSA), RFC 9882 (ML-DSA), RFC 3565 and 5084 (AES), RFC 5753 and 8418 (key
agreement), RFC 8018 and 9481 (passwords), RFC 8619 (HKDF), RFC 9936 (ML-KEM). Old algorithms stand here too, so that they can be named
when they are refused; which ones are accepted is said by who calls. Names are those of ``hashlib``; octets are DER.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from privca.base.refused import Reason, Refused
from privca.pkix import der

NULL = b"\x05\x00"
_SEQUENCE = 0x30


@der.sequence
class AlgorithmIdentifier:
    """RFC 5280 section 4.1.1.2. ``parameters`` is None where the field is absent."""

    algorithm: x509.ObjectIdentifier
    parameters: der.Null | der.TLV | None


@lru_cache(maxsize=512)
def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER as DER."""
    return der.oid(x509.ObjectIdentifier(dotted))


def identifier(dotted: str, parameters: bytes = b"") -> bytes:
    """An AlgorithmIdentifier as DER; ``parameters`` are DER, empty where the field is absent."""
    return der.tlv(_SEQUENCE, oid(dotted), parameters)


def split(algorithm: bytes, *, clause: str) -> tuple[str, bytes]:
    """The dotted OID of an AlgorithmIdentifier, and its parameters as DER, empty where they are absent. :raises Refused: ``MALFORMED``."""
    read = der.decode(AlgorithmIdentifier, algorithm, clause=clause)
    parameters = (
        b"" if read.parameters is None else NULL if isinstance(read.parameters, der.Null) else der.encode(read.parameters)
    )
    return read.algorithm.dotted_string, parameters


def unsupported(clause: str, what: str, *, expected: str | None = None, got: str | None = None) -> Refused:
    """The refusal of an algorithm that is unknown, or known and not accepted."""
    return Refused(Reason.BAD_SIGNATURE_ALGORITHM, clause, what, expected=expected, got=got)


HASHES: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),  # noqa: S303 - for old devices, where a profile names it
    "sha1": hashes.SHA1(),  # noqa: S303 - as above
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3_256": hashes.SHA3_256(),
    "sha3_384": hashes.SHA3_384(),
    "sha3_512": hashes.SHA3_512(),
    "shake256": hashes.SHAKE256(64),
}
"""Message digests. ``shake256`` has 64 octets of output (RFC 8702 section 3.1, RFC 8419 section 2.3)."""

DIGEST_OIDS: dict[str, str] = {
    "md5": "1.2.840.113549.2.5",
    "sha1": "1.3.14.3.2.26",
    "sha224": "2.16.840.1.101.3.4.2.4",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
    "sha3_256": "2.16.840.1.101.3.4.2.8",
    "sha3_384": "2.16.840.1.101.3.4.2.9",
    "sha3_512": "2.16.840.1.101.3.4.2.10",
    "shake256": "2.16.840.1.101.3.4.2.12",
}
_SHAKE256_LENGTH = "2.16.840.1.101.3.4.2.18"

# RFC 5754 section 2: the parameters are left out; RFC 3370 section 2.2 wants NULL for MD5. Either is accepted.
DIGESTS: dict[str, bytes] = {name: identifier(dotted, NULL if name == "md5" else b"") for name, dotted in DIGEST_OIDS.items()}
"""The AlgorithmIdentifier that we send, by name."""
_DIGEST_NAMES: dict[bytes, str] = {
    **{identifier(dotted): name for name, dotted in DIGEST_OIDS.items()},
    **{identifier(dotted, NULL): name for name, dotted in DIGEST_OIDS.items()},
    # RFC 8419 section 2.3: Ed448 names the length of the digest, 512 bits.
    identifier(_SHAKE256_LENGTH, b"\x02\x02\x02\x00"): "shake256",
}


def digest_name(algorithm: bytes) -> str:
    """The name of a digestAlgorithm, empty if it is unknown."""
    return _DIGEST_NAMES.get(algorithm, "")


RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
RSASSA_PSS = "1.2.840.113549.1.1.10"
RSAES_OAEP = "1.2.840.113549.1.1.7"
MGF1 = "1.2.840.113549.1.1.8"
P_SPECIFIED = "1.2.840.113549.1.1.9"

SIGNATURES: dict[str, tuple[str, str]] = {
    # RFC 3370 section 3.2: with rsaEncryption, the hash is the one of digestAlgorithm.
    RSA_ENCRYPTION: ("RSA", ""),
    "1.2.840.113549.1.1.4": ("RSA", "md5"),
    "1.2.840.113549.1.1.5": ("RSA", "sha1"),
    "1.2.840.113549.1.1.14": ("RSA", "sha224"),
    "1.2.840.113549.1.1.11": ("RSA", "sha256"),
    "1.2.840.113549.1.1.12": ("RSA", "sha384"),
    "1.2.840.113549.1.1.13": ("RSA", "sha512"),
    "1.2.840.10045.4.1": ("EC", "sha1"),
    "1.2.840.10045.4.3.1": ("EC", "sha224"),
    "1.2.840.10045.4.3.2": ("EC", "sha256"),
    "1.2.840.10045.4.3.3": ("EC", "sha384"),
    "1.2.840.10045.4.3.4": ("EC", "sha512"),
    "1.3.101.112": ("Ed25519", ""),
    "1.3.101.113": ("Ed448", ""),
    "2.16.840.1.101.3.4.3.17": ("ML-DSA-44", ""),
    "2.16.840.1.101.3.4.3.18": ("ML-DSA-65", ""),
    "2.16.840.1.101.3.4.3.19": ("ML-DSA-87", ""),
}
"""Family of key and hash of a signature algorithm; an empty hash is that of digestAlgorithm (RSA), or the scheme's own."""
SIGNATURE_OIDS: dict[tuple[str, str], str] = {pair: dotted for dotted, pair in SIGNATURES.items()}

CBC: dict[str, tuple[str, int, int]] = {
    "des": ("1.3.14.3.2.7", 8, 8),
    "3des": ("1.2.840.113549.3.7", 24, 8),
    "aes128": ("2.16.840.1.101.3.4.1.2", 16, 16),
    "aes192": ("2.16.840.1.101.3.4.1.22", 24, 16),
    "aes256": ("2.16.840.1.101.3.4.1.42", 32, 16),
}
"""Content encryption in CBC mode: OID, octets of the key, octets of a block and of the IV (RFC 3370 section 5.1, RFC 3565)."""
GCM: dict[str, tuple[str, int]] = {
    "aes128-gcm": ("2.16.840.1.101.3.4.1.6", 16),
    "aes192-gcm": ("2.16.840.1.101.3.4.1.26", 24),
    "aes256-gcm": ("2.16.840.1.101.3.4.1.46", 32),
}
"""Authenticated content encryption (RFC 5084): OID, octets of the key."""
AES_WRAP: dict[str, int] = {
    "2.16.840.1.101.3.4.1.5": 16,
    "2.16.840.1.101.3.4.1.25": 24,
    "2.16.840.1.101.3.4.1.45": 32,
}
"""Key wrapping (RFC 3394, RFC 3565 section 2.3.2): octets of the key-encryption key by OID."""
AES_WRAP_OIDS: dict[int, str] = {length: dotted for dotted, length in AES_WRAP.items()}

AGREEMENTS: dict[str, tuple[str, str]] = {
    # RFC 5753 section 7.1.4: X9.63 KDF; cofactor Diffie-Hellman is the same on curves of cofactor 1, which all of ours are.
    "1.3.133.16.840.63.0.2": ("x963", "sha1"),
    "1.3.132.1.11.0": ("x963", "sha224"),
    "1.3.132.1.11.1": ("x963", "sha256"),
    "1.3.132.1.11.2": ("x963", "sha384"),
    "1.3.132.1.11.3": ("x963", "sha512"),
    "1.3.133.16.840.63.0.3": ("x963", "sha1"),
    "1.3.132.1.14.0": ("x963", "sha224"),
    "1.3.132.1.14.1": ("x963", "sha256"),
    "1.3.132.1.14.2": ("x963", "sha384"),
    "1.3.132.1.14.3": ("x963", "sha512"),
    # RFC 8418 section 2.2: HKDF, for X25519 and X448.
    "1.2.840.113549.1.9.16.3.19": ("hkdf", "sha256"),
    "1.2.840.113549.1.9.16.3.20": ("hkdf", "sha384"),
    "1.2.840.113549.1.9.16.3.21": ("hkdf", "sha512"),
}
"""Ephemeral-static key agreement: key derivation function and its hash by OID."""

HKDF: dict[str, str] = {
    "1.2.840.113549.1.9.16.3.28": "sha256",
    "1.2.840.113549.1.9.16.3.29": "sha384",
    "1.2.840.113549.1.9.16.3.30": "sha512",
}
"""HKDF as an algorithm of its own (RFC 8619): hash by OID."""
KEMS: dict[str, str] = {"2.16.840.1.101.3.4.4.2": "ML-KEM-768", "2.16.840.1.101.3.4.4.3": "ML-KEM-1024"}
"""Key encapsulation (RFC 9936): name by OID."""

PBKDF2 = "1.2.840.113549.1.5.12"
PWRI_KEK = "1.2.840.113549.1.9.16.3.9"
HMACS: dict[str, str] = {
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.8": "sha224",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
"""HMAC as pseudorandom function and as MAC (RFC 8018 section B.1.2, RFC 9481 section 6.2): hash by OID."""


class Oaep(msgspec.Struct, frozen=True):
    """Parameters of RSAES-OAEP (RFC 8017 section 7.1): hashes by name (sha1, sha256, sha384, sha512), ``mask`` that of MGF1."""

    hash_name: str = "sha256"
    mask: str = "sha256"
    label: bytes = b""
