"""RFC 7030 sections 3.2.1, 3.2.2 and 3.3: URIs, methods, redirections, and HTTPS alone."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import urljoin, urlsplit

from conformance.case import case
from conformance.est import replies
from conformance.est.draft import Draft, method, spelled
from conformance.est.lab import EstLab, denied, negative, said
from conformance.examination import Inconclusive, NotApplicable, Unsupported
from conformance.transport import HttpResponse, Unreachable

_OPERATIONS = ("cacerts", "simpleenroll", "simplereenroll", "fullcmc", "serverkeygen", "csrattrs")
_PATH = re.compile(r"(.*)/\.well-known/est(?:/(.*))?")
_TOO_LARGE = 3 << 20


def _split(url: str) -> tuple[str, str]:
    """What stands before the label, ``.well-known/est`` included, and the label, empty if there is none."""
    found = _PATH.fullmatch(url.rstrip("/"))
    return (f"{found[1]}/.well-known/est", found[2] or "") if found else ("", "")


@case("est.uri.well-known", covers=["rfc7030:3.2.2#well-known"])
def well_known(lab: EstLab) -> None:
    """The server is found under /.well-known/est."""
    root, _ = _split(lab.client.access.url)
    lab.require(root, f"{lab.client.access.url} is not under /.well-known/est")
    reply = lab.client.send(lab.client.get("cacerts"))
    lab.check(reply.status == 200 and replies.certificates(reply), f"/cacerts: {said(reply)}")


@case(
    "est.uri.operations",
    covers=["rfc7030:3.2.2#operations", "rfc7030:4.2#supported"],
    kills=["est.operation.reenroll-missing"],
)
def operations(lab: EstLab) -> None:
    """The three operations that every server has answer at their paths."""
    reply = lab.client.send(lab.client.get("cacerts"))
    lab.check(reply.status == 200 and replies.certificates(reply), f"/cacerts: {said(reply)}")
    enrolled = lab.enroll()
    draft = lab.renewing(enrolled)
    reply = lab.client.send(draft)
    why = denied(reply, draft.key)
    lab.check(not why, f"/simplereenroll with the certificate that is renewed: {why}", "rfc7030:4.2#supported")


@case("est.uri.without-label", covers=["rfc7030:3.2.2#without-label", "rfc7030:3.2.2#several-cas"], feature="ca-label")
def without_label(lab: EstLab) -> None:
    """The server answers with and without the segment that chooses a CA."""
    root, label = _split(lab.client.access.url)
    if not root:
        raise Inconclusive(f"{lab.client.access.url} is not under /.well-known/est")
    draft = Draft(root, "cacerts", "GET")
    reply = lab.client.send(draft)
    lab.check(reply.status == 200 and replies.certificates(reply), f"{root}/cacerts: {said(reply)}")
    if not label:
        raise Unsupported("the target has no label")
    reply = lab.client.send(lab.client.get("cacerts"))
    lab.check(
        reply.status == 200 and replies.certificates(reply), f"with the label {label}: {said(reply)}", "rfc7030:3.2.2#several-cas"
    )


@case("est.uri.label-no-operation", covers=["rfc7030:3.2.2#label-no-operation"])
def label_no_operation(lab: EstLab) -> None:
    """No operation is the label of a CA."""
    root, label = _split(lab.client.access.url)
    reply = lab.client.send(lab.client.get("cacerts"))
    if reply.status != 200 or not root:
        raise Inconclusive(f"/cacerts: {said(reply)}")
    lab.check(label not in _OPERATIONS, f"the label {label} is an operation")
    for name in ("simpleenroll", "cacerts"):
        reply = lab.client.send(Draft(f"{root}/{name}", "cacerts", "GET"))
        lab.check(reply.status >= 400, f"/{name}/cacerts, as of a CA with that label: {said(reply)}")


@case("est.uri.unknown-label", covers=["rfc7030:3.2.2#several-cas"], feature="ca-label")
def unknown_label(lab: EstLab) -> None:
    """There is no CA under a label that was made up, if labels choose one."""
    root, label = _split(lab.client.access.url)
    if not label:
        raise Unsupported("the target has no label")
    reply = lab.client.send(lab.client.get("cacerts"))
    if reply.status != 200 or not replies.certificates(reply):
        raise Inconclusive(f"/cacerts: {said(reply)}")
    reply = lab.client.send(Draft(f"{root}/{label}-{lab.shared.name().partition('.')[0]}", "cacerts", "GET"))
    lab.check(400 <= reply.status < 500, f"under a label that was made up: {said(reply)}")


negative(
    "est.uri.post-to-cacerts",
    "CA certificates are not posted for",
    covers=["rfc7030:3.2.2#operations"],
    control=lambda lab: lab.client.get("cacerts"),
    mutation=method("POST", "RFC 7030 section 4.1.2"),
    grants=lambda reply, draft: "" if reply.status == 200 else said(reply),
    kills=["est.operation.any-method"],
)
negative(
    "est.uri.put-to-simpleenroll",
    "Nothing is enrolled by another method than POST",
    covers=["rfc7030:3.2.2#operations"],
    mutation=method("PUT", "RFC 7030 section 4.2.1"),
    kills=["est.operation.any-method"],
)


@case("est.http.redirections", covers=["rfc7030:3.3#https"], kills=["est.cacerts.redirects-to-plain"])
def redirections(lab: EstLab) -> None:
    """The server sends nobody on to a place without TLS."""
    reply = lab.client.send(lab.client.get("cacerts"))
    location = reply.header("Location")
    lab.check(
        location is None or urlsplit(urljoin(reply.request.url, location)).scheme == "https",
        f"/cacerts leads to {location}",
    )
    if reply.status != 200 or not replies.certificates(reply):
        raise Inconclusive(f"/cacerts: {said(reply)}")


@case("est.http.plain", covers=["rfc7030:3.3#https", "rfc7030:3.2.3#over-tls"], kills=["est.http.plain-served"])
def plain(lab: EstLab) -> None:
    """Without TLS nothing is enrolled, and nobody is asked for a password."""
    with lab.examination.during("control before"):
        draft = lab.enrolling()
        if why := denied(lab.client.send(draft), draft.key):
            raise Inconclusive(f"over TLS: {why}")
    parts = urlsplit(lab.client.access.url)
    origin = lab.shared.target.plain or f"http://{parts.netloc}"
    if parts.scheme != "https":
        raise NotApplicable("the target is not at an https URL")
    with lab.examination.during("spoilt"):
        for send, operation in ((lab.client.get("cacerts"), "/cacerts"), (lab.enrolling(), "/simpleenroll")):
            reply = _sent(lab, dataclasses.replace(send, url=f"{origin.rstrip('/')}{parts.path}"))
            if reply is not None:
                lab.check(reply.status >= 300, f"{operation} without TLS: {said(reply)}")
                challenged = reply.header("WWW-Authenticate")
                lab.check(challenged is None, f"{operation} without TLS: {challenged}", "rfc7030:3.2.3#over-tls")
    lab.check(True, "without TLS there is no reply")


def _sent(lab: EstLab, draft: Draft) -> HttpResponse | None:
    try:
        # Without the password: it is not to be seen by whoever listens.
        return lab.client.send(draft.header("Authorization", None))
    except Unreachable:
        return None


@case("est.http.large-body", covers=["rfc7030:4.2.3#error-status"])
def large_body(lab: EstLab) -> None:
    """A body of three megabytes is refused, and the next request is served."""
    with lab.examination.during("control before"):
        draft = lab.enrolling()
        if why := denied(lab.client.send(draft), draft.key):
            raise Inconclusive(f"the control was refused: {why}")
    large = dataclasses.replace(lab.enrolling(), body=spelled(bytes(_TOO_LARGE)))
    with lab.examination.during("spoilt"):
        try:
            reply = lab.client.connections.presenting(None).exchange(large.request())
        except Unreachable:
            lab.check(True, "it hung up")
        else:
            lab.check(400 <= reply.status < 600, f"expected a refusal, got {said(reply)}")
    with lab.examination.during("control after"):
        draft = lab.enrolling()
        why = denied(lab.client.send(draft), draft.key)
        lab.check(not why, f"after the large body the control is refused: {why}")
