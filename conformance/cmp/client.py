"""The examiner's own CMP client: sends drafts, spoilt or not, over any transport, and reads what comes back."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from conformance.cmp import der
from conformance.cmp.message import Draft, Reply
from conformance.cmp.mutations import Mutation
from conformance.transport import HttpRequest, HttpResponse, Transport

MEDIA_TYPE = "application/pkixcmp"


class Refusal(Exception):
    """A correct request was not granted: what came instead."""


@dataclass(frozen=True)
class Answer:
    """What came back: the HTTP response, and the PKIMessage in it; None and why not if there is none."""

    draft: Draft
    response: HttpResponse
    reply: Reply | None
    garbled: str = ""

    def __str__(self) -> str:
        if self.reply is not None:
            return str(self.reply)
        return f"HTTP {self.response.status} {self.response.media_type or 'no type'}, {self.garbled}"


Observe = Callable[[HttpResponse, Callable[[], HttpRequest] | None], None]
"""Hears of each response, and of how its request is made anew, where that can be."""


class Client:
    """Posts PKIMessages (RFC 9811 section 3). ``now`` tells the time of a message that is made anew."""

    def __init__(self, transport: Transport, observe: Observe, now: Callable[[], datetime]) -> None:
        self._transport = transport
        self._observe = observe
        self._now = now

    def post(self, url: str, body: bytes, *, method: str = "POST", media_type: str | None = MEDIA_TYPE) -> HttpResponse:
        """Send octets, whatever they are."""
        headers = () if media_type is None else (("Content-Type", media_type),)
        return self._exchange(HttpRequest(method, url, headers, body))

    def _exchange(self, request: HttpRequest, again: Callable[[], HttpRequest] | None = None) -> HttpResponse:
        response = self._transport.exchange(request)
        self._observe(response, again)
        return response

    def send(self, url: str, draft: Draft, mutation: Mutation | None = None) -> Answer:
        """Send a request, spoilt by ``mutation`` if there is one."""

        def request(made: Draft) -> HttpRequest:
            octets = made.encode() if mutation is None else mutation.apply(made)
            return HttpRequest("POST", url, (("Content-Type", MEDIA_TYPE),), octets)

        def again() -> HttpRequest:
            fresh = replace(draft, transaction_id=secrets.token_bytes(16), sender_nonce=secrets.token_bytes(16))
            return request(fresh.at(self._now()))

        # What goes on with a transaction belongs to the message that it answers.
        begins = draft.recip_nonce is None and draft.transaction_id is not None
        return self.read(draft, self._exchange(request(draft), again if begins else None))

    @staticmethod
    def read(draft: Draft, response: HttpResponse) -> Answer:
        """A response as the answer to a draft."""
        try:
            reply = Reply(response.body)
            # So that nothing of it is garbled that cases ask for.
            _ = reply.statuses, reply.message_time, reply.algorithm
        except der.Garbled as error:
            return Answer(draft, response, None, str(error))
        return Answer(draft, response, reply)
