"""ccr and ccp: another CA has its key certified as a CA's (RFC 9810 sections 5.3.11, 5.3.12 and appendix D.6).

Which keys these are is the administrator's decision, taken beforehand: the profile lists them by digest. The request is signed, and so is
its proof of possession, by the very key.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import cast

from cryptography import x509

from privca.base.durations import duration
from privca.base.refused import Reason, Refused
from privca.cmp.rfc9810 import enroll
from privca.cmp.rfc9810.call import Call, Reply
from privca.cmp.rfc9810.pop import Proof
from privca.enrollment.door import Submission
from privca.issuance.ca_certificates import PROFILE_ID, certify
from privca.issuance.ca_key import CaKey, SigningKey
from privca.issuance.policy import Window
from privca.issuance.ports import Certificate, Conflict
from privca.issuance.publication import PublicUrls
from privca.pkix import rfc4211, weak

_CLAUSE = "RFC 9810 section 5.3.11"
_APPENDIX = "RFC 9810 appendix D.6"


async def cross_certify(call: Call) -> Reply:
    """Answer a ccr."""
    if not call.signer or call.by_password:
        raise Refused(Reason.WRONG_PROTECTION, _APPENDIX, "only signature protection is allowed for this request")
    messages = rfc4211.parse(call.message.content)
    if len(messages) != 1:
        raise Refused(Reason.UNSUPPORTED_OPERATION, _APPENDIX, "a ccr has one request", got=str(len(messages)))
    outcome = enroll.Outcome(messages[0].id)
    try:
        subject, key = _subject(call, messages[0])
        authority = await _authority(call)
    except Refused as refused:
        outcome.refused = refused
        return await enroll.answer(call, [outcome], confirm=False)
    facts = messages[0].template.requested(messages[0].der)
    name = f"cross-{hashlib.sha256(call.transaction_id + messages[0].der).hexdigest()[:40]}"
    implicit = enroll.implicit(call)
    outcome.asked = enroll.Asked(
        messages[0].id, call.profile, Submission(f"{name}:ccr", call.sender, facts), Proof.GIVEN, place=PROFILE_ID
    )
    if not implicit:
        await enroll.begin(call, [outcome], implicit=False)
    outcome.certificate = await _certify(call, authority, subject, key, name)
    return await enroll.answer(call, [outcome], confirm=not implicit)


def _subject(call: Call, message: rfc4211.CertReqMsg) -> tuple[x509.Name, bytes]:
    """Subject and SubjectPublicKeyInfo (DER) of a request that is in order. :raises Refused:"""
    template = message.template
    key = template.public_key()
    message.check_signature(key)
    if isinstance(key, weak.AGREES):
        raise Refused(Reason.BAD_PUBLIC_KEY, _APPENDIX, "the key of a CA signs")
    facts = template.requested(message.der)
    if not facts.subject.rdns:
        raise Refused(Reason.BAD_CSR, _APPENDIX, "a CA has a subject")
    if hashlib.sha256(facts.spki).hexdigest() not in call.options.cross_certify:
        raise Refused(
            Reason.UNAUTHORIZED, "profile: cmp.cross_certify", "this CA key is not one of those that the profile has certified"
        )
    return facts.subject, facts.spki


async def _authority(call: Call) -> CaKey:
    """The key that certifies. :raises Refused: ``UNAVAILABLE`` if its own certificate does not allow CAs below it."""
    authority = await call.core.authorities.current(call.authority)
    constraints = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    if constraints.path_length == 0:
        raise Refused(
            Reason.UNAVAILABLE, "RFC 5280 section 4.2.1.9", "the CA of this profile may not certify CAs (pathLenConstraint 0)"
        )
    return authority


async def _certify(call: Call, authority: CaKey, subject: x509.Name, spki: bytes, name: str) -> Certificate:
    now, validity = call.exchange.now, duration(call.profile.profile.validity)
    backdate = duration(call.profile.profile.backdate)
    # Where the other CA publishes is not ours to say.
    key = SigningKey.make(name, 1, name, subject, spki, "sha256", PublicUrls(""))
    core = call.core
    # The same request again finds its certificate.
    with suppress(Conflict):
        await certify(
            core.certificates,
            core.keys,
            call.exchange.entropy,
            subject=key,
            signer=authority.signer,
            window=Window(now - backdate, min(now + validity, authority.not_after)),
            longest=validity + backdate,
            path_length=0,
            key_encipherment=False,
            purpose="ccr",
            now=now,
        )
    found = await core.door.find(PROFILE_ID, f"{name}:ccr")
    return cast("Certificate", found)
