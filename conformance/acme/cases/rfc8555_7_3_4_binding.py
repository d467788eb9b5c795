"""RFC 8555 section 7.3.4: external account binding."""

from __future__ import annotations

from conformance.acme import mutations
from conformance.acme.client import Account
from conformance.acme.draft import Draft, Mutation, inner
from conformance.acme.keys import Key, MacKey, b64
from conformance.acme.lab import AcmeLab, said
from conformance.case import case
from conformance.examination import Inconclusive, NotApplicable, Unsupported

_SECTION = "RFC 8555 section 7.3.4"
_FEATURE = "external-account-binding"
_INTERNAL = "acme.binding.always-internal"
_REFUSED = {"malformed", "unauthorized", "externalAccountRequired", "badSignatureAlgorithm"}
_KEY = b64(bytes(range(64)))


def _bound(lab: AcmeLab) -> MacKey:
    key = lab.binding()
    if key is None:
        raise NotApplicable("the run was given no external account binding (kid and hmac_key)")
    return key


@case(
    "acme.binding.announced",
    covers=["rfc8555:7.3.4#binding-announced", "rfc8555:7.3.4#binding-missing"],
    kills=["acme.binding.not-asked"],
    feature=_FEATURE,
)
def announced(lab: AcmeLab) -> None:
    """A server that wants a binding says so in the directory, and refuses an account without one."""
    required = lab.directory.get("meta", {}).get("externalAccountRequired", False)
    reply = lab.client.send(lab.client.new_account(Key.make()))
    if reply.status < 400:
        if not required:
            raise Unsupported("the server asks for no binding")
        lab.check(False, "the directory says that a binding is required, and an account was made without one")
        return
    lab.check(required is True, f"newAccount without a binding gives {said(reply)}, the directory does not require one")
    lab.refused(reply, status=(400, 401, 403), errors={"externalAccountRequired"}, requirement="rfc8555:7.3.4#binding-missing")


@case("acme.binding.not-reflected", covers=["rfc8555:7.3.4#binding-unverified"], kills=["acme.binding.reflected-unverified"])
def not_reflected(lab: AcmeLab) -> None:
    """A binding under a key that the server never gave is refused, or not reflected."""
    with lab.examination.during("control before"):
        lab.require(lab.account.url, "there is no account")
    key, unknown = Key.make(), MacKey("no-such-key", _KEY)
    with lab.examination.during("spoilt"):
        reply = lab.client.send(lab.client.new_account(key, binding=unknown))
    if reply.status >= 400:
        lab.refused(reply, status=(400, 401, 403), errors=_REFUSED)
        return
    lab.check("externalAccountBinding" not in reply.object, "a binding that nobody verified is reflected")
    account = Account(reply.header("Location") or "", key)
    lab.paired(
        lambda: lab.client.fetch(account, account.url),
        mutations.MUTATIONS["envelope.signature.flipped"],
        status=(400, 401, 403),
        errors=_REFUSED,
    )


@case(
    "acme.binding.reflected",
    covers=["rfc8555:7.3.4#binding-reflected", "rfc8555:7.3.4#binding-verified"],
    kills=["acme.binding.not-reflected"],
    feature=_FEATURE,
)
def reflected(lab: AcmeLab) -> None:
    """A verified binding is reflected in the account."""
    reply = lab.client.send(lab.client.new_account(Key.make(), binding=_bound(lab)))
    lab.require(reply.status in (200, 201), f"newAccount with a binding gives {said(reply)}", "rfc8555:7.3.4#binding-verified")
    lab.check("externalAccountBinding" in reply.object, "the account has no externalAccountBinding")


def _spoilt(name: str, title: str, requirement: str, mutation: Mutation, fault: str) -> None:
    def body(lab: AcmeLab) -> None:
        binding, key = _bound(lab), Key.make()
        with lab.examination.during("spoilt"):
            reply = lab.client.send(lab.client.new_account(key, binding=binding), inner(mutation))
        lab.refused(reply, status=(400, 401, 403), errors=_REFUSED)
        with lab.examination.during("control after"):
            after = lab.client.send(lab.client.new_account(key, binding=binding))
        if after.status >= 400:
            raise Inconclusive(f"with the right binding newAccount gives {said(after)}: has its key bound an account already?")

    body.__doc__ = title
    case(
        f"acme.binding.{name}", covers=[f"rfc8555:7.3.4#{requirement}"], kills=[fault] if fault else [_INTERNAL], feature=_FEATURE
    )(body)


_spoilt(
    "signature",
    "A binding with a wrong MAC is refused",
    "binding-rejected",
    mutations.MUTATIONS["envelope.signature.flipped"],
    "acme.binding.mac-unchecked",
)
_spoilt(
    "url",
    "A binding for another URL is refused",
    "binding-url",
    mutations.protected("url", "https://ca.example.test/acme/other", _SECTION, "url.other"),
    "acme.binding.url-unchecked",
)
_spoilt(
    "nonce",
    "A binding with a nonce is refused",
    "binding-nonce",
    mutations.protected("nonce", "A" * 43, _SECTION, "nonce.present"),
    "acme.binding.nonce-accepted",
)
_spoilt(
    "kid",
    "A binding with a kid that nobody was given is refused",
    "binding-kid",
    mutations.protected("kid", "no-such-key", _SECTION, "kid.unknown"),
    "",
)
_spoilt(
    "alg",
    "A binding whose algorithm is no MAC is refused",
    "binding-alg",
    mutations.protected("alg", "ES256", _SECTION, "alg=ES256"),
    "",
)


def _another_key(draft: Draft) -> None:
    draft.payload = Key.make().jwk()


_spoilt(
    "payload",
    "A binding of another account key is refused",
    "binding-verified",
    Mutation("payload.other-key", _SECTION, _another_key),
    "acme.binding.payload-unchecked",
)
