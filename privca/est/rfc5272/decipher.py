"""Encrypted messages (RFC 5272 section 5): EnvelopedData around a SignedData, or between two of them; and responses likewise.

Nothing that is inside an envelope is answered for by itself until the signature inside has been verified: whatever is wrong before that, the
decryption included, is one refusal with one text, and no nonce or data comes back. A message that nobody signed is not taken out of an
envelope at all.
"""

from __future__ import annotations

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from privca.base.refused import Reason, Refused
from privca.est.rfc7030.call import Call
from privca.issuance.delegates import Purpose
from privca.issuance.recipient_key import RecipientKey
from privca.pkix.rfc5652 import enveloped_data, wrapping
from privca.pkix.rfc5652.content import AUTH_ENVELOPED_DATA, ENVELOPED_DATA, SIGNED_DATA, unwrap, wrap
from privca.pkix.rfc5652.identifiers import Named
from privca.pkix.rfc5652.recipients import KeyTransport

log = structlog.get_logger("privca.est")
ENVELOPES = frozenset((ENVELOPED_DATA, AUTH_ENVELOPED_DATA))

_CLAUSE = "RFC 5272 section 5"


def unreadable(call: Call, cause: Refused) -> Refused:
    """The one refusal of whatever is wrong in or with an envelope. The cause goes to the local log."""
    log.warning("an encrypted message cannot be read", exchange=call.exchange.id, profile=call.profile.id, cause=str(cause))
    return Refused(Reason.BAD_SIGNATURE, _CLAUSE, "the encrypted message cannot be opened and verified")


async def opened(call: Call, octets: bytes) -> bytes:
    """The ContentInfo with SignedData in an envelope, itself a ContentInfo.

    :raises Refused: ``BAD_SIGNATURE`` (:func:`unreadable`); for what everybody can read in it: ``MALFORMED``, ``BAD_SIGNATURE_ALGORITHM``.
    """
    if not call.options.cmc_encryption:
        raise Refused(Reason.UNSUPPORTED_OPERATION, "profile: est.cmc_encryption", "encrypted messages are not served here")
    enveloped = enveloped_data.parse(octets)
    if enveloped.content_type != SIGNED_DATA:
        raise Refused(
            Reason.MALFORMED, _CLAUSE, "an envelope holds a SignedData", expected=SIGNED_DATA, got=enveloped.content_type[:80]
        )
    for delegate in await call.core.delegates.all(call.profile.profile.issuer, Purpose.CMC_TRANSPORT):
        recipient = enveloped.recipient(Named.read(delegate.certificate))
        if isinstance(recipient, KeyTransport):
            key = RecipientKey(call.core.keys, delegate.reference)
            try:
                content = await enveloped_data.decrypt(enveloped, recipient, key, delegate.spki, call.exchange.entropy)
            except Refused as refused:
                raise unreadable(call, refused) from None
            return wrap(SIGNED_DATA, content)
    raise unreadable(call, Refused(Reason.NOT_FOUND, _CLAUSE, "it is for nobody here"))


async def transport_certificate(call: Call) -> bytes:
    """The certificate that clients encrypt for."""
    return (await call.core.delegates.current(call.profile.profile.issuer, Purpose.CMC_TRANSPORT)).certificate


def recipient_of(certificate: bytes) -> wrapping.Wrap | None:
    """How to encrypt for the holder of a certificate, if its key may be used so."""
    loaded = x509.load_der_x509_certificate(certificate)
    key = loaded.public_key()
    try:
        usage: x509.KeyUsage | None = loaded.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    transports = isinstance(key, rsa.RSAPublicKey) and (usage is None or usage.key_encipherment)
    agrees = isinstance(key, ec.EllipticCurvePublicKey) and (usage is None or usage.key_agreement)
    return wrapping.for_certificate(Named.read(certificate)) if transports or agrees else None


def sealed(call: Call, octets: bytes, recipient: wrapping.Wrap) -> bytes:
    """A ContentInfo with SignedData in an envelope."""
    _, content = unwrap(octets)
    return enveloped_data.encrypt(content, [recipient], call.exchange.entropy, cipher="aes256", content_kind=SIGNED_DATA)
