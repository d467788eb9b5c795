"""RFC 8894 section 4.1: messages in HTTP."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace

from conformance.case import case
from conformance.examination import Inconclusive, Unsupported
from conformance.scep.client import KEYWORDS, Answer, capabilities_in
from conformance.scep.draft import Draft
from conformance.scep.lab import ScepLab, negative
from conformance.scep.mutations import get, http, message
from conformance.transport import HttpRequest
from conformance.verdict import Level

BASE64, ESCAPED = "rfc8894:4.1#base64", "rfc8894:4.1#escaped"
NO_GET = frozenset((404, 405, 414, 501))
"""How a server says that it does not take messages by GET."""


def _by_get(lab: ScepLab, text: re.Pattern[str] | None = None) -> Answer:
    """The reply to a correct PKCSReq by GET. :param text: what must be in its base64. :raises Unsupported: without GET."""
    lab.granted(lab.pkcs_req(), "control before")
    for _ in range(64):
        draft = lab.pkcs_req()
        octets = draft.message()
        if text is None or text.search(b64encode(octets).decode()):
            break
    else:
        raise Inconclusive("no message had what it should have in its base64")
    draft.method = "GET"
    draft.spoil_message.append(lambda _: octets)
    answer = lab.client.send(draft)
    if answer.response.status in NO_GET:
        raise Unsupported(f"GET of a message: HTTP {answer.response.status}")
    return answer


@case(
    "scep.transport.get",
    covers=[BASE64, ESCAPED, "rfc8894:2.9#historic"],
    kills=["scep.transport.get-base64url"],
    feature="get",
)
def by_get(lab: ScepLab) -> None:
    """A message by GET, base64 and escaped, is granted."""
    why = lab.why_not(_by_get(lab, re.compile(r"\+.*/|/.*\+")))
    lab.check(not why, f"expected SUCCESS, got {why}")


@case("scep.transport.get-plus", covers=[ESCAPED], kills=["scep.transport.get-unescaped-twice"], feature="get")
def plus(lab: ScepLab) -> None:
    """An escaped plus sign is a plus sign, and is unescaped once."""
    why = lab.why_not(_by_get(lab, re.compile(r"\+")))
    lab.check(not why, f"expected SUCCESS, got {why}")


@case(
    "scep.transport.get-parameter-order",
    covers=["rfc8894:4.1#operation"],
    kills=["scep.transport.operation-first"],
    feature="get",
)
def parameter_order(lab: ScepLab) -> None:
    """The message may stand before the operation in the query, where some clients put it."""
    _by_get(lab)
    draft = lab.pkcs_req()
    draft.method = "GET"

    def turned(request: HttpRequest) -> HttpRequest:
        path, _, query = request.url.partition("?")
        operation, _, text = query.partition("&")
        return replace(request, url=f"{path}?{text}&{operation}")

    draft.spoil_request.append(turned)
    why = lab.why_not(lab.client.send(draft))
    lab.check(not why, f"expected SUCCESS, got {why}", level=Level.MAY)


@case(
    "scep.transport.unknown-operation",
    covers=["rfc8894:4.1#operation", "rfc8894:3.5#implemented"],
    kills=["scep.transport.unknown-operation-is-get-ca-caps", "scep.transport.errors-500"],
)
def unknown_operation(lab: ScepLab) -> None:
    """An operation that nobody knows is refused, as the client's error."""
    with lab.examination.during("control before"):
        lab.require(lab.client.get("GetCACaps").status == 200, "GetCACaps is not answered", "rfc8894:3.5#implemented")
    with lab.examination.during("spoilt"):
        reply = lab.client.get("GetNothing")
    lab.check(400 <= reply.status < 500, f"expected an HTTP error of the client's, got {reply.status} {reply.media_type}")
    with lab.examination.during("control after"):
        lab.check(lab.client.get("GetCACaps").status == 200, "GetCACaps is not answered any more", "rfc8894:3.5#implemented")


@case(
    "scep.transport.path-ignored",
    covers=["rfc8894:4.1#path-ignored", "rfc8894:3.5#implemented"],
    kills=["scep.transport.path-tail-refused"],
)
def path_ignored(lab: ScepLab) -> None:
    """What old clients append to the path, pkiclient.exe, does not matter."""
    found = lab.client.capabilities()
    lab.require(found & KEYWORDS, "GetCACaps is not answered with capabilities", "rfc8894:3.5#implemented")
    for tail in ("/pkiclient.exe", "/cgi-bin/pkiclient.exe"):
        reply = lab.client.get("GetCACaps", path=tail)
        lab.check(capabilities_in(reply) == found, f"{tail} behind the URL: HTTP {reply.status}, other capabilities")


for label, title, change in (
    ("garbage", "What is no CMS is refused, as the client's error", lambda octets: b"this is no CMS message at all"),
    ("empty", "An empty message is refused, as the client's error", lambda octets: b""),
    ("cut", "A message that is cut off is refused, as the client's error", lambda octets: octets[: len(octets) // 2]),
    (
        "other-type",
        "A ContentInfo of another type is refused",
        lambda octets: octets[:4] + octets[4:].replace(b"\x07\x02", b"\x07\x06", 1),
    ),
):
    negative(
        f"scep.transport.{label}",
        title,
        covers=["rfc8894:3.2#content"],
        mutation=message(label, "RFC 8894 section 3.2", change),
        fail_info={"badRequest", "badMessageCheck"},
        in_http=True,
        kills=["scep.transport.errors-500"],
    )


def _get_control(lab: ScepLab) -> Draft:
    draft = lab.pkcs_req()
    draft.method = "GET"
    return draft


negative(
    "scep.transport.get-not-base64",
    "A message by GET that is no base64 is refused, as the client's error",
    covers=[BASE64],
    control=_get_control,
    mutation=http("message.not-base64", "RFC 8894 section 4.1", lambda request: get(request, "%21%21%21")),
    fail_info={"badRequest", "badMessageCheck"},
    in_http=True,
    kills=["scep.transport.errors-500"],
    feature="get",
)
