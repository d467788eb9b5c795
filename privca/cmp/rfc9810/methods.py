"""What the server does with each kind of message: the one table, one module for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from privca.cmp.rfc9810 import confirm, enroll, error, general, poll, popdecr, revoke
from privca.cmp.rfc9810.call import Call, Reply
from privca.cmp.rfc9810.message import Body

Action = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Method:
    """How a message is answered.

    ``begins`` tells whether it may begin a transaction; one that does not goes on with a transaction that is there. ``name`` is that of a
    request, as profiles spell it.
    """

    action: Action
    begins: bool = True
    name: str = ""


TABLE: Mapping[Body, Method] = MappingProxyType(
    {
        Body.IR: Method(enroll.enroll, name="ir"),
        Body.CR: Method(enroll.enroll, name="cr"),
        Body.KUR: Method(enroll.enroll, name="kur"),
        Body.P10CR: Method(enroll.enroll, name="p10cr"),
        Body.RR: Method(revoke.revoke, name="rr"),
        Body.GENM: Method(general.inform, name="genm"),
        Body.POPDECR: Method(popdecr.respond, begins=False),
        Body.CERTCONF: Method(confirm.confirm, begins=False),
        Body.PKICONF: Method(confirm.confirm_by_pkiconf, begins=False),
        Body.POLLREQ: Method(poll.poll, begins=False),
        Body.ERROR: Method(error.received, begins=False),
    }
)
"""Bodies that are not here are answers and announcements: no client sends them."""
