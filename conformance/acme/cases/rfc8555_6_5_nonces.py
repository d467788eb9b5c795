"""RFC 8555 section 6.5: replay protection."""

from __future__ import annotations

from collections.abc import Callable

from conformance.acme.client import NONCE_RETRIES
from conformance.acme.draft import Mutation
from conformance.acme.keys import unb64
from conformance.acme.lab import AcmeLab, negative, said
from conformance.acme.mutations import MUTATIONS, protected, unsigned_member
from conformance.case import case
from conformance.transport import HttpResponse

REJECT = "rfc8555:6.5#nonce-reject"


@case(
    "acme.nonce.every-reply",
    covers=["rfc8555:6.5#nonce-in-every-reply", "rfc8555:6.5.1#nonce-base64url", "rfc8555:6.5.1#nonce-unpredictable"],
    kills=["acme.nonce.absent-in-reply", "acme.nonce.padded", "acme.nonce.short"],
)
def every_reply(lab: AcmeLab) -> None:
    """Every successful reply to a POST brings a nonce that is new, base64url, and long enough not to be guessed."""
    seen = set[str]()
    for _ in range(4):
        reply = lab.client.send(lab.client.fetch(lab.account, lab.account.url))
        nonces = reply.values("Replay-Nonce")
        lab.require(reply.status == 200, f"reading the account gives {said(reply)}")
        lab.require(len(nonces) == 1, f"{len(nonces)} Replay-Nonce in a successful reply to POST")
        try:
            octets = unb64(nonces[0])
        except ValueError:
            lab.check(False, f"Replay-Nonce {nonces[0]!r} is not base64url", "rfc8555:6.5.1#nonce-base64url")
            continue
        lab.check(nonces[0] not in seen, f"Replay-Nonce {nonces[0]!r} came twice", "rfc8555:6.5.1#nonce-unpredictable")
        lab.check(len(octets) >= 8, f"a nonce of {len(octets) * 8} bits can be guessed", "rfc8555:6.5.1#nonce-unpredictable")
        seen.add(nonces[0])


@case("acme.nonce.reused-rejected", covers=[REJECT, "rfc8555:6.5#bad-nonce-error"], kills=["acme.nonce.accept-reused"])
def reused(lab: AcmeLab) -> None:
    """A nonce that a request has carried is refused when another one carries it."""
    lab.require(lab.account.url, "there is no account")
    with lab.examination.during("control before"):
        nonce, reply = _read_with(lab, lambda: str(lab.sure(lab.client.nonce)))
    lab.require(reply.status == 200, f"reading the account gives {said(reply)}")
    spend = Mutation("protected.nonce.reused", "RFC 8555 section 6.5", lambda draft: draft.protected.update(nonce=nonce))
    lab.paired(lambda: lab.client.fetch(lab.account, lab.account.url), spend, errors=["badNonce"])


for name, title, fault, also in (
    ("protected.nonce.absent", "A request without a nonce is refused", "acme.nonce.accept-absent", "nonce-in-request"),
    (
        "protected.nonce.never-issued",
        "A nonce that the server never gave is refused",
        "acme.nonce.accept-unknown",
        "nonce-verified",
    ),
):
    negative(
        f"acme.nonce.{name.rpartition('.')[2]}-rejected",
        title,
        covers=[REJECT, f"rfc8555:6.5#{also}", "rfc8555:6.5#bad-nonce-error"],
        control=lambda lab: lab.client.fetch(lab.account, lab.account.url),
        mutation=MUTATIONS[name],
        errors=["badNonce"],
        kills=[fault],
    )

negative(
    "acme.nonce.malformed-rejected",
    "A nonce that is not base64url is refused",
    covers=["rfc8555:6.5.2#nonce-malformed", "rfc8555:6.5.2#nonce-octets"],
    control=lambda lab: lab.client.fetch(lab.account, lab.account.url),
    mutation=protected("nonce", "not base64url!", "RFC 8555 section 6.5.2", "protected.nonce.not-base64url"),
    errors=["malformed", "badNonce"],
    kills=["acme.nonce.accept-malformed"],
)


negative(
    "acme.nonce.unprotected",
    "A nonce in the unprotected header does not count",
    covers=["rfc8555:6.5.2#nonce-protected"],
    control=lambda lab: lab.client.fetch(lab.account, lab.account.url),
    mutation=lambda lab: unsigned_member("nonce", lab.client.nonce(), "RFC 8555 section 6.5.2"),
    errors=["malformed", "badNonce"],
)


@case("acme.nonce.bad-nonce-brings-new", covers=["rfc8555:6.5#bad-nonce-fresh"], kills=["acme.nonce.absent-in-bad-nonce"])
def bad_nonce_brings_new(lab: AcmeLab) -> None:
    """The badNonce error brings a nonce with which the same request is accepted."""
    control = lab.client.fetch(lab.account, lab.account.url)
    lab.paired(lambda: control, MUTATIONS["protected.nonce.never-issued"], errors=["badNonce"])

    def given() -> str:
        with lab.examination.during("spoilt"):
            refused = lab.client.send(control, MUTATIONS["protected.nonce.never-issued"])
        # It is used here by hand: no other request may take it from the client's stock.
        lab.client.forget_nonces()
        nonces = refused.values("Replay-Nonce")
        lab.require(len(nonces) == 1, f"{len(nonces)} Replay-Nonce in a badNonce error")
        return nonces[0]

    _, reply = _read_with(lab, given)
    lab.check(reply.status == 200, f"with the nonce of the badNonce error the request gives {said(reply)}")


def _read_with(lab: AcmeLab, given: Callable[[], str]) -> tuple[str, HttpResponse]:
    """Read the account with a nonce that ``given`` gives, with another one if the server finds it invalid, as it may: that nonce, and the reply."""
    for _ in range(NONCE_RETRIES):
        draft = lab.client.fetch(lab.account, lab.account.url)
        nonce = draft.protected["nonce"] = given()
        reply = lab.client.send(draft)
        if reply.error != "badNonce":
            break
    return nonce, reply
