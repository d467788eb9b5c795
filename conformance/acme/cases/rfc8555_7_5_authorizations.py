"""RFC 8555 sections 7.4.1, 7.5 and 8: authorizations and challenges."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from typing import Any

from conformance.acme.client import Identifier, dns
from conformance.acme.draft import Draft, Mutation
from conformance.acme.enrollment import poll, prove
from conformance.acme.keys import unb64
from conformance.acme.lab import AcmeLab, negative, said
from conformance.acme.mutations import member
from conformance.acme.responders import HttpResponder
from conformance.case import case
from conformance.examination import Inconclusive, NotApplicable

_TOKENS = {"http-01": "rfc8555:8.3", "dns-01": "rfc8555:8.4", "tls-alpn-01": "rfc8737:3"}


def authorizations(lab: AcmeLab, names: Sequence[str] = ()) -> list[tuple[str, dict[str, Any]]]:
    """URLs and objects of the authorizations of a new order."""
    _, order = lab.order(*names)
    return [(url, lab.read(url)) for url in order["authorizations"]]


def _tokens(kind: str, section: str, extra: Sequence[str] = ()) -> None:
    def body(lab: AcmeLab) -> None:
        seen = set[str]()
        for _ in range(3):
            for _, found in authorizations(lab):
                for challenge in found["challenges"]:
                    if challenge["type"] != kind:
                        continue
                    token = challenge.get("token", "")
                    try:
                        octets = unb64(token)
                    except (ValueError, TypeError, AttributeError):
                        lab.check(False, f"token {token!r} is not base64url without padding", f"{section}#token-alphabet")
                        continue
                    lab.check(len(octets) >= 16, f"a token of {len(octets) * 8} bits", f"{section}#token-entropy")
                    lab.check(token not in seen, f"token {token!r} came twice", f"{section}#token-entropy")
                    seen.add(token)
        if not seen and not lab.examination.findings:
            raise NotApplicable(f"the server offers no {kind}")

    body.__doc__ = f"Tokens of {kind} are base64url, long, and new each time."
    case(
        f"acme.challenge.token-{kind}",
        covers=[f"{section}#token-entropy", f"{section}#token-alphabet", *(f"{section}#{one}" for one in extra)],
        kills=["acme.challenge.token-short", "acme.challenge.token-padded", "acme.challenge.token-reused"],
        feature=kind,
    )(body)


_tokens("http-01", "rfc8555:8.3")
_tokens("dns-01", "rfc8555:8.4")
_tokens("tls-alpn-01", "rfc8737:3", ["token-padding"])


@case(
    "acme.challenge.valid",
    covers=["rfc8555:8#validated", "rfc8555:7.5.1#valid-expires", "rfc8555:7.1.4#authorization-expires", "rfc8555:7.5.1#polling"],
    kills=["acme.challenge.without-validated", "acme.authorization.without-expires"],
)
def valid(lab: AcmeLab) -> None:
    """A challenge that was met says when; its authorization says until when."""
    url, order = lab.order()
    at = order["authorizations"][0]
    lab.sure(lambda: prove(lab.client, lab.account, at, lab.responder))
    reply = lab.client.send(lab.client.fetch(lab.account, at))
    lab.require(reply.status == 200, f"the authorization gives {said(reply)}", "rfc8555:7.5.1#polling")
    found = reply.object
    lab.check(isinstance(found.get("expires"), str), f"expires is {found.get('expires')!r}", "rfc8555:7.5.1#valid-expires")
    lab.check(
        isinstance(found.get("expires"), str), f"expires is {found.get('expires')!r}", "rfc8555:7.1.4#authorization-expires"
    )
    met = [one for one in found["challenges"] if one.get("status") == "valid"]
    lab.check(met, "no challenge of a valid authorization is valid")
    for one in met:
        lab.check(isinstance(one.get("validated"), str), f"validated is {one.get('validated')!r}")
    shown = lab.sure(lambda: poll(lab.client, lab.account, url, lambda one: one["status"] != "pending"))
    lab.check(shown["status"] in ("ready", "valid"), f"the order is {shown['status']}")


def _unmet(lab: AcmeLab) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """An authorization for which a challenge was answered with nothing in place: its URL, its object at the end, that challenge."""
    if not lab.shared.target.validates:
        raise NotApplicable("the server counts every challenge as met")
    url, found = authorizations(lab)[0]
    kind = lab.responder.challenge
    challenge = next((one for one in found["challenges"] if one["type"] == kind), found["challenges"][0])
    lab.sure(lambda: lab.client.perform(lab.client.respond(lab.account, challenge["url"])))
    done = lab.sure(lambda: poll(lab.client, lab.account, url, lambda one: one["status"] != "pending"))
    kept = next((one for one in done["challenges"] if one["url"] == challenge["url"]), None)
    if kept is None:
        lab.require(done["status"] != "invalid", "the challenge that failed is gone", "rfc8555:7.5.1#invalid-kept")
        raise Inconclusive(f"the authorization became {done['status']}, and the challenge is gone")
    return url, done, kept


@case(
    "acme.challenge.unmet",
    covers=[
        "rfc8555:8.3#resource",
        "rfc8555:8#error-means-invalid",
        "rfc8555:8#invalid-has-error",
        "rfc8555:8.2#retry-errors",
        "rfc8555:7.5.1#invalid-kept",
    ],
    kills=["acme.challenge.always-valid", "acme.challenge.invalid-without-error", "acme.challenge.invalid-removed"],
)
def unmet(lab: AcmeLab) -> None:
    """A challenge that is not met becomes invalid and says why, and so does its authorization."""
    _, found, challenge = _unmet(lab)
    lab.check(found["status"] == "invalid", f"the authorization became {found['status']} with nothing in place")
    lab.check(challenge["status"] == "invalid", f"the challenge is {challenge['status']}", "rfc8555:8#error-means-invalid")
    lab.check(challenge.get("error"), "an invalid challenge has no error", "rfc8555:8#invalid-has-error")
    lab.check(challenge.get("error"), "a failed query left no error", "rfc8555:8.2#retry-errors")


@case(
    "acme.challenge.wrong-content",
    covers=["rfc8555:8.3#resource"],
    kills=["acme.challenge.content-unchecked"],
    needs=["http-01", "validates"],
)
def wrong_content(lab: AcmeLab) -> None:
    """A resource that holds another key authorization does not prove the name; the right one does."""
    responder = lab.shared.responders["http-01"]
    with lab.examination.during("control before"):
        at = lab.order()[1]["authorizations"][0]
        lab.sure(lambda: prove(lab.client, lab.account, at, responder))
    url, found = authorizations(lab)[0]
    challenge = next(one for one in found["challenges"] if one["type"] == "http-01")
    digest = hashlib.sha256(b"another key").hexdigest()[:43]
    responder.provision(found["identifier"], challenge["token"], f"{challenge['token']}.{digest}")
    try:
        with lab.examination.during("spoilt"):
            lab.sure(lambda: lab.client.perform(lab.client.respond(lab.account, challenge["url"])))
            done = lab.sure(lambda: poll(lab.client, lab.account, url, lambda one: one["status"] != "pending"))
    finally:
        responder.withdraw(found["identifier"], challenge["token"])
    lab.check(done["status"] == "invalid", f"the authorization became {done['status']} by another key's authorization")


def _http(lab: AcmeLab) -> HttpResponder:
    responder = lab.shared.responders["http-01"]
    assert isinstance(responder, HttpResponder)
    return responder


@case(
    "acme.challenge.white-space",
    covers=["rfc8555:8.3#white-space"],
    kills=["acme.challenge.white-space-counts"],
    needs=["http-01", "validates"],
)
def white_space(lab: AcmeLab) -> None:
    """White space after the key authorization does not matter."""
    _proved(lab, lambda identifier, token, proof: _http(lab).provision(identifier, token, f"{proof} \r\n"))


@case(
    "acme.challenge.redirect",
    covers=["rfc8555:8.3#redirects"],
    kills=["acme.challenge.redirects-refused"],
    needs=["http-01", "validates"],
)
def redirect(lab: AcmeLab) -> None:
    """A redirect to where the key authorization is proves the name as well."""
    _proved(lab, lambda identifier, token, proof: _http(lab).provision_elsewhere(identifier, token, proof))


def _proved(lab: AcmeLab, provision: Callable[[Identifier, str, str], None]) -> None:
    """A name is proven by http-01 as ``provision`` has it: it gets identifier, token and key authorization."""
    at, found = authorizations(lab)[0]
    challenge = next((one for one in found["challenges"] if one["type"] == "http-01"), None)
    if challenge is None:
        raise NotApplicable("the server offers no http-01")
    provision(found["identifier"], challenge["token"], lab.account.key.key_authorization(challenge["token"]))
    try:
        lab.sure(lambda: lab.client.perform(lab.client.respond(lab.account, challenge["url"])))
        done = lab.sure(lambda: poll(lab.client, lab.account, at, lambda one: one["status"] != "pending"))
    finally:
        _http(lab).withdraw(found["identifier"], challenge["token"])
    lab.check(done["status"] == "valid", f"the authorization became {done['status']}")


@case("acme.challenge.retry-state", covers=["rfc8555:8.2#retry-state"])
def retry_state(lab: AcmeLab) -> None:
    """While it is tried again, a challenge that failed once shows its error or when to look again."""
    if not lab.shared.target.validates:
        raise NotApplicable("the server counts every challenge as met")
    url, found = authorizations(lab)[0]
    challenge = found["challenges"][0]
    reply = lab.client.send(lab.client.respond(lab.account, challenge["url"]))
    lab.require(reply.status == 200, f"the response to a challenge gives {said(reply)}")
    for _ in range(60):
        reply = lab.client.send(lab.client.fetch(lab.account, challenge["url"]))
        lab.require(reply.status == 200, f"the challenge gives {said(reply)}")
        state = reply.object.get("status")
        if state == "processing":
            lab.check(
                reply.header("Retry-After") or reply.object.get("error"), "processing without Retry-After and without error"
            )
        if state in ("valid", "invalid"):
            lab.check(
                state == "invalid" and reply.object.get("error"), f"it became {state} with error {reply.object.get('error')!r}"
            )
            return
        lab.sure(lambda: poll(lab.client, lab.account, url, lambda _: True))
        _pause(reply.header("Retry-After"))


def _pause(after: str | None) -> None:
    threading.Event().wait(min(float(after), 2.0) if after and after.isdigit() else 0.25)


negative(
    "acme.challenge.no-object",
    "A response to a challenge that is no JSON object is refused",
    covers=["rfc8555:7.5.1#bad-response"],
    control=lambda lab: lab.client.fetch(lab.account, lab.account.url),
    mutation=lambda lab: sent_to_challenge(lab),
    status=(400, 401, 403),
    errors={"malformed", "unauthorized"},
    kills=["acme.challenge.any-response"],
)


def sent_to_challenge(lab: AcmeLab) -> Mutation:
    """A JSON string as the response to a fresh challenge."""
    _, found = authorizations(lab)[0]
    target = found["challenges"][0]["url"]

    def change(draft: Draft) -> None:
        draft.url, draft.protected["url"], draft.payload = target, target, "ready"

    return Mutation("payload.string", "RFC 8555 section 7.5.1", change)


@case("acme.challenge.fields-ignored", covers=["rfc8555:7.5.1#fields-ignored"], kills=["acme.challenge.fields-refused"])
def fields_ignored(lab: AcmeLab) -> None:
    """Fields of a challenge response that nobody knows change nothing."""
    at, found = authorizations(lab)[0]
    kind = lab.responder.challenge
    # Any that has a token, if all count as met: there are challenges without one.
    challenge = next((one for one in found["challenges"] if (one["type"] == kind or not kind) and "token" in one), None)
    if challenge is None:
        raise NotApplicable(
            f"the server offers no challenge that the run can meet: {[one['type'] for one in found['challenges']]}"
        )
    lab.responder.provision(found["identifier"], challenge["token"], lab.account.key.key_authorization(challenge["token"]))
    try:
        response = lab.client.by_account(
            lab.account, challenge["url"], {"keyAuthorization": "x", "resource": "challenge", "type": "none"}
        )
        reply = lab.client.send(response)
        lab.require(reply.status == 200, f"a response with other fields gives {said(reply)}")
        lab.check(reply.object.get("type") == challenge["type"], f"the challenge has type {reply.object.get('type')!r}")
        done = lab.sure(lambda: poll(lab.client, lab.account, at, lambda one: one["status"] != "pending"))
        lab.check(done["status"] == "valid", f"the authorization became {done['status']}")
    finally:
        lab.responder.withdraw(found["identifier"], challenge["token"])


@case(
    "acme.authorization.deactivated",
    covers=["rfc8555:7.5.2#deactivated-insufficient"],
    kills=["acme.authorization.deactivated-counts"],
)
def deactivated(lab: AcmeLab) -> None:
    """A valid authorization that was deactivated is not used for another order of its name."""
    name = lab.shared.name()
    _, order = lab.order(name)
    at = order["authorizations"][0]
    lab.sure(lambda: prove(lab.client, lab.account, at, lab.responder))
    reply = lab.client.send(lab.client.deactivate_authorization(lab.account, at))
    lab.require(reply.status == 200, f"the deactivation gives {said(reply)}")
    lab.check(reply.object.get("status") == "deactivated", f"it is {reply.object.get('status')!r}")
    with lab.examination.during("spoilt"):
        url, again = lab.order(name)
        shown = lab.read(url)
    lab.check(shown["status"] == "pending", f"a new order for the name is {shown['status']}")
    lab.check(at not in again["authorizations"], "the deactivated authorization is one of the new order's")


@case("acme.authorization.deactivated-by-owner", covers=["rfc8555:7.5.2#owner"], kills=["acme.authorization.of-others"])
def deactivated_by_owner(lab: AcmeLab) -> None:
    """Another account cannot deactivate an authorization; its owner can."""
    at = lab.order()[1]["authorizations"][0]
    stranger = lab.new_account()
    with lab.examination.during("spoilt"):
        reply = lab.client.send(lab.client.deactivate_authorization(stranger, at))
    lab.refused(reply, status=(401, 403, 404), errors={"unauthorized", "malformed"})
    with lab.examination.during("control after"):
        shown = lab.read(at)
        lab.check(shown["status"] == "pending", f"the authorization is {shown['status']} after another one's request")
        own = lab.client.send(lab.client.deactivate_authorization(lab.account, at))
    lab.check(own.status == 200, f"the owner gets {said(own)}")


@case(
    "acme.authorization.pre-authorized",
    covers=["rfc8555:7.4.1#pending"],
    kills=["acme.authorization.new-authz-valid"],
    feature="pre-authorization",
)
def pre_authorized(lab: AcmeLab) -> None:
    """NewAuthz makes a pending authorization for the name."""
    lab.needs_resource("newAuthz")
    name = lab.shared.name()
    reply = lab.client.send(lab.client.new_authorization(lab.account, dns(name)[0]))
    lab.require(reply.status == 201, f"newAuthz gives {said(reply)}")
    lab.check(reply.object.get("status") == "pending", f"it is {reply.object.get('status')!r}")
    lab.check(reply.object.get("identifier") == {"type": "dns", "value": name}, f"it is for {reply.object.get('identifier')!r}")


negative(
    "acme.authorization.no-wildcard",
    "newAuthz for a wildcard is refused",
    covers=["rfc8555:7.1.4#no-wildcard-identifier"],
    control=lambda lab: pre_authorization(lab),
    mutation=member("identifier", dns("*.conformance.test")[0], "RFC 8555 section 7.4.1", "payload.identifier.wildcard"),
    status=(400, 403),
    errors={"malformed", "rejectedIdentifier", "unsupportedIdentifier"},
    kills=["acme.authorization.wildcard-accepted"],
    feature="pre-authorization",
)


def pre_authorization(lab: AcmeLab) -> Draft:
    """A correct newAuthz request. :raises Unsupported: if there is no newAuthz."""
    lab.needs_resource("newAuthz")
    return lab.client.new_authorization(lab.account, dns(lab.shared.name())[0])


negative(
    "acme.authorization.unwilling",
    "newAuthz for a name that cannot be certified is 403",
    covers=["rfc8555:7.4.1#unwilling", "rfc8555:7.4.1#willing"],
    control=lambda lab: pre_authorization(lab),
    mutation=member("identifier", dns("a b.conformance.test")[0], "RFC 8555 section 7.4.1", "payload.identifier.not-a-name"),
    status=403,
    errors={"malformed", "rejectedIdentifier", "unsupportedIdentifier"},
    kills=["acme.order.name-error"],
    feature="pre-authorization",
)
