"""The one resource that serves every protocol: message -> route -> profile -> the protocol's service -> reply, transcript and metrics.

Nothing below decides anything about a protocol: unknown paths and profiles are 404, a fault of ours is 500 without a trace, what cannot be
read is refused with the status that the framing gives, and everything else is the service's own reply. Where the path belongs to a
protocol, its service puts these errors into the words of its clients.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import count
from typing import Protocol

import structlog

from privca.base.clock import Clock
from privca.base.entropy import Entropy
from privca.base.exchange import Exchange
from privca.base.http import Peer, Request, Response
from privca.issuance.profile import Revisioned
from privca.web import urls
from privca.web.framing import BadMessage, Message
from privca.web.http import Reply
from privca.web.metrics import Metrics
from privca.web.origin import Origins
from privca.web.problems import problem
from privca.web.transcript import Record, Transcript

log = structlog.get_logger("privca.web")
_MISSING = "RFC 9110 section 15.5.5"


class Service(Protocol):
    """A protocol core. Its refusals are replies; whatever it raises is a fault of ours."""

    async def handle(self, exchange: Exchange, request: Request, profile: Revisioned) -> Response:
        """Answer one request to ``profile``."""

    def failure(self, exchange: Exchange, request: Request, profile: Revisioned | None, status: int, detail: str) -> Response:
        """An error that was decided without :meth:`handle`, or because it failed, as this protocol says it; ``profile`` is None if the
        path leads to none. The request's body may be missing."""


class Status(Protocol):
    """What answers without a profile: ``request.tail`` is ``crl/CA.crl``, ``ca/CA.cer`` or ``ocsp/CA``."""

    async def handle(self, exchange: Exchange, request: Request) -> Response:
        """Answer one request."""


class Profiles(Protocol):
    """Where profiles are found. Both are asked for every request, so they answer from memory when nothing changed."""

    async def profile(self, id: str) -> Revisioned | None:
        """The newest revision of a profile."""

    async def default_profile(self, protocol: str) -> str | None:
        """The ID of the profile that answers paths without one."""


class ExchangeLog(Protocol):
    """Where every exchange leaves a line."""

    def __call__(self, exchange: Exchange, method: str, path: str, status: int, seconds: float) -> None:
        """Write the line of an exchange that took so long."""


