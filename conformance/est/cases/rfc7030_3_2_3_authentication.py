"""RFC 7030 sections 3.2.3, 3.3.2 and 4.2: who asks for a certificate."""

from __future__ import annotations

import dataclasses

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from conformance.case import case
from conformance.est import authorization, cmc, csr, replies
from conformance.est.connections import Enrolled
from conformance.est.draft import PKCS10, Draft, header, presenting
from conformance.est.lab import EstLab, denied, negative, said
from conformance.examination import Inconclusive, NotApplicable, Unsupported
from conformance.transport import HttpResponse
from conformance.verdict import Level

_AUTHENTICATES = "rfc7030:4.2#server-authenticates"
_HTTP = "http-authentication"
_REFUSED = frozenset({401, 403})
_BASIC = "RFC 7617 section 2"


def with_password(lab: EstLab) -> Draft:
    """A correct enrollment under the password of the target. :raises Unsupported: if it has none."""
    if not lab.client.access.code:
        raise Unsupported("the target has no password")
    return lab.enrolling()


def _with_digest(lab: EstLab) -> Draft:
    """A correct enrollment by Digest. :raises Unsupported: if there is none."""
    draft = with_password(lab)
    try:
        answer = lab.client.digest(draft.method, draft.operation)
    except LookupError as failure:
        raise Unsupported(str(failure)) from None
    return draft.header("Authorization", answer)


def _check_granted(lab: EstLab, reply: HttpResponse, draft: Draft, scheme: str) -> None:
    """Check that who is who they say is not asked again. :raises Inconclusive: if something else is wrong with the request."""
    why = denied(reply, draft.key)
    if why and reply.header("WWW-Authenticate") is None:
        raise Inconclusive(f"a correct request was refused: {why}")
    lab.check(not why, f"{scheme} is offered, and with it: {why}")


@case("est.auth.challenge", covers=["rfc7030:3.2.3#requested"], kills=["est.auth.no-challenge"], feature=_HTTP)
def challenge(lab: EstLab) -> None:
    """Who presents nothing is asked by 401 with WWW-Authenticate, if the server takes passwords."""
    reply = lab.client.challenged("simpleenroll")
    if reply.status == 403:
        raise Unsupported("the server asks nobody for a password")
    lab.require(reply.status == 401, f"expected 401, got {said(reply)}")
    lab.check(
        authorization.schemes(reply.values("WWW-Authenticate")),
        f"401 without a challenge (RFC 9110 section 11.6.1): {reply.values('WWW-Authenticate')}",
    )


@case("est.auth.basic", covers=["rfc7030:3.3.2#http-allowed"], kills=["est.auth.basic-broken"], feature=_HTTP)
def basic(lab: EstLab) -> None:
    """A client enrolls by HTTP Basic where the server offers it."""
    draft = with_password(lab)
    if "basic" not in authorization.schemes(lab.client.offered()):
        raise Unsupported("Basic is not offered")
    access = lab.client.access
    reply = lab.client.send(draft.header("Authorization", authorization.basic(access.username, access.code)))
    _check_granted(lab, reply, draft, "Basic")


@case("est.auth.digest", covers=["rfc7030:3.3.2#http-allowed"], kills=["est.auth.digest-broken"], feature=_HTTP)
def digest(lab: EstLab) -> None:
    """A client enrolls by HTTP Digest where the server offers it."""
    draft = _with_digest(lab)
    reply = lab.client.send(draft)
    _check_granted(lab, reply, draft, "Digest")


@case(
    "est.auth.certificate-alone",
    covers=["rfc7030:3.3.2#certificate-supported", "rfc7030:3.3.2#tls-recommended", "rfc7030:3.2.3#not-assumed"],
    kills=["est.auth.password-demanded"],
)
def certificate_alone(lab: EstLab) -> None:
    """A client certificate is enough: nobody who has one is asked for a password."""
    draft = lab.renewing(lab.enroll())
    reply = lab.client.send(draft)
    lab.check(
        reply.header("WWW-Authenticate") is None,
        f"with a client certificate: {said(reply)}, {reply.header('WWW-Authenticate')}",
        "rfc7030:3.2.3#not-assumed",
    )
    lab.check(not denied(reply, draft.key), f"with a client certificate: {said(reply)}")


