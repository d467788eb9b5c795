"""RFC 8894 section 3.2: the same message, written otherwise, as clients do. What CMS allows is granted; a server that refuses is noted."""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from conformance import der
from conformance.case import case
from conformance.scep import structures
from conformance.scep.algorithms import DIGESTS
from conformance.scep.applicants import Signer, name
from conformance.scep.draft import Draft, Mutation
from conformance.scep.lab import ScepLab
from conformance.scep.mutations import attribute, enveloped, message, recipe, signed
from conformance.scep.structures import KeyTransRecipientInfo, algorithm, decode, encode
from conformance.verdict import Level

MANDATORY = "rfc8894:2.9#mandatory"
_SHA256_WITH_RSA = "1.2.840.113549.1.1.11"


def _accepted(
    id: str, title: str, mutation: Mutation, *, fault: str, requirement: str = MANDATORY, level: Level = Level.MAY
) -> None:
    """Declare a case: the message, written in another way, is granted as the ordinary one was."""

    def body(lab: ScepLab) -> None:
        lab.granted(lab.pkcs_req(), "control before")
        why = lab.why_not(lab.client.send(lab.pkcs_req(), mutation))
        lab.check(not why, f"{mutation.name} ({mutation.clause}): expected SUCCESS, got {why}", requirement, level)

    body.__doc__ = f"{title}."
    case(f"scep.variants.{id}", covers=[requirement], kills=[f"scep.variants.{fault}"])(body)


def _signature_algorithm(data: Any) -> None:
    data["signerInfos"][0]["signatureAlgorithm"] = algorithm(_SHA256_WITH_RSA)


def _without_parameters(data: Any) -> None:
    bare = algorithm(DIGESTS["sha256"][0], b"")
    data["digestAlgorithms"].clear()
    data["digestAlgorithms"].append(encode(bare))
    data["signerInfos"][0]["digestAlgorithm"] = bare


def _indefinite(value: der.Value, levels: int) -> bytes:
    """A value in BER: indefinite lengths down to some level, and the OCTET STRING there in pieces."""
    if value.identifier == b"\x04":
        pieces = [value.octets[at : at + 1000] for at in range(0, len(value.octets), 1000)]
        return b"\x24\x80" + b"".join(structures.element(0x04, piece) for piece in pieces) + b"\0\0"
    if not levels or not value.parts:
        return der.encode(value)
    return value.identifier + b"\x80" + b"".join(_indefinite(part, levels - 1) for part in value.parts) + b"\0\0"


def _in_ber(octets: bytes) -> bytes:
    """ContentInfo, SignedData and its content, as a library writes them that does not know their lengths beforehand."""
    info = der.decode(octets)
    kind, explicit = info.parts
    data = explicit.parts[0]
    inside = [_indefinite(part, 2) if at == 2 else der.encode(part) for at, part in enumerate(data.parts)]
    body = b"\x30\x80" + b"".join(inside) + b"\0\0"
    return b"\x30\x80" + der.encode(kind) + b"\xa0\x80" + body + b"\0\0" + b"\0\0"


def _by_key_identifier(draft: Draft) -> None:
    """The signer's certificate has a key identifier, and the SignerInfo names it by that (RFC 5652 section 5.3)."""
    now = x509.load_der_x509_certificate(draft.signer.certificate)
    key = draft.signer.key.public_key()
    builder = x509.CertificateBuilder(
        now.issuer,
        now.subject,
        key,
        now.serial_number,
        now.not_valid_before_utc,
        now.not_valid_after_utc,
        [*now.extensions, x509.Extension(x509.SubjectKeyIdentifier.oid, False, x509.SubjectKeyIdentifier.from_public_key(key))],
    )
    draft.signer = Signer(draft.signer.key, builder.sign(draft.signer.key, hashes.SHA256()).public_bytes(Encoding.DER))
    digest = x509.SubjectKeyIdentifier.from_public_key(key).digest

    def change(data: Any) -> None:
        data["signerInfos"][0]["version"] = 3
        data["signerInfos"][0]["sid"] = structures.element(0x80, digest)

    draft.spoil_signed.append(change)


def _recipient_by_key_identifier(draft: Draft) -> None:
    """The recipient is named by its key identifier (RFC 5652 section 6.2.1), if its certificate has one."""
    found = x509.load_der_x509_certificate(draft.recipient).extensions
    digest = found.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest

    def change(data: Any) -> None:
        transport = decode(bytes(data["recipientInfos"][0]), KeyTransRecipientInfo(), "KeyTransRecipientInfo")
        transport["version"] = 2
        transport["rid"] = structures.element(0x80, digest)
        data["version"] = 2
        data["recipientInfos"][0] = encode(transport)

    draft.spoil_enveloped.append(change)


def _second_recipient(data: Any) -> None:
    """Somebody else can read it, too, and stands first."""
    transport = decode(bytes(data["recipientInfos"][0]), KeyTransRecipientInfo(), "KeyTransRecipientInfo")
    transport["rid"] = structures.pair(name("somebody else").public_bytes(), structures.integer(1))
    data["recipientInfos"].append(encode(transport))


def _with_ca_certificate(draft: Draft) -> None:
    draft.certificates = (draft.recipient, draft.signer.certificate)


_accepted(
    "signature-algorithm",
    "A signature may be called sha256WithRSAEncryption in place of rsaEncryption",
    signed("signatureAlgorithm.sha256WithRSAEncryption", "RFC 5754 section 3.2", _signature_algorithm),
    fault="rsa-encryption-alone",
    level=Level.SHOULD,
)
_accepted(
    "digest-without-parameters",
    "SHA-256 without parameters is SHA-256",
    signed("digestAlgorithm.without-parameters", "RFC 5754 section 2", _without_parameters),
    fault="parameters-demanded",
    level=Level.SHOULD,
)
_accepted(
    "ber",
    "A message may be BER of indefinite length",
    message("ber", "RFC 5652 section 2", _in_ber),
    fault="der-alone",
)
_accepted(
    "signer-by-key-identifier",
    "A signer may be named by its key identifier",
    Mutation("signer.by-key-identifier", "RFC 5652 section 5.3", _by_key_identifier),
    fault="issuer-and-serial-alone",
)
_accepted(
    "recipient-by-key-identifier",
    "The recipient may be named by its key identifier",
    Mutation("recipient.by-key-identifier", "RFC 5652 section 6.2.1", _recipient_by_key_identifier),
    fault="recipient-by-issuer-and-serial",
)
_accepted(
    "several-recipients",
    "A message may be for somebody else, too",
    enveloped("recipient.second", "RFC 5652 section 6.1", _second_recipient),
    fault="one-recipient",
)
_accepted(
    "several-certificates",
    "A message may have other certificates beside the signer's, in any order",
    Mutation("certificates.with-ca", "RFC 8894 section 2.3", _with_ca_certificate),
    fault="first-certificate",
    requirement="rfc8894:2.3#signer-included",
    level=Level.SHOULD,
)
_accepted(
    "unknown-attribute",
    "A signed attribute that nobody knows does no harm",
    attribute("1.3.6.1.4.1.99999.2", [structures.octet_string(b"unknown")], "unknown", "RFC 5652 section 11"),
    fault="known-attributes-alone",
)
_accepted(
    "aes256",
    "AES256-CBC is as good as AES128-CBC",
    recipe("cipher.aes256", "RFC 8894 section 3.5.2", cipher="aes256"),
    fault="aes128-alone",
    requirement="rfc8894:3.5.2#aes128-sha256",
)
