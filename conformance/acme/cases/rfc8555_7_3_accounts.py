"""RFC 8555 section 7.3: accounts."""

from __future__ import annotations

from conformance.acme.client import Account, dns
from conformance.acme.keys import Key
from conformance.acme.lab import AcmeLab, negative, said
from conformance.acme.mutations import MUTATIONS, member, sent_to
from conformance.case import case
from conformance.examination import Unsupported

CONTACT = "mailto:admin@conformance.test"


@case("acme.account.created", covers=["rfc8555:7.3.1#existing-account"], kills=["acme.account.existing-created-again"])
def created(lab: AcmeLab) -> None:
    """A new key gets 201 and a Location; the same key again gets 200 and the same Location."""
    key = Key.make()
    first = lab.client.send(lab.client.new_account(key, contact=[CONTACT], binding=lab.binding()))
    lab.require(first.status == 201 and first.header("Location"), f"newAccount gives {said(first)}")
    again = lab.client.send(lab.client.new_account(key, binding=lab.binding()))
    lab.check(again.status == 200, f"newAccount with a known key gives {said(again)}")
    lab.check(again.header("Location") == first.header("Location"), f"its Location is {again.header('Location')!r}")
    other = lab.client.send(lab.client.new_account(Key.make(), binding=lab.binding()))
    lab.check(other.header("Location") != first.header("Location"), "another key has the same account")


@case("acme.account.existing-unchanged", covers=["rfc8555:7.3.1#existing-unchanged"], kills=["acme.account.existing-overwritten"])
def existing_unchanged(lab: AcmeLab) -> None:
    """NewAccount with a known key changes nothing of the account."""
    account = lab.new_account()
    lab.sure(lambda: lab.client.perform(lab.client.update_account(account, contact=[CONTACT])))
    reply = lab.client.send(lab.client.new_account(account.key, contact=["mailto:other@conformance.test"], binding=lab.binding()))
    lab.require(reply.status == 200, f"newAccount with a known key gives {said(reply)}")
    lab.check(reply.object.get("contact", [CONTACT]) == [CONTACT], f"the reply has contact {reply.object.get('contact')!r}")
    shown = lab.read(account.url, account)
    lab.check(shown.get("contact", [CONTACT]) == [CONTACT], f"the account has contact {shown.get('contact')!r} now")


@case(
    "acme.account.only-existing",
    covers=["rfc8555:7.3.1#account-does-not-exist", "rfc8555:7.3#only-existing"],
    kills=["acme.account.only-existing-ignored"],
)
def only_existing(lab: AcmeLab) -> None:
    """OnlyReturnExisting finds an account, and for a key without one it is accountDoesNotExist and makes none."""
    with lab.examination.during("control before"):
        known = lab.client.send(lab.client.new_account(lab.account.key, existing=True))
    lab.require(known.status == 200 and known.header("Location") == lab.account.url, f"for a known key: {said(known)}")
    key = Key.make()
    with lab.examination.during("spoilt"):
        reply = lab.client.send(lab.client.new_account(key, existing=True))
    lab.refused(reply, status=400, errors={"accountDoesNotExist"}, requirement="rfc8555:7.3.1#account-does-not-exist")
    with lab.examination.during("control after"):
        made = lab.client.send(lab.client.new_account(key, binding=lab.binding()))
    lab.check(made.status == 201, f"then newAccount gives {said(made)}: there was one already", "rfc8555:7.3#only-existing")


@case(
    "acme.account.unknown-fields",
    covers=["rfc8555:7.3#fields-ignored", "rfc8555:7.3#not-reflected"],
    kills=["acme.account.fields-reflected", "acme.account.orders-taken-over"],
)
def unknown_fields(lab: AcmeLab) -> None:
    """orders, status and unknown fields of a new account are ignored and not reflected."""
    key = Key.make()
    draft = lab.client.new_account(key, binding=lab.binding())
    draft.payload.update(orders="https://example.test/mine", status="deactivated", nickname="x", onlyReturnExisting=False)
    reply = lab.client.send(draft)
    lab.require(reply.status == 201, f"newAccount with unknown fields gives {said(reply)}")
    made = reply.object
    lab.check(made.get("status") == "valid", f"status is {made.get('status')!r}", "rfc8555:7.3#fields-ignored")
    lab.check(made.get("orders") != "https://example.test/mine", "orders was taken over", "rfc8555:7.3#fields-ignored")
    account = Account(reply.header("Location") or "", key)
    lab.paired(
        lambda: lab.client.fetch(account, account.url),
        MUTATIONS["envelope.signature.flipped"],
        status=(400, 401, 403),
        errors={"malformed", "unauthorized"},
        requirement="rfc8555:7.3#fields-ignored",
    )
    reflected = {"nickname", "onlyReturnExisting"} & made.keys()
    lab.check(not reflected, f"reflected: {', '.join(sorted(reflected))}", "rfc8555:7.3#not-reflected")


