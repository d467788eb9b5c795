"""RFC 7030 section 4.5 and RFC 8951 section 4: what a CA wants to find in a CSR."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.case import case
from conformance.est import csr, replies
from conformance.est.cases.rfc7030_3_5_linking import demanding
from conformance.est.client import Client
from conformance.est.lab import EstLab, denied, said
from conformance.est.replies import Entry
from conformance.examination import Inconclusive, NotApplicable, Unsupported
from conformance.transport import HttpResponse

FEATURE = "csrattrs"
MEDIA_TYPE = "application/csrattrs"
EC_PUBLIC_KEY, RSA_ENCRYPTION = "1.2.840.10045.2.1", "1.2.840.113549.1.1.1"
KEYS = frozenset({EC_PUBLIC_KEY, RSA_ENCRYPTION, "1.3.101.110", "1.3.101.111", "1.3.101.112", "1.3.101.113"})
TEMPLATE = "1.2.840.113549.1.9.16.2.61"
_NONE = frozenset({204, 404})


def shown(lab: EstLab) -> Iterator[tuple[Client, HttpResponse]]:
    """The reply of each endpoint that has CSR attributes. :raises Unsupported: if none has."""
    found = False
    for client in lab.endpoints:
        reply = client.send(client.get("csrattrs"))
        if reply.status in _NONE:
            continue
        found = True
        yield client, reply
    if not found:
        raise Unsupported("no endpoint of the target has CSR attributes")


def one(lab: EstLab) -> HttpResponse:
    """The reply of the first endpoint that has CSR attributes. :raises Unsupported:"""
    return next(shown(lab))[1]


def entries(reply: HttpResponse) -> list[Entry]:
    """What a reply lists; what is wrong with its base64 has a case of its own. :raises Unreadable:"""
    if reply.status != 200:
        raise replies.Unreadable(f"no CSR attributes but {said(reply)}")
    return replies.csr_attributes(replies.unspelled(reply.body, strict=False))


@case(
    "est.csrattrs.status-and-type",
    covers=["rfc7030:4.5.2#status", "rfc8951:4#status", "rfc7030:4.5.2#media-type", "rfc8951:4#media-type"],
    kills=["est.csrattrs.status-201", "est.csrattrs.media-type-wrong"],
    feature=FEATURE,
)
def status_and_type(lab: EstLab) -> None:
    """CSR attributes come with 200 as application/csrattrs."""
    reply = one(lab)
    lab.require(200 <= reply.status < 300, f"expected 200, got {said(reply)}")
    lab.check(bool(replies.unspelled(reply.body, strict=False)), "no body")
    for requirement in ("rfc7030:4.5.2#status", "rfc8951:4#status"):
        lab.check(reply.status == 200, f"expected 200, got {said(reply)}", requirement)
    for requirement in ("rfc7030:4.5.2#media-type", "rfc8951:4#media-type"):
        lab.check(reply.media_type == MEDIA_TYPE, f"expected {MEDIA_TYPE}, got {reply.header('Content-Type')}", requirement)


@case(
    "est.csrattrs.encoding",
    covers=["rfc8951:4#media-type", "rfc7030:4.5.2#structure", "rfc8951:4#structure"],
    kills=["est.csrattrs.raw-der", "est.csrattrs.one-attribute-bare"],
    feature=FEATURE,
)
def encoding(lab: EstLab) -> None:
    """CSR attributes are a SEQUENCE of OIDs and attributes in base64."""
    for client, reply in shown(lab):
        try:
            octets = replies.unspelled(reply.body)
        except replies.Unreadable as unreadable:
            lab.check(False, f"{client.access.url}: {unreadable}")
            continue
        try:
            found = replies.csr_attributes(octets)
        except replies.Unreadable as unreadable:
            lab.check(False, f"{client.access.url}: {unreadable}", "rfc8951:4#structure")
        else:
            lab.check(isinstance(found, list), "no list", "rfc7030:4.5.2#structure")


@case(
    "est.csrattrs.unauthenticated",
    covers=["rfc7030:4.5#unauthenticated"],
    kills=["est.csrattrs.needs-authentication"],
    feature=FEATURE,
)
def unauthenticated(lab: EstLab) -> None:
    """Nobody has to say who they are to get the CSR attributes."""
    reply = one(lab)
    lab.check(reply.status == 200 and isinstance(entries(reply), list), f"expected 200, got {said(reply)}")


@case(
    "est.csrattrs.challenge-password",
    covers=["rfc7030:4.5.2#challenge-password", "rfc8951:4#challenge-password"],
    kills=["est.csrattrs.challenge-password-missing"],
    feature="linking-required",
)
def challenge_password(lab: EstLab) -> None:
    """Where identity and proof of possession must be linked, the CSR attributes list challengePassword."""
    client = demanding(lab)
    reply = client.send(client.get("csrattrs"))
    found = entries(reply) if reply.status == 200 else []
    for requirement in ("rfc7030:4.5.2#challenge-password", "rfc8951:4#challenge-password"):
        lab.check(
            any(entry.oid == csr.CHALLENGE_PASSWORD for entry in found),
            f"linking is required, and the CSR attributes ({reply.status}) are {[entry.oid for entry in found]}",
            requirement,
        )


@case(
    "est.csrattrs.kind-of-key",
    covers=["rfc7030:4.5.2#crypto-system", "rfc8951:4#algorithm"],
    kills=["est.csrattrs.kind-of-key-missing"],
    feature=FEATURE,
)
def kind_of_key(lab: EstLab) -> None:
    """A CA that certifies keys of one kind alone says which in the CSR attributes."""
    accepted = {}
    for kind in ("P-256", "P-384", "RSA-2048"):
        draft = lab.enrolling(kind=kind)
        accepted[kind] = not denied(lab.client.send(draft), draft.key)
    if not any(accepted.values()):
        raise Inconclusive("no request is granted, whatever its key is")
    reply = lab.client.send(lab.client.get("csrattrs"))
    found = entries(reply) if reply.status == 200 else []
    named = [entry.oid for entry in found if entry.values is not None and (entry.oid in KEYS or entry.oid == TEMPLATE)]
    if sum(accepted.values()) > 1 and not named:
        raise NotApplicable(f"keys of several kinds are certified: {[kind for kind, yes in accepted.items() if yes]}")
    for requirement in ("rfc7030:4.5.2#crypto-system", "rfc8951:4#algorithm"):
        lab.check(named, f"of {list(accepted)} only {[kind for kind, yes in accepted.items() if yes]} is certified", requirement)
