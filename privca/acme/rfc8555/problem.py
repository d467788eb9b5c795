"""Problem documents (RFC 8555 section 6.7, RFC 7807): the one table from a reason to error type and HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from privca.base.http import Response
from privca.base.refused import Reason, Refused
from privca.jose.rfc7515 import ALGORITHMS

NAMESPACE = "urn:ietf:params:acme:error:"

TABLE: Mapping[Reason, tuple[str, int]] = MappingProxyType(
    {
        Reason.MALFORMED: ("malformed", 400),
        Reason.TOO_LARGE: ("malformed", 413),
        Reason.NOT_FOUND: ("malformed", 404),
        Reason.METHOD_NOT_ALLOWED: ("malformed", 405),
        Reason.UNSUPPORTED_MEDIA_TYPE: ("malformed", 415),
        Reason.NOT_ACCEPTABLE: ("malformed", 406),
        Reason.BAD_NONCE: ("badNonce", 400),
        Reason.BAD_SIGNATURE: ("malformed", 400),
        Reason.BAD_SIGNATURE_ALGORITHM: ("badSignatureAlgorithm", 400),
        Reason.RATE_LIMITED: ("rateLimited", 429),
        Reason.UNAUTHENTICATED: ("unauthorized", 401),
        Reason.UNAUTHORIZED: ("unauthorized", 403),
        Reason.UNKNOWN_ACCOUNT: ("accountDoesNotExist", 400),
        # Section 7.3.5 asks for 409 and defines no type for it.
        Reason.KEY_IN_USE: ("malformed", 409),
        Reason.EXTERNAL_ACCOUNT_REQUIRED: ("externalAccountRequired", 403),
        Reason.TERMS_NOT_AGREED: ("userActionRequired", 403),
        Reason.INVALID_CONTACT: ("invalidContact", 400),
        Reason.UNSUPPORTED_CONTACT: ("unsupportedContact", 400),
        Reason.BAD_CSR: ("badCSR", 400),
        Reason.BAD_PUBLIC_KEY: ("badPublicKey", 400),
        # Section 7.4.1: unwilling to issue for an identifier is 403.
        Reason.UNSUPPORTED_IDENTIFIER: ("unsupportedIdentifier", 403),
        Reason.REJECTED_IDENTIFIER: ("rejectedIdentifier", 403),
        Reason.BAD_VALIDITY: ("malformed", 400),
        Reason.OUTSIDE_RENEWAL_WINDOW: ("unauthorized", 403),
        Reason.ORDER_NOT_READY: ("orderNotReady", 403),
        Reason.WRONG_STATE: ("malformed", 400),
        Reason.ALREADY_REVOKED: ("alreadyRevoked", 400),
        Reason.BAD_REVOCATION_REASON: ("badRevocationReason", 400),
        Reason.COMPOUND: ("compound", 403),
        # None of these happens in ACME.
        Reason.BAD_POP: ("badCSR", 400),
        Reason.BAD_TIME: ("malformed", 400),
        Reason.MISSING_TIME: ("malformed", 400),
        Reason.BAD_SENDER_NONCE: ("malformed", 400),
        Reason.BAD_DIGEST: ("malformed", 400),
        Reason.WRONG_PROTECTION: ("malformed", 400),
        Reason.SIGNER_NOT_TRUSTED: ("unauthorized", 403),
        Reason.UNSUPPORTED_VERSION: ("malformed", 400),
        Reason.UNSUPPORTED_OPERATION: ("malformed", 400),
        Reason.UNSUPPORTED_INFORMATION: ("malformed", 400),
        Reason.TRANSACTION_IN_USE: ("malformed", 409),
        Reason.UNKNOWN_CERTIFICATE: ("malformed", 404),
        Reason.WRONG_AUTHORITY: ("malformed", 400),
        Reason.ALREADY_CONFIRMED: ("malformed", 400),
        # RFC 9773 section 5.
        Reason.DUPLICATE_REQUEST: ("alreadyReplaced", 409),
        Reason.UNACCEPTED_EXTENSION: ("badCSR", 400),
        Reason.UNACCEPTED_POLICY: ("badCSR", 400),
        Reason.CAA: ("caa", 403),
        Reason.CONNECTION: ("connection", 400),
        Reason.DNS: ("dns", 400),
        Reason.TLS: ("tls", 400),
        Reason.INCORRECT_RESPONSE: ("incorrectResponse", 403),
        Reason.INTERNAL: ("serverInternal", 500),
        Reason.UNAVAILABLE: ("serverInternal", 503),
    }
)
# Sections 6.6 and 7.3.3: what the location of a refusal is; that of any other is a Location.
_RELATIONS = MappingProxyType({Reason.RATE_LIMITED: "help", Reason.TERMS_NOT_AGREED: "terms-of-service"})
_HEADERS = (("Content-Type", "application/problem+json"), ("Content-Language", "en"))


class Identifier(msgspec.Struct, frozen=True):
    """RFC 8555 section 9.7.7."""

    type: str
    value: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 7807 with the members of RFC 8555 sections 6.2, 6.7.1 and 7.3.3. ``identifier`` stands in subproblems alone."""

    type: str
    detail: str
    status: int
    instance: str | None = None
    identifier: Identifier | None = None
    algorithms: tuple[str, ...] | None = None
    subproblems: tuple[Problem, ...] | None = None


