"""RFC 7515 as far as ACME uses it: what a header means, what must be refused in one, and what must be passed over."""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import urlsplit, urlunsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from conformance.acme.client import Account
from conformance.acme.draft import Draft, Envelope, Mutation
from conformance.acme.keys import Key, b64, unb64
from conformance.acme.lab import AcmeLab, negative, said
from conformance.acme.mutations import (
    MUTATIONS,
    body,
    envelope,
    names_escaped,
    protected,
    respelled,
    signer,
    standard_alphabet,
    twice,
    unsigned_member,
)
from conformance.case import case
from conformance.examination import Unsupported

_DENIED = (400, 401, 403)
_UNSIGNED = {"malformed", "unauthorized"}
_EXTENSION = "https://example.test/must-understand"


def _read(lab: AcmeLab) -> Draft:
    return lab.client.fetch(lab.account, lab.account.url)


def _refused(
    name: str,
    title: str,
    covers: list[str],
    mutation: Mutation | Callable[[AcmeLab], Mutation],
    *faults: str,
    errors: Collection[str] = ("malformed", "unauthorized"),
) -> None:
    """A request to read an account, spoilt."""
    negative(
        f"acme.jws.{name}",
        title,
        covers=[f"rfc7515:{one}" for one in covers],
        control=_read,
        mutation=mutation,
        status=_DENIED,
        errors=errors,
        kills=faults,
    )


# -- crit ---------------------------------------------------------------------------------------------------------------

_CRIT = "RFC 7515 section 4.1.11"
_refused(
    "crit-unknown",
    "An extension that must be understood, and nobody knows, is refused",
    ["4.1.11#understood", "4.1.11#processed"],
    MUTATIONS["protected.crit.unknown"],
    "acme.jws.accept-crit",
)
_refused(
    "crit-not-there",
    "crit with a name that the header does not have is refused",
    ["4.1.11#understood"],
    protected("crit", [_EXTENSION], _CRIT, "protected.crit.not-there"),
    "acme.jws.accept-crit",
)
_refused(
    "crit-empty",
    "An empty crit is refused",
    ["4.1.11#constraints"],
    MUTATIONS["protected.crit=[]"],
    "acme.jws.accept-crit",
)
_refused(
    "crit-registered",
    "crit with a parameter that RFC 7515 defines is refused",
    ["4.1.11#constraints"],
    protected("crit", ["alg"], _CRIT, "protected.crit.registered"),
    "acme.jws.accept-crit",
)
_refused(
    "crit-unprotected",
    "crit in the unprotected header is refused",
    ["4.1.11#protected"],
    lambda lab: unsigned_member("crit", [_EXTENSION], _CRIT),
    "acme.jws.accept-unprotected-header",
)


# -- where parameters stand -----------------------------------------------------------------------------------------------

_refused(
    "header-absent",
    "A JWS without any header is refused",
    ["3.2#some-header", "7.2.1#protected", "7.2.1#alg-conveyed"],
    envelope("protected.absent", "RFC 7515 section 3.2", lambda jws: jws.pop("protected")),
    "acme.jws.unauthorized-for-form",
    errors={"malformed", "badSignatureAlgorithm"},
)


def _all_unprotected(draft: Draft) -> None:
    """The whole header where nothing protects it, and a signature that is right for that (RFC 7515 section 5.1)."""

    def change(jws: Envelope) -> None:
        del jws["protected"]
        jws["header"] = dict(draft.protected)
        jws["signature"] = b64(draft.signer.sign(f".{jws['payload']}".encode("ascii")))

    draft.spoil_envelope.append(change)


