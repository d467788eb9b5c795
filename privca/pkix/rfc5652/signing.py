"""Signatures of SignedData (RFC 5652 sections 5.4 to 5.6): signers of ours by a port that takes octets and gives octets, and verification.

A message is made in three steps, so that the key may be anywhere: what is to be signed, the signature, the SignerInfo. :func:`sign` does
all three with an async port.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key

from privca.base.refused import Reason, Refused
from privca.pkix import algorithms, der, signatures, weak
from privca.pkix.rfc5652.content import DATA
from privca.pkix.rfc5652.identifiers import Identifier
from privca.pkix.rfc5652.signed_data import Signer, assemble, attribute, set_of

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"

SHA2 = frozenset(("sha256", "sha384", "sha512", "shake256"))
"""The digests that are accepted where a caller names none."""

_SEQUENCE, _SET, _OCTET_STRING, _IMPLICIT_0 = 0x30, 0x31, 0x04, 0xA0
_SIGNATURE_CLAUSE = "RFC 5652 section 5.4"


def digest(name: str, content: bytes) -> bytes:
    """The message digest of ``content`` by a name of :data:`privca.pkix.algorithms.HASHES`."""
    hasher = hashes.Hash(algorithms.HASHES[name])
    hasher.update(content)
    return hasher.finalize()


def signature_algorithm(public_key: PublicKeyTypes, digest_name: str, *, pss: bool = False) -> bytes:
    """The signatureAlgorithm, as DER, of what the private half of a key signs with this digest.

    RSA PKCS #1 v1.5 is called rsaEncryption (RFC 3370 section 3.2), which the oldest readers know too.

    :param pss: RSASSA-PSS (RFC 4056), of SHA-2 alone.
    :raises Refused: for a key or digest that makes no signature here.
    """
    kind = weak.kind(public_key)
    if kind == "RSA":
        if not pss:
            return algorithms.identifier(algorithms.RSA_ENCRYPTION, algorithms.NULL)
        return pss_identifier(digest_name)
    oid = algorithms.SIGNATURE_OIDS.get(("EC" if isinstance(public_key, ec.EllipticCurvePublicKey) else kind, "")) or (
        algorithms.SIGNATURE_OIDS.get(("EC", digest_name))
    )
    if oid is None:
        raise algorithms.unsupported(_SIGNATURE_CLAUSE, "no signature algorithm of this digest", got=digest_name)
    return algorithms.identifier(oid)


def pss_identifier(digest_name: str) -> bytes:
    """RSASSA-PSS with one hash for message and mask, and a salt of its length (RFC 4055 section 3.1)."""
    hash_algorithm = algorithms.DIGESTS[digest_name]
    length = algorithms.HASHES[digest_name].digest_size
    parameters = der.tlv(
        _SEQUENCE,
        der.tlv(0xA0, hash_algorithm),
        der.tlv(0xA1, algorithms.identifier(algorithms.MGF1, hash_algorithm)),
        der.tlv(0xA2, b"\x02\x01" + bytes((length,))),
    )
    return algorithms.identifier(algorithms.RSASSA_PSS, parameters)


def default_digest(public_key: PublicKeyTypes, chosen: str = "sha256") -> str:
    """The digest that a key signs with: the one chosen, unless its kind has its own (RFC 8419 section 3.1, RFC 9882 section 3.3)."""
    if isinstance(public_key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return chosen
    return "shake256" if isinstance(public_key, ed448.Ed448PublicKey) else "sha512"


@dataclass(frozen=True, slots=True)
class SigningParty:
    """One who signs: its name, its algorithms, and its key as a port from octets to a signature.

    ``digest`` is a name of :data:`privca.pkix.algorithms.HASHES`, ``algorithm`` the signatureAlgorithm as DER.
    """

    identifier: Identifier
    digest: str
    algorithm: bytes
    sign: Callable[[bytes], Awaitable[bytes]]


def signed_attributes(content_type: bytes, message_digest: bytes, more: Sequence[bytes] = ()) -> bytes:
    """The signed attributes as the SET OF in DER that is signed (section 5.4).

    :param content_type: DER of the OBJECT IDENTIFIER. :param more: further Attributes as DER.
    """
    return set_of(
        (
            attribute(CONTENT_TYPE, content_type),
            attribute(MESSAGE_DIGEST, der.tlv(_OCTET_STRING, message_digest)),
            *more,
        )
    )


def signer_info(party: SigningParty, signed: bytes, signature: bytes) -> bytes:
    """A SignerInfo as DER. :param signed: what :func:`signed_attributes` made; empty: there are none."""
    return der.tlv(
        _SEQUENCE,
        b"\x02\x01\x03" if party.identifier.key else b"\x02\x01\x01",
        party.identifier.encoded(),
        algorithms.DIGESTS[party.digest],
        bytes((_IMPLICIT_0,)) + signed[1:] if signed else b"",
        party.algorithm,
        der.tlv(_OCTET_STRING, signature),
    )


async def sign(
    content: bytes | None,
    parties: Sequence[SigningParty],
    *,
    content_type: str = DATA,
    attributes: Sequence[bytes] = (),
    certificates: Sequence[bytes] = (),
    crls: Sequence[bytes] = (),
    detached: bool = False,
) -> bytes:
    """A ContentInfo with SignedData over ``content``, signed by every party with signed attributes.

    ``content`` None stands for no content: the digest is then of no octets, as SCEP has it (RFC 8894 section 3.2).

    :param attributes: signed attributes beside content type and message digest, as DER. :param detached: leave the content out.
    """
    kind = algorithms.oid(content_type)
    infos = []
    for party in parties:
        signed = signed_attributes(kind, digest(party.digest, content or b""), attributes)
        infos.append(signer_info(party, signed, await party.sign(signed)))
    return assemble(
        None if detached else content,
        content_type,
        digests=[algorithms.DIGESTS[party.digest] for party in parties],
        signers=infos,
        certificates=certificates,
        crls=crls,
        version=3 if content_type != DATA or any(party.identifier.key for party in parties) else 1,
    )


def load_public_key(spki: bytes) -> PublicKeyTypes:
    """A public key that a message brings along, bounded so that a verification with it cannot cost much. :raises Refused: ``BAD_PUBLIC_KEY``."""
    try:
        key = load_der_public_key(spki)
    except (ValueError, TypeError, OverflowError, UnsupportedAlgorithm):
        raise Refused(Reason.BAD_PUBLIC_KEY, "RFC 5280 section 4.1.2.7", "not a public key that we can use") from None
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        if key.key_size > weak.RSA_MAXIMUM or not 1 < numbers.e <= weak.EXPONENT_MAXIMUM:
            raise Refused(Reason.BAD_PUBLIC_KEY, "RFC 8017 section 3.1", "an RSA public key out of bounds")
    return key


def verify(
    signer: Signer, content_type: str, content: bytes, public_key: PublicKeyTypes, *, digests: Container[str] = SHA2
) -> str:
    """Verify one signer over the octets received: content type and digest against the content, then the signature.

    :param digests: names of the accepted ones, for message digest and signature alike.
    :returns: the name of the digest.
    :raises Refused: ``BAD_SIGNATURE_ALGORITHM`` for an algorithm that is not accepted, ``BAD_SIGNATURE`` for everything else.
    """
    name = algorithms.digest_name(signer.digest)
    if not name or name not in digests:
        raise algorithms.unsupported(
            "RFC 5652 section 5.3", "a digest algorithm that is not accepted here", got=name or _oid(signer.digest)
        )
    message, alternative = content, b""
    if signer.signed:
        # Section 11.1 and 11.2: both must be there, with one value, and say what is true.
        if signer.attributes.get(CONTENT_TYPE) != (algorithms.oid(content_type),):
            raise _bad("RFC 5652 section 11.1", "the signed content type is not the one of the content")
        if signer.attributes.get(MESSAGE_DIGEST) != (der.tlv(_OCTET_STRING, digest(name, content)),):
            raise _bad("RFC 5652 section 11.2", "the signed message digest is not the one of the content")
        message, alternative = signer.signed, signer.resorted
    elif content_type != DATA:
        raise _bad("RFC 5652 section 5.3", "signed attributes are missing, and the content is not data")
    _check(public_key, signer.algorithm, name, signer.signature, message, alternative, digests)
    return name


def _check(
    public_key: PublicKeyTypes,
    algorithm: bytes,
    digest_name: str,
    signature: bytes,
    message: bytes,
    alternative: bytes,
    digests: Container[str],
) -> None:
    clause = _SIGNATURE_CLAUSE
    oid, _ = algorithms.split(algorithm, clause="RFC 5652 section 5.3")
    family, hash_name = algorithms.SIGNATURES.get(oid, ("", ""))
    scheme: padding.PKCS1v15 | padding.PSS = padding.PKCS1v15()
    if oid == algorithms.RSASSA_PSS:
        family = "RSA"
        hash_name, scheme = _pss(algorithm)
    if not family:
        raise algorithms.unsupported(clause, "an unknown signature algorithm", got=oid)
    hash_name = hash_name or digest_name
    if family in ("RSA", "EC") and hash_name not in digests:
        raise algorithms.unsupported(clause, "a hash that is not accepted here", got=hash_name)
    kind = "EC" if isinstance(public_key, ec.EllipticCurvePublicKey) else weak.kind(public_key)
    if kind != family:
        raise _bad(clause, "the signature algorithm does not belong to the key of the signer")
    for octets in (message, alternative):
        try:
            if isinstance(public_key, rsa.RSAPublicKey):
                public_key.verify(signature, octets, scheme, algorithms.HASHES[hash_name])
            elif isinstance(public_key, ec.EllipticCurvePublicKey):
                public_key.verify(signature, octets, ec.ECDSA(algorithms.HASHES[hash_name]))
            elif isinstance(
                public_key,
                ed25519.Ed25519PublicKey
                | ed448.Ed448PublicKey
                | mldsa.MLDSA44PublicKey
                | mldsa.MLDSA65PublicKey
                | mldsa.MLDSA87PublicKey,
            ):
                public_key.verify(signature, octets)
            else:
                break
        except (InvalidSignature, ValueError, UnsupportedAlgorithm):
            if not alternative:
                break
            continue
        return
    raise _bad(clause, "the signature does not verify")


def _pss(algorithm: bytes) -> tuple[str, padding.PSS]:
    try:
        return signatures.pss(algorithm)
    except Refused as refused:
        raise algorithms.unsupported(refused.clause, refused.detail, expected=refused.expected, got=refused.got) from None


def _bad(clause: str, detail: str) -> Refused:
    return Refused(Reason.BAD_SIGNATURE, clause, detail)


def _oid(algorithm: bytes) -> str:
    return algorithms.split(algorithm, clause="RFC 5652 section 5.3")[0]
