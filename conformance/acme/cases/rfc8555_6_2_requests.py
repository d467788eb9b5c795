"""RFC 8555 sections 6.1 to 6.4: how a request is authenticated. One mutation of a correct request each."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from conformance.acme.client import Account
from conformance.acme.draft import Draft, Mutation
from conformance.acme.keys import Key
from conformance.acme.lab import AcmeLab, negative, said
from conformance.acme.mutations import (
    MUTATIONS,
    key,
    method,
    pretty,
    protected,
    sent_to,
    signer,
    slashes_escaped,
    unsigned_member,
    without,
)
from conformance.case import case
from conformance.examination import NotApplicable

_6_2 = "rfc8555:6.2#"


def _read(lab: AcmeLab) -> Draft:
    return lab.client.fetch(lab.account, lab.account.url)


def _register(lab: AcmeLab) -> Draft:
    """A registration that finds the account that is there: it may be sent any number of times."""
    return lab.client.new_account(lab.account.key, binding=lab.binding())


_BAD_ALG = {"badSignatureAlgorithm"}
_UNSIGNED = {"malformed", "unauthorized"}

_DENIED = (400, 401, 403)


def _refuses(
    name: str,
    title: str,
    requirement: str,
    mutation: str,
    fault: str,
    *,
    status: int | tuple[int, ...] = 400,
    errors: Collection[str] = ("malformed",),
    jws: Sequence[str] = (),
) -> None:
    """A request to read an account, spoilt by a mutation that fits any request. :param jws: what it offends of RFC 7515, too."""
    negative(
        f"acme.jws.{name}",
        title,
        covers=[_6_2 + requirement, *(f"rfc7515:{one}" for one in jws)],
        control=_read,
        mutation=MUTATIONS[mutation],
        status=status,
        errors=errors,
        kills=[fault] if fault else [],
    )


_refuses(
    "media-type-other",
    "A body of another media type is 415",
    "media-type",
    "http.Content-Type=application/json",
    "acme.jws.any-media-type",
    status=415,
)
_refuses(
    "media-type-absent",
    "A body without a media type is 415",
    "media-type",
    "http.Content-Type=None",
    "acme.jws.any-media-type",
    status=415,
)
_refuses(
    "header-jwk-and-kid",
    "jwk and kid together are refused",
    "jwk-and-kid",
    "protected.jwk+kid",
    "acme.jws.accept-jwk-and-kid",
)
_refuses(
    "header-neither-jwk-nor-kid",
    "A request that names no key is refused",
    "kid-where",
    "protected.jwk+kid.absent",
    "",
    status=_DENIED,
    errors=_UNSIGNED,
)
_refuses(
    "header-unencoded-payload",
    "The unencoded payload option is refused",
    "unencoded-payload",
    "protected.b64=false",
    "acme.jws.accept-unencoded-payload",
)
_refuses(
    "header-no-alg",
    "A protected header without alg is refused",
    "protected-fields",
    "protected.alg.absent",
    "acme.jws.unauthorized-for-form",
    errors={"malformed", "badSignatureAlgorithm"},
    jws=["4.1.1#alg", "5.2#validated"],
)
_refuses(
    "header-alg-none",
    "alg none is refused",
    "alg-none-or-mac",
    "protected.alg='none'",
    "acme.jws.accept-mac",
    errors=_BAD_ALG | {"malformed"},
    jws=["5.2#acceptable"],
)
_refuses(
    "header-alg-mac",
    "A MAC algorithm is refused",
    "alg-none-or-mac",
    "protected.alg='HS256'",
    "acme.jws.accept-mac",
    errors=_BAD_ALG | {"malformed"},
    jws=["5.2#acceptable"],
)
_refuses(
    "header-alg-other-curve",
    "An algorithm that does not belong to the key is refused",
    "jwk-is-signer",
    "protected.alg.other-curve",
    "acme.jws.algorithm-and-key-error",
    status=_DENIED,
    errors=_UNSIGNED | _BAD_ALG | {"badPublicKey"},
)
_refuses(
    "header-unprotected",
    "An unprotected header is refused",
    "unprotected-header",
    "envelope.header.present",
    "acme.jws.accept-unprotected-header",
)
_refuses(
    "form-general",
    "The general JSON serialization is refused",
    "flattened",
    "http.general-serialization",
    "acme.jws.unauthorized-for-form",
)
_refuses(
    "form-compact",
    "The compact serialization is refused",
    "flattened",
    "http.compact-serialization",
    "acme.jws.wrong-json-error",
)
_refuses(
    "form-signatures",
    "A second place for signatures is refused",
    "one-signature",
    "envelope.signatures.too",
    "acme.jws.accept-signatures",
    jws=["7.2.2#no-signatures"],
)
_refuses(
    "form-detached",
    "A detached payload is refused",
    "payload-detached",
    "http.payload-detached",
    "acme.jws.unauthorized-for-form",
    jws=["7.2.1#payload"],
)
_refuses(
    "form-array",
    "A JSON array is no JWS",
    "flattened",
    "http.array",
    "acme.jws.wrong-object-error",
)
_refuses(
    "form-empty",
    "A POST without a body is refused",
    "jws",
    "http.empty",
    "acme.jws.wrong-json-error",
)
_refuses(
    "form-cut",
    "A body that ends in the midst is refused",
    "jws",
    "http.cut",
    "acme.jws.wrong-json-error",
    jws=["10.12#syntax"],
)
_refuses(
    "signature-flipped",
    "A signature with one bit changed is refused",
    "verify",
    "envelope.signature.flipped",
    "acme.jws.skip-signature",
    status=_DENIED,
    errors=_UNSIGNED,
    jws=["5.2#one-validates", "5.2#none-succeeded"],
)
_refuses(
    "signature-empty",
    "An empty signature is refused",
    "verify",
    "envelope.signature.empty",
    "acme.jws.skip-signature",
    status=_DENIED,
    errors=_UNSIGNED,
)
_refuses(
    "signature-absent",
    "A JWS without a signature is refused",
    "verify",
    "envelope.signature.absent",
    "acme.jws.unauthorized-for-form",
    jws=["7.2.1#signature"],
)
_refuses(
    "signature-payload-changed",
    "A payload that was changed after it was signed is refused",
    "verify",
    "envelope.payload.changed",
    "acme.jws.skip-signature",
    status=_DENIED,
    errors=_UNSIGNED,
)

for _mutation, _member in (("envelope.protected.padded", "protected"), ("envelope.signature.padded", "signature")):
    negative(
        f"acme.jws.padded-{_member}",
        f"base64url with padding in {_member} is refused",
        covers=["rfc8555:6.1#padding-rejected", "rfc8555:6.1#padding-stripped"],
        control=_read,
        mutation=MUTATIONS[_mutation],
        kills=["acme.jws.accept-padding"] if _member == "signature" else [],
    )


# -- who signs ----------------------------------------------------------------------------------------------------------

negative(
    "acme.jws.other-signer",
    "A request signed by another key than its account's is refused",
    covers=["rfc8555:6.2#kid-is-account", "rfc8555:6.2#verify"],
    control=_read,
    mutation=lambda lab: signer(Key.make(), "RFC 8555 section 6.2", "another-key"),
    status=_DENIED,
    errors=_UNSIGNED,
    kills=["acme.jws.skip-signature", "acme.jws.signature-error"],
)
negative(
    "acme.jws.jwk-not-signer",
    "A registration signed by another key than its jwk is refused",
    covers=["rfc8555:6.2#jwk-is-signer"],
    control=_register,
    mutation=lambda lab: signer(Key.make(), "RFC 8555 section 6.2", "another-key"),
    status=_DENIED,
    errors=_UNSIGNED,
    kills=["acme.jws.skip-signature"],
)
negative(
    "acme.jws.kid-unknown",
    "A kid that is no account's is refused",
    covers=["rfc8555:6.2#kid-is-account"],
    control=_read,
    mutation=lambda lab: protected("kid", f"{lab.account.url}x", "RFC 8555 section 6.2", "protected.kid.unknown"),
    status=_DENIED,
    errors={"accountDoesNotExist", "malformed", "unauthorized"},
    kills=["acme.jws.unknown-account-error"],
)


def _kid_on_registration(lab: AcmeLab) -> Mutation:
    def change(draft: Draft) -> None:
        del draft.protected["jwk"]
        draft.protected["kid"] = lab.account.url

    return Mutation("protected.kid.in-new-account", "RFC 8555 section 6.2", change)


negative(
    "acme.jws.kid-in-new-account",
    "A registration names its key by jwk, not by kid",
    covers=["rfc8555:6.2#jwk-where"],
    control=_register,
    mutation=_kid_on_registration,
    status=_DENIED,
    errors=_UNSIGNED,
    kills=["acme.jws.kid-in-new-account"],
)


def _jwk_for_account(lab: AcmeLab) -> Mutation:
    def change(draft: Draft) -> None:
        del draft.protected["kid"]
        draft.protected["jwk"] = lab.account.key.jwk()

    return Mutation("protected.jwk.of-account", "RFC 8555 section 6.2", change)


negative(
    "acme.jws.jwk-for-account",
    "A request of an account names it by kid, not by jwk",
    covers=["rfc8555:6.2#kid-where"],
    control=_read,
    mutation=_jwk_for_account,
    status=_DENIED,
    errors=_UNSIGNED,
    kills=["acme.jws.jwk-for-account"],
)


# -- algorithms ---------------------------------------------------------------------------------------------------------


for _alg, _named, _requirement in (("ES256", "ES256", "es256"), ("EdDSA", "EdDSA with Ed25519", "eddsa")):

    @case(f"acme.jws.accepts-{_requirement}", covers=[_6_2 + _requirement], kills=[f"acme.jws.no-{_requirement}"])
    def accepts(lab: AcmeLab, alg: str = _alg) -> None:
        """An account whose key signs by an algorithm that servers have works, and its signatures are verified."""
        key = Key.make(alg)
        made = lab.client.send(lab.client.new_account(key, binding=lab.binding()))
        lab.require(made.status == 201, f"a registration with {alg} gives {said(made)}")
        account = Account(made.header("Location") or "", key)
        lab.paired(
            lambda: lab.client.fetch(account, account.url),
            MUTATIONS["envelope.signature.flipped"],
            status=_DENIED,
            errors=_UNSIGNED,
        )


negative(
    "acme.jws.unknown-alg",
    "An algorithm that is not supported is badSignatureAlgorithm",
    covers=["rfc8555:6.2#bad-signature-algorithm"],
    control=_register,
    mutation=protected("alg", "XX999", "RFC 8555 section 6.2", "protected.alg.unknown"),
    errors=_BAD_ALG,
    kills=["acme.jws.wrong-algorithm-error"],
)


@case("acme.jws.algorithms-listed", covers=["rfc8555:6.2#algorithms-listed"], kills=["acme.jws.algorithms-not-listed"])
def algorithms_listed(lab: AcmeLab) -> None:
    """BadSignatureAlgorithm lists the algorithms that are supported, ES256 among them."""
    unknown = protected("alg", "XX999", "RFC 8555 section 6.2", "protected.alg.unknown")
    refused = lab.paired(lambda: _register(lab), unknown, errors=_BAD_ALG)
    listed = refused.object.get("algorithms") if refused.error else None
    lab.require(isinstance(listed, list), f"badSignatureAlgorithm comes with algorithms {listed!r}")
    lab.check("ES256" in (listed or ()), f"ES256 is not among {listed!r}")


negative(
    "acme.jws.weak-key",
    "An RSA key of 1024 bits is badPublicKey",
    covers=["rfc8555:6.2#bad-public-key"],
    control=_register,
    mutation=lambda lab: key(Key.make("RS256", rsa_bits=1024), "RFC 8555 section 6.2", "rsa-1024"),
    errors={"badPublicKey"},
    kills=["acme.account.accept-weak-key"],
)


@case("acme.jws.weak-key-reason", covers=["rfc8555:6.2#bad-public-key-reason"], kills=["acme.problem.without-detail"])
def weak_key_reason(lab: AcmeLab) -> None:
    """BadPublicKey says in its detail what is wrong with the key."""
    weak = Key.make("RS256", rsa_bits=1024)
    reply = lab.client.send(lab.client.new_account(weak, binding=lab.binding()))
    if reply.error != "badPublicKey":
        raise NotApplicable(f"an RSA key of 1024 bits is not badPublicKey: {said(reply)}")
    lab.check(str(reply.object.get("detail", "")).strip(), f"detail is {reply.object.get('detail')!r}")


# -- GET and POST-as-GET ------------------------------------------------------------------------------------------------

negative(
    "acme.http.get-refused",
    "GET of an account is 405 malformed",
    covers=["rfc8555:6.3#get-refused", "rfc8555:6.7#method-not-allowed"],
    control=_read,
    mutation=method("GET"),
    status=405,
    errors={"malformed"},
    kills=["acme.http.accept-get"],
)


@case(
    "acme.http.post-as-get",
    covers=["rfc8555:6.3#post-as-get-means-get", "rfc8555:6.3#post-as-get-payload"],
    kills=["acme.http.post-as-get-empty"],
)
def post_as_get(lab: AcmeLab) -> None:
    """POST-as-GET of an order shows the order."""
    url, order = lab.order()
    reply = lab.client.send(lab.client.fetch(lab.account, url))
    lab.require(reply.status == 200, f"POST-as-GET of an order gives {said(reply)}")
    shown = reply.object
    lab.check(shown.get("authorizations") == order.get("authorizations"), "the order that is shown is not the one that was made")


@case(
    "acme.http.post-as-get-of-others",
    covers=["rfc8555:6.3#post-as-get-authenticated"],
    kills=["acme.order.shown-to-others"],
)
def post_as_get_of_others(lab: AcmeLab) -> None:
    """An account is not shown the order of another account."""
    url, _ = lab.order()
    stranger = lab.new_account()
    with lab.examination.during("control before"):
        own = lab.client.send(lab.client.fetch(lab.account, url))
    lab.require(own.status == 200, f"the owner gets {said(own)}")
    with lab.examination.during("spoilt"):
        reply = lab.client.send(lab.client.fetch(stranger, url))
    lab.refused(reply, status=(401, 403, 404), errors={"unauthorized", "malformed"})


@case("acme.directory.served-to-get", covers=["rfc8555:6.3#get-allowed"], kills=["acme.directory.get-refused"])
def get_directory_and_nonce(lab: AcmeLab) -> None:
    """Directory and newNonce are served to GET, and to POST-as-GET."""
    first = lab.client.get(lab.client.directory_url)
    lab.require(first.status == 200, f"GET of the directory gives {said(first)}")
    for url in (lab.client.directory_url, lab.needs_resource("newNonce")):
        reply = lab.client.get(url)
        lab.check(reply.status in (200, 204), f"GET {url} gives {said(reply)}")
        reply = lab.client.send(lab.client.fetch(lab.account, url))
        lab.check(reply.status in (200, 204), f"POST-as-GET {url} gives {said(reply)}")
        lab.check(reply.header("Replay-Nonce"), f"POST-as-GET {url} brings no Replay-Nonce")


# -- url ----------------------------------------------------------------------------------------------------------------

negative(
    "acme.url.other",
    "A request that was signed for another URL is unauthorized",
    covers=["rfc8555:6.4#url-mismatch", "rfc8555:6.4#url-compared", "rfc8555:6.4#url-equality-mismatch"],
    control=_read,
    mutation=lambda lab: protected("url", f"{lab.account.url}/other", "RFC 8555 section 6.4", "protected.url.other"),
    status=(401, 403),
    errors={"unauthorized"},
    kills=["acme.jws.url-unchecked"],
)
negative(
    "acme.url.sent-elsewhere",
    "A request that is sent to another URL than it was signed for is unauthorized",
    covers=["rfc8555:6.4#url-mismatch"],
    control=_read,
    mutation=lambda lab: sent_to(str(lab.directory["newOrder"])),
    status=(401, 403),
    errors={"unauthorized"},
    kills=["acme.jws.url-unchecked"],
)
negative(
    "acme.url.absent",
    "A protected header without url is refused",
    covers=["rfc8555:6.4.1#url-protected", "rfc8555:6.2#protected-fields"],
    control=_read,
    mutation=without("url", "RFC 8555 section 6.4.1"),
    status=_DENIED,
    errors=_UNSIGNED,
    kills=["acme.jws.url-unchecked"],
)
negative(
    "acme.url.unprotected",
    "A url in the unprotected header does not count",
    covers=["rfc8555:6.4.1#url-protected"],
    control=_read,
    mutation=lambda lab: unsigned_member("url", lab.account.url, "RFC 8555 section 6.4.1"),
    status=_DENIED,
    errors=_UNSIGNED,
)
negative(
    "acme.url.no-string",
    "A url that is no string is refused",
    covers=["rfc8555:6.4.1#url-string"],
    control=_read,
    mutation=protected("url", 1, "RFC 8555 section 6.4.1"),
    status=_DENIED,
    errors=_UNSIGNED,
    kills=["acme.jws.url-unchecked"],
)


# -- text -----------------------------------------------------------------------------------------------------------------

negative(
    "acme.http.not-utf8",
    "A body that is not UTF-8 is refused",
    covers=["rfc8555:5#utf-8"],
    control=_read,
    mutation=MUTATIONS["http.not-utf8"],
    kills=["acme.jws.not-utf8-error"],
)


@case("acme.jws.json-as-clients-write-it", covers=["rfc8555:6.2#jws", "rfc7515:3#white-space"], kills=["acme.jws.refuse-pretty"])
def json_as_clients_write_it(lab: AcmeLab) -> None:
    """White space in the JSON and escaped slashes change nothing: PHP clients send both."""
    for mutation in (pretty(), slashes_escaped()):
        reply = lab.client.send(_read(lab), mutation)
        lab.check(reply.status == 200, f"{mutation.name} gives {said(reply)}")


@case("acme.directory.https", covers=["rfc8555:6.1#https"], kills=[])
def https(lab: AcmeLab) -> None:
    """Every resource of the directory has an https URL."""
    urls = {name: url for name, url in lab.directory.items() if isinstance(url, str)}
    lab.check(lab.client.directory_url.startswith("https://"), f"the directory itself is at {lab.client.directory_url}")
    for name, url in urls.items():
        lab.check(url.startswith("https://"), f"{name} is at {url}")
