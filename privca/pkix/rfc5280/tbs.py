"""What is to be signed, without the key that signs: cryptography's builder encodes, a key that signs nothing keeps the octets.

So a TBSCertificate can be linted and recorded before any key sees it, and the key can be anywhere (a file, an HSM, a thread).
"""

from __future__ import annotations

from typing import Any, NoReturn

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa

from privca.pkix import der, signatures, weak

_SEQUENCE, _BIT_STRING = 0x30, 0x03


class _Capturing:
    """What all kinds of capturing keys share: the public half, and a signature that is none.

    It stands before the key's abstract class and answers every abstract method of every kind; only the public ones do something.
    """

    def __init__(self, public_key: Any) -> None:
        self._public_key = public_key
        self.captured = b""

    def public_key(self) -> Any:
        return self._public_key

    def sign(self, data: Any, *_parameters: Any, **_options: Any) -> bytes:
        self.captured = bytes(data)
        return b"\x00"

    @property
    def key_size(self) -> int:
        return weak.bits(self._public_key)

    @property
    def curve(self) -> Any:
        return self._public_key.curve

    def _nothing(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError("a capturing key has no private half")

    decrypt = exchange = private_bytes = private_bytes_raw = private_numbers = sign_mu = __copy__ = __deepcopy__ = _nothing


class _CapturingEc(_Capturing, ec.EllipticCurvePrivateKey):
    pass


class _CapturingRsa(_Capturing, rsa.RSAPrivateKey):
    pass


class _CapturingEd25519(_Capturing, ed25519.Ed25519PrivateKey):
    pass


class _CapturingEd448(_Capturing, ed448.Ed448PrivateKey):
    pass


class _CapturingMldsa44(_Capturing, mldsa.MLDSA44PrivateKey):
    pass


class _CapturingMldsa65(_Capturing, mldsa.MLDSA65PrivateKey):
    pass


class _CapturingMldsa87(_Capturing, mldsa.MLDSA87PrivateKey):
    pass


_KINDS: dict[str, Any] = {
    "P-256": _CapturingEc,
    "P-384": _CapturingEc,
    "P-521": _CapturingEc,
    "RSA": _CapturingRsa,
    "Ed25519": _CapturingEd25519,
    "Ed448": _CapturingEd448,
    "ML-DSA-44": _CapturingMldsa44,
    "ML-DSA-65": _CapturingMldsa65,
    "ML-DSA-87": _CapturingMldsa87,
}
# Kinds whose signature scheme has its own hash: the builder wants None for them.
_OWN_HASH = frozenset(("Ed25519", "Ed448", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"))


def certificate_tbs(builder: x509.CertificateBuilder, issuer_key: weak.SigningPublicKey, hash_name: str) -> bytes:
    """The TBSCertificate, as DER, of what ``builder`` holds, to be signed by the private half of ``issuer_key``.

    :param hash_name: ``sha256``, ``sha384`` or ``sha512``; Ed25519, Ed448 and ML-DSA ignore it.
    :raises ValueError: if the builder lacks a field that RFC 5280 section 4.1 wants.
    """
    kind = weak.kind(issuer_key)
    capturing = _KINDS[kind](issuer_key)
    builder.sign(capturing, None if kind in _OWN_HASH else signatures.HASHES[hash_name])
    return bytes(capturing.captured)


def assemble(tbs: bytes, algorithm: bytes, signature: bytes) -> bytes:
    """The Certificate or CertificateList (RFC 5280 sections 4.1 and 5.1), as DER.

    :param algorithm: AlgorithmIdentifier as DER, the very one that stands in ``tbs`` (section 4.1.1.2).
    """
    return der.tlv(_SEQUENCE, tbs, algorithm, der.tlv(_BIT_STRING, b"\x00", signature))
