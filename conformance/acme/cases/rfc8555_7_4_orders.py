"""RFC 8555 sections 7.1.3, 7.1.4 and 7.4: orders, their authorizations, and what a certification request may ask for."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

from cryptography import x509

from conformance.acme import csr
from conformance.acme.client import Account, Identifier, dns
from conformance.acme.draft import Draft
from conformance.acme.enrollment import poll, prove
from conformance.acme.keys import Key
from conformance.acme.lab import ALWAYS_INTERNAL, AcmeLab, negative, said
from conformance.acme.mutations import member
from conformance.case import case
from conformance.examination import Inconclusive, NotApplicable


@case(
    "acme.order.created",
    covers=["rfc8555:7.1.3#order-expires", "rfc8555:7.1.3#arrays-fixed", "rfc8555:7.1.4#wildcard-absent"],
    kills=["acme.order.without-expires", "acme.order.authorizations-change", "acme.authorization.always-wildcard"],
)
def created(lab: AcmeLab) -> None:
    """A new order is pending, expires, and its two arrays stay as they are; its authorizations are for its names."""
    names = (lab.shared.name(), lab.shared.name())
    url, order = lab.order(*names)
    lab.check(order.get("status") == "pending", f"a new order is {order.get('status')!r}")
    lab.check(isinstance(order.get("expires"), str), f"expires is {order.get('expires')!r}")
    shown = {(one["type"], one["value"]) for one in order.get("identifiers", ())}
    lab.check(shown == {("dns", name) for name in names}, f"identifiers are {shown}", "rfc8555:7.1.3#arrays-fixed")
    again = lab.read(url)
    for member_name in ("identifiers", "authorizations"):
        # In any order: it means nothing (section 7.4).
        same = sorted(map(str, again.get(member_name, ()))) == sorted(map(str, order.get(member_name, ())))
        lab.check(same, f"{member_name} is another one the second time", "rfc8555:7.1.3#arrays-fixed")
    authorized = set()
    for authorization in order["authorizations"]:
        found = lab.read(authorization)
        lab.check(
            "wildcard" not in found, f"an authorization has wildcard {found.get('wildcard')!r}", "rfc8555:7.1.4#wildcard-absent"
        )
        authorized.add(found["identifier"]["value"])
    lab.check(authorized == set(names), f"the authorizations are for {sorted(authorized)}", "rfc8555:7.1.3#arrays-fixed")


@case(
    "acme.order.wildcard",
    covers=[
        "rfc8555:7.1.3#wildcard-authorization-value",
        "rfc8555:7.1.3#wildcard-authorization-flag",
        "rfc8555:7.1.4#wildcard-present",
        "rfc8555:7.1.4#wildcard-base",
        "rfc8555:7.1.4#no-wildcard-identifier",
    ],
    kills=["acme.authorization.wildcard-shown", "acme.authorization.wildcard-unmarked"],
    feature="wildcards",
)
def wildcard(lab: AcmeLab) -> None:
    """The authorization for a wildcard is for its base domain, and marked."""
    name = lab.shared.name()
    reply = lab.client.send(lab.client.new_order(lab.account, dns(f"*.{name}")))
    if reply.error in ("rejectedIdentifier", "unsupportedIdentifier"):
        raise NotApplicable(f"the server issues no wildcards: {said(reply)}")
    lab.require(reply.status == 201, f"newOrder for a wildcard gives {said(reply)}")
    for url in reply.object["authorizations"]:
        found = lab.read(url)
        lab.check(found["identifier"]["value"] == name, f"the authorization is for {found['identifier']['value']!r}")
        lab.check(
            found.get("wildcard") is True, f"wildcard is {found.get('wildcard')!r}", "rfc8555:7.1.3#wildcard-authorization-flag"
        )
        lab.check(
            all(one["type"] != "http-01" for one in found["challenges"]) or lab.shared.target.validates is False,
            "a wildcard is offered http-01, which proves one host alone",
        )


for _name, _value, _why in (
    ("not-a-name", "a b.conformance.test", "with a space"),
    ("bad-a-label", "xn--a-.conformance.test", "with a label that decodes to nothing"),
    ("unicode", "b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.conformance.test", "in Unicode"),
    ("empty-label", "a..conformance.test", "with an empty label"),
    ("wildcard-inside", "a.*.conformance.test", "with an asterisk inside"),
    ("label-hyphen", "-bad-.conformance.test", "with a label that begins and ends with a hyphen"),
    ("label-long", f"{'a' * 64}.conformance.test", "with a label of 64 octets"),
    ("name-long", ".".join(["a" * 49] * 5 + ["conformance", "test"]), "of more than 253 octets"),
    ("address-as-name", "192.0.2.1", "that is an IP address"),
):
    negative(
        f"acme.order.{_name}",
        f"A DNS name {_why} is refused",
        covers=[
            {
                "bad-a-label": "rfc8555:7.1.4#a-labels",
                "unicode": "rfc8555:7.1.4#name-encoding",
            }.get(_name, "rfc8555:7.1.4#name-encoding-5280")
        ],
        control=lambda lab: lab.client.new_order(lab.account, dns(lab.shared.name())),
        mutation=member("identifiers", dns(_value), "RFC 8555 section 7.1.4", f"payload.identifiers.{_name}"),
        status=(400, 403),
        errors={"malformed", "rejectedIdentifier", "unsupportedIdentifier"},
        kills=["acme.order.name-error"],
    )


# -- finalize -----------------------------------------------------------------------------------------------------------


class Ready:
    """Orders that are ready, one for each draft: a finalize request that is accepted uses its order up."""

    def __init__(self, lab: AcmeLab, names: int = 1) -> None:
        self.lab = lab
        self.names = names
        self.account: Account = lab.account

    def order(self) -> tuple[str, dict[str, Any], list[Identifier]]:
        """URL, object and identifiers of a new order that is ready."""
        identifiers = dns(*(self.lab.shared.name() for _ in range(self.names)))
        client = self.lab.client
        url, order = self.lab.sure(lambda: client.order(self.account, identifiers))
        for authorization in order["authorizations"]:
            self.lab.sure(partial(prove, client, self.account, authorization, self.lab.responder))
        shown = self.lab.sure(lambda: poll(client, self.account, url, lambda one: one["status"] != "pending"))
        if shown["status"] != "ready":
            raise Inconclusive(f"the order became {shown['status']}")
        return url, shown, identifiers

    def finalize(self, spoil: Callable[[list[Identifier], Key], bytes] | None = None) -> Draft:
        """A correct finalize request, or one with another certification request."""
        _, order, identifiers = self.order()
        key = Key.make()
        asked = csr.request(key, identifiers) if spoil is None else spoil(identifiers, key)
        return self.lab.client.finalize(self.account, order["finalize"], asked)


def _bad_csr(
    name: str, title: str, requirement: str, spoil: Callable[[AcmeLab, list[Identifier], Key], bytes], *faults: str
) -> None:
    """One order for each request; the spoilt one stays ready, and takes the right request afterwards."""

    def body(lab: AcmeLab) -> None:
        ready = Ready(lab)
        with lab.examination.during("control before"):
            before = lab.client.send(ready.finalize())
        if before.status >= 400:
            raise Inconclusive(f"the control was refused: {said(before)}")
        url, order, identifiers = ready.order()
        key = Key.make()
        with lab.examination.during("spoilt"):
            reply = lab.client.send(lab.client.finalize(ready.account, order["finalize"], spoil(lab, identifiers, key)))
        if lab.refused(reply, status=(400, 403), errors={"badCSR", "badPublicKey", "malformed", "unauthorized"}):
            lab.check(reply.error == "badCSR", f"expected badCSR, got {said(reply)}", "rfc8555:7.4#bad-csr")
        shown = lab.read(url, ready.account)
        lab.check(shown["status"] == "ready", f"the order is {shown['status']} after a bad CSR", "rfc8555:7.4#bad-csr-ready")
        with lab.examination.during("control after"):
            right = lab.client.finalize(ready.account, order["finalize"], csr.request(key, identifiers))
            after = lab.client.send(right)
        lab.check(after.status < 400, f"the right CSR afterwards gives {said(after)}", "rfc8555:7.4#bad-csr-ready")

    body.__doc__ = title
    case(
        f"acme.finalize.{name}",
        covers=list(dict.fromkeys([requirement, "rfc8555:7.4#bad-csr", "rfc8555:7.4#bad-csr-ready"])),
        kills=[*faults, "acme.finalize.bad-csr-malformed", ALWAYS_INTERNAL],
    )(body)


_CSR = "rfc8555:7.4#csr-identifiers"
_bad_csr(
    "name-more",
    "A CSR with a name that the order has not is refused",
    _CSR,
    lambda lab, names, key: csr.request(key, [*names, *dns(lab.shared.name())]),
    "acme.finalize.wrong-names-error",
    "acme.finalize.bad-csr-invalidates",
)
_bad_csr(
    "name-other",
    "A CSR for another name than the order's is refused",
    _CSR,
    lambda lab, names, key: csr.request(key, dns(lab.shared.name())),
    "acme.finalize.wrong-names-error",
    "acme.finalize.bad-csr-invalidates",
)
_bad_csr(
    "no-name",
    "A CSR without any name is refused",
    "rfc8555:7.4#csr-where",
    lambda lab, names, key: csr.request(key, []),
    "acme.finalize.wrong-names-error",
)
_bad_csr(
    "common-name-other",
    "A CSR whose common name is another name is refused",
    _CSR,
    lambda lab, names, key: csr.request(key, names, common_name=lab.shared.name()),
    "acme.finalize.wrong-names-error",
)
_bad_csr(
    "bad-signature",
    "A CSR with a wrong signature is refused",
    "rfc8555:7.4#csr",
    lambda lab, names, key: csr.badly_signed(csr.request(key, names)),
    "acme.finalize.wrong-csr-error",
)
_bad_csr(
    "garbage",
    "A csr that is no certification request is refused",
    "rfc8555:7.4#csr",
    lambda lab, names, key: b"\x30\x03\x02\x01\x00",
    "acme.finalize.wrong-csr-error",
)
_bad_csr(
    "account-key",
    "A CSR for the account's own key is refused",
    "rfc8555:11.1#csr-not-this-key",
    lambda lab, names, key: csr.request(lab.account.key, names),
    "acme.finalize.account-key-accepted",
)
_bad_csr(
    "other-account-key",
    "A CSR for the key of another account is refused",
    "rfc8555:11.1#csr-no-account-key",
    lambda lab, names, key: csr.request(lab.new_account().key, names),
    "acme.finalize.account-key-accepted",
)


@case("acme.finalize.not-ready", covers=["rfc8555:7.4#not-ready"], kills=["acme.finalize.not-ready-accepted"])
def not_ready(lab: AcmeLab) -> None:
    """Finalize of an order that is not ready is 403 orderNotReady."""
    with lab.examination.during("control before"):
        before = lab.client.send(Ready(lab).finalize())
    if before.status >= 400:
        raise Inconclusive(f"the control was refused: {said(before)}")
    name = lab.shared.name()
    _, order = lab.order(name)
    with lab.examination.during("spoilt"):
        reply = lab.client.send(lab.client.finalize(lab.account, order["finalize"], csr.request(Key.make(), dns(name))))
    lab.refused(reply, status=403, errors={"orderNotReady"})


@case(
    "acme.finalize.as-requested",
    covers=["rfc8555:7.4#as-requested", "rfc8555:11.1#account-key-not-certified"],
)
def as_requested(lab: AcmeLab) -> None:
    """The certificate has the names of the order and the key of the request, no more and no less."""
    names = dns(lab.shared.name(), lab.shared.name())
    key = Key.make()
    enrolled = lab.enroll(names, key=key)
    leaf = enrolled.certificates[0]
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    lab.check(sorted(found) == sorted(one["value"] for one in names), f"the certificate names {found}")
    lab.check(leaf.public_key() == key.private.public_key(), "the certificate holds another key")
    lab.check(
        leaf.public_key() != enrolled.account.key.private.public_key(),
        "the certificate holds the account's key",
        "rfc8555:11.1#account-key-not-certified",
    )


@case(
    "acme.certificate.form",
    covers=["rfc8555:9.1#strict", "rfc8555:9.1#end-entity-first", "rfc8555:9.1#each-certifies"],
    kills=["acme.certificate.text-around", "acme.certificate.chain-reversed"],
)
def certificate_form(lab: AcmeLab) -> None:
    """A certificate is downloaded as strict PEM, end entity first, each certified by the next."""
    ready = Ready(lab)
    url, order, identifiers = ready.order()
    lab.sure(
        lambda: lab.client.perform(lab.client.finalize(ready.account, order["finalize"], csr.request(Key.make(), identifiers)))
    )
    done = lab.sure(lambda: poll(lab.client, ready.account, url, lambda one: one["status"] not in ("ready", "processing")))
    if done["status"] != "valid":
        raise Inconclusive(f"the order became {done['status']}")
    reply = lab.client.send(lab.client.fetch(ready.account, done["certificate"]))
    lab.require(reply.status == 200, f"the certificate gives {said(reply)}")
    lab.check(reply.media_type == "application/pem-certificate-chain", f"its type is {reply.media_type}")
    found = x509.load_pem_x509_certificates(reply.body)
    lines = [line for line in reply.body.decode("ascii", "replace").splitlines() if line]
    inside, stray = False, []
    for line in lines:
        if line == "-----BEGIN CERTIFICATE-----":
            inside = True
        elif line == "-----END CERTIFICATE-----":
            inside = False
        elif not inside or len(line) > 64:
            stray.append(line)
    lab.check(not stray, f"the file has {stray[:2]!r} besides certificates")
    constraints = [_is_ca(one) for one in found]
    lab.check(not constraints[0], "the first certificate is that of a CA", "rfc8555:9.1#end-entity-first")
    for below, above in itertools.pairwise(found):
        lab.check(
            below.issuer == above.subject, f"{above.subject} does not certify what is before it", "rfc8555:9.1#each-certifies"
        )


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


@case("acme.order.urls-unpredictable", covers=["rfc8555:10.5#unpredictable-urls"])
def urls_unpredictable(lab: AcmeLab) -> None:
    """URLs of accounts and orders do not count up."""
    accounts = [lab.new_account().url for _ in range(3)]
    orders = [lab.order()[0] for _ in range(3)]
    for kind, urls in (("accounts", accounts), ("orders", orders)):
        tails = [url.rpartition("/")[2] for url in urls]
        numbers = [int(tail) for tail in tails if tail.isdigit() and len(tail) < 12]
        lab.check(len(set(tails)) == len(tails), f"{kind} share URLs: {tails}")
        lab.check(len(numbers) < 3, f"the URLs of {kind} end in {tails}")
