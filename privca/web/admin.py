"""The admin listener: health and metrics, and in a lab the management calls of pebble-challtestsrv for the lab's DNS.

It has no credentials: it listens on loopback, and refuses what a web page could send there (a foreign Host, which is how DNS rebinding
looks, and any Origin).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import dns.rdatatype
import msgspec

from privca.base.http import Peer, Response
from privca.web.framing import BadMessage, Message
from privca.web.http import Reply
from privca.web.metrics import Exposition
from privca.web.origin import Origins
from privca.web.problems import problem
from privca.web.zone import LabZone


class _Policy(msgspec.Struct):
    tag: str
    value: str


class _Call(msgspec.Struct):
    """The body of every management call; which members count depends on the call."""

    host: str = ""
    ip: str | None = None
    addresses: tuple[str, ...] = ()
    policies: tuple[_Policy, ...] = ()
    target: str = ""
    value: str = ""


_A, _AAAA, _CAA, _CNAME, _TXT = (
    dns.rdatatype.A,
    dns.rdatatype.AAAA,
    dns.rdatatype.CAA,
    dns.rdatatype.CNAME,
    dns.rdatatype.TXT,
)
_decode = msgspec.json.Decoder(_Call).decode


def _quoted(text: str) -> str:
    return (
        '"'
        + "".join(f"\\{octet:03d}" if octet < 32 or octet > 126 or octet in b'"\\' else chr(octet) for octet in text.encode())
        + '"'
    )


def _txt(value: str) -> str:
    """A TXT record's strings: 255 octets each at most (RFC 1035 section 3.3)."""
    pieces = [value[i : i + 255] for i in range(0, len(value), 255)] if value.isascii() else [value]
    return " ".join(map(_quoted, pieces)) or '""'


def _need(*values: object) -> None:
    if not all(values):
        raise ValueError("a member that this call needs is missing or empty")


def _set_default(kind: dns.rdatatype.RdataType, zone: LabZone, call: _Call) -> None:
    _need(call.ip is not None)
    zone.set_default(kind, call.ip or "")


def _add_addresses(kind: dns.rdatatype.RdataType, zone: LabZone, call: _Call) -> None:
    _need(call.host, call.addresses)
    zone.add(call.host, kind, *call.addresses)


def _add_caa(zone: LabZone, call: _Call) -> None:
    _need(call.host, call.policies)
    zone.add(call.host, _CAA, *[f"0 {policy.tag} {_quoted(policy.value)}" for policy in call.policies])


def _set_cname(zone: LabZone, call: _Call) -> None:
    _need(call.host, call.target)
    zone.clear(call.host, _CNAME)
    zone.add(call.host, _CNAME, call.target.rstrip(".") + ".")


def _set_txt(zone: LabZone, call: _Call) -> None:
    _need(call.host, call.value)
    zone.add(call.host, _TXT, _txt(call.value))


def _clear(kind: dns.rdatatype.RdataType) -> Callable[[LabZone, _Call], None]:
    def clear(zone: LabZone, call: _Call) -> None:
        _need(call.host)
        zone.clear(call.host, kind)

    return clear


def _fail(failing: bool) -> Callable[[LabZone, _Call], None]:
    def fail(zone: LabZone, call: _Call) -> None:
        _need(call.host)
        zone.fail(call.host, failing)

    return fail


_CALLS: Mapping[str, Callable[[LabZone, _Call], None]] = {
    "/set-default-ipv4": lambda zone, call: _set_default(_A, zone, call),
    "/set-default-ipv6": lambda zone, call: _set_default(_AAAA, zone, call),
    "/add-a": lambda zone, call: _add_addresses(_A, zone, call),
    "/clear-a": _clear(_A),
    "/add-aaaa": lambda zone, call: _add_addresses(_AAAA, zone, call),
    "/clear-aaaa": _clear(_AAAA),
    "/add-caa": _add_caa,
    "/clear-caa": _clear(_CAA),
    "/set-cname": _set_cname,
    "/clear-cname": _clear(_CNAME),
    "/set-servfail": _fail(True),
    "/clear-servfail": _fail(False),
    "/set-txt": _set_txt,
    "/clear-txt": _clear(_TXT),
}


class Admin:
    """Answers on the admin listener.

    :param ready: what keeps the server from serving now, one sentence each; empty when it serves.
    :param names: what a Host field may say.
    :param zone: the lab's DNS; None outside a lab: then there are health and metrics only.
    """

    def __init__(
        self, metrics: Exposition, ready: Callable[[], Sequence[str]], names: Sequence[str], zone: LabZone | None
    ) -> None:
        self._metrics = metrics
        self._ready = ready
        self._names = Origins(names)
        self._zone = zone

    async def answer(self, message: Message, peer: Peer, port: int) -> Reply:
        """Answer one request. Never raises."""
        return Reply(self._respond(message))

    async def refuse(self, refusal: BadMessage, head: Message | None, octets: bytes, peer: Peer, port: int) -> Reply:
        """The reply to what is no readable request."""
        return Reply(problem(refusal.status, refusal.detail, refusal.clause))

    def _respond(self, message: Message) -> Response:
        if not message.authority or not self._names.knows(message.authority):
            return problem(421, "this listener answers to its own names only")
        if "origin" in message.headers:
            return problem(403, "this listener does not answer web pages")
        if message.path in ("/healthz", "/readyz", "/metrics"):
            if message.method not in ("GET", "HEAD"):
                return _not_allowed("GET, HEAD")
            return self._watch(message.path)
        change = _CALLS.get(message.path)
        if self._zone is None or change is None:
            return problem(404, f"there is nothing at {message.path[:200]}")
        if message.method != "POST":
            return _not_allowed("POST")
        try:
            change(self._zone, _decode(message.body))
        except (msgspec.MsgspecError, ValueError) as wrong:
            return problem(400, str(wrong))
        return Response(200)

    def _watch(self, path: str) -> Response:
        if path == "/metrics":
            kind, exposition = self._metrics.exposition()
            return Response(200, (("Content-Type", kind),), exposition)
        missing = self._ready() if path == "/readyz" else ()
        text = "".join(f"{line}\n" for line in missing) or "ok\n"
        return Response(503 if missing else 200, (("Content-Type", "text/plain; charset=utf-8"),), text.encode())


def _not_allowed(methods: str) -> Response:
    refusal = problem(405, f"the methods here are {methods}", "RFC 9110 section 15.5.6")
    return Response(405, (*refusal.headers, ("Allow", methods)), refusal.body)
