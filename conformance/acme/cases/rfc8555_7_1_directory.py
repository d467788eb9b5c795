"""RFC 8555 sections 7.1.1 and 7.2: the directory and new nonces."""

from __future__ import annotations

from conformance.acme.lab import AcmeLab, said
from conformance.acme.mutations import header
from conformance.case import case

_REQUIRED = ("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange")


@case("acme.directory.resources", covers=["rfc8555:7.1#directory-and-nonce"], kills=["acme.directory.without-new-nonce"])
def resources(lab: AcmeLab) -> None:
    """The directory is a JSON object with the URL of every resource that is not optional."""
    reply = lab.client.get(lab.client.directory_url)
    lab.require(reply.status == 200, f"GET directory gives {said(reply)}")
    try:
        found = reply.object
    except ValueError as error:
        lab.require(False, f"the directory is no JSON object: {error}")
        return
    for name in _REQUIRED:
        lab.check(isinstance(found.get(name), str) and found[name], f"the directory has no {name}")


@case(
    "acme.directory.meta",
    covers=["rfc8555:7.1.1#meta-object", "rfc8555:7.1.1#caa-identities"],
    kills=["acme.directory.meta-no-object"],
)
def meta(lab: AcmeLab) -> None:
    """meta, where there is one, is an object whose known members have their types."""
    found = lab.directory.get("meta", {})
    lab.require(isinstance(found, dict), f"meta is {type(found).__name__}")
    kinds = {"termsOfService": str, "website": str, "caaIdentities": list, "externalAccountRequired": bool}
    for name, kind in kinds.items():
        if name in found:
            lab.check(isinstance(found[name], kind), f"meta.{name} is {found[name]!r}")
    for name in found.get("caaIdentities", ()):
        right = isinstance(name, str) and name.isascii() and name == name.strip() and "." in name
        lab.check(right, f"caaIdentities has {name!r}, no issuer domain name", "rfc8555:7.1.1#caa-identities")


@case("acme.directory.new-authz", covers=["rfc8555:7.1.1#new-authz-omitted"], kills=["acme.directory.new-authz-promised"])
def new_authz(lab: AcmeLab) -> None:
    """A newAuthz that the directory names answers."""
    url = lab.needs_resource("newAuthz")
    reply = lab.client.send(lab.client.new_authorization(lab.account, {"type": "dns", "value": lab.shared.name()}))
    lab.check(reply.status == 201 and reply.header("Location"), f"POST {url} gives {said(reply)}")


@case(
    "acme.nonce.new-nonce-head",
    covers=["rfc8555:7.2#new-nonce-head", "rfc8555:7.2#new-nonce-no-store"],
    kills=["acme.nonce.new-nonce-cacheable", "acme.nonce.new-nonce-without-nonce"],
)
def new_nonce_head(lab: AcmeLab) -> None:
    """HEAD of newNonce gives 200, a fresh nonce each time, and forbids caching."""
    nonces = set[str]()
    for _ in range(2):
        reply = lab.client.get(lab.needs_resource("newNonce"), "HEAD")
        lab.require(reply.status in (200, 204), f"HEAD newNonce gives {said(reply)}")
        lab.check(reply.status == 200, f"HEAD newNonce has status {reply.status}")
        nonce = reply.header("Replay-Nonce")
        lab.require(nonce, "HEAD newNonce brings no Replay-Nonce")
        lab.check(nonce not in nonces, f"HEAD newNonce brought {nonce!r} twice")
        nonces.add(nonce or "")
        lab.check(
            "no-store" in (reply.header("Cache-Control") or ""),
            f"Cache-Control is {reply.header('Cache-Control')!r}",
            "rfc8555:7.2#new-nonce-no-store",
        )


@case("acme.nonce.new-nonce-get", covers=["rfc8555:7.2#new-nonce-get"], kills=["acme.nonce.new-nonce-get-refused"])
def new_nonce_get(lab: AcmeLab) -> None:
    """GET of newNonce gives 204 without a body, and a nonce."""
    reply = lab.client.get(lab.needs_resource("newNonce"))
    lab.check(reply.status == 204, f"GET newNonce gives {said(reply)}")
    lab.check(not reply.body, "GET newNonce has a body")
    lab.check(reply.header("Replay-Nonce"), "GET newNonce brings no Replay-Nonce")


@case("acme.reply.cors", covers=["rfc8555:6.1#cors"], kills=["acme.directory.without-cors"], feature="cors")
def cors(lab: AcmeLab) -> None:
    """Scripts of any origin may read what the server says."""
    origin = "https://a.example.test"
    for reply in (
        lab.client.get(lab.client.directory_url, Origin=origin),
        lab.client.get(lab.needs_resource("newNonce"), "HEAD", Origin=origin),
        lab.client.send(lab.client.fetch(lab.account, lab.account.url), header("Origin", origin, "RFC 8555 section 6.1")),
    ):
        lab.require(reply.status < 400, f"{reply.request.url} gives {said(reply)}")
        allowed = reply.header("Access-Control-Allow-Origin")
        lab.check(allowed == "*", f"{reply.request.method} {reply.request.url}: Access-Control-Allow-Origin is {allowed!r}")


@case(
    "acme.reply.every-error",
    covers=[
        "rfc8555:6.7#problem-document",
        "rfc8555:6.7#registered-types",
        "rfc8555:6.7.1#identifier-not-on-top",
        "rfc8555:6.7.1#identifier-form",
    ],
    kills=["acme.problem.wrong-media-type", "acme.problem.unregistered-type", "acme.problem.identifier-on-top"],
)
def every_error(lab: AcmeLab) -> None:
    """Errors are problem documents whose ACME types are registered."""
    account, url = lab.account, str(lab.directory["newOrder"])
    wrong = [
        lab.client.by_account(account, url, {"identifiers": []}),
        lab.client.by_account(account, url, {"identifiers": [{"type": "dns", "value": "a b"}]}),
        lab.client.fetch(account, url + "/none"),
        lab.client.by_account(account, str(lab.directory["revokeCert"]), {"certificate": "AAAA"}),
    ]
    for draft in wrong:
        reply = lab.client.send(draft)
        right = 400 <= reply.status < 500
        lab.check(right, f"{draft.method} {draft.url} gives {said(reply)}", "rfc8555:6.7#problem-document")
        problem = reply.media_type == "application/problem+json"
        lab.check(problem, f"an error of type {reply.media_type or 'none'}", "rfc8555:6.7#problem-document")
        if problem:
            for deviation in lab.owed(reply):
                if "registered" in deviation:
                    lab.check(False, deviation, "rfc8555:6.7#registered-types")
            for part in reply.object.get("subproblems", ()):
                about = part.get("identifier", {"type": "", "value": ""})
                form = isinstance(about, dict) and all(isinstance(about.get(name), str) for name in ("type", "value"))
                lab.check(form, f"a subproblem has identifier {about!r}", "rfc8555:6.7.1#identifier-form")
            for deviation in lab.owed(reply):
                if "top level" in deviation:
                    lab.check(False, deviation, "rfc8555:6.7.1#identifier-not-on-top")