class Resource:
    """Answers what :class:`~privca.web.http.HttpFactory` has framed."""

    def __init__(
        self,
        *,
        services: Mapping[str, Service],
        status: Status | None,
        profiles: Profiles,
        names: Sequence[str],
        clock: Clock,
        entropy: Entropy,
        transcript: Transcript | None,
        metrics: Metrics,
        exchange_log: ExchangeLog,
    ) -> None:
        self._services = services
        self._status = status
        self._profiles = profiles
        self._origins = Origins(names)
        self._clock = clock
        self._entropy = entropy
        self._transcript = transcript
        self._metrics = metrics
        self._exchange_log = exchange_log
        # Unique over restarts and workers, and cheap: a random part for the process and a number.
        self._ids = map(f"{secrets.token_hex(5)}-{{:x}}".format, count(1))

    async def answer(self, message: Message, peer: Peer, port: int) -> Reply:
        """Answer one request. Never raises."""
        started = time.perf_counter()
        route = urls.find(message.path)
        exchange = Exchange(next(self._ids), self._clock.now(), self._entropy, (route and route.profile_id) or "")
        try:
            response = await self._respond(exchange, route, message, peer, port)
        except Exception:
            # The one place where everything ends that nobody foresaw: the client learns that it is our fault, the log the rest.
            log.exception("an exchange failed", exchange=exchange.id, path=message.path)
            exchange.decided("failed", "RFC 9110 section 15.6.1", "an unexpected error; the log has it under this exchange")
            detail = f"the server failed; its log knows more under {exchange.id}"
            response = await self._failure(exchange, route, message, peer, port, 500, detail)
        return Reply(response, partial(self._sent, exchange, route, message, peer, response, started))

    async def refuse(self, refusal: BadMessage, head: Message | None, octets: bytes, peer: Peer, port: int) -> Reply:
        """The reply to what is no readable request. Never raises."""
        started = time.perf_counter()
        route = None if head is None else urls.find(head.path)
        exchange = Exchange(next(self._ids), self._clock.now(), self._entropy, (route and route.profile_id) or "")
        exchange.decided("refused", refusal.clause, refusal.detail)
        read, _, rest = octets.partition(b"\r\n\r\n")
        message = Message("", "", "", 1, {}, read, "", False) if head is None else head
        message.body = rest
        detail = f"{refusal.detail} ({refusal.clause})"
        response = await self._failure(exchange, route, message, peer, port, refusal.status, detail)
        return Reply(response, partial(self._sent, exchange, route, message, peer, response, started))

    async def _respond(self, exchange: Exchange, route: urls.Route | None, message: Message, peer: Peer, port: int) -> Response:
        if route is None:
            return self._missing(exchange, f"there is nothing at {message.path[:200]}")
        request = self._request(route, message, peer, port)
        if route.protocol == urls.STATUS:
            if self._status is None:
                return self._missing(exchange, "there is no status service")
            return await self._status.handle(exchange, request)
        service = self._services.get(route.protocol)
        profile = None if service is None else await self._profile(route)
        if service is None or profile is None:
            what = f"profile {route.profile_id}" if route.profile_id else "default profile"
            missing = self._missing(exchange, f"there is no {route.protocol} {what}")
            return (
                missing
                if service is None
                else service.failure(exchange, request, None, 404, f"{exchange.decision.detail} ({_MISSING})")
            )
        exchange.profile_id = profile.id
        return await service.handle(exchange, request, profile)

    def _request(self, route: urls.Route, message: Message, peer: Peer, port: int) -> Request:
        origin = self._origins.origin(peer.tls, message.authority, port)
        return Request(message.method, message.path, route.tail, message.query, message.headers, message.body, peer, origin)

    async def _profile(self, route: urls.Route) -> Revisioned | None:
        """The profile that a path leads to, if it is there, enabled, and one of the path's protocol."""
        profile_id = route.profile_id or await self._profiles.default_profile(route.protocol)
        profile = None if profile_id is None else await self._profiles.profile(profile_id)
        if profile is None or profile.profile.protocol != route.protocol or not profile.profile.enabled:
            return None
        return profile

    def _missing(self, exchange: Exchange, detail: str) -> Response:
        exchange.decided("refused", _MISSING, detail)
        return problem(404, detail, _MISSING)

    async def _failure(
        self, exchange: Exchange, route: urls.Route | None, message: Message, peer: Peer, port: int, status: int, detail: str
    ) -> Response:
        """An error of ours or of the framing, said by the protocol of the path. Never raises."""
        service = None if route is None else self._services.get(route.protocol)
        if route is None or service is None:
            return problem(status, detail)
        try:
            request = self._request(route, message, peer, port)
            return service.failure(exchange, request, await self._profile(route), status, detail)
        except Exception:
            # What made the exchange fail (the store, say) may make this fail too: then it is said in plain words.
            log.exception("an error could not be said as its protocol does", exchange=exchange.id, path=message.path)
            return problem(status, detail)

    def _sent(
        self,
        exchange: Exchange,
        route: urls.Route | None,
        message: Message,
        peer: Peer,
        response: Response,
        started: float,
        head: bytes,
        body: bytes,
    ) -> None:
        protocol = route.protocol if route is not None else ""
        operation = route.tail.partition("/")[0] if route is not None and response.status != 404 else ""
        seconds = time.perf_counter() - started
        self._metrics.count(protocol, operation, response.status, seconds)
        self._exchange_log(exchange, message.method, message.path[:200], response.status, seconds)
        if self._transcript is not None:
            self._transcript.write(Record(exchange, protocol, peer, message.head, message.body, head, body))