_refused(
    "header-all-unprotected",
    "A header of which nothing is protected is refused",
    ["7.2.1#protected", "6#integrity"],
    Mutation("unprotected.all", "RFC 8555 section 6.2", _all_unprotected),
)
_refused(
    "kid-unprotected",
    "A kid in the unprotected header does not tell who signs",
    ["6#integrity"],
    lambda lab: unsigned_member("kid", lab.account.url, "RFC 7515 section 6"),
    "acme.jws.merge-unprotected-header",
)
_refused(
    "alg-in-both",
    "A parameter that is in both headers is refused",
    ["5.2#distinct", "7.2.1#disjoint"],
    envelope("header.alg-too", "RFC 7515 section 5.2", lambda jws: jws.update(header={"alg": "ES256"})),
    "acme.jws.accept-unprotected-header",
    "acme.jws.merge-unprotected-header",
)
_refused(
    "url-twice",
    "Of a header parameter that is there twice, the first does not count",
    ["4#duplicates", "10.12#duplicates"],
    lambda lab: twice("url", f"{lab.account.url}/other", "RFC 7515 section 4"),
    "acme.jws.first-of-two",
)
_refused(
    "url-twice-escaped",
    "Nor does it if the second is spelled with an escape",
    ["4#duplicates", "10.12#duplicates"],
    lambda lab: twice("url", f"{lab.account.url}/other", "RFC 7515 section 4", "\\u0075rl"),
    "acme.jws.first-of-two",
)


def _other_case(lab: AcmeLab) -> Mutation:
    """The account URL with the letters of its last segment, or of its path if that has none, in the other case."""
    parts = urlsplit(lab.account.url)
    start, slash, last = parts.path.rpartition("/")
    path = start + slash + last.swapcase() if last.swapcase() != last else parts.path.swapcase()
    return protected("kid", urlunsplit(parts._replace(path=path)), "RFC 7515 section 4.1.4", "protected.kid.other-case")


negative(
    "acme.jws.kid-other-case",
    "A kid with letters in the other case is that of no account",
    covers=["rfc7515:4.1.4#case-sensitive"],
    control=_read,
    mutation=_other_case,
    status=_DENIED,
    errors={"accountDoesNotExist", "malformed", "unauthorized"},
    kills=["acme.jws.kid-any-case"],
)


# -- signatures -----------------------------------------------------------------------------------------------------------


def _of_another(lab: AcmeLab) -> Mutation:
    """The signature of another request by the same key."""
    other = lab.client.fetch(lab.account, f"{lab.account.url}/other")
    other.protected["nonce"] = "A" * 43
    signature = other.envelope()["signature"]
    return envelope("signature.of-another", "RFC 7515 section 5.2", lambda jws: jws.update(signature=signature))


_refused(
    "signature-of-another",
    "The signature of another request is refused",
    ["5.2#one-validates", "5.2#none-succeeded"],
    _of_another,
    "acme.jws.skip-signature",
)


def _spaced(jws: Envelope) -> None:
    """The same parameters: only the octets differ, and they are what was signed."""
    jws["protected"] = b64(b"{ " + unb64(jws["protected"])[1:])


_refused(
    "protected-changed",
    "A protected header whose octets were changed after they were signed is refused",
    ["5.2#none-succeeded", "5.2#validated"],
    envelope("protected.changed", "RFC 7515 section 5.2", _spaced),
    "acme.jws.skip-signature",
)


class _OtherDigest:
    """Signs as RS512 while its header says RS256: PKCS #1 writes the digest algorithm into the signature (RFC 8017 section 9.2)."""

    alg = "RS256"

    def __init__(self, key: Key) -> None:
        self._key = key

    def sign(self, message: bytes) -> bytes:
        """RFC 7518 section 3.3, with SHA-512."""
        assert isinstance(self._key.private, rsa.RSAPrivateKey)
        return self._key.private.sign(message, padding.PKCS1v15(), hashes.SHA512())


@case("acme.jws.signature-other-digest", covers=["rfc7515:10.6#algorithm-corresponds"], kills=["acme.jws.any-digest"])
def other_digest(lab: AcmeLab) -> None:
    """A signature that is made with another digest than alg says is refused."""
    key = Key.make("RS256")
    made = lab.client.send(lab.client.new_account(key, binding=lab.binding()))
    if made.error in ("badSignatureAlgorithm", "badPublicKey"):
        raise Unsupported(f"RS256: {said(made)}")
    lab.require(made.status == 201, f"a registration with RS256 gives {said(made)}")
    account = Account(made.header("Location") or "", key)
    lab.paired(
        lambda: lab.client.fetch(account, account.url),
        signer(_OtherDigest(key), "RFC 7515 section 10.6", "other-digest"),
        status=_DENIED,
        errors=_UNSIGNED | {"badSignatureAlgorithm"},
    )