@case("est.auth.first", covers=[_AUTHENTICATES], kills=["est.auth.after-the-request"])
def first(lab: EstLab) -> None:
    """Who says nothing of themselves learns nothing of what is wrong with their request."""
    with lab.examination.during("control before"):
        draft = lab.enrolling()
        if why := denied(lab.client.send(draft), draft.key):
            raise Inconclusive(f"the control was refused: {why}")
    garbage = Draft(lab.client.access.url, "simpleenroll", "POST", (("Content-Type", PKCS10),), body=b"?")
    reply = lab.client.send(garbage)
    lab.require(reply.status >= 400, f"nobody's garbage: {said(reply)}")
    # RFC 9110 section 15.5.2 is for this; the text of EST demands no order.
    lab.check(reply.status in _REFUSED, f"expected 401 or 403, got {said(reply)}", level=Level.MAY)


negative(
    "est.auth.nobody",
    "Who presents nothing enrolls nothing",
    covers=[_AUTHENTICATES],
    control=with_password,
    mutation=header("Authorization", None, "RFC 7030 section 4.2"),
    kills=["est.auth.anonymous"],
)
negative(
    "est.auth.wrong-password",
    "A wrong password is refused",
    covers=[_AUTHENTICATES],
    control=with_password,
    mutation=lambda lab: header("Authorization", authorization.basic(lab.client.access.username, "not the password"), _BASIC),
    status=_REFUSED,
    kills=["est.auth.any-password"],
)
negative(
    "est.auth.empty-password",
    "An empty password is refused",
    covers=[_AUTHENTICATES],
    control=with_password,
    mutation=lambda lab: header("Authorization", authorization.basic(lab.client.access.username, ""), _BASIC),
    kills=["est.auth.any-password"],
)
negative(
    "est.auth.password-of-another",
    "The password of one user is not that of another",
    covers=[_AUTHENTICATES],
    control=with_password,
    mutation=lambda lab: header("Authorization", authorization.basic("somebody-else", lab.client.access.code), _BASIC),
    status=_REFUSED,
    kills=["est.auth.any-user"],
)
negative(
    "est.auth.unknown-scheme",
    "A scheme that was not offered is refused",
    covers=[_AUTHENTICATES],
    control=with_password,
    mutation=header("Authorization", "Conformance dGVzdA==", "RFC 9110 section 11.6.2"),
    kills=["est.auth.unknown-scheme-anonymous"],
)


negative(
    "est.auth.digest-wrong-response",
    "A Digest answer under another password is refused",
    covers=[_AUTHENTICATES],
    control=_with_digest,
    mutation=lambda lab: header("Authorization", _answered(lab, code="not the password"), "RFC 7616 section 3.4.1"),
    status=_REFUSED,
    kills=["est.auth.digest-unverified"],
)
negative(
    "est.auth.digest-other-resource",
    "A Digest answer for another resource is refused",
    covers=[_AUTHENTICATES],
    control=_with_digest,
    mutation=lambda lab: header(
        "Authorization", _answered(lab, uri="/.well-known/est/another/simpleenroll"), "RFC 7616 section 3.4.6"
    ),
    status=frozenset({400, 401, 403}),
    kills=["est.auth.digest-any-resource"],
)
negative(
    "est.auth.digest-own-nonce",
    "A Digest answer to a nonce that the client made up is refused",
    covers=[_AUTHENTICATES],
    control=_with_digest,
    mutation=lambda lab: header("Authorization", _answered(lab, nonce="bWFkZS11cA"), "RFC 7616 section 3.3"),
    status=_REFUSED,
    kills=["est.auth.digest-any-nonce"],
)


