"""The named ways in which a SCEP message can be wrong: one change each, with the clause that it offends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pyasn1.type import univ

from conformance.scep import structures
from conformance.scep.algorithms import DIGESTS
from conformance.scep.applicants import Signer
from conformance.scep.draft import MESSAGE_DIGEST, Attributes, Draft, Mutation, signer_info
from conformance.scep.structures import algorithm, encode
from conformance.transport import HttpRequest

UNKNOWN = "1.3.6.1.4.1.99999.1"
"""An OID that nobody knows."""


def recipe(label: str, clause: str, **fields: Any) -> Mutation:
    """Make the message otherwise: fields of the draft."""

    def change(draft: Draft) -> None:
        for name, value in fields.items():
            setattr(draft, name, value)

    return Mutation(label, clause, change)


def attribute(kind: str, values: Sequence[bytes], label: str, clause: str) -> Mutation:
    """Give a signed attribute these values (DER), and sign that; none: leave the attribute out."""

    def spoil(attributes: Attributes) -> None:
        attributes.pop(kind, None)
        if values:
            attributes[kind] = list(values)

    return Mutation(f"attribute.{label}", clause, lambda draft: draft.spoil_attributes.append(spoil))


def envelope(label: str, clause: str, change: Callable[[bytes], bytes]) -> Mutation:
    """Change the octets of the pkcsPKIEnvelope, and sign that."""
    return Mutation(f"envelope.{label}", clause, lambda draft: draft.spoil_envelope.append(change))


def enveloped(label: str, clause: str, spoil: Callable[[Any], None]) -> Mutation:
    """Change the EnvelopedData, and sign that."""
    return Mutation(f"envelope.{label}", clause, lambda draft: draft.spoil_enveloped.append(spoil))


def signed(label: str, clause: str, spoil: Callable[[Any], None]) -> Mutation:
    """Change the SignedData after it was signed."""
    return Mutation(f"signed.{label}", clause, lambda draft: draft.spoil_signed.append(spoil))


def message(label: str, clause: str, change: Callable[[bytes], bytes]) -> Mutation:
    """Change the octets of the whole message."""
    return Mutation(f"message.{label}", clause, lambda draft: draft.spoil_message.append(change))


def http(label: str, clause: str, change: Callable[[HttpRequest], HttpRequest]) -> Mutation:
    """Change the HTTP request."""
    return Mutation(f"http.{label}", clause, lambda draft: draft.spoil_request.append(change))


def content(label: str, clause: str, change: Callable[[bytes], bytes]) -> Mutation:
    """Change the messageData before it is encrypted."""

    def spoil(draft: Draft) -> None:
        draft.content = change(draft.content)

    return Mutation(f"content.{label}", clause, spoil)


def flipped(octets: bytes) -> bytes:
    """With the last bit changed."""
    return octets[:-1] + bytes([octets[-1] ^ 1])


def signed_by(signer: Signer) -> Mutation:
    """Sign with the key of another certificate than the one that is named."""

    def change(draft: Draft) -> None:
        draft.signer = Signer(signer.key, draft.signer.certificate)

    return Mutation("signature.other-key", "RFC 5652 section 5.6", change)


def _flip_signature(data: Any) -> None:
    info = data["signerInfos"][0]
    info["signature"] = flipped(bytes(info["signature"]))


SIGNATURE_FLIPPED = signed("signature.flipped", "RFC 5652 section 5.6", _flip_signature)


def resigned(label: str, clause: str, change: Callable[[Any, Draft], None]) -> Mutation:
    """Change the SignerInfo, knowing the draft that it was made for."""

    def spoil(draft: Draft) -> None:
        draft.spoil_signed.append(lambda data: change(data["signerInfos"][0], draft))

    return Mutation(f"signer.{label}", clause, spoil)


def _other_digest(attributes: Attributes) -> None:
    value = structures.value_of(attributes[MESSAGE_DIGEST][0])
    attributes[MESSAGE_DIGEST] = [structures.octet_string(flipped(value))]


DIGEST_FLIPPED = Mutation(
    "attribute.messageDigest.other", "RFC 5652 section 11.2", lambda draft: draft.spoil_attributes.append(_other_digest)
)


def _without_attributes(info: Any, draft: Draft) -> None:
    """A SignerInfo that signs the content itself (RFC 5652 section 5.4)."""
    made = signer_info(draft.signer, draft.digest, {})
    for part in ("version", "sid", "digestAlgorithm", "signatureAlgorithm"):
        info[part] = made[part]
    info["signature"] = draft.signer.sign(draft.last_envelope, draft.digest)
    info["signedAttrs"] = univ.noValue


NO_ATTRIBUTES = resigned("without-attributes", "RFC 8894 section 3.2", _without_attributes)


def _unknown_digest(info: Any, draft: Draft) -> None:
    info["digestAlgorithm"] = algorithm(UNKNOWN)


UNKNOWN_DIGEST = resigned("digest.unknown", "RFC 8894 section 3.2.1.4", _unknown_digest)


def _unknown_cipher(data: Any) -> None:
    encrypted = data["encryptedContentInfo"]
    encrypted["contentEncryptionAlgorithm"] = algorithm(UNKNOWN, structures.octet_string(bytes(16)))


UNKNOWN_CIPHER = enveloped("cipher.unknown", "RFC 8894 section 3.2.1.4", _unknown_cipher)


def csr_signed_with_md5(draft: Draft) -> None:
    """The PKCS #10, signed with MD5."""
    info = structures.elements(draft.content)[0]
    key = draft.signer.key
    assert isinstance(key, rsa.RSAPrivateKey)
    signature = key.sign(info, padding.PKCS1v15(), DIGESTS["md5"][1])
    parts = (info, encode(algorithm("1.2.840.113549.1.1.4")), structures.element(0x03, b"\x00" + signature))
    draft.content = structures.element(0x30, b"".join(parts))


def signing_time(ago: dt.timedelta) -> Mutation:
    """Say that the message was signed so long ago."""

    def change(draft: Draft) -> None:
        draft.signing_time = dt.datetime.now(dt.UTC) - ago

    return Mutation(f"attribute.signingTime.{ago.days}-days-ago", "RFC 8894 section 3.2.1.4", change)


def get(request: HttpRequest, text: str) -> HttpRequest:
    """The request as a GET with this text as its message."""
    return replace(request, method="GET", url=f"{request.url.partition('&')[0]}&message={text}", headers=(), body=b"")