# -- spelling -------------------------------------------------------------------------------------------------------------

_BASE64URL = "RFC 7515 section 2"
_refused(
    "white-space-signature",
    "base64url with white space in the signature is refused",
    ["5.2#one-validates"],
    MUTATIONS["envelope.signature.white-space"],
    "acme.jws.accept-padding",
)
_refused(
    "white-space-protected",
    "base64url with white space in the protected header is refused, even if it was signed so",
    ["5.2#one-validates"],
    respelled("white-space", _BASE64URL, lambda octets: b64(octets)[:8] + "\r\n" + b64(octets)[8:]),
    "acme.jws.accept-padding",
)
_refused(
    "other-alphabet",
    "base64 with the letters of RFC 4648 section 4 is no base64url",
    ["5.2#one-validates"],
    standard_alphabet(),
    "acme.jws.any-alphabet",
)
_refused(
    "trailing-octets",
    "A body that goes on after its JSON is refused",
    ["10.12#extra-characters"],
    body("trailing", "RFC 7515 section 10.12", lambda octets: octets + b"}"),
    "acme.jws.accept-trailing",
)
_refused(
    "trailing-octets-protected",
    "A protected header that goes on after its JSON is refused",
    ["10.12#extra-characters"],
    respelled("trailing", "RFC 7515 section 10.12", lambda octets: b64(octets + b" x")),
    "acme.jws.accept-trailing",
)
_refused(
    "not-a-number",
    "A protected header with NaN, which is no JSON, is refused",
    ["10.12#syntax"],
    respelled("nan", "RFC 7515 section 10.12", lambda octets: b64(octets[:-1] + b',"x":NaN}')),
    "acme.jws.accept-trailing",
)


def _capitals(octets: bytes) -> str:
    """The header with the name of ``url`` in capitals."""
    return b64(octets.replace(b'"url":', b'"URL":'))


_refused(
    "names-other-case",
    "A header parameter URL is not the header parameter url",
    ["5.3#comparison"],
    respelled("URL", "RFC 7515 section 5.3", _capitals),
    "acme.jws.names-any-case",
)


# -- what is passed over --------------------------------------------------------------------------------------------------


@case(
    "acme.jws.parameters-ignored",
    covers=["rfc7515:4#known-ignored", "rfc7515:4#unknown-ignored"],
    kills=["acme.jws.parameters-refused"],
)
def parameters_ignored(lab: AcmeLab) -> None:
    """Header parameters that ACME does not use change nothing, whether RFC 7515 defines them or nobody does."""
    clause = "RFC 7515 section 4"
    for name, value, requirement in (
        ("typ", "JOSE", "known-ignored"),
        ("cty", "application/json", "known-ignored"),
        ("x5t#S256", "A" * 43, "known-ignored"),
        ("jku", "https://example.test/keys", "known-ignored"),
        ("https://example.test/x", {"a": [1, None]}, "unknown-ignored"),
        ("iat", 1, "unknown-ignored"),
    ):
        reply = lab.client.send(_read(lab), protected(name, value, clause))
        lab.check(reply.status == 200, f"with {name} reading the account gives {said(reply)}", f"rfc7515:4#{requirement}")


@case("acme.jws.members-ignored", covers=["rfc7515:7.2.1#members-ignored"], kills=["acme.jws.members-refused"])
def members_ignored(lab: AcmeLab) -> None:
    """Members of the JWS object that nobody knows change nothing."""
    more: dict[str, object] = {"x": "y", "https://example.test/x": {"a": [1, None]}}
    extra = envelope("member.extra", "RFC 7515 section 7.2.1", lambda jws: jws.update(more))
    reply = lab.client.send(_read(lab), extra)
    lab.check(reply.status == 200, f"with members more reading the account gives {said(reply)}")


@case("acme.jws.names-escaped", covers=["rfc7515:5.3#comparison"], kills=["acme.jws.refuse-escapes"])
def escaped(lab: AcmeLab) -> None:
    r"""Names of header parameters are the same with a \u escape in them."""
    reply = lab.client.send(_read(lab), names_escaped())
    lab.check(reply.status == 200, f"with escapes in its names the header gives {said(reply)}")
