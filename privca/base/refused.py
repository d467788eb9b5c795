"""The one exception by which every layer says no, and the one vocabulary of reasons.

A refusal names the clause that it enforces. Each protocol owns exactly one table from :class:`Reason` to its wire code
(ACME error type, CMP failInfo, SCEP failInfo, HTTP status); a test proves that each table is total.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from privca.base.names import Name


class Reason(enum.Enum):
    """Why a request is refused, in words that no protocol owns."""

    # The message itself
    MALFORMED = "malformed"
    TOO_LARGE = "too large"
    NOT_FOUND = "not found"
    METHOD_NOT_ALLOWED = "method not allowed"
    UNSUPPORTED_MEDIA_TYPE = "unsupported media type"
    NOT_ACCEPTABLE = "not acceptable"
    BAD_NONCE = "bad nonce"
    BAD_SIGNATURE = "bad signature"
    BAD_SIGNATURE_ALGORITHM = "bad signature algorithm"
    RATE_LIMITED = "rate limited"
    # Who asks
    UNAUTHENTICATED = "unauthenticated"
    UNAUTHORIZED = "unauthorized"
    UNKNOWN_ACCOUNT = "unknown account"
    KEY_IN_USE = "key in use"
    EXTERNAL_ACCOUNT_REQUIRED = "external account required"
    TERMS_NOT_AGREED = "terms not agreed"
    INVALID_CONTACT = "invalid contact"
    UNSUPPORTED_CONTACT = "unsupported contact"
    # What is asked for
    BAD_CSR = "bad CSR"
    BAD_PUBLIC_KEY = "bad public key"
    UNSUPPORTED_IDENTIFIER = "unsupported identifier"
    REJECTED_IDENTIFIER = "rejected identifier"
    BAD_VALIDITY = "bad validity"
    OUTSIDE_RENEWAL_WINDOW = "outside renewal window"
    ORDER_NOT_READY = "order not ready"
    WRONG_STATE = "wrong state"
    ALREADY_REVOKED = "already revoked"
    BAD_REVOCATION_REASON = "bad revocation reason"
    COMPOUND = "compound"
    # What CMP, CMC and SCEP tell apart
    BAD_POP = "bad proof of possession"
    BAD_TIME = "bad time"
    MISSING_TIME = "missing time"
    BAD_SENDER_NONCE = "bad sender nonce"
    BAD_DIGEST = "bad digest"
    WRONG_PROTECTION = "wrong kind of protection"
    SIGNER_NOT_TRUSTED = "signer not trusted"
    UNSUPPORTED_VERSION = "unsupported version"
    UNSUPPORTED_OPERATION = "unsupported operation"
    UNSUPPORTED_INFORMATION = "unsupported information"
    TRANSACTION_IN_USE = "transaction in use"
    UNKNOWN_CERTIFICATE = "unknown certificate"
    WRONG_AUTHORITY = "wrong authority"
    ALREADY_CONFIRMED = "already confirmed"
    DUPLICATE_REQUEST = "duplicate request"
    UNACCEPTED_EXTENSION = "unaccepted extension"
    UNACCEPTED_POLICY = "unaccepted policy"
    # Proof of control of a name
    CAA = "CAA forbids"
    CONNECTION = "connection failed"
    DNS = "DNS failed"
    TLS = "TLS failed"
    INCORRECT_RESPONSE = "incorrect response"
    # Ours
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"


class Refused(Exception):
    """A request, or a part of one, is refused.

    :param reason: what kind of refusal; each protocol maps it to its own code.
    :param clause: the section that is enforced, as ``RFC 8555 section 6.5``; a profile's own rule is ``profile: <key>``.
    :param detail: one sentence for the developer of the client; never a secret, never a stack trace.
    :param expected: what would have been accepted, where that can be said.
    :param got: what was received instead; shortened by the caller, never a secret.
    :param name: the identifier that the refusal is about, where there is one (ACME subproblems).
    :param parts: refusals of parts of the request (ACME subproblems, RFC 8555 section 6.7.1).
    :param location: the URL of the thing that stands in the way (409, RFC 8555 section 7.3.5), must be visited (userActionRequired),
        or explains (rateLimited).
    :param retry_after: seconds after which asking again makes sense.
    """

    def __init__(
        self,
        reason: Reason,
        clause: str,
        detail: str,
        *,
        expected: str | None = None,
        got: str | None = None,
        name: Name | None = None,
        parts: Sequence[Refused] = (),
        location: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(reason, clause, detail)
        self.reason = reason
        self.clause = clause
        self.detail = detail
        self.expected = expected
        self.got = got
        self.name = name
        self.parts = tuple(parts)
        self.location = location
        self.retry_after = retry_after

    def __str__(self) -> str:
        """The whole refusal as one sentence: what a client developer reads, clause last."""
        said = self.detail
        if self.expected is not None:
            said += f"; expected {self.expected}"
        if self.got is not None:
            said += f", got {self.got}" if self.expected is not None else f"; got {self.got}"
        return f"{said} ({self.clause})"
