"""Signature algorithms of certificates, CRLs and requests: their AlgorithmIdentifiers, and verification.

RFC 3279 section 2.2, RFC 4055 (RSA), RFC 5758 section 3.2 (ECDSA), RFC 8410 (EdDSA), RFC 9881 (ML-DSA). SHA-1 and older are refused.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Annotated

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from privca.base.refused import Reason, Refused
from privca.pkix import der, weak

_CLAUSE = "RFC 5280 section 4.1.1.2"
_SEQUENCE, _NULL = 0x30, b"\x05\x00"

HASHES: dict[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
"""The hashes that we sign and accept."""


@der.sequence
class _Algorithm:
    algorithm: x509.ObjectIdentifier
    parameters: der.Null | der.TLV | None


@der.sequence
class _Mgf:
    algorithm: x509.ObjectIdentifier
    hash: _Algorithm


@der.sequence
class _PssParameters:
    # The defaults of RFC 4055 section 3.1 are all SHA-1: whoever leaves hash or mask generation out is refused like SHA-1.
    hash: Annotated[_Algorithm | None, der.Explicit(0)]
    mask: Annotated[_Mgf | None, der.Explicit(1)]
    salt_length: Annotated[int, der.Explicit(2), der.Default(20)]
    trailer: Annotated[int, der.Explicit(3), der.Default(1)]


@der.sequence
class _Pss:
    algorithm: x509.ObjectIdentifier
    parameters: _PssParameters


def _identifier(oid: str, parameters: bytes = b"") -> bytes:
    """DER of an AlgorithmIdentifier."""
    return der.tlv(_SEQUENCE, der.oid(x509.ObjectIdentifier(oid)), parameters)


_RSA = {"sha256": "1.2.840.113549.1.1.11", "sha384": "1.2.840.113549.1.1.12", "sha512": "1.2.840.113549.1.1.13"}
_ECDSA = {"sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"}
_WITHOUT_HASH = {
    "Ed25519": "1.3.101.112",
    "Ed448": "1.3.101.113",
    "ML-DSA-44": "2.16.840.1.101.3.4.3.17",
    "ML-DSA-65": "2.16.840.1.101.3.4.3.18",
    "ML-DSA-87": "2.16.840.1.101.3.4.3.19",
}
_HASH_OIDS = {"2.16.840.1.101.3.4.2.1": "sha256", "2.16.840.1.101.3.4.2.2": "sha384", "2.16.840.1.101.3.4.2.3": "sha512"}
_PSS_OID = x509.ObjectIdentifier("1.2.840.113549.1.1.10")
_MGF1 = "1.2.840.113549.1.1.8"
_OUTDATED = {
    "1.2.840.113549.1.1.2": "MD2",
    "1.2.840.113549.1.1.3": "MD4",
    "1.2.840.113549.1.1.4": "MD5",
    "1.2.840.113549.1.1.5": "SHA-1",
    "1.3.14.3.2.29": "SHA-1",
    "1.2.840.10045.4.1": "SHA-1",
    "1.2.840.10040.4.3": "SHA-1",
}
_CURVES = frozenset(("P-256", "P-384", "P-521"))

_SIGNING: dict[tuple[str, str], bytes] = {
    **{("RSA", name): _identifier(oid, _NULL) for name, oid in _RSA.items()},
    **{(curve, name): _identifier(oid) for curve in _CURVES for name, oid in _ECDSA.items()},
}
_SIGNING_WITHOUT_HASH = {kind: _identifier(oid) for kind, oid in _WITHOUT_HASH.items()}

# What is received is looked up by its octets: DER gives each of these exactly one form, RSA two (RFC 4055 section 5: with NULL or without).
_RECEIVED: dict[bytes, tuple[str, str]] = {
    **{_identifier(oid, _NULL): ("RSA", name) for name, oid in _RSA.items()},
    **{_identifier(oid): ("RSA", name) for name, oid in _RSA.items()},
    **{_identifier(oid): ("EC", name) for name, oid in _ECDSA.items()},
    **{_identifier(oid): (kind, "") for kind, oid in _WITHOUT_HASH.items()},
}


_OLD: dict[bytes, tuple[str, str]] = {
    **{_identifier("1.2.840.113549.1.1.4", parameters): ("RSA", "md5") for parameters in (_NULL, b"")},
    **{_identifier("1.2.840.113549.1.1.5", parameters): ("RSA", "sha1") for parameters in (_NULL, b"")},
    _identifier("1.2.840.10045.4.1"): ("EC", "sha1"),
}
"""What old devices sign certification requests with: accepted only where that proves possession of the key beside another signature."""
_OLD_HASHES: dict[str, hashes.HashAlgorithm] = {"md5": hashes.MD5(), "sha1": hashes.SHA1()}  # noqa: S303 - for old devices


def algorithm(public_key: weak.SigningPublicKey, hash_name: str) -> bytes:
    """The AlgorithmIdentifier, as DER, of signatures that the private half of this key makes with this hash.

    Ed25519, Ed448 and ML-DSA have no choice of hash and ignore it. :raises KeyError: for a hash that is not in :data:`HASHES`.
    """
    kind = weak.kind(public_key)
    without_hash = _SIGNING_WITHOUT_HASH.get(kind)
    return _SIGNING[kind, hash_name] if without_hash is None else without_hash


def verify(
    public_key: weak.CertifiedPublicKey, identifier: bytes, signature: bytes, message: bytes, old: Container[str] = ()
) -> str:
    """Verify a signature under a key; the name of its hash (``sha256`` ...), empty where the scheme has its own.

    :param identifier: AlgorithmIdentifier as DER.
    :param old: hashes that are accepted although they are no longer safe: ``md5``, ``sha1``.
    :raises Refused: ``BAD_SIGNATURE_ALGORITHM`` for one that is unknown, too old, or not the key's, ``BAD_SIGNATURE`` for a signature that
        does not verify.
    """
    family, hash_name = _RECEIVED.get(identifier, ("", ""))
    if not family and _OLD.get(identifier, ("", ""))[1] in old:
        family, hash_name = _OLD[identifier]
    rsa_padding: padding.PKCS1v15 | padding.PSS = padding.PKCS1v15()
    if not family:
        hash_name, rsa_padding = pss(identifier)
        family = "RSA"
    kind = weak.kind(public_key)
    if family != ("EC" if kind in _CURVES else kind):
        raise _refuse("the signature algorithm does not belong to the key", expected=f"one for {kind}", got=f"one for {family}")
    try:
        if isinstance(public_key, ec.EllipticCurvePublicKey):
            public_key.verify(signature, message, ec.ECDSA(_hash(hash_name)))
        elif isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, message, rsa_padding, _hash(hash_name))
        elif isinstance(public_key, weak.AGREES):
            raise _refuse("a key of this kind does not sign", got=kind)
        else:
            public_key.verify(signature, message)
    except (InvalidSignature, ValueError):
        raise Refused(Reason.BAD_SIGNATURE, _CLAUSE, "the signature does not verify under the public key") from None
    return hash_name


def _hash(name: str) -> hashes.HashAlgorithm:
    return HASHES[name] if name in HASHES else _OLD_HASHES[name]


def _refuse(detail: str, *, expected: str | None = None, got: str | None = None) -> Refused:
    return Refused(Reason.BAD_SIGNATURE_ALGORITHM, _CLAUSE, detail, expected=expected, got=got)


def pss(identifier: bytes) -> tuple[str, padding.PSS]:
    """Hash and padding of an RSASSA-PSS AlgorithmIdentifier; every other one is refused here."""
    oid = der.decode(_Algorithm, identifier, clause=_CLAUSE).algorithm
    accepted = "SHA-256, SHA-384 or SHA-512 with RSA or ECDSA, Ed25519, Ed448 or ML-DSA"
    if oid != _PSS_OID:
        outdated = _OUTDATED.get(oid.dotted_string)
        if outdated is not None:
            raise _refuse("the signature uses a hash that is no longer safe", expected=accepted, got=outdated)
        raise _refuse("unknown signature algorithm or parameters", expected=accepted, got=oid.dotted_string)
    parameters = der.decode(_Pss, identifier, clause="RFC 4055 section 3.1").parameters
    if parameters.hash is None or parameters.mask is None or parameters.mask.algorithm.dotted_string != _MGF1:
        raise _refuse("RSASSA-PSS without a hash or with another mask generation than MGF1", expected=accepted, got="SHA-1")
    hash_name = _HASH_OIDS.get(parameters.hash.algorithm.dotted_string)
    mask_hash = _HASH_OIDS.get(parameters.mask.hash.algorithm.dotted_string)
    if hash_name is None or mask_hash is None or parameters.trailer != 1 or not 0 <= parameters.salt_length <= 1024:
        raise _refuse("RSASSA-PSS with parameters that we do not accept", expected=accepted)
    return hash_name, padding.PSS(padding.MGF1(HASHES[mask_hash]), parameters.salt_length)
