"""What the server does with each kind of message: the one table, one module for each."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from privca.cmp.rfc9810 import confirm, cross, enroll, error, general, nested, poll, popdecr, recover, revoke
from privca.cmp.rfc9810.call import Call, Reply
from privca.cmp.rfc9810.message import Body

Action = Callable[[Call], Awaitable[Reply]]


class Place(enum.Enum):
    """Where a message stands in a transaction."""

    FIRST = "begins one"
    LATER = "goes on with one"
    OUTSIDE = "is outside of any"


@dataclass(frozen=True, slots=True)
class Method:
    """How a message is answered.

    ``place`` tells where it stands in a transaction. ``name`` is that of a request, as profiles spell it.
    """

    action: Action
    place: Place = Place.FIRST
    name: str = ""


TABLE: Mapping[Body, Method] = MappingProxyType(
    {
        Body.IR: Method(enroll.enroll, name="ir"),
        Body.CR: Method(enroll.enroll, name="cr"),
        Body.KUR: Method(enroll.enroll, name="kur"),
        Body.P10CR: Method(enroll.enroll, name="p10cr"),
        Body.CCR: Method(cross.cross_certify, name="ccr"),
        Body.KRR: Method(recover.recover, name="krr"),
        Body.RR: Method(revoke.revoke, name="rr"),
        Body.GENM: Method(general.inform, name="genm"),
        Body.POPDECR: Method(popdecr.respond, place=Place.LATER),
        Body.NESTED: Method(nested.unwrap, place=Place.OUTSIDE),
        Body.CERTCONF: Method(confirm.confirm, place=Place.LATER),
        Body.PKICONF: Method(confirm.confirm_by_pkiconf, place=Place.LATER),
        Body.POLLREQ: Method(poll.poll, place=Place.LATER),
        Body.ERROR: Method(error.received, place=Place.LATER),
    }
)
"""Bodies that are not here are answers and announcements: no client sends them."""
