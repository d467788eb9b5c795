"""Signatures over CRLs and OCSP responses: the AlgorithmIdentifier says how (RFC 3279, RFC 4055, RFC 5758, RFC 8410)."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

WEAK = {
    "1.2.840.113549.1.1.2": "md2WithRSAEncryption",
    "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
    "1.2.840.10040.4.3": "id-dsa-with-sha1",
    "1.2.840.10045.4.1": "ecdsa-with-SHA1",
}
"""Algorithms that nobody considers secure: their hash functions are broken (RFC 6194 section 3, RFC 6151 section 2)."""
_RSA: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.113549.1.1.5": hashes.SHA1(),  # noqa: S303 - to say that it is weak, not that it is wrong
    "1.2.840.113549.1.1.11": hashes.SHA256(),
    "1.2.840.113549.1.1.12": hashes.SHA384(),
    "1.2.840.113549.1.1.13": hashes.SHA512(),
}
_ECDSA: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.10045.4.1": hashes.SHA1(),  # noqa: S303
    "1.2.840.10045.4.3.2": hashes.SHA256(),
    "1.2.840.10045.4.3.3": hashes.SHA384(),
    "1.2.840.10045.4.3.4": hashes.SHA512(),
}
_PSS = "1.2.840.113549.1.1.10"
_PSS_HASHES: dict[bytes, hashes.HashAlgorithm] = {
    b"\x60\x86\x48\x01\x65\x03\x04\x02\x01": hashes.SHA256(),
    b"\x60\x86\x48\x01\x65\x03\x04\x02\x02": hashes.SHA384(),
    b"\x60\x86\x48\x01\x65\x03\x04\x02\x03": hashes.SHA512(),
}


class UnknownAlgorithm(Exception):
    """The examiner does not know an algorithm or a kind of key, so that it can say nothing."""


def verifies(spki: bytes, algorithm: str, parameters: bytes, signature: bytes, data: bytes) -> bool:
    """Whether a signature is right.

    :param spki: SubjectPublicKeyInfo of the signer, DER.
    :param algorithm: dotted OID of the signature; ``parameters`` are DER, empty if absent.
    :raises UnknownAlgorithm: if the examiner cannot tell.
    """
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnknownAlgorithm(f"a key that the examiner cannot read: {error}") from None
    try:
        match key:
            case rsa.RSAPublicKey() if algorithm in _RSA:
                key.verify(signature, data, padding.PKCS1v15(), _RSA[algorithm])
            case rsa.RSAPublicKey() if algorithm == _PSS:
                hash_ = next((made for oid, made in _PSS_HASHES.items() if oid in parameters), None)
                if hash_ is None:
                    raise UnknownAlgorithm("RSASSA-PSS with a hash that the examiner does not know")
                key.verify(signature, data, padding.PSS(padding.MGF1(hash_), padding.PSS.AUTO), hash_)
            case ec.EllipticCurvePublicKey() if algorithm in _ECDSA:
                key.verify(signature, data, ec.ECDSA(_ECDSA[algorithm]))
            case ed25519.Ed25519PublicKey() if algorithm == "1.3.101.112":
                key.verify(signature, data)
            case ed448.Ed448PublicKey() if algorithm == "1.3.101.113":
                key.verify(signature, data)
            case rsa.RSAPublicKey() | ec.EllipticCurvePublicKey() | ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
                # A key that the examiner knows cannot have made a signature of another kind.
                if algorithm not in {*_RSA, *_ECDSA, _PSS, "1.3.101.112", "1.3.101.113"}:
                    raise UnknownAlgorithm(f"signature algorithm {algorithm}")
                return False
            case _:
                raise UnknownAlgorithm(f"signature algorithm {algorithm} with a {type(key).__name__}")
    except InvalidSignature:
        return False
    return True
