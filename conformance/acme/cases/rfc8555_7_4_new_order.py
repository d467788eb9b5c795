"""RFC 8555 section 7.4: what newOrder must refuse, since it cannot be fulfilled as it was asked for; and whose an order's resources are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from conformance.acme import csr
from conformance.acme.client import dns
from conformance.acme.draft import Draft, Mutation
from conformance.acme.enrollment import poll
from conformance.acme.keys import Key
from conformance.acme.lab import AcmeLab, negative, said
from conformance.acme.mutations import member
from conformance.case import case
from conformance.examination import Unsupported

_AS_REQUESTED = "rfc8555:7.4#as-requested"
_SECTION = "RFC 8555 section 7.4"
_UNWILLING = {"malformed", "rejectedIdentifier", "unsupportedIdentifier"}


def _order(lab: AcmeLab) -> Draft:
    return lab.client.new_order(lab.account, dns(lab.shared.name()))


def _refused(name: str, title: str, mutation: Mutation, fault: str) -> None:
    negative(
        f"acme.order.{name}",
        title,
        covers=[_AS_REQUESTED],
        control=_order,
        mutation=mutation,
        status=(400, 403),
        errors=_UNWILLING,
        kills=[fault],
    )


_refused(
    "no-identifiers",
    "An order for nothing is refused",
    member("identifiers", [], _SECTION, "payload.identifiers.none"),
    "acme.order.nothing-ordered",
)


def _capital(draft: Draft) -> None:
    draft.payload = {"Identifiers": draft.payload["identifiers"]}


_refused(
    "identifiers-other-case",
    "A member Identifiers is not the member identifiers",
    Mutation("payload.Identifiers", "RFC 8259 section 8.3", _capital),
    "acme.order.members-any-case",
)
_refused(
    "not-before-no-date",
    "A notBefore that is no date is refused",
    member("notBefore", "soon", _SECTION),
    "acme.order.dates-ignored",
)


def _reversed(draft: Draft) -> None:
    now = datetime.now(UTC)
    start, end = (f"{now + timedelta(days=days):%Y-%m-%dT00:00:00Z}" for days in (20, 10))
    draft.payload = {**draft.payload, "notBefore": start, "notAfter": end}


_refused(
    "dates-reversed",
    "A notAfter before notBefore is refused",
    Mutation("payload.dates.reversed", _SECTION, _reversed),
    "acme.order.dates-ignored",
)


@case(
    "acme.order.unknown-type",
    covers=[_AS_REQUESTED, "rfc8555:6.7#problem-document"],
    kills=["acme.order.any-type", "acme.order.wrong-type-error"],
)
def unknown_type(lab: AcmeLab) -> None:
    """An identifier of a type that nobody knows is refused, as unsupportedIdentifier."""
    value = [{"type": "nobody-knows-it", "value": lab.shared.name()}]
    reply = lab.paired(
        lambda: _order(lab),
        member("identifiers", value, "RFC 8555 section 9.7.7", "payload.identifiers.unknown-type"),
        status=(400, 403),
        errors=_UNWILLING,
    )
    right = reply.error == "unsupportedIdentifier"
    lab.check(reply.status < 400 or right, f"expected unsupportedIdentifier, got {said(reply)}", "rfc8555:6.7#problem-document")


@case("acme.order.dates", covers=[_AS_REQUESTED], kills=["acme.order.dates-ignored"], feature="validity-request")
def dates(lab: AcmeLab) -> None:
    """A notAfter that an order asks for is the certificate's, or the order is refused."""
    identifiers = dns(lab.shared.name())
    wanted = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    reply = lab.client.send(lab.client.new_order(lab.account, identifiers, notAfter=f"{wanted:%Y-%m-%dT%H:%M:%SZ}"))
    if 400 <= reply.status < 500 and reply.error:
        raise Unsupported(f"notAfter: {said(reply)}")
    lab.require(reply.status == 201, f"newOrder with notAfter gives {said(reply)}")
    url = reply.header("Location") or ""
    enrolled = lab.finished(url, reply.object, identifiers)
    found = enrolled.certificates[0].not_valid_after_utc
    lab.check(found == wanted, f"notAfter is {found}, {wanted} was asked for")