def problem(refused: Refused) -> Problem:
    """A refusal as a problem document."""
    type, status = TABLE[refused.reason]
    parts = refused.parts
    if not parts and refused.name is not None:
        parts = (refused,)
    return Problem(
        type=NAMESPACE + type,
        detail=str(refused),
        status=status,
        instance=refused.location if refused.reason is Reason.TERMS_NOT_AGREED else None,
        algorithms=ALGORITHMS if refused.reason is Reason.BAD_SIGNATURE_ALGORITHM else None,
        subproblems=tuple(_part(part) for part in parts) or None,
    )


def _part(refused: Refused) -> Problem:
    type, status = TABLE[refused.reason]
    about = None if refused.name is None else Identifier(refused.name.kind.value, refused.name.value)
    return Problem(type=NAMESPACE + type, detail=str(refused), status=status, identifier=about)


def text(refused: Refused) -> str:
    """A refusal as JSON text, as challenges and orders keep it in their ``error``."""
    return msgspec.json.encode(problem(refused)).decode()


_decode = msgspec.json.Decoder(Problem).decode


def together(texts: tuple[str, ...]) -> Problem | None:
    """Several stored problems as one: the newest, with all of them as its subproblems (section 8)."""
    if not texts:
        return None
    every = tuple(_decode(stored) for stored in texts)
    if len(every) == 1:
        return every[0]
    newest = every[-1]
    # A subproblem has none of its own.
    return Problem(
        type=newest.type,
        detail=newest.detail,
        status=newest.status,
        subproblems=tuple(msgspec.structs.replace(one, subproblems=None) for one in every),
    )


def response(refused: Refused) -> Response:
    """A refusal as a reply; the headers that every reply has are the service's."""
    document = problem(refused)
    headers = list(_HEADERS)
    if refused.location:
        relation = _RELATIONS.get(refused.reason)
        headers.append(("Link", f'<{refused.location}>;rel="{relation}"') if relation else ("Location", refused.location))
    if refused.retry_after is not None:
        headers.append(("Retry-After", str(refused.retry_after)))
    if refused.reason is Reason.METHOD_NOT_ALLOWED and refused.expected:
        headers.append(("Allow", refused.expected))
    return Response(document.status, tuple(headers), msgspec.json.encode(document))


def outside(status: int, detail: str) -> Response:
    """An error that was decided outside of the protocol, as HTTP status; the headers that every reply has are the service's."""
    document = Problem(type=NAMESPACE + ("serverInternal" if status >= 500 else "malformed"), detail=detail, status=status)
    return Response(status, _HEADERS, msgspec.json.encode(document))
