"""HTTP Basic authentication (RFC 7617): user and password in clear, for TLS alone."""

from __future__ import annotations

import binascii

from privca.base.refused import Reason, Refused

_CLAUSE = "RFC 7617 section 2"


def challenge(realm: str) -> str:
    """What WWW-Authenticate says. No charset: libest's client stops at what it does not know, and UTF-8 is taken anyway."""
    return f'Basic realm="{realm}"'


def read(credentials: str) -> tuple[str, bytes]:
    """User and password of what follows the scheme.

    :raises Refused: ``MALFORMED``; its text has nothing of what was received.
    """
    try:
        # Spelled as it should be, or not at all: nothing else may stand for a password.
        spelled = credentials.encode("ascii")
        octets = binascii.a2b_base64(spelled, strict_mode=True)
        user, colon, password = octets.partition(b":")
        reference = user.decode("utf-8")
    except (binascii.Error, UnicodeError):
        raise Refused(Reason.MALFORMED, _CLAUSE, "Basic credentials are user, colon and password in base64 of UTF-8") from None
    if (
        not colon
        or binascii.b2a_base64(octets, newline=False) != spelled
        or any(octet < 0x20 or octet == 0x7F for octet in octets)
    ):
        raise Refused(
            Reason.MALFORMED,
            _CLAUSE,
            "Basic credentials are a user, a colon and a password without control characters, in base64",
        )
    return reference, password