@case(
    "acme.http.resources-of-others",
    covers=["rfc8555:6.3#post-as-get-authenticated"],
    kills=["acme.authorization.shown-to-others", "acme.certificate.shown-to-others"],
)
def resources_of_others(lab: AcmeLab) -> None:
    """Another account is shown neither the authorizations, nor the challenges, nor the certificate of an order."""
    enrolled, stranger = lab.enroll(), lab.new_account()
    order = lab.read(enrolled.order_url, enrolled.account)
    authorization = order["authorizations"][0]
    challenge = lab.read(authorization, enrolled.account)["challenges"][0]["url"]
    for url in (authorization, challenge, order["certificate"]):
        with lab.examination.during("control before"):
            own = lab.client.send(lab.client.fetch(enrolled.account, url))
        lab.require(own.status == 200, f"the owner gets {said(own)}")
        with lab.examination.during("spoilt"):
            reply = lab.client.send(lab.client.fetch(stranger, url))
        lab.refused(reply, status=(401, 403, 404), errors={"unauthorized", "malformed"})


@case("acme.finalize.twice", covers=["rfc8555:7.4#not-ready"], kills=["acme.finalize.twice-accepted"])
def finalize_twice(lab: AcmeLab) -> None:
    """An order that is valid is not ready any more: to finalize it again is 403 orderNotReady, and changes nothing."""
    enrolled = lab.enroll()
    order = lab.read(enrolled.order_url, enrolled.account)
    again = csr.request(Key.make(), order["identifiers"])
    with lab.examination.during("spoilt"):
        reply = lab.client.send(lab.client.finalize(enrolled.account, order["finalize"], again))
    lab.refused(reply, status=403, errors={"orderNotReady"})
    with lab.examination.during("control after"):
        shown = lab.sure(
            lambda: poll(lab.client, enrolled.account, enrolled.order_url, lambda one: one["status"] != "processing")
        )
    lab.check(shown.get("certificate") == order["certificate"], f"its certificate is {shown.get('certificate')!r} now")


_ORDERS = 30
"""Orders after which a limit that is announced should have been met."""


@case(
    "acme.order.rate-limited",
    covers=["rfc8555:6.6#rate-limited", "rfc8555:6.6#retry-after", "rfc8555:6.6#help-link"],
    kills=["acme.limit.malformed", "acme.limit.without-retry-after", "acme.limit.without-help"],
    needs=["rate-limited"],
    feature="rate-limits",
)
def rate_limited(lab: AcmeLab) -> None:
    """An account that makes too many orders is told so as rateLimited, until when, and where to read about it; another one is not."""
    client = lab.client_of(lab.shared.target.rate_limited)
    account, other = (lab.sure(lambda: client.register(binding=lab.binding())) for _ in range(2))
    first = client.send(client.new_order(account, dns(lab.shared.name())))
    lab.require(first.status == 201, f"the first order gives {said(first)}")
    for _ in range(_ORDERS):
        reply = client.send(client.new_order(account, dns(lab.shared.name())))
        if reply.status >= 400:
            break
    lab.require(reply.status >= 400, f"after {_ORDERS} orders there is no limit")
    lab.refused(reply, status=(400, 403, 429, 503), errors={"rateLimited"})
    lab.check(reply.header("Retry-After"), "there is no Retry-After", "rfc8555:6.6#retry-after")
    lab.check(reply.links("help"), "there is no Link with relation help", "rfc8555:6.6#help-link")
    with lab.examination.during("control after"):
        after = client.send(client.new_order(other, dns(lab.shared.name())))
    lab.check(after.status == 201, f"another account gets {said(after)}")
