"""Bearer tokens (RFC 6750): the code is the token. libest's client sends its token in base64 once more, which is its own invention."""

from __future__ import annotations

import binascii
import re
from typing import Literal

from privca.base.refused import Reason, Refused

_CLAUSE = "RFC 6750 section 2.1"
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def challenge(realm: str) -> str:
    """What WWW-Authenticate says."""
    return f'Bearer realm="{realm}"'


def read(credentials: str, form: Literal["base64", "plain"]) -> bytes:
    """The code in what follows the scheme. :raises Refused: ``MALFORMED``; its text has nothing of what was received."""
    if not _TOKEN.fullmatch(credentials):
        raise Refused(Reason.MALFORMED, _CLAUSE, "a Bearer token is letters, digits and - . _ ~ + / with = at its end")
    if form == "plain":
        return credentials.encode("ascii")
    try:
        return binascii.a2b_base64(credentials, strict_mode=True)
    except binascii.Error:
        raise Refused(
            Reason.MALFORMED, "profile: est.bearer", "a Bearer token of this profile is the code in base64", expected="base64"
        ) from None
