"""What every ACME reply owes to its client whatever it says: checked on each reply that the examiner gets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from conformance.acme.keys import unb64
from conformance.transport import HttpResponse

PREFIX = "urn:ietf:params:acme:error:"
# RFC 8555 section 6.7 with the additions of the IANA registry that concern the features examined here.
ERROR_TYPES = frozenset(
    """accountDoesNotExist alreadyRevoked badCSR badNonce badPublicKey badRevocationReason badSignatureAlgorithm caa compound connection dns
    externalAccountRequired incorrectResponse invalidContact malformed orderNotReady rateLimited rejectedIdentifier serverInternal tls
    unauthorized unsupportedContact unsupportedIdentifier userActionRequired autoRenewalCanceled autoRenewalExpired
    autoRenewalCancellationInvalid autoRenewalRevocationNotSupported alreadyReplaced invalidProfile onionCAARequired unknownDelegation""".split()
)
_NONCE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Deviation:
    """One way in which a reply departs from the text: at which level, from which clause."""

    level: Literal["MUST", "SHOULD"]
    clause: str
    detail: str

    def __str__(self) -> str:
        return f"{self.level} {self.clause}: {self.detail}"


def deviations(response: HttpResponse, *, directory_url: str, new_nonce_url: str) -> list[Deviation]:
    """Every deviation of a reply, empty for a conformant one. Says nothing about whether the request deserved it."""
    found: list[Deviation] = []
    request = response.request

    def deviate(level: Literal["MUST", "SHOULD"], clause: str, detail: str) -> None:
        found.append(Deviation(level, clause, detail))

    nonces = response.values("Replay-Nonce")
    if len(nonces) > 1:
        deviate("MUST", "RFC 8555 section 6.5.1", "more than one Replay-Nonce")
    for nonce in nonces:
        if not _NONCE.fullmatch(nonce):
            deviate("MUST", "RFC 8555 section 6.5.1", f"Replay-Nonce {nonce!r} is not base64url")
        elif len(unb64(nonce)) < 16 and len(nonce) % 4 != 1:
            deviate("MUST", "RFC 8555 section 6.5.1", f"a nonce of {len(unb64(nonce)) * 8} bits can be guessed")
    if request.method == "POST" and not nonces:
        if response.status < 400:
            deviate("MUST", "RFC 8555 section 6.5", "no Replay-Nonce in a successful reply to POST")
        elif response.error == "badNonce":
            deviate("MUST", "RFC 8555 section 6.5", "no Replay-Nonce in a badNonce error")
        else:
            deviate("SHOULD", "RFC 8555 section 6.5", "no Replay-Nonce in an error reply to POST")
    if request.url == new_nonce_url and response.status < 300:
        if "no-store" not in (response.header("Cache-Control") or ""):
            deviate("MUST", "RFC 8555 section 7.2", "newNonce without Cache-Control: no-store")
        if not nonces:
            deviate("MUST", "RFC 8555 section 7.2", "newNonce without Replay-Nonce")
    if request.url != directory_url and directory_url not in response.links("index"):
        deviate(
            "SHOULD" if response.status == 404 else "MUST", "RFC 8555 section 7.1", "no Link to the directory with relation index"
        )
    if response.status >= 400:
        found += _problem(response)
    return found


def _problem(response: HttpResponse) -> list[Deviation]:
    """RFC 8555 section 6.7: what an error reply must look like."""
    clause = "RFC 8555 section 6.7"
    if response.media_type != "application/problem+json":
        return [
            Deviation(
                "SHOULD",
                clause,
                f"a {response.status} reply without a problem document (Content-Type {response.media_type or 'none'})",
            )
        ]
    try:
        document = response.object
    except ValueError as failure:
        return [Deviation("MUST", "RFC 7807 section 3", f"the problem document cannot be read: {failure}")]
    found = _type(document)
    if not document.get("detail"):
        found.append(Deviation("SHOULD", clause, "a problem document without detail"))
    if "identifier" in document:
        found.append(Deviation("MUST", "RFC 8555 section 6.7.1", "an identifier at the top level of a problem document"))
    for part in document.get("subproblems", []):
        found += _type(part)
    if response.error == "badSignatureAlgorithm" and not document.get("algorithms"):
        found.append(Deviation("MUST", "RFC 8555 section 6.2", "badSignatureAlgorithm without the algorithms that are supported"))
    if document.get("status", response.status) != response.status:
        found.append(Deviation("MUST", "RFC 7807 section 3.1", "status of the problem document and of the reply differ"))
    return found


def _type(document: dict[str, Any]) -> list[Deviation]:
    kind = document.get("type")
    if not isinstance(kind, str) or not kind:
        return [Deviation("SHOULD", "RFC 8555 section 6.7", "a problem document without type")]
    if kind.startswith(PREFIX) and kind.removeprefix(PREFIX) not in ERROR_TYPES:
        return [Deviation("MUST", "RFC 8555 section 6.7", f"{kind} is not a registered ACME error")]
    return []
