"""Who the examiner is, as HTTP says it (RFC 7617, RFC 7616): what goes into Authorization."""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

_PARAMETER = re.compile(r'([A-Za-z-]+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')
_HASHES = {"MD5": "md5", "SHA-256": "sha256"}


def basic(username: str, code: str) -> str:
    """Basic."""
    return "Basic " + b64encode(f"{username}:{code}".encode()).decode("ascii")


def schemes(challenges: Sequence[str]) -> list[str]:
    """The schemes that WWW-Authenticate offers, in lower case."""
    return [word.lower() for text in challenges for word in re.findall(r"(?:^|,)\s*([A-Za-z]+)\s+[A-Za-z-]+=", text)]


@dataclass(frozen=True, slots=True)
class Challenge:
    """A Digest challenge. ``algorithm`` is MD5 or SHA-256."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    opaque: str = ""

    def answer(self, username: str, code: str, method: str, uri: str) -> str:
        """RFC 7616 section 3.4 with qop ``auth``."""
        client_nonce, count = secrets.token_hex(8), "00000001"

        def digest(text: str) -> str:
            return hashlib.new(_HASHES[self.algorithm], text.encode(), usedforsecurity=False).hexdigest()

        first, second = digest(f"{username}:{self.realm}:{code}"), digest(f"{method}:{uri}")
        response = digest(f"{first}:{self.nonce}:{count}:{client_nonce}:auth:{second}")
        opaque = f', opaque="{self.opaque}"' if self.opaque else ""
        return (
            f'Digest username="{username}", realm="{self.realm}", nonce="{self.nonce}", uri="{uri}", algorithm={self.algorithm}, '
            f'qop=auth, nc={count}, cnonce="{client_nonce}", response="{response}"{opaque}'
        )


def digest_challenge(challenges: Sequence[str]) -> Challenge | None:
    """The first Digest challenge that can be answered; None if there is none."""
    for text in challenges:
        at = text.lower().find("digest ")
        if at < 0:
            continue
        found = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(text[at:])}
        algorithm = found.get("algorithm", "MD5").upper()
        if algorithm in _HASHES and "nonce" in found and "auth" in found.get("qop", "auth").split(","):
            return Challenge(found.get("realm", ""), found["nonce"], algorithm, found.get("opaque", ""))
    return None
