"""Refusals as HTTP (RFC 7030 section 4.2.3, RFC 8951 section 5): the one table from a reason to a status, and text that names the clause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from privca.base.http import Response
from privca.base.refused import Reason, Refused

STATUSES: Mapping[Reason, int] = MappingProxyType(
    {
        Reason.MALFORMED: 400,
        Reason.TOO_LARGE: 413,
        Reason.NOT_FOUND: 404,
        Reason.METHOD_NOT_ALLOWED: 405,
        Reason.UNSUPPORTED_MEDIA_TYPE: 415,
        Reason.NOT_ACCEPTABLE: 406,
        Reason.BAD_NONCE: 400,
        Reason.BAD_SIGNATURE: 400,
        Reason.BAD_SIGNATURE_ALGORITHM: 400,
        Reason.RATE_LIMITED: 429,
        # 403 where there is nothing to challenge the client with: RFC 9110 section 15.5.2 has no 401 without WWW-Authenticate.
        Reason.UNAUTHENTICATED: 401,
        Reason.UNAUTHORIZED: 403,
        Reason.UNKNOWN_ACCOUNT: 403,
        Reason.KEY_IN_USE: 409,
        Reason.EXTERNAL_ACCOUNT_REQUIRED: 403,
        Reason.TERMS_NOT_AGREED: 403,
        Reason.INVALID_CONTACT: 400,
        Reason.UNSUPPORTED_CONTACT: 400,
        Reason.BAD_CSR: 400,
        Reason.BAD_PUBLIC_KEY: 400,
        Reason.UNSUPPORTED_IDENTIFIER: 400,
        Reason.REJECTED_IDENTIFIER: 403,
        Reason.BAD_VALIDITY: 400,
        Reason.OUTSIDE_RENEWAL_WINDOW: 403,
        Reason.ORDER_NOT_READY: 403,
        Reason.WRONG_STATE: 409,
        Reason.ALREADY_REVOKED: 409,
        Reason.BAD_REVOCATION_REASON: 400,
        Reason.COMPOUND: 403,
        Reason.BAD_POP: 400,
        Reason.BAD_TIME: 400,
        Reason.MISSING_TIME: 400,
        Reason.BAD_SENDER_NONCE: 400,
        Reason.BAD_DIGEST: 400,
        Reason.WRONG_PROTECTION: 400,
        Reason.SIGNER_NOT_TRUSTED: 403,
        Reason.UNSUPPORTED_VERSION: 400,
        Reason.UNSUPPORTED_OPERATION: 400,
        Reason.UNSUPPORTED_INFORMATION: 400,
        Reason.TRANSACTION_IN_USE: 409,
        Reason.UNKNOWN_CERTIFICATE: 400,
        Reason.WRONG_AUTHORITY: 400,
        Reason.ALREADY_CONFIRMED: 409,
        Reason.DUPLICATE_REQUEST: 400,
        Reason.UNACCEPTED_EXTENSION: 400,
        Reason.UNACCEPTED_POLICY: 400,
        Reason.CAA: 403,
        Reason.CONNECTION: 400,
        Reason.DNS: 400,
        Reason.TLS: 400,
        Reason.INCORRECT_RESPONSE: 403,
        Reason.INTERNAL: 500,
        Reason.UNAVAILABLE: 503,
    }
)
_TEXT = (("Content-Type", "text/plain; charset=utf-8"),)


class NothingPresented(Refused):
    """A client that has presented no credential at all: it is asked for one, in a reply without a body, since some clients (BouncyCastle)
    take one for the end of the matter."""

    def __init__(self) -> None:
        super().__init__(Reason.UNAUTHENTICATED, "RFC 7030 section 3.2.3", "the client has not said who it is")


def response(refused: Refused, challenges: Sequence[str] = ()) -> Response:
    """A refusal as a reply. :param challenges: what a client may answer to prove who it is."""
    status = STATUSES[refused.reason]
    headers: list[tuple[str, str]] = []
    if status == 401:
        headers = [("WWW-Authenticate", challenge) for challenge in challenges]
        status = 401 if challenges else 403
    if refused.retry_after is not None:
        headers.append(("Retry-After", str(refused.retry_after)))
    if refused.reason is Reason.METHOD_NOT_ALLOWED and refused.expected:
        headers.append(("Allow", refused.expected))
    if isinstance(refused, NothingPresented) and challenges:
        return Response(status, tuple(headers))
    parts = [f"{part}\n" for part in refused.parts]
    return Response(status, (*_TEXT, *headers), f"{refused}\n{''.join(parts)}".encode())


def outside(status: int, detail: str) -> Response:
    """An error that was decided outside of the protocol."""
    return Response(status, _TEXT, f"{detail}\n".encode())
