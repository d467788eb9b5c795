"""RFC 7030 section 4.2.3 and RFC 8951 section 5: refusals, and requests that wait."""

from __future__ import annotations

import email.utils

from conformance.case import case
from conformance.est import csr
from conformance.est.client import Client
from conformance.est.draft import Draft, octets
from conformance.est.lab import EstLab, denied, said
from conformance.examination import Inconclusive, Unsupported
from conformance.transport import HttpResponse

_PLAINTEXT, _NEWER = "rfc7030:4.2.3#plaintext-error", "rfc8951:5.1#plaintext-error"


def text_of(reply: HttpResponse) -> str:
    """What a person reads in a refusal; empty if that is nothing."""
    try:
        text = reply.body.decode("utf-8").strip()
    except UnicodeDecodeError:
        return ""
    return text if all(one.isprintable() or one in "\r\n\t" for one in text) else ""


def _refused(lab: EstLab) -> HttpResponse:
    """The reply to a CSR with a bad signature, after one that was granted. :raises Inconclusive:"""
    with lab.examination.during("control before"):
        draft = lab.enrolling()
        if why := denied(lab.client.send(draft), draft.key):
            raise Inconclusive(f"the control was refused: {why}")
    draft = lab.enrolling()
    with lab.examination.during("spoilt"):
        reply = lab.client.send(draft, octets("signature: last octet changed", "RFC 2986 section 4.2", csr.badly_signed))
    if reply.status < 400:
        raise Inconclusive(f"nothing is refused: {said(reply)}")
    return reply


@case(
    "est.error.plaintext",
    covers=[_PLAINTEXT, _NEWER],
    kills=["est.error.binary-text", "est.error.empty", "est.error.no-type-binary"],
)
def plaintext(lab: EstLab) -> None:
    """A refusal says why in a text that people read, unless it is a CMC message."""
    reply = _refused(lab)
    kind = reply.media_type
    if kind == "application/pkcs7-mime":
        lab.check(reply.body, "a CMC error without a body")
        return
    if kind and not kind.startswith("text/"):
        # Problem documents and the like are not foreseen, and not forbidden.
        lab.check(reply.body, "a refusal without a body")
        return
    lab.check(text_of(reply), f"no text in {reply.body[:80]!r}")
    lab.check(text_of(reply) or kind, "no text, and no media type", _NEWER)


@case(
    "est.error.media-type",
    covers=["rfc8951:5.1#text-plain", "rfc7030:4.2.3#error-in-cms"],
    kills=["est.error.json"],
)
def media_type(lab: EstLab) -> None:
    """The text of a refusal is text/plain, or a CMC message is application/pkcs7-mime."""
    kind = _refused(lab).media_type
    lab.check(kind in ("", "text/plain", "application/pkcs7-mime"), f"a refusal is {kind}")


def _waiting(lab: EstLab) -> tuple[Client, Draft, HttpResponse]:
    """A request that waits. :raises Unsupported: if none does."""
    for client in lab.endpoints:
        draft = lab.enrolling(client)
        reply = client.send(draft)
        if reply.status == 202:
            return client, draft, reply
    raise Unsupported("no endpoint of the target lets a request wait")


@case(
    "est.waiting.retry-after",
    covers=["rfc7030:4.2.3#retry-after", "rfc7030:4.2#manual"],
    kills=["est.waiting.no-retry-after", "est.waiting.bad-retry-after"],
    feature="manual-authorization",
)
def retry_after(lab: EstLab) -> None:
    """202 says when to ask again, in seconds or as a date."""
    _, _, reply = _waiting(lab)
    value = reply.header("Retry-After")
    lab.require(value is not None, "202 without Retry-After")
    lab.check(_is_time(value or ""), f"Retry-After: {value} is neither a number of seconds nor a date (RFC 9110 section 10.2.3)")


def _is_time(value: str) -> bool:
    if value.isascii() and value.isdigit():
        return True
    try:
        return email.utils.parsedate_to_datetime(value) is not None
    except ValueError:
        return False


@case(
    "est.waiting.asked-again",
    covers=["rfc7030:4.2#manual"],
    kills=["est.waiting.refused-when-repeated"],
    feature="manual-authorization",
)
def asked_again(lab: EstLab) -> None:
    """The same request again waits as before, and is not granted by being asked twice."""
    client, draft, first = _waiting(lab)
    lab.check(denied(first, draft.key), "a certificate comes with 202")
    again = client.send(draft)
    lab.check(again.status == 202, f"the same request again: expected 202, got {said(again)}")
