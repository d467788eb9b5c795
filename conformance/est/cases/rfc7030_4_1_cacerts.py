"""RFC 7030 section 4.1: the CA certificates that a server distributes."""

from __future__ import annotations

import dataclasses

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from conformance.case import case
from conformance.est import replies
from conformance.est.draft import operation
from conformance.est.lab import EstLab, negative, said
from conformance.examination import Inconclusive
from conformance.transport import HttpResponse


def shown(lab: EstLab) -> HttpResponse:
    """The reply to /cacerts."""
    return lab.client.send(lab.client.get("cacerts"))


def _certificates(lab: EstLab) -> tuple[x509.Certificate, ...]:
    """Those of /cacerts. :raises Inconclusive: if they do not come with 2xx."""
    reply = shown(lab)
    if not 200 <= reply.status < 300:
        raise Inconclusive(f"/cacerts: {said(reply)}")
    return replies.certificates(reply)


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the key of ``issuer`` signed a certificate, and the names fit."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


@case(
    "est.cacerts.status",
    covers=["rfc7030:4.1.3#status", "rfc7030:4.1.2#supported"],
    kills=["est.cacerts.status-201"],
)
def status(lab: EstLab) -> None:
    """The CA certificates come with 200."""
    reply = shown(lab)
    lab.check(reply.status == 200, f"expected 200, got {said(reply)}")
    lab.check(bool(replies.certificates(reply)), "no certificates", "rfc7030:4.1.2#supported")


@case("est.cacerts.media-type", covers=["rfc7030:4.1.3#certs-only"], kills=["est.cacerts.media-type-wrong"])
def media_type(lab: EstLab) -> None:
    """The CA certificates are application/pkcs7-mime."""
    reply = shown(lab)
    if not 200 <= reply.status < 300 or not replies.certificates(reply):
        raise Inconclusive(f"/cacerts: {said(reply)}")
    lab.check(
        reply.media_type == replies.CERTIFICATES,
        f"expected {replies.CERTIFICATES} (RFC 7030 section 3.2.4), got {reply.header('Content-Type')}",
    )


@case(
    "est.cacerts.base64",
    covers=["rfc8951:3#transfer-encoding-ignored"],
    kills=["est.cacerts.pem-armour", "est.cacerts.raw-der"],
)
def base64(lab: EstLab) -> None:
    """The CA certificates are in base64, without armour."""
    reply = shown(lab)
    lab.require(reply.status == 200, f"expected 200, got {said(reply)}")
    try:
        replies.signed_data(replies.unspelled(reply.body))
    except replies.Unreadable as unreadable:
        lab.check(False, str(unreadable))
    else:
        lab.check(True, "base64")


@case(
    "est.cacerts.certs-only",
    covers=["rfc7030:4.1.3#certs-only", "rfc8951:3.2.1#certs-only"],
    kills=["est.cacerts.with-content", "est.cacerts.bare-certificate"],
)
def certs_only(lab: EstLab) -> None:
    """The CA certificates are a SignedData without content and without a signer, and each of them is one of a CA."""
    reply = shown(lab)
    lab.require(reply.status == 200, f"expected 200, got {said(reply)}")
    try:
        found = replies.certificates(reply)
    except replies.Unreadable as unreadable:
        lab.check(False, str(unreadable), "rfc8951:3.2.1#certs-only")
        return
    others = [one.subject.rfc4514_string() for one in found if not _is_ca(one)]
    lab.check(not others, f"among the CA certificates are others: {others}")


def _is_ca(certificate: x509.Certificate) -> bool:
    if certificate.version is x509.Version.v1:
        return True  # a trust anchor may be older than its extensions
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


@case("est.cacerts.root-included", covers=["rfc7030:4.1.3#root-included"], kills=["est.cacerts.root-missing"])
def root_included(lab: EstLab) -> None:
    """The current root is among the CA certificates."""
    found = _certificates(lab)
    roots = [one for one in found if one.subject == one.issuer and issued_by(one, one)]
    lab.check(roots, f"none of {[one.subject.rfc4514_string() for one in found]} has signed itself")


@case(
    "est.cacerts.chain-included",
    covers=["rfc7030:4.1.3#chain-included"],
    kills=["est.cacerts.issuer-missing", "est.cacerts.root-missing"],
)
def chain_included(lab: EstLab) -> None:
    """The CA certificates lead from what the CA issues to its root."""
    found = _certificates(lab)
    at, left = lab.enrolled.certificate, list(found)
    while True:
        issuer = next((one for one in left if issued_by(at, one)), None)
        if issuer is None:
            lab.check(False, f"nothing in /cacerts has signed {at.subject.rfc4514_string()!r}")
            return
        if issuer.subject == issuer.issuer:
            lab.check(True, "a chain")
            return
        left.remove(issuer)
        at = issuer


@case("est.cacerts.unauthenticated", covers=["rfc7030:4.1.2#unauthenticated"], kills=["est.cacerts.needs-authentication"])
def unauthenticated(lab: EstLab) -> None:
    """Nobody has to say who they are to get the CA certificates."""
    reply = shown(lab)
    lab.check(reply.status == 200 and replies.certificates(reply), f"expected 200, got {said(reply)}")


@case(
    "est.cacerts.same-to-everybody",
    covers=["rfc7030:4.1.2#supported"],
    kills=["est.cacerts.refused-to-clients"],
)
def same_to_everybody(lab: EstLab) -> None:
    """Who presents a certificate gets the same CA certificates as who presents nothing."""
    nobody = set(_certificates(lab))
    draft = dataclasses.replace(lab.client.get("cacerts"), presents=lab.enrolled)
    reply = lab.client.send(draft)
    lab.require(reply.status == 200, f"with a client certificate: expected 200, got {said(reply)}")
    lab.check(set(replies.certificates(reply)) == nobody, "with a client certificate they are others")


negative(
    "est.uri.unknown-operation",
    "An operation that nobody knows is refused",
    covers=["rfc7030:3.2.2#operations"],
    control=lambda lab: lab.client.get("cacerts"),
    mutation=operation("cacertz", "RFC 7030 section 3.2.2"),
    grants=lambda reply, draft: "" if reply.status == 200 else said(reply),
    kills=["est.operation.unknown-answered"],
)
negative(
    "est.uri.case-of-operation",
    "The path of an operation is case-sensitive, as every path is",
    covers=["rfc7030:3.2.2#operations"],
    control=lambda lab: lab.client.get("cacerts"),
    mutation=operation("CACerts", "RFC 3986 section 6.2.2.1"),
    grants=lambda reply, draft: "" if reply.status == 200 else said(reply),
    kills=["est.operation.any-case"],
)
