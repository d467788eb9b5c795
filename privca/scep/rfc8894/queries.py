"""GetCert and GetCRL (RFC 8894 sections 3.3.4, 4.5, 4.6): a certificate or a CRL by issuer and serial number.

A CRL is for everybody. A certificate is for who has its key, and for who has a certificate that the profile accepts: section 2.6 has it
that clients fetch their own. Everything that is not found, not allowed, or not even opened, is one badCertId with one text: an
issuerAndSerialNumber is not signed by itself, so whatever else could be told apart would tell of what is encrypted.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from privca.base.exchange import Exchange
from privca.base.http import Response
from privca.base.refused import Reason, Refused
from privca.enrollment.credentials import Credentials
from privca.enrollment.door import Door
from privca.issuance.authorities import Authorities
from privca.issuance.ports import Certificate
from privca.issuance.profile import Revisioned
from privca.issuance.revocation_lists import RevocationLists
from privca.pkix import der
from privca.scep.rfc8894 import cert_rep, envelope
from privca.scep.rfc8894.envelope import Envelope
from privca.scep.rfc8894.pki_message import PkiMessage

_CLAUSE = "RFC 8894 section 3.3.4"
_LONGEST_SERIAL = 20


@der.sequence
class _IssuerAndSerial:
    issuer: der.TLV
    serial: int


def no_such_certificate() -> Refused:
    """The one failure of these two."""
    return Refused(Reason.UNKNOWN_CERTIFICATE, _CLAUSE, "no such certificate, or none for this client")


async def certificate(
    exchange: Exchange,
    profile: Revisioned,
    door: Door,
    credentials: Credentials,
    authorities: Authorities,
    message: PkiMessage,
    addressed: Envelope,
) -> Response:
    """Answer a GetCert. :raises Refused: :func:`no_such_certificate`."""
    found = await _meant(exchange, profile, door, credentials, authorities, addressed)
    if found is None or found.der is None or not await _may_have(exchange, profile, credentials, message, found.der):
        raise no_such_certificate()
    exchange.decided("certificate shown", _CLAUSE, serial=found.serial.hex())
    above = (await door.chains(found))[0].certificates[:1] if profile.profile.scep.ca_in_reply else ()
    return await cert_rep.success(
        exchange,
        profile.profile,
        addressed.party,
        message,
        addressed.cipher,
        certificates=[found.der, *above],
        password=_password(addressed),
    )


async def crl(
    exchange: Exchange,
    profile: Revisioned,
    door: Door,
    credentials: Credentials,
    authorities: Authorities,
    lists: RevocationLists,
    message: PkiMessage,
    addressed: Envelope,
) -> Response:
    """Answer a GetCRL: the newest CRL of the CA key that issued the certificate. :raises Refused: :func:`no_such_certificate`."""
    found = await _meant(exchange, profile, door, credentials, authorities, addressed)
    if found is None:
        raise no_such_certificate()
    record = await lists.current(found.authority, found.generation, exchange.now)
    exchange.decided("CRL shown", _CLAUSE, authority=found.authority, number=str(record.number))
    return await cert_rep.success(
        exchange, profile.profile, addressed.party, message, addressed.cipher, crls=[record.der], password=_password(addressed)
    )


async def _meant(
    exchange: Exchange, profile: Revisioned, door: Door, credentials: Credentials, authorities: Authorities, addressed: Envelope
) -> Certificate | None:
    """The certificate that a message names, if the CA of this profile issued it."""
    try:
        named = await envelope.opened(exchange, profile, credentials, addressed, _read, lambda _: None)
    except Refused:
        return None
    if not 0 < named.serial < 1 << (8 * _LONGEST_SERIAL):
        return None
    found = await door.certificate(named.serial.to_bytes(_LONGEST_SERIAL, "big"))
    if found is None or found.authority != profile.profile.issuer:
        return None
    signer = (await authorities.generation(found.authority, found.generation)).signer
    return found if der.encode(named.issuer) == signer.subject_der else None


def _read(octets: bytes) -> _IssuerAndSerial:
    return der.decode(_IssuerAndSerial, octets, clause=_CLAUSE)


async def _may_have(
    exchange: Exchange, profile: Revisioned, credentials: Credentials, message: PkiMessage, octets: bytes
) -> bool:
    key = x509.load_der_x509_certificate(octets).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key == message.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo):
        return True
    if message.self_issued:
        return False
    try:
        await credentials.certificate(exchange, profile, message.signer.der, message.others)
    except Refused:
        return False
    return True


def _password(addressed: Envelope) -> bytes | None:
    return addressed.secret.value if addressed.secret is not None else None
