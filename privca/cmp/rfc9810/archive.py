"""Which private keys are archived: those that are made here, and those that clients hand over (RFC 4211 section 6.4).

A key that is handed over comes encrypted for the transport certificate of the CA (caProtEncCert, RFC 9810 section 5.3.19.1). Whatever is wrong
inside is one refusal with one text; the cause goes to the local log.
"""

from __future__ import annotations

import enum

import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_der_private_key

from privca.base.refused import Reason, Refused
from privca.cmp.ports import ArchivedKey
from privca.cmp.rfc9810.call import Call
from privca.issuance.delegates import Purpose
from privca.issuance.ports import Certificate
from privca.issuance.profile import Revisioned
from privca.issuance.recipient_key import RecipientKey
from privca.pkix import der, rfc4211
from privca.pkix.rfc5652 import content, enveloped_data
from privca.pkix.rfc5652.identifiers import Named

log = structlog.get_logger("privca.cmp")

_CLAUSE = "RFC 4211 section 6.4"
_GIVEN, _PARAMETERS, _SEQUENCE = 0xA0, 0x81, 0x30
_ARCHIVE_MADE, _ARCHIVE_NOTHING = b"\x82\x01\xff", b"\x82\x01\x00"
_MAXIMUM_OCTETS = 8192
"""Octets of a private key: that of RSA-8192 has less than 5000."""


class Source(enum.Enum):
    """Where a key that is to be archived comes from."""

    NONE = "nothing is archived"
    MADE = "it is made here"
    GIVEN = "the client hands it over"


def source(call: Call, message: rfc4211.CertReqMsg, profile: Revisioned, *, made: bool) -> Source:
    """What is to be archived for a request. :param made: whether its key is made here.

    :raises Refused: ``UNSUPPORTED_OPERATION``, ``UNAUTHORIZED``, ``MALFORMED`` for a control that cannot be honoured.
    """
    control, archives = message.controls.get(rfc4211.PKI_ARCHIVE_OPTIONS), profile.profile.cmp.archive
    if control is None:
        return Source.MADE if made and archives else Source.NONE
    if control == _ARCHIVE_NOTHING:
        return Source.NONE
    if not archives:
        raise _unsupported("this profile archives no private keys", "profile: cmp.archive")
    if control == _ARCHIVE_MADE:
        if not made:
            raise _unsupported("archiveRemGenPrivKey is about a key that is made here, and this request has a key")
        return Source.MADE
    if control[0] == _PARAMETERS:
        raise _unsupported("keyGenParameters from which no key can be made again here")
    if control[0] != _GIVEN:
        raise Refused(Reason.MALFORMED, _CLAUSE, "an unknown alternative of PKIArchiveOptions", got=f"tag {control[0]:#x}")
    if made:
        raise _unsupported("a private key comes with its public key in the template")
    if call.sender.method == "approval" or profile.profile.approval_always:
        raise Refused(
            Reason.UNAUTHORIZED,
            "profile: approval_always",
            "a key is archived when its certificate is issued, and this request has to wait",
        )
    return Source.GIVEN


def _unsupported(detail: str, clause: str = _CLAUSE) -> Refused:
    return Refused(Reason.UNSUPPORTED_OPERATION, clause, detail)


async def opened(call: Call, message: rfc4211.CertReqMsg, profile: Revisioned) -> bytes:
    """The private key (PrivateKeyInfo, DER) that a client hands over, which is that of its template.

    :raises Refused: ``BAD_POP`` for whatever is inside; for what everybody can read: ``MALFORMED``, ``UNSUPPORTED_OPERATION``,
        ``BAD_SIGNATURE_ALGORITHM``.
    """
    public = message.template.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    enveloped = _enveloped(message.controls[rfc4211.PKI_ARCHIVE_OPTIONS])
    for delegate in await call.core.delegates.all(profile.profile.issuer, Purpose.CMP_TRANSPORT):
        recipient = enveloped.recipient(Named.read(delegate.certificate))
        if recipient is None:
            continue
        key = RecipientKey(call.core.keys, delegate.reference)
        try:
            inside = await enveloped_data.decrypt(enveloped, recipient, key, delegate.spki, call.exchange.entropy)
            private = _belonging(inside, public)
        except Refused as refused:
            log.warning("a key cannot be archived", exchange=call.exchange.id, profile=call.profile.id, cause=str(refused))
            raise Refused(
                Reason.BAD_POP, _CLAUSE, "what is to be archived is not the private key of this request, or cannot be read"
            ) from None
        call.exchange.conceal("private key", private)
        return private
    raise _unsupported("the private key is not encrypted for the transport certificate of this CA (caProtEncCert)")


def _enveloped(control: bytes) -> enveloped_data.Enveloped:
    """The EnvelopedData of an encryptedPrivKey: [0] EncryptedKey, a CHOICE, so that the tag is explicit."""
    inner = der.elements(control, clause=_CLAUSE)
    if len(inner) != 1:
        raise Refused(Reason.MALFORMED, _CLAUSE, "encryptedPrivKey is one EncryptedKey")
    if inner[0][0] == _SEQUENCE:
        raise _unsupported("encryptedValue is deprecated: a private key comes in an EnvelopedData")
    if inner[0][0] != _GIVEN:
        raise Refused(Reason.MALFORMED, _CLAUSE, "an unknown alternative of EncryptedKey")
    enveloped = enveloped_data.parse(content.wrap(content.ENVELOPED_DATA, bytes((_SEQUENCE,)) + inner[0][1:]))
    if enveloped.content_type != content.ENC_KEY_WITH_ID:
        raise Refused(
            Reason.UNSUPPORTED_OPERATION,
            _CLAUSE,
            "what is encrypted is an id-ct-encKeyWithID",
            expected=content.ENC_KEY_WITH_ID,
            got=enveloped.content_type[:80],
        )
    return enveloped


def _belonging(inside: bytes, public: bytes) -> bytes:
    """The private key in an EncKeyWithID, anew, if it is that of a SubjectPublicKeyInfo. :raises Refused: whose text is for the log."""
    clause = "RFC 4211 section 4.2"
    if not inside.startswith(b"\x30"):
        raise Refused(Reason.MALFORMED, clause, "not an EncKeyWithID")
    octets, *identifier = der.elements(inside, clause=clause) or (b"",)
    if len(identifier) > 1 or len(octets) > _MAXIMUM_OCTETS:
        raise Refused(Reason.MALFORMED, clause, "EncKeyWithID is a private key and perhaps a name")
    try:
        # That an EC key has both halves of one pair is checked here; an RSA key is checked below, once it is known that it is not larger
        # than the key of the template.
        key = load_der_private_key(octets, None, unsafe_skip_rsa_key_validation=True)
        if key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != public:
            raise Refused(Reason.BAD_POP, clause, "another private key")
        if isinstance(key, rsa.RSAPrivateKey):
            key = load_der_private_key(octets, None)
        return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refused(Reason.MALFORMED, clause, "not a private key") from None


async def keep(call: Call, certificate: Certificate, private: bytes) -> None:
    """Archive a key for its certificate. :param private: PrivateKeyInfo (DER)."""
    subject = x509.load_der_x509_certificate(certificate.der or b"").subject.public_bytes()
    await call.core.store.archive_key(
        ArchivedKey(
            serial=certificate.serial,
            profile_id=call.profile.id,
            identity=call.sender.id,
            spki_sha256=certificate.spki_sha256,
            subject=subject,
            private=private,
            archived=call.exchange.now,
        )
    )
