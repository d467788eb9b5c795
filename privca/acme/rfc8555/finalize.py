"""Finalizing an order (RFC 8555 section 7.4): the checks of the CSR, and the claim that begins issuance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import msgspec
from cryptography.x509.oid import NameOID

from privca.acme.ports import Authorization, Order
from privca.acme.rfc8555 import issue, order, validation
from privca.acme.rfc8555.call import Call, decode
from privca.acme.rfc8555.states import ORDER, OrderEvent
from privca.base.http import Response
from privca.base.names import Name, dns_name, ip_name
from privca.base.refused import Reason, Refused
from privca.jose import rfc4648
from privca.pkix import rfc2986
from privca.pkix.rfc2986 import CertificationRequest

CLAUSE = "RFC 8555 section 7.4"
CAA_LIFE = timedelta(hours=8)
"""A CAA answer that is older does not count at issuance (CA/Browser Forum Baseline Requirements section 3.2.2.8)."""


class Finalize(msgspec.Struct, frozen=True):
    """Payload of finalize."""

    csr: str


_finalize = msgspec.json.Decoder(Finalize)


async def finalize(call: Call) -> Response:
    """Judge the CSR, claim the order, and issue: at once, or in the background if the profile says so.

    A CSR that is refused leaves the order ready. The claim is stored first, so that a crash in between is resumed, and of two
    requests one wins.
    """
    wanted = decode(_finalize, call.payload, CLAUSE)
    found, authorizations = await order.load(call)
    current = order.status(found, authorizations, call.now)
    if not ORDER.allows(current, OrderEvent.FINALIZE):
        raise Refused(
            Reason.ORDER_NOT_READY, CLAUSE, "the order is not ready to be finalized", expected="ready", got=current.value
        )
    csr = read_csr(rfc4648.decode(wanted.csr, "csr", Reason.BAD_CSR), tolerant=call.profile.profile.tolerant)
    _check(call, found, csr)
    await _check_caa_again(call, authorizations)
    claimed = replace(found, csr=csr.der, next_attempt=call.now + issue.LEASE)
    await call.core.store.commit(claimed)
    claimed = replace(claimed, version=claimed.version + 1)
    if call.options.finalize == "processing":
        call.core.background.start(issue.in_background(call.core, call.profile, call.account, claimed))
        call.exchange.decided("issuance began", CLAUSE, order=found.id)
        return order.answer(200, call, claimed, authorizations)
    try:
        done = await issue.issue(call.core, call.exchange, call.profile, call.identity, claimed, csr)
    except Refused as refused:
        await call.core.store.commit(issue.released(claimed))
        raise _about_csr(refused) from None
    call.exchange.decided("certificate issued" if done.serial else "issuance waits", CLAUSE, order=found.id, **issue.facts(done))
    return order.answer(200, call, done, authorizations)


def read_csr(der: bytes, *, tolerant: bool) -> CertificationRequest:
    """A CSR. :raises Refused: ``BAD_CSR``, whatever is wrong with it."""
    try:
        return rfc2986.parse(der, tolerant=tolerant)
    except Refused as refused:
        raise Refused(Reason.BAD_CSR, refused.clause, refused.detail, expected=refused.expected, got=refused.got) from None


def _about_csr(refused: Refused) -> Refused:
    """Section 6.7 keeps badPublicKey for the key of a JWS: what is wrong with the key of a CSR is badCSR."""
    if refused.reason is not Reason.BAD_PUBLIC_KEY:
        return refused
    return Refused(Reason.BAD_CSR, refused.clause, refused.detail, expected=refused.expected, got=refused.got)


def _check(call: Call, found: Order, csr: CertificationRequest) -> None:
    if csr.public_key == call.key.key:
        raise Refused(Reason.BAD_CSR, "RFC 8555 section 11.1", "the account key cannot be the certificate's key")
    asked, ordered = _names(csr), frozenset(found.names)
    if asked != ordered:
        raise Refused(
            Reason.BAD_CSR,
            CLAUSE,
            "the CSR asks for other identifiers than the order",
            expected=", ".join(sorted(name.value for name in ordered))[:300],
            got=", ".join(sorted(name.value for name in asked))[:300] or "none",
        )


def _names(csr: CertificationRequest) -> frozenset[Name]:
    """subjectAltName, and each commonName that is a DNS name or an IP address."""
    names = set(csr.names)
    for attribute in csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        for read in (dns_name, ip_name):
            try:
                names.add(read(str(attribute.value)))
            except Refused:
                continue
    return frozenset(names)


async def _check_caa_again(call: Call, authorizations: Sequence[Authorization]) -> None:
    if not call.options.caa:
        return
    url = call.urls.account(call.account.id)
    for authorization in authorizations:
        for challenge in authorization.challenges:
            if challenge.validated is not None and call.now - challenge.validated > CAA_LIFE:
                await validation.check_caa(call.core, call.profile, url, authorization, challenge.type)
