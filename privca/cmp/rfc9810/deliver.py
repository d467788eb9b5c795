"""How a certificate reaches its client: in clear, encrypted for its own key, or after a challenge (RFC 9810 sections 5.2.8.3 and 5.3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from privca.base.refused import Reason, Refused
from privca.cmp.rfc9810.call import Call, Reply
from privca.cmp.rfc9810.certrep import CertResponse
from privca.pkix import rfc4211, weak

if TYPE_CHECKING:
    from privca.cmp.rfc9810.enroll import Outcome
    from privca.issuance.profile import Revisioned


async def response(call: Call, outcome: Outcome) -> CertResponse:
    """The answer that carries a certificate. :raises Refused: if it cannot be delivered as the client wants it."""
    certificate = outcome.certificate
    assert certificate is not None
    assert certificate.der is not None
    call.exchange.decided("issued", "profile: template", serial=certificate.serial.hex(), issuer=certificate.authority)
    return CertResponse.granted(outcome.id, certificate.der)


async def challenge(call: Call, outcomes: Sequence[Outcome]) -> Reply:
    """Ask for a proof of possession."""
    raise Refused(Reason.BAD_POP, "RFC 9810 section 5.2.8.3.3", "no challenges yet")


async def generated(call: Call, message: rfc4211.CertReqMsg, profile: Revisioned) -> weak.CertifiedPublicKey:
    """The public half of a key that is generated for a request."""
    raise Refused(Reason.BAD_POP, "RFC 9483 section 4.1.6", "no key generation yet")
