"""RFC 7030 section 4.3: full CMC."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cryptography import x509

from conformance.case import case
from conformance.est import cmc, csr, replies
from conformance.est.draft import Draft, Mutation, header, octets
from conformance.est.lab import EstLab, negative, said
from conformance.examination import Inconclusive
from conformance.transport import HttpResponse

_FEATURE = "fullcmc"
_INVALID = "rfc7030:4.3.1#invalid-rejected"
_WRONG_BINDING = "Y29uZm9ybWFuY2U="


def _asking(lab: EstLab, *attributes: Any) -> Draft:
    """A full PKI request with one new key, signed with it, under the password of the target."""
    key, name = csr.new_key(), lab.shared.name()
    identifier = x509.SubjectKeyIdentifier(cmc.key_identifier(key))
    request = csr.request(key, lab.subject(name), [name], attributes=attributes, extensions=[(identifier, False)])
    return replace(lab.client.full(cmc.full_request(request, key)), key=csr.spki(key))


def _denied(reply: HttpResponse, draft: Draft) -> str:
    """Why a reply does not grant what a full request asks for."""
    if reply.status != 200:
        return said(reply)
    try:
        found = cmc.response(replies.unspelled(reply.body))
    except replies.Unreadable as unreadable:
        return f"200, and {unreadable}"
    if not any(draft.key in certificate for certificate in found.certificates):
        return f"200, and no certificate has the key of the request: {found.failures or 'no failure'}"
    return ""


def _sent(lab: EstLab, draft: Draft) -> HttpResponse:
    """The reply to a full request. :raises Unsupported: if the server has none."""
    return lab.offered(lab.client.send(draft), _FEATURE)


@case(
    "est.fullcmc.granted",
    covers=["rfc7030:4.3.2#success", "rfc7030:4.3#optional"],
    kills=["est.fullcmc.status-201", "est.fullcmc.media-type-wrong", "est.fullcmc.content-altered"],
    feature=_FEATURE,
)
def granted(lab: EstLab) -> None:
    """A full PKI request is granted with 200 and a PKI response, whose signature verifies if it is a full one."""
    draft = _asking(lab)
    reply = _sent(lab, draft)
    if not 200 <= reply.status < 300:
        raise Inconclusive(f"a correct request was refused: {said(reply)}")
    lab.check(reply.status == 200, f"expected 200, got {said(reply)}")
    lab.check(reply.media_type == replies.CERTIFICATES, f"expected {replies.CERTIFICATES}, got {reply.header('Content-Type')}")
    # Its status has been judged; the rest of it is looked at as if it were right.
    why = _denied(replace(reply, status=200), draft)
    lab.check(not why, why)


negative(
    "est.fullcmc.simple-request",
    "A PKCS #10 request by itself is no full PKI request",
    covers=[_INVALID, "rfc8951:3.2.2#invalid-rejected"],
    control=_asking,
    mutation=lambda lab: _replacing("a PKCS #10 request", lab.enrolling().der),
    grants=_denied,
    feature=_FEATURE,
    kills=["est.fullcmc.invalid-200"],
)
negative(
    "est.fullcmc.garbage",
    "Octets that are no CMS message are rejected",
    covers=[_INVALID],
    control=_asking,
    mutation=octets("255 octets in place of the message", "RFC 5652 section 3", lambda old: bytes(range(1, 256))),
    grants=_denied,
    feature=_FEATURE,
    kills=["est.fullcmc.invalid-200"],
)
negative(
    "est.fullcmc.bad-signature",
    "A message whose signature does not verify is rejected",
    covers=[_INVALID],
    control=_asking,
    mutation=octets("signature: last octet changed", "RFC 5272 section 3.2", cmc.badly_signed),
    grants=_denied,
    feature=_FEATURE,
    kills=["est.fullcmc.signature-unchecked"],
)
negative(
    "est.fullcmc.nobody",
    "A message that its own key has signed says nothing of who asks: without a password it is rejected",
    covers=[_INVALID],
    control=_asking,
    mutation=header("Authorization", None, "RFC 7030 section 3.2.3"),
    grants=_denied,
    feature=_FEATURE,
    kills=["est.fullcmc.anonymous"],
)


def _replacing(name: str, message: bytes) -> Mutation:
    return octets(f"{name} in place of the message", "RFC 7030 section 4.3.1", lambda old: message)


@case(
    "est.fullcmc.error-in-cms",
    covers=["rfc7030:4.3.2#error-status", "rfc7030:4.3.2#error-in-cms"],
    kills=["est.fullcmc.error-200", "est.fullcmc.error-in-text", "est.fullcmc.error-type-wrong"],
    feature=_FEATURE,
)
def error_in_cms(lab: EstLab) -> None:
    """A request that is rejected gets 4xx or 5xx with a CMC response of type application/pkcs7-mime, which says that it failed."""
    with lab.examination.during("control before"):
        draft = _asking(lab)
        if why := _denied(_sent(lab, draft), draft):
            raise Inconclusive(f"the control was refused: {why}")
    draft = _asking(lab)
    with lab.examination.during("spoilt"):
        reply = lab.client.send(replace(draft, der=cmc.badly_signed(draft.der)))
    lab.check(400 <= reply.status < 600, f"expected 4xx or 5xx, got {said(reply)}")
    lab.check(
        reply.media_type == replies.CERTIFICATES,
        f"expected {replies.CERTIFICATES}, got {reply.header('Content-Type')}",
        "rfc7030:4.3.2#error-in-cms",
    )
    try:
        found = cmc.response(replies.unspelled(reply.body))
    except replies.Unreadable as unreadable:
        lab.check(False, str(unreadable), "rfc7030:4.3.2#error-in-cms")
        return
    lab.check(found.failures, f"no failure in {found.statuses}", "rfc7030:4.3.2#error-in-cms")


@case(
    "est.fullcmc.pop-failed",
    covers=["rfc7030:3.5#pop-failed", "rfc7030:3.5#verified"],
    kills=["est.fullcmc.linking-unnamed", "est.fullcmc.linking-unverified"],
    feature=_FEATURE,
)
def pop_failed(lab: EstLab) -> None:
    """A channel binding that is not that of the connection is rejected as popFailed."""
    with lab.examination.during("control before"):
        draft = _asking(lab)
        if why := _denied(_sent(lab, draft), draft):
            raise Inconclusive(f"the control was refused: {why}")
    draft = _asking(lab, csr.challenge_password(_WRONG_BINDING))
    with lab.examination.during("spoilt"):
        reply = lab.client.send(draft)
    lab.require(reply.status >= 400, f"a wrong tls-unique: {said(reply)}", "rfc7030:3.5#verified")
    if reply.media_type != replies.CERTIFICATES:
        raise Inconclusive(f"the refusal is no CMC response: {said(reply)}")
    found = cmc.response(replies.unspelled(reply.body))
    lab.check(found.failures == ["popFailed"], f"expected popFailed, got {found.failures}")