def _answered(lab: EstLab, *, code: str = "", uri: str = "", nonce: str = "") -> str:
    """A Digest answer that is right but for what is given here. :raises Unsupported: if there is no challenge."""
    found = authorization.digest_challenge(lab.client.challenged("simpleenroll").values("WWW-Authenticate"))
    if found is None:
        raise Unsupported("the server offers no Digest with MD5 or SHA-256 and qop auth")
    asked = dataclasses.replace(found, nonce=nonce or found.nonce)
    access = lab.client.access
    path = "/" + access.url.partition("://")[2].partition("/")[2] + "/simpleenroll"
    return asked.answer(access.username, code or access.code, "POST", uri or path)


def imposter(enrolled: Enrolled) -> Enrolled:
    """A certificate with the names of another one that its own key has signed."""
    key, like = csr.new_key(), enrolled.certificate
    made = (
        x509.CertificateBuilder()
        .subject_name(like.subject)
        .issuer_name(like.issuer)
        .serial_number(like.serial_number)
        .not_valid_before(like.not_valid_before_utc)
        .not_valid_after(like.not_valid_after_utc)
        .public_key(key.public_key())
    )
    for extension in like.extensions:
        made = made.add_extension(extension.value, extension.critical)
    return Enrolled(key, made.sign(key, hashes.SHA256()))


negative(
    "est.auth.self-signed-certificate",
    "A client certificate that nobody but its own key has signed proves nothing, whatever names are in it",
    covers=["rfc7030:3.3.2#server-validates", _AUTHENTICATES],
    control=lambda lab: lab.renewing(lab.enrolled, csr.new_key()),
    mutation=presenting("another client certificate: self-signed", "RFC 5280 section 6.1", imposter),
    kills=["est.auth.any-certificate"],
)


@case("est.auth.no-ca-certificate", covers=["rfc7030:4.2#server-authorizes", "rfc7030:3.3.2#server-authorizes"])
def no_ca_certificate(lab: EstLab) -> None:
    """A device is not authorized to become a CA: a request for that is refused, or granted without it."""
    draft = lab.enrolling(extensions=[(x509.BasicConstraints(ca=True, path_length=None), True)])
    with lab.examination.during("control before"):
        plain = lab.enrolling()
        if why := denied(lab.client.send(plain), plain.key):
            raise Inconclusive(f"the control was refused: {why}")
    with lab.examination.during("spoilt"):
        reply = lab.client.send(draft)
    if denied(reply, draft.key):
        lab.refused(reply)
        return
    certificate = lab.granted(reply, draft.key)
    try:
        is_ca = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        is_ca = False
    lab.check(not is_ca, "a device that asks for it becomes a CA")


@case(
    "est.auth.revoked-certificate",
    covers=["rfc7030:3.3.2#server-validates"],
    kills=["est.auth.revoked-certificate"],
    feature="fullcmc",
)
def revoked_certificate(lab: EstLab) -> None:
    """A client certificate that was revoked (RFC 5280 section 6.3) renews nothing. It is revoked by its holder, in CMC."""
    old = lab.enroll()
    with lab.examination.during("control before"):
        draft = lab.renewing(old, csr.new_key())
        if why := denied(lab.client.send(draft), draft.key):
            raise Inconclusive(f"a renewal was refused: {why}")
    reply = lab.offered(lab.client.send(lab.client.full(cmc.revocation(old)).header("Authorization", None)), "fullcmc")
    if reply.status != 200 or [one.status for one in cmc.response(replies.unspelled(reply.body)).statuses] != [cmc.SUCCESS]:
        raise NotApplicable(f"a holder cannot revoke a certificate here: {said(reply)}")
    with lab.examination.during("spoilt"):
        reply = lab.client.send(lab.renewing(old, csr.new_key()))
    lab.refused(reply)
