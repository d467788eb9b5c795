"""RFC 9811 section 3, and RFC 9483 section 6.1: CMP over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from conformance.case import Case, case, register
from conformance.cmp import der
from conformance.cmp.client import MEDIA_TYPE, Answer, Client
from conformance.cmp.lab import CmpLab
from conformance.cmp.message import Body, Draft
from conformance.examination import NotApplicable
from conformance.transport import HttpResponse
from conformance.verdict import Level

_SUCCESS, _ERRORS = range(200, 300), range(400, 600)


@case(
    "cmp.http.post",
    covers=[
        "rfc9811:3.1#status-200",
        "rfc9811:3.1#no-other-2xx",
        "rfc9811:3.1#post",
        "rfc9811:3.2#media-type",
        "rfc9811:3#http",
        "rfc9483:6#http",
        "rfc9483:6#media-type",
        "rfc9483:6.1#http",
        "rfc9483:7.2#transfer",
    ],
    kills=["cmp.http.status-202", "cmp.http.reply-media-type"],
)
def post(lab: CmpLab) -> None:
    """A PKIMessage that is posted is answered with 200, application/pkixcmp and a PKIMessage, throughout an operation."""
    answer = lab.send(lab.ir())
    _carried(lab, answer)
    confirmed = lab.send(lab.confirmation(answer))
    _carried(lab, confirmed)


def _carried(lab: CmpLab, answer: Answer) -> None:
    response = answer.response
    for id in ("rfc9811:3.1#status-200", "rfc9811:3.1#no-other-2xx"):
        lab.check(response.status == 200, f"expected 200, got {response.status}", id)
    for id in ("rfc9811:3.2#media-type", "rfc9483:6#media-type"):
        lab.check(response.media_type == MEDIA_TYPE, f"expected {MEDIA_TYPE}, got {response.media_type or 'no type'}", id)
    why = lab.denied(answer) or lab.unverified(answer)
    lab.require(not why, f"what was posted is not answered: {why}", "rfc9811:3.1#post")


@case(
    "cmp.http.errors",
    covers=["rfc9811:3.1#error-status", "rfc9811:3.2#media-type"],
    kills=["cmp.http.bare-errors"],
)
def errors(lab: CmpLab) -> None:
    """What a PKIMessage explains is explained in one, whatever the status code says: 200, or an error of HTTP."""
    lab.settle(lab.ask(lab.ir()))
    answer = lab.send(lab.ir(sender_nonce=b"8 octets"))
    lab.require(answer.reply is not None, f"expected a PKIMessage, got {answer}")
    status = answer.response.status
    lab.check(status == 200 or status in _ERRORS, f"expected 200, or 4xx or 5xx, got {status}")
    kind = answer.response.media_type
    lab.check(kind == MEDIA_TYPE, f"expected {MEDIA_TYPE}, got {kind or 'no type'}", "rfc9811:3.2#media-type")


Spoilt = Callable[[CmpLab, Draft], HttpResponse]


def _negative(
    id: str, title: str, mutation: str, send: Spoilt, *, covers: Sequence[str], kills: Sequence[str], level: Level | None = None
) -> Case:
    """Declare a case in which the right message is sent in the wrong way, and nothing may be granted.

    :param level: how strongly what is refused has to be, if not as the first requirement has it.
    """

    def body(lab: CmpLab) -> None:
        last: list[Draft] = []

        def control() -> HttpResponse:
            last.append(lab.ir())
            return lab.client.post(lab.url, last[-1].encode())

        def spoilt() -> HttpResponse:
            last.append(lab.ir())
            return send(lab, last[-1])

        def denied(response: HttpResponse) -> str:
            answer = Client.read(last[-1], response)
            if not (why := lab.denied(answer)):
                with lab.examination.during("setup"):
                    lab.settle(answer)
            return why

        def judge(response: HttpResponse) -> None:
            answer = Client.read(last[-1], response)
            refused = response.status in _ERRORS or (answer.reply is not None and answer.reply.refused)
            lab.check(refused, f"{mutation}: expected an error, got {answer}", level=level)

        lab.examination.paired(control, spoilt, denied=denied, judge=judge)

    return register(Case(id, title, tuple(covers), body, tuple(kills), negative=True, mutation=mutation))


_negative(
    "cmp.http.get-refused",
    "A PKIMessage that comes by GET is not answered as if it were posted",
    "GET in place of POST",
    lambda lab, draft: lab.client.post(lab.url, draft.encode(), method="GET"),
    covers=["rfc9811:3.1#post"],
    kills=["cmp.http.any-method"],
    level=Level.SHOULD,
)
_negative(
    "cmp.http.put-refused",
    "A PKIMessage that comes by PUT is not answered as if it were posted",
    "PUT in place of POST",
    lambda lab, draft: lab.client.post(lab.url, draft.encode(), method="PUT"),
    covers=["rfc9811:3.1#post"],
    kills=["cmp.http.any-method"],
    level=Level.SHOULD,
)
_negative(
    "cmp.http.other-media-type",
    "A PKIMessage under another media type is not answered",
    "Content-Type text/plain",
    lambda lab, draft: lab.client.post(lab.url, draft.encode(), media_type="text/plain"),
    covers=["rfc9811:3.2#media-type"],
    kills=["cmp.http.any-media-type"],
    level=Level.MAY,
)
_negative(
    "cmp.http.no-media-type",
    "A PKIMessage without a media type is not answered",
    "no Content-Type",
    lambda lab, draft: lab.client.post(lab.url, draft.encode(), media_type=None),
    covers=["rfc9811:3.2#media-type"],
    kills=["cmp.http.any-media-type"],
    level=Level.MAY,
)
_negative(
    "cmp.http.garbage",
    "What is no PKIMessage is answered with an error, and harms nobody",
    "octets that are no PKIMessage",
    lambda lab, draft: lab.client.post(lab.url, b"\x30\x82\x01\x00" + bytes(range(256))),
    covers=["rfc9483:3.5#negative-response"],
    kills=["cmp.http.garbage-unanswered"],
)
_negative(
    "cmp.http.empty",
    "A request without content is answered with an error, and harms nobody",
    "no content",
    lambda lab, draft: lab.client.post(lab.url, b""),
    covers=["rfc9483:3.5#negative-response"],
    kills=["cmp.http.garbage-unanswered"],
)
_negative(
    "cmp.http.truncated",
    "A PKIMessage whose last octet is missing is answered with an error, and harms nobody",
    "without the last octet",
    lambda lab, draft: lab.client.post(lab.url, draft.encode()[:-1]),
    covers=["rfc9483:3.5#negative-response", "rfc9483:3.5#syntax"],
    kills=["cmp.http.garbage-unanswered"],
)


@case("cmp.http.media-type-as-http-has-it", covers=["rfc9811:3.2#media-type"], kills=["cmp.http.media-type-by-letter"])
def media_type_as_http_has_it(lab: CmpLab) -> None:
    """The media type is compared without case, and parameters do not matter (RFC 9110 section 8.3.1)."""
    for kind in ("Application/PKIXCMP", f"{MEDIA_TYPE}; charset=binary"):
        _served(lab, lab.url, f"Content-Type {kind}", media_type=kind)


@case("cmp.http.poll-media-type", covers=["rfc9811:4#poll-media-type"], kills=["cmp.http.poll-media-type-unknown"])
def poll_media_type(lab: CmpLab) -> None:
    """The unregistered application/pkixcmp-poll of earlier drafts is handled like application/pkixcmp."""
    _served(lab, lab.url, "application/pkixcmp-poll", media_type="application/pkixcmp-poll")


@case("cmp.http.well-known", covers=["rfc9811:3.4#well-known", "rfc9483:6.1#path"], kills=[])
def well_known(lab: CmpLab) -> None:
    """There is an endpoint whose path begins with /.well-known/cmp."""
    parts = urlsplit(lab.url)
    if parts.path == "/.well-known/cmp" or parts.path.startswith("/.well-known/cmp/"):
        _served(lab, lab.url, parts.path)
        lab.check(True, "", "rfc9483:6.1#path")
        return
    answer = lab.send(lab.ir(), url=f"{parts.scheme}://{parts.netloc}/.well-known/cmp")
    for id in ("rfc9811:3.4#well-known", "rfc9483:6.1#path"):
        lab.check(answer.reply is not None, f"{parts.path} serves, and /.well-known/cmp answers with {answer}", id)


@case(
    "cmp.http.operation-labels",
    covers=["rfc9483:6.1#label", "rfc9811:3.4#segments"],
    kills=["cmp.http.labels-unknown"],
)
def operation_labels(lab: CmpLab) -> None:
    """An operation is served at the path with its label: initialization, certification, getcacerts, a whole operation at one path."""
    _labelled(lab)
    for label, body in (("initialization", Body.IR), ("certification", Body.CR)):
        _served(lab, f"{lab.url.rstrip('/')}/{label}", f"the label {label}", body=body)


@case("cmp.http.wrong-label", covers=["rfc9483:6.1#label"], kills=["cmp.http.label-ignored"])
def wrong_label(lab: CmpLab) -> None:
    """A message of one operation is not served at the path of another."""
    _labelled(lab)
    _served(lab, f"{lab.url.rstrip('/')}/certification", "the label certification", body=Body.CR)
    answer = lab.send(lab.ir(), url=f"{lab.url.rstrip('/')}/revocation")
    lab.check(bool(lab.denied(answer)), "an ir is served at the label revocation", level=Level.MAY)


@case("cmp.http.announcement", covers=["rfc9811:3.5#problem"], kills=["cmp.http.announcement-answered"])
def announcement(lab: CmpLab) -> None:
    """An announcement is acknowledged with 201 or 202 and no content, or refused with 4xx or 5xx."""
    lab.settle(lab.ask(lab.ir()))
    response = lab.send(lab.draft(Body.CRLANN, content=der.sequence())).response
    taken = response.status in (201, 202) and not response.body
    lab.check(taken or response.status in _ERRORS, f"an announcement of no CRLs is answered with {response.status}")
    lab.settle(lab.ask(lab.ir()))


def _labelled(lab: CmpLab) -> None:
    """:raises NotApplicable: if the run is not below the path that has operation labels."""
    if "/.well-known/cmp" not in urlsplit(lab.url).path:
        raise NotApplicable("the path of the run is not below /.well-known/cmp, where operation labels are")


def _served(lab: CmpLab, url: str, what: str, *, body: Body = Body.IR, media_type: str = MEDIA_TYPE) -> None:
    """Check that a whole operation is served in some way; that it is where the run says is the control. :raises Inconclusive:"""
    lab.settle(lab.ask(lab.ir(body=body)))
    draft = lab.ir(body=body)
    answer = Client.read(draft, lab.client.post(url, draft.encode(), media_type=media_type))
    if not lab.check(not (why := lab.denied(answer)), f"{what}: {why}"):
        return
    draft = lab.confirmation(answer)
    confirmed = Client.read(draft, lab.client.post(url, draft.encode(), media_type=media_type))
    lab.check(not (why := lab.denied(confirmed)), f"{what}, a certConf: {why}")
