"""JWK thumbprint (RFC 7638), with SHA-256 as RFC 8555 section 8.1 uses it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from privca.jose import rfc4648


def canonical(required: Mapping[str, str]) -> str:
    """The hash input (section 3): the required members alone, in lexicographic order, no white space."""
    return msgspec.json.encode(required, order="sorted").decode("ascii")


def thumbprint(text: str) -> str:
    """The thumbprint of a key in canonical form, base64url."""
    return rfc4648.encode(hashlib.sha256(text.encode("ascii")).digest())