@case("acme.account.mailto", covers=["rfc8555:7.3#mailto"], kills=["acme.account.mailto-refused"])
def mailto(lab: AcmeLab) -> None:
    """A mailto contact is accepted, and a nonsensical one is not taken for it."""
    reply = lab.client.send(lab.client.new_account(Key.make(), contact=[CONTACT], binding=lab.binding()))
    lab.require(reply.status == 201, f"newAccount with {CONTACT} gives {said(reply)}")
    account = Account(reply.header("Location") or "", Key.make())
    stranger = lab.client.send(lab.client.fetch(account, account.url))
    lab.check(stranger.status >= 400, "the account is shown to another key")


for _contact, _error, _requirement, _name in (
    ("tel:+12025551212", "unsupportedContact", "unsupported-contact", "unsupported-scheme"),
    ("mailto:admin@conformance.test?subject=x", "invalidContact", "mailto-form-rejected", "hfields"),
    ("mailto:a@conformance.test,b@conformance.test", "invalidContact", "mailto-form-rejected", "two-addresses"),
    ("mailto:nobody", "invalidContact", "invalid-contact", "no-address"),
):
    negative(
        f"acme.account.contact-{_name}",
        f"A contact that is {_name.replace('-', ' ')} is {_error}",
        covers=[f"rfc8555:7.3#{_requirement}"],
        control=lambda lab: lab.client.new_account(Key.make(), contact=[CONTACT], binding=lab.binding()),
        mutation=member("contact", [_contact], "RFC 8555 section 7.3"),
        errors={_error},
        kills=["acme.account.any-contact"],
    )


@case("acme.account.update", covers=["rfc8555:7.3.2#update-result"], kills=["acme.account.update-lost"])
def update(lab: AcmeLab) -> None:
    """An update of the contacts gives 200 and the account as it is then."""
    account, other = lab.new_account(), "mailto:other@conformance.test"
    for contact in (CONTACT, other):
        reply = lab.client.send(lab.client.update_account(account, contact=[contact]))
        lab.require(reply.status == 200, f"the update gives {said(reply)}")
        lab.check(reply.object.get("status") == "valid", f"the reply is {said(reply)}")
        lab.check(reply.object.get("contact", [contact]) == [contact], f"contact is {reply.object.get('contact')!r}")
        kept = lab.read(account.url, account).get("contact", [contact])
        lab.check(kept == [contact], f"after an update to {contact} the account has {kept!r}")


@case("acme.account.update-ignored", covers=["rfc8555:7.3.2#update-ignored"], kills=["acme.account.status-settable"])
def update_ignored(lab: AcmeLab) -> None:
    """An update of orders, status and unknown fields changes nothing."""
    account = lab.new_account()
    before = lab.read(account.url, account)
    reply = lab.client.send(
        lab.client.update_account(account, orders="https://example.test/mine", status="revoked", nickname="x", contact=[CONTACT])
    )
    if reply.status >= 400:
        # A status that no client can set may as well be refused.
        reply = lab.client.send(
            lab.client.update_account(account, orders="https://example.test/mine", nickname="x", contact=[CONTACT])
        )
    lab.require(reply.status == 200, f"the update gives {said(reply)}")
    shown = lab.client.send(lab.client.fetch(account, account.url))
    lab.require(shown.status == 200, f"afterwards the account gives {said(shown)}")
    after = shown.object
    lab.check(after.get("status") == "valid", f"status is {after.get('status')!r} now")
    lab.check(after.get("orders") == before.get("orders"), "orders was changed by the client")
    lab.check("nickname" not in after, "an unknown field was kept")


