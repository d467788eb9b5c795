"""Requests that wait (RFC 5272 sections 6.1.1 and 6.13): the token that a client asks again with, and the answer.

A token is all that the server needs, sealed: nothing is stored for it. It is of use only to who made the request: the same certified
identity, or the key that the request is for, whose signature of the message is verified like any other.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

import msgspec

from privca.base.refused import Reason, Refused
from privca.enrollment.door import Identity, Pending
from privca.pkix.rfc5272.status import PendInfo

_CLAUSE = "RFC 5272 section 6.13"
_MAC = 32


class Waiting(msgspec.Struct, frozen=True, array_like=True):
    """What a token says: the request, who made it, for which key (SubjectPublicKeyInfo), and when it should be asked about."""

    profile_id: str
    request_id: str
    identity: str
    spki: bytes
    time: datetime


class PendTokens:
    """Makes tokens and knows its own. :param key: secret, the same in all workers of one store."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, waiting: Waiting) -> PendInfo:
        """What a client is told of a request that waits."""
        content = msgspec.msgpack.encode(waiting)
        return PendInfo(self._mac(content) + content, waiting.time)

    def read(self, token: bytes, profile_id: str) -> Waiting | None:
        """What a token says if it was made here, for this profile."""
        mac, content = token[:_MAC], token[_MAC:]
        if not hmac.compare_digest(mac, self._mac(content)):
            return None
        waiting = msgspec.msgpack.decode(content, type=Waiting)
        return waiting if waiting.profile_id == profile_id else None

    def _mac(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")


def waiting(profile_id: str, request_id: str, identity: Identity, spki: bytes, pending: Pending, now: datetime) -> Waiting:
    """What the token of a request says that has to wait now."""
    return Waiting(profile_id, request_id, identity.id, spki, now + timedelta(seconds=pending.retry_after))


def unknown_token() -> Refused:
    """One text for a token of somebody else and for one that is none."""
    return Refused(Reason.UNKNOWN_CERTIFICATE, _CLAUSE, "no request of yours has this pend token")
