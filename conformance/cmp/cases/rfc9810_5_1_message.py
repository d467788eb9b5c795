"""RFC 9810 section 5.1: octets that are no PKIMessage, or none that can be read."""

from __future__ import annotations

from conformance import der as trees
from conformance.cmp import der
from conformance.cmp.lab import CmpLab, asked, negative
from conformance.cmp.message import Body, Draft
from conformance.cmp.mutations import Mutation, content, header, octets

_STATUS = "rfc9810:5.2.3#status"
_CLAUSE = "RFC 9810 section 5.1"
_FORMAT = {"badDataFormat", "badRequest"}


def _ir(lab: CmpLab) -> Draft:
    return lab.ir()


def _indefinite(message: bytes) -> bytes:
    """BER: the outermost length left open."""
    return b"\x30\x80" + der.element(message).content + b"\0\0"


def _deep(message: bytes) -> bytes:
    inside = b""
    for _ in range(4000):
        inside = der.sequence(inside)
    return inside


_SPOILT: tuple[tuple[str, str, Mutation, tuple[str, ...]], ...] = (
    (
        "truncated",
        "A message that is cut off",
        octets("without its last octet", _CLAUSE, lambda message: message[:-1]),
        ("cmp.message.any-octets",),
    ),
    (
        "trailing",
        "A message with octets behind it",
        header("an octet behind the message", _CLAUSE, after=b"\0"),
        ("cmp.message.trailing-octets",),
    ),
    ("indefinite", "A message in BER, of indefinite length", octets("indefinite length", _CLAUSE, _indefinite), ()),
    (
        "empty",
        "An empty body of the HTTP request",
        octets("nothing", _CLAUSE, lambda message: b""),
        ("cmp.message.any-octets",),
    ),
    ("deep", "Four thousand levels of nesting", octets("4000 nested SEQUENCEs", _CLAUSE, _deep), ("cmp.message.any-octets",)),
    (
        "no-body",
        "A message without a body",
        octets("no PKIBody", _CLAUSE, lambda message: trees.deleted(message, (1,))),
        (),
    ),
    (
        "unknown-body",
        "A body of a kind that there is not",
        header("body [31]", "RFC 9810 section 5.1.2", body=29),
        (),
    ),
)
for _name, _title, _mutation, _kills in _SPOILT:
    negative(
        f"cmp.message.{_name}",
        f"{_title} is refused",
        covers=[_STATUS],
        control=_ir,
        mutation=_mutation,
        failures=_FORMAT,
        bare=True,
        kills=_kills,
    )

negative(
    "cmp.message.request-garbled",
    "An ir whose content is no CertReqMessages is refused",
    covers=[_STATUS],
    control=_ir,
    mutation=content("an INTEGER as content", "RFC 4211 section 3", lambda old: der.integer(1)),
    failures=_FORMAT,
)
negative(
    "cmp.message.request-empty",
    "An ir with no request in it is refused",
    covers=[_STATUS],
    control=_ir,
    mutation=content("an empty SEQUENCE", "RFC 4211 section 3", lambda old: der.sequence()),
    failures=_FORMAT,
)
negative(
    "cmp.message.answer-as-request",
    "An ip, which answers and asks for nothing, is refused",
    covers=[_STATUS],
    control=_ir,
    mutation=header("an ir as ip", "RFC 9810 section 5.1.2", body=int(Body.IP)),
    failures={"badRequest", "badDataFormat"},
)
negative(
    "cmp.message.general-garbled",
    "A genm whose content is no SEQUENCE is refused",
    covers=[_STATUS],
    control=lambda lab: lab.genm(asked(2)),
    mutation=content("an INTEGER as content", "RFC 9810 section 5.3.19", lambda old: der.integer(1)),
    failures=_FORMAT,
)
