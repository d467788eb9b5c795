"""The examiner's own CMP client: sends drafts, spoilt or not, over any transport, and reads what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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


class Client:
    """Posts PKIMessages (RFC 9811 section 3). ``observe`` hears of each response."""

    def __init__(self, transport: Transport, observe: Callable[[HttpResponse], None]) -> None:
        self._transport = transport
        self._observe = observe

    def post(self, url: str, body: bytes, *, method: str = "POST", media_type: str | None = MEDIA_TYPE) -> HttpResponse:
        """Send octets, whatever they are."""
        headers = () if media_type is None else (("Content-Type", media_type),)
        response = self._transport.exchange(HttpRequest(method, url, headers, body))
        self._observe(response)
        return response

    def send(self, url: str, draft: Draft, mutation: Mutation | None = None) -> Answer:
        """Send a request, spoilt by ``mutation`` if there is one."""
        return self.read(draft, self.post(url, draft.encode() if mutation is None else mutation.apply(draft)))

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
