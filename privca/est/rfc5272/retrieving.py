"""Get Certificate, Get CRL and Confirm Certificate Acceptance (RFC 5272 sections 6.9, 6.10 and 6.14)."""

from __future__ import annotations

from privca.base.refused import Reason, Refused
from privca.est.rfc5272.outcome import Outcome
from privca.est.rfc5272.party import Party
from privca.est.rfc5272.revoking import find
from privca.est.rfc7030.call import Call
from privca.pkix.rfc5272.controls import Controls
from privca.pkix.rfc5272.retrieval import CertificateName, GetCrl


async def retrieve(call: Call, controls: Controls, party: Party, outcome: Outcome) -> None:
    """Put what is asked for into ``outcome``, each with its status."""
    for body, name in controls.get_certs.items():
        try:
            outcome.certificates.append(await find(call, name))
            outcome.succeed(body)
        except Refused as refused:
            outcome.fail((body,), refused)
    for body, wanted in controls.get_crls.items():
        try:
            outcome.crls.append(await _crl(call, wanted))
            outcome.succeed(body)
        except Refused as refused:
            outcome.fail((body,), refused)
    for body, name in controls.confirmations.items():
        outcome.informs = True
        try:
            await _confirm(call, name, party)
            outcome.succeed(body)
        except Refused as refused:
            outcome.fail((body,), refused)


async def _crl(call: Call, wanted: GetCrl) -> bytes:
    """The newest CRL of the CA that issues here, by its current key. There is one for all reasons, and no older one is kept."""
    clause = "RFC 5272 section 6.10"
    if wanted.qualified:
        raise Refused(
            Reason.UNSUPPORTED_OPERATION, clause, "a CRL by name, time or reasons is not served here", expected="issuerName alone"
        )
    ca_key = await call.core.authorities.current(call.profile.profile.issuer)
    if ca_key.signer.subject.public_bytes() != wanted.issuer:
        raise Refused(Reason.WRONG_AUTHORITY, clause, "this profile has no CA of this name")
    return (await call.core.lists.current(ca_key.signer.authority, ca_key.signer.number, call.now)).der


async def _confirm(call: Call, name: CertificateName, party: Party) -> None:
    """Nothing waits for it: a certificate counts from its issuance, and who does not accept it revokes it."""
    certificate = await find(call, name)
    mine = party.identity.certificate
    if not (certificate.identity == party.identity.id or (mine is not None and mine.spki_sha256 == certificate.spki_sha256)):
        raise Refused(Reason.UNAUTHORIZED, "RFC 5272 section 6.14", "a certificate is confirmed by whom it was issued to")
