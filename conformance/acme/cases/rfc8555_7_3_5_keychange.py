"""RFC 8555 section 7.3.5: account key rollover."""

from __future__ import annotations

from conformance.acme import mutations
from conformance.acme.client import Account
from conformance.acme.draft import Draft, Mutation, inner
from conformance.acme.keys import Key
from conformance.acme.lab import AcmeLab, negative, said
from conformance.case import case

_SECTION = "RFC 8555 section 7.3.5"
_REFUSED = {"malformed", "unauthorized", "badSignatureAlgorithm"}


class Rolling:
    """Drafts key changes of an account of its own, one after the other: whichever key the server holds, the next one is right."""

    def __init__(self, lab: AcmeLab) -> None:
        self._lab = lab
        self._account = lab.new_account()
        self._next = Key.make()

    def draft(self) -> Draft:
        """A correct key change from the key that the account has now."""
        client = self._lab.client
        if client.send(client.new_account(self._next, existing=True)).status == 200:
            self._account, self._next = Account(self._account.url, self._next), Key.make()
        return client.change_key(self._account, self._next)


def _spoilt(name: str, title: str, requirement: str, mutation: Mutation, fault: str) -> None:
    """The inner JWS of a key change, spoilt in one way."""

    def body(lab: AcmeLab) -> None:
        rolling = Rolling(lab)
        lab.paired(rolling.draft, inner(mutation), status=(400, 401, 403), errors=_REFUSED)

    body.__doc__ = title
    case(f"acme.key-change.{name}", covers=[f"rfc8555:7.3.5#{requirement}"], kills=[fault])(body)


_OTHER = "https://ca.example.test/acct/1"
_spoilt(
    "inner-nonce",
    "A nonce in the inner JWS is refused",
    "inner-nonce",
    mutations.protected("nonce", "A" * 43, _SECTION, "nonce.present"),
    "acme.key-change.inner-nonce-accepted",
)
_spoilt(
    "inner-url",
    "Another url in the inner JWS is refused",
    "inner-url",
    mutations.protected("url", _OTHER, _SECTION, "url.other"),
    "acme.key-change.inner-url-unchecked",
)
_spoilt(
    "inner-no-jwk",
    "An inner JWS without jwk is refused",
    "inner-jwk",
    mutations.without("jwk", _SECTION),
    "acme.key-change.inner-jwk-error",
)
_spoilt(
    "inner-signature",
    "An inner JWS that the new key did not sign is refused",
    "steps",
    mutations.MUTATIONS["envelope.signature.flipped"],
    "acme.key-change.inner-signature-unchecked",
)
_spoilt(
    "account-other",
    "An inner JWS for another account is refused",
    "account-url",
    mutations.member("account", _OTHER, _SECTION, "account.other"),
    "acme.key-change.account-unchecked",
)
_spoilt(
    "old-key-other",
    "An inner JWS with another oldKey is refused",
    "steps",
    mutations.member("oldKey", Key.make().jwk(), _SECTION, "oldKey.other"),
    "acme.key-change.old-key-unchecked",
)
negative(
    "acme.key-change.outer-signature",
    "A key change whose outer signature is wrong is refused",
    covers=["rfc8555:7.3.5#outer"],
    control=lambda lab: Rolling(lab).draft(),
    mutation=mutations.MUTATIONS["envelope.signature.flipped"],
    status=(400, 401, 403),
    errors=_REFUSED,
    kills=["acme.jws.skip-signature"],
)


@case("acme.key-change.old-key-refused", covers=["rfc8555:7.3.5#steps"], kills=["acme.key-change.old-key-lives"])
def old_key_refused(lab: AcmeLab) -> None:
    """After a change the new key is the account's, and the old one is not."""
    account, new = lab.new_account(), Key.make()
    with lab.examination.during("control before"):
        reply = lab.client.send(lab.client.change_key(account, new))
    lab.require(reply.status == 200, f"keyChange gives {said(reply)}")
    with lab.examination.during("spoilt"):
        old = lab.client.send(lab.client.fetch(account, account.url))
    lab.refused(old, status=(400, 401, 403), errors=_REFUSED)
    with lab.examination.during("control after"):
        shown = lab.client.send(lab.client.fetch(Account(account.url, new), account.url))
    lab.check(shown.status == 200, f"with the new key the account gives {said(shown)}")


@case("acme.key-change.orders-stay", covers=["rfc8555:7.3.5#orders-stay"])
def orders_stay(lab: AcmeLab) -> None:
    """A change of key leaves pending orders and their authorizations as they are."""
    account, new = lab.new_account(), Key.make()
    url, order = lab.order(account=account)
    reply = lab.client.send(lab.client.change_key(account, new))
    lab.require(reply.status == 200, f"keyChange gives {said(reply)}")
    changed = Account(account.url, new)
    for resource in (url, *order["authorizations"]):
        shown = lab.client.send(lab.client.fetch(changed, resource))
        lab.require(shown.status == 200, f"{resource} gives {said(shown)}")
        lab.check(shown.object.get("status") == "pending", f"{resource} is {shown.object.get('status')!r} after the change")


@case(
    "acme.key-change.key-in-use",
    covers=["rfc8555:7.3.5#key-in-use", "rfc8555:11.1#key-not-reused"],
    kills=["acme.key-change.key-in-use-forgotten"],
)
def key_in_use(lab: AcmeLab) -> None:
    """The key of another account is a conflict that names that account."""
    rolling, other = Rolling(lab), lab.new_account()

    def take(draft: Draft) -> None:
        mutations.key(other.key, _SECTION, "in-use").change(draft.payload)

    with lab.examination.during("control before"):
        before = lab.client.send(rolling.draft())
    lab.require(before.status == 200, f"keyChange gives {said(before)}")
    with lab.examination.during("spoilt"):
        reply = lab.client.send(rolling.draft(), Mutation("inner.key.in-use", _SECTION, take))
    lab.require(reply.status >= 400, f"a key that has an account gives {said(reply)}", "rfc8555:11.1#key-not-reused")
    lab.check(reply.status == 409, f"a key that has an account gives {said(reply)}")
    lab.check(reply.header("Location") == other.url, f"Location is {reply.header('Location')!r}")
    with lab.examination.during("control after"):
        shown = lab.client.send(lab.client.fetch(other, other.url))
    lab.check(shown.status == 200, f"the other account gives {said(shown)}", "rfc8555:11.1#key-not-reused")


@case("acme.key-change.nothing-else", covers=["rfc8555:7.3.5#no-other-impact"], kills=["acme.key-change.contacts-lost"])
def nothing_else(lab: AcmeLab) -> None:
    """A change of key leaves the rest of the account as it is."""
    account, new = lab.new_account(), Key.make()
    reply = lab.client.send(lab.client.update_account(account, contact=["mailto:admin@conformance.test"]))
    lab.require(reply.status == 200, f"an update of the contacts gives {said(reply)}")
    before = lab.read(account.url, account)
    reply = lab.client.send(lab.client.change_key(account, new))
    lab.require(reply.status == 200, f"keyChange gives {said(reply)}")
    after = lab.read(account.url, Account(account.url, new))
    # The key itself is shown by some servers.
    changed = {name for name in (before | after) if name != "key" and before.get(name) != after.get(name)}
    lab.check(not changed, f"after the change of key these are others: {', '.join(sorted(changed))}")