@case(
    "acme.account.deactivated",
    covers=["rfc8555:7.3.6#deactivated-unauthorized", "rfc8555:7.3.6#deactivated-refused"],
    kills=["acme.account.deactivated-lives", "acme.account.deactivated-found"],
)
def deactivated(lab: AcmeLab) -> None:
    """After its deactivation an account's requests are 401 unauthorized, and its key makes no order."""
    account = lab.new_account()
    with lab.examination.during("control before"):
        before = lab.client.send(lab.client.new_order(account, dns(lab.shared.name())))
    lab.require(before.status == 201, f"newOrder before gives {said(before)}")
    reply = lab.client.send(lab.client.update_account(account, status="deactivated"))
    lab.require(reply.status == 200 and reply.object.get("status") == "deactivated", f"the deactivation gives {said(reply)}")
    with lab.examination.during("spoilt"):
        for draft in (
            lab.client.fetch(account, account.url),
            lab.client.new_order(account, dns(lab.shared.name())),
            lab.client.new_account(account.key, binding=lab.binding()),
        ):
            refused = lab.client.send(draft)
            lab.check(refused.status >= 400, f"{draft.url} gives {said(refused)}", "rfc8555:7.3.6#deactivated-refused")
            lab.refused(refused, status=401, errors={"unauthorized"}, requirement="rfc8555:7.3.6#deactivated-unauthorized")
    with lab.examination.during("control after"):
        other = lab.client.send(lab.client.fetch(lab.account, lab.account.url))
    lab.check(other.status == 200, f"another account gets {said(other)}", "rfc8555:7.3.6#deactivated-refused")


negative(
    "acme.account.deactivated-by-another",
    "An account is deactivated by its own key alone",
    covers=["rfc8555:7.3.6#signed-by-account"],
    control=lambda lab: lab.client.update_account(lab.account, contact=[CONTACT]),
    mutation=lambda lab: sent_to(lab.new_account().url, "RFC 8555 section 7.3.6"),
    status=(400, 401, 403, 404),
    errors={"unauthorized", "malformed"},
    kills=["acme.account.update-of-others"],
)


@case("acme.account.terms", covers=["rfc8555:7.3#terms"], kills=["acme.account.terms-ignored"], feature="terms-of-service")
def terms(lab: AcmeLab) -> None:
    """Where there are terms of service, an account must agree to them."""
    if not lab.directory.get("meta", {}).get("termsOfService"):
        raise Unsupported("the directory has no terms of service")
    with lab.examination.during("control before"):
        agreed = lab.client.send(lab.client.new_account(Key.make(), binding=lab.binding()))
    lab.require(agreed.status == 201, f"with agreement newAccount gives {said(agreed)}")
    with lab.examination.during("spoilt"):
        reply = lab.client.send(lab.client.new_account(Key.make(), agree=False, binding=lab.binding()))
    lab.check(reply.status >= 400, f"without agreement newAccount gives {said(reply)}")


@case(
    "acme.account.orders-list",
    covers=["rfc8555:7.1.2.1#orders-object", "rfc8555:7.1.2.1#orders-which"],
    kills=["acme.account.orders-empty"],
    feature="orders-list",
)
def orders_list(lab: AcmeLab) -> None:
    """The orders of an account are a list of URLs, with its pending orders."""
    account = lab.new_account()
    url, _ = lab.order(account=account)
    listed = lab.read(account.url, account).get("orders")
    if not listed:
        raise Unsupported("the account object has no orders")
    reply = lab.client.send(lab.client.fetch(account, listed))
    lab.require(reply.status == 200, f"the list gives {said(reply)}")
    found = reply.object.get("orders")
    lab.require(isinstance(found, list), f"orders is {found!r}")
    lab.check(url in (found or ()), "a pending order is not in the list", "rfc8555:7.1.2.1#orders-which")


negative(
    "acme.account.orders-of-others",
    "The list of another account's orders is not shown",
    covers=["rfc8555:6.3#post-as-get-authenticated"],
    control=lambda lab: lab.client.fetch(lab.account, lab.account.url),
    mutation=lambda lab: sent_to(lab.new_account().url, "RFC 8555 section 6.3"),
    status=(400, 401, 403, 404),
    errors={"unauthorized", "malformed"},
    kills=["acme.account.update-of-others"],
)
