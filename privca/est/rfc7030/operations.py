"""The operations of EST by the last segment of their path (RFC 7030 section 3.2.2): with which method, and who answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from privca.base.http import Response
from privca.est.rfc5272 import fullcmc
from privca.est.rfc7030 import cacerts, serverkeygen, simpleenroll, simplereenroll
from privca.est.rfc7030 import csrattrs as attributes
from privca.est.rfc7030.call import Call


@dataclass(frozen=True, slots=True)
class Operation:
    """What answers an operation: an async function of one :class:`Call`, which raises its refusals."""

    method: str
    answer: Callable[[Call], Awaitable[Response]]


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "cacerts": Operation("GET", cacerts.show),
        "csrattrs": Operation("GET", attributes.show),
        "simpleenroll": Operation("POST", simpleenroll.enroll),
        "simplereenroll": Operation("POST", simplereenroll.reenroll),
        "serverkeygen": Operation("POST", serverkeygen.generate),
        "fullcmc": Operation("POST", fullcmc.exchange),
    }
)
