"""The ACME service (RFC 8555): the table of routes, and what every reply has in common (sections 6.1, 6.3, 6.5, 7.1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from privca.acme import rfc9773
from privca.acme.ports import AcmeStore, Background, Conflict, Prober
from privca.acme.rfc8555 import (
    account,
    authorization,
    certificate,
    challenge,
    finalize,
    issue,
    keychange,
    newauthz,
    neworder,
    order,
    problem,
    revocation,
    validation,
)
from privca.acme.rfc8555.authentication import Signer, authenticate, reread
from privca.acme.rfc8555.call import Call, Core
from privca.acme.rfc8555.directory import directory
from privca.acme.rfc8555.nonce import ANY_PROFILE, Nonces, SpentHere
from privca.acme.rfc8555.urls import Urls
from privca.base.clock import Clock
from privca.base.durations import duration
from privca.base.entropy import Entropy
from privca.base.exchange import Exchange
from privca.base.http import Request, Response
from privca.base.refused import Reason, Refused
from privca.enrollment.door import Door
from privca.issuance.profile import Revisioned

Action = Callable[[Call], Awaitable[Response]]
RESUME_AT_ONCE = 100
"""How much due work one call of :meth:`AcmeService.resume` takes up."""
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Route:
    """A resource: what a POST-as-GET (``read``) and a POST with a payload (``write``) do, and who signs them."""

    read: Action | None = None
    write: Action | None = None
    signer: Signer = Signer.ACCOUNT


async def _new_nonce(call: Call) -> Response:
    call.exchange.decided("nonce issued", "RFC 8555 section 7.2")
    return Response(204, (("Cache-Control", "no-store"),))


async def _directory(call: Call) -> Response:
    call.exchange.decided("directory shown", "RFC 8555 section 7.1.1")
    return directory(call.profile, call.urls)


# Paths below the profile; * is an identifier. GET and HEAD are for the first two alone (section 6.3).
ROUTES: Mapping[str, Route] = MappingProxyType(
    {
        "directory": Route(read=_directory, signer=Signer.EITHER),
        "new-nonce": Route(read=_new_nonce, signer=Signer.EITHER),
        "new-account": Route(write=account.new, signer=Signer.NEW_KEY),
        "new-order": Route(write=neworder.new),
        "new-authz": Route(write=newauthz.new),
        "revoke-cert": Route(write=revocation.revoke, signer=Signer.EITHER),
        "key-change": Route(write=keychange.change),
        "acct/*": Route(read=account.show, write=account.update),
        "acct/*/orders": Route(read=account.orders),
        "order/*": Route(read=order.show),
        "order/*/finalize": Route(write=finalize.finalize),
        "authz/*": Route(read=authorization.show, write=authorization.update),
        "chall/*/*": Route(read=challenge.show, write=challenge.respond),
        "cert/*": Route(read=certificate.show),
        "cert/*/*": Route(read=certificate.show),
        # RFC 9773 section 4.1: by GET alone, and unauthenticated.
        "renewal-info/*": Route(),
    }
)
_BY_GET = ("directory", "new-nonce")
# Section 6.1: for clients in a browser, which must also be let see our headers.
_CORS = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", "Link, Location, Replay-Nonce, Retry-After"))
_PREFLIGHT = (("Access-Control-Allow-Methods", "GET, HEAD, POST"), ("Access-Control-Allow-Headers", "Content-Type"))


class AcmeService:
    """Answers the requests of all ACME profiles.

    :param nonce_key: secret, the same in all workers of one store; None in a process that serves alone, and remembers by itself which
        nonces are spent.
    :param origin: scheme, host and port of the server, for account URIs in CAA records (RFC 8657) where a validation is resumed after a
        crash and no client tells under which name it knows us; without it such records do not match.
    """

    def __init__(
        self,
        store: AcmeStore,
        door: Door,
        prober: Prober,
        background: Background,
        clock: Clock,
        entropy: Entropy,
        nonce_key: bytes | None,
        origin: str = "",
    ) -> None:
        nonces = Nonces(entropy.octets(32), store, SpentHere()) if nonce_key is None else Nonces(nonce_key, store)
        self._core = Core(store, door, prober, background, clock, entropy, nonces, origin)

    async def handle(self, exchange: Exchange, request: Request, profile: Revisioned) -> Response:
        """Answer one request; a refusal is a problem document."""
        urls = Urls.of(request, profile.id)
        fresh = request.method == "POST" or request.tail == "new-nonce"
        try:
            response = await self._answer(exchange, request, profile, urls)
        except Refused as refused:
            exchange.decided("refused", refused.clause, str(refused), reason=refused.reason.value)
            response = problem.response(refused)
            fresh = True
        return self._dressed(exchange, request, profile, urls, response, fresh=fresh)

    def failure(self, exchange: Exchange, request: Request, profile: Revisioned | None, status: int, detail: str) -> Response:
        """An error that was decided outside, as a problem document like any other: a nonce costs no store call, so it can always be had."""
        response = problem.outside(status, detail)
        if profile is None:
            return response
        return self._dressed(exchange, request, profile, Urls.of(request, profile.id), response, fresh=True)

    def _dressed(
        self, exchange: Exchange, request: Request, profile: Revisioned, urls: Urls, response: Response, *, fresh: bool
    ) -> Response:
        """The reply with what every reply has."""
        headers = response.headers
        if fresh:
            scope = ANY_PROFILE if urls.shared else profile.id
            expires = exchange.now + duration(profile.profile.acme.nonce_life)
            headers = (("Replay-Nonce", self._core.nonces.issue(scope, expires, self._core.entropy)), *headers)
        if request.tail != "directory":
            headers = (*headers, ("Link", f'<{urls.directory}>;rel="index"'))
        return Response(response.status, (*headers, *_CORS), response.body)

    async def _answer(self, exchange: Exchange, request: Request, profile: Revisioned, urls: Urls) -> Response:
        if not request.origin.startswith("https://"):
            raise Refused(Reason.MALFORMED, "RFC 8555 section 6.1", "ACME is spoken over HTTPS alone")
        name, ids = _place(request.tail)
        route = ROUTES.get(name)
        if route is None or (name == "renewal-info/*" and not profile.profile.acme.renewal_information):
            raise Refused(Reason.NOT_FOUND, "RFC 8555 section 7.1", "there is no such resource")
        if request.method == "POST" and (route.read or route.write):
            return await self._signed(exchange, request, profile, urls, route, ids)
        if request.method == "OPTIONS":
            exchange.decided("preflight answered", "RFC 8555 section 6.1")
            return Response(204, _PREFLIGHT)
        if name == "renewal-info/*" and request.method in ("GET", "HEAD"):
            return await rfc9773.show(self._core, exchange, profile, ids[0], shared=urls.shared)
        if name not in _BY_GET or request.method not in ("GET", "HEAD"):
            raise Refused(
                Reason.METHOD_NOT_ALLOWED,
                "RFC 8555 section 6.3",
                "this resource is not for this method",
                expected="GET, HEAD, POST" if name in _BY_GET else "POST" if route.read or route.write else "GET, HEAD",
                got=request.method[:20],
            )
        if name == "directory":
            exchange.decided("directory shown", "RFC 8555 section 7.1.1")
            return directory(profile, urls)
        exchange.decided("nonce issued", "RFC 8555 section 7.2")
        # Section 7.2 tells the two methods apart by status: HEAD 200, GET 204.
        return Response(200 if request.method == "HEAD" else 204, (("Cache-Control", "no-store"),))

    async def _signed(
        self, exchange: Exchange, request: Request, profile: Revisioned, urls: Urls, route: Route, ids: tuple[str, ...]
    ) -> Response:
        call = await authenticate(self._core, exchange, request, profile, urls, ids, route.signer)
        action = route.write if call.payload else route.read
        if action is None:
            detail = "the payload of this request is empty" if route.write else "this resource is read by POST-as-GET"
            raise Refused(Reason.MALFORMED, "RFC 8555 section 6.3", detail, expected="a payload" if route.write else 'payload ""')
        for _ in range(_ATTEMPTS):
            try:
                return await action(call)
            except Conflict:
                # Somebody else changed what the action read: it reads again, and decides again.
                call = await reread(call)
        raise Refused(Reason.UNAVAILABLE, "RFC 9110 section 15.6.4", "others change the same records; try again", retry_after=1)

    async def resume(self, now: datetime, concerns: Callable[[Revisioned], bool] = lambda profile: True) -> None:
        """Take up work whose worker is gone, or whose time has come, and forget nonces that have expired anyway.

        :param concerns: whether the work of a profile is this service's to take up.
        """
        core = self._core
        for due in await core.store.due_authorizations(now, RESUME_AT_ONCE):
            if concerns(profile := await self._profile(due.profile_id)):
                core.background.start(validation.resume(core, profile, due))
        for waiting in await core.store.due_orders(now, RESUME_AT_ONCE):
            if concerns(profile := await self._profile(waiting.profile_id)):
                core.background.start(issue.resume(core, profile, waiting))
        await core.nonces.forget(now - timedelta(seconds=1))

    async def _profile(self, id: str) -> Revisioned:
        profile = await self._core.store.profile(id)
        assert profile is not None, "profiles are never deleted"
        return profile


def _place(tail: str) -> tuple[str, tuple[str, ...]]:
    """The route's name, and the identifiers in the path."""
    first, *rest = tail.split("/")
    if not all(rest):
        return "", ()
    if len(rest) == 2 and f"{first}/*/{rest[1]}" in ROUTES:
        return f"{first}/*/{rest[1]}", (rest[0],)
    return "/".join([first] + ["*"] * len(rest)), tuple(rest)
