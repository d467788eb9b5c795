"""The EST service (RFC 7030): from a path to its operation, and from a refusal to its reply."""

from __future__ import annotations

from privca.base.exchange import Exchange
from privca.base.http import Request, Response
from privca.base.refused import Reason, Refused
from privca.est.rfc7030 import authentication, refusal
from privca.est.rfc7030.call import Call, Core
from privca.est.rfc7030.operations import OPERATIONS
from privca.issuance.profile import Revisioned


class EstService:
    """Answers the requests of all EST profiles (implements :class:`privca.web.resource.Service`)."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def handle(self, exchange: Exchange, request: Request, profile: Revisioned) -> Response:
        """Answer one request; a refusal is a status and a text that names the clause."""
        call = Call(self._core, exchange, request, profile)
        try:
            return await self._answer(call)
        except Refused as refused:
            if refused.reason is Reason.INTERNAL:
                raise  # a fault of ours, with paths and the like in its text: for the log alone
            exchange.decided("refused", refused.clause, str(refused), reason=refused.reason.value)
            return refusal.response(refused, authentication.challenges(call, refused))

    def failure(self, exchange: Exchange, request: Request, profile: Revisioned | None, status: int, detail: str) -> Response:
        """An error that was decided outside, in text."""
        return refusal.outside(status, detail)

    async def _answer(self, call: Call) -> Response:
        if not call.request.peer.tls:
            raise Refused(Reason.UNAUTHORIZED, "RFC 7030 section 3.3", "EST is spoken over HTTPS alone")
        operation = OPERATIONS.get(call.request.tail)
        if operation is None:
            raise Refused(
                Reason.NOT_FOUND, "RFC 7030 section 3.2.2", "there is no such operation", expected=", ".join(sorted(OPERATIONS))
            )
        # HEAD is GET without its body, which the adapter leaves out.
        if call.request.method != operation.method and (operation.method, call.request.method) != ("GET", "HEAD"):
            raise Refused(
                Reason.METHOD_NOT_ALLOWED,
                "RFC 7030 section 3.2.2",
                "this operation is not for this method",
                expected=operation.method,
                got=call.request.method[:20],
            )
        return await operation.answer(call)
