"""PKI Responses (RFC 5272 section 4) as HTTP (RFC 7030 section 4.3.2): certificates alone, or a full response signed by the CA's delegate."""

from __future__ import annotations

from datetime import UTC

from cryptography.x509 import ObjectIdentifier

from privca.base.http import Response
from privca.est.rfc5272 import decipher
from privca.est.rfc5272.outcome import Outcome
from privca.est.rfc7030 import authentication, refusal, transfer
from privca.est.rfc7030.call import Call
from privca.issuance.delegates import Delegate, Purpose
from privca.pkix import der
from privca.pkix.rfc5272 import identifiers as ids
from privca.pkix.rfc5272.pki_response import pki_response
from privca.pkix.rfc5272.values import integer, octet_string
from privca.pkix.rfc5652 import signing
from privca.pkix.rfc5652.identifiers import Named
from privca.pkix.rfc5652.signed_data import attribute, certificates_only

FULL = "application/pkcs7-mime; smime-type=CMC-response"
NONCE_OCTETS = 16
_SEQUENCE, _UTC_TIME = 0x30, 0x17


async def reply(call: Call, outcome: Outcome) -> Response:
    """The outcome as a reply: 200 if anything was granted or waits, else the status of the refusal, with a CMC response in any case."""
    refused = outcome.refused
    encoding = call.says_transfer_encoding
    if not (outcome.informs or _echoes(outcome)):
        body = certificates_only(await _certificates(call, outcome), outcome.crls)
        call.exchange.decided("simple response", "RFC 5272 section 4.1")
        return transfer.reply(transfer.CERTIFICATES, transfer.encode(body), transfer_encoding=encoding)
    found = transfer.reply(FULL, transfer.encode(await full(call, outcome)), transfer_encoding=encoding)
    if refused is None:
        if outcome.refusals:
            call.exchange.decided("refused in part", outcome.refusals[0].clause, str(outcome.refusals[0]))
        return found
    call.exchange.decided("refused", refused.clause, str(refused), reason=refused.reason.value)
    bare = refusal.response(refused, authentication.challenges(call, refused))
    headers = tuple(header for header in bare.headers if header[0] != "Content-Type")
    return Response(bare.status, (*found.headers, *headers), found.body)


def _echoes(outcome: Outcome) -> bool:
    controls = outcome.controls
    return bool(controls.transaction_id or controls.sender_nonce or controls.data_return or outcome.inside)


async def full(call: Call, outcome: Outcome, *, inner: bool = False) -> bytes:
    """A ContentInfo with the signed PKIResponse, encrypted for who has sent an encrypted request.

    :param inner: whether it goes into another one, which has our own certificates.
    :raises Refused: ``UNAVAILABLE`` if there is nobody to sign it.
    """
    delegate = await call.core.delegates.current(call.profile.profile.issuer, Purpose.CMC)
    inside = [(body, await full(call, one, inner=True)) for body, one in outcome.inside]
    content = pki_response(_controls(call, outcome), inside)
    certificates = [*await _certificates(call, outcome), delegate.certificate, *delegate.chain[:-1]]
    if call.options.cmc_encryption and not inner:
        certificates.append(await decipher.transport_certificate(call))
    signed = await signing.sign(
        content,
        [_party(call, delegate)],
        content_type=ids.PKI_RESPONSE.dotted_string,
        attributes=[attribute(signing.SIGNING_TIME, _utc_time(call))],
        certificates=list(dict.fromkeys(certificates)),
        crls=outcome.crls,
    )
    return signed if outcome.recipient is None else decipher.sealed(call, signed, outcome.recipient)


def _controls(call: Call, outcome: Outcome) -> list[tuple[ObjectIdentifier, bytes]]:
    asked = outcome.controls
    found = [(ids.STATUS_INFO_V2, status.encode()) for status in outcome.statuses]
    found += [(ids.ENCRYPTED_POP, challenge) for challenge in outcome.challenges]
    if asked.transaction_id is not None:
        found.append((ids.TRANSACTION_ID, asked.transaction_id))
    if asked.sender_nonce is not None:
        found.append((ids.RECIPIENT_NONCE, octet_string(asked.sender_nonce)))
        found.append((ids.SENDER_NONCE, octet_string(call.exchange.entropy.octets(NONCE_OCTETS))))
    found += [(ids.DATA_RETURN, octet_string(data)) for data in asked.data_return.values()]
    if outcome.inside:
        bodies = der.tlv(_SEQUENCE, *[integer(body) for body, _ in outcome.inside])
        found.append((ids.BATCH_RESPONSES, bodies))
    return found


async def _certificates(call: Call, outcome: Outcome) -> list[bytes]:
    """What was issued or asked for, then what leads from it to a trust anchor, which is left out (section 4.1)."""
    found = [one.der for one in outcome.certificates if one.der is not None]
    for one in outcome.certificates:
        found += (await call.core.door.chains(one))[0].certificates[:-1]
    return list(dict.fromkeys(found))


def _party(call: Call, delegate: Delegate) -> signing.SigningParty:
    named = Named.read(delegate.certificate)
    kind = delegate.public_key
    digest = delegate.hash_name if signing.default_digest(kind) == "sha256" else signing.default_digest(kind)

    async def sign(message: bytes) -> bytes:
        return await call.core.keys.sign(delegate.reference, message, digest)

    return signing.SigningParty(named.identifier(), digest, signing.signature_algorithm(kind, digest), sign)


def _utc_time(call: Call) -> bytes:
    return der.tlv(_UTC_TIME, call.now.astimezone(UTC).strftime("%y%m%d%H%M%SZ").encode())
