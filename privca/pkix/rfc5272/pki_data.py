"""PKIData (RFC 5272 section 3.2.1): controls, certification requests and messages inside, each with its body part identifier."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography import x509

from privca.base.refused import Reason, Refused
from privca.pkix import der
from privca.pkix.rfc5272.values import SEQUENCE, body_part, read_integer

MAXIMUM_CONTROLS = 64
MAXIMUM_REQUESTS = 32
MAXIMUM_CONTENTS = 32

_CLAUSE = "RFC 5272 section 3.2.1"
_PKCS10, _CRMF, _OTHER = b"\xa0", b"\xa1", b"\xa2"


@der.sequence
class _TaggedAttribute:
    body: int
    type: x509.ObjectIdentifier
    values: der.SetOf[der.TLV]


@der.sequence
class _TaggedContentInfo:
    body: int
    content: der.TLV


@der.sequence
class _OtherMessage:
    body: int
    type: x509.ObjectIdentifier
    value: der.TLV


@der.sequence
class _PkiData:
    controls: list[_TaggedAttribute]
    requests: der.TLV
    contents: list[_TaggedContentInfo]
    others: list[_OtherMessage]


@der.sequence
class _Elements:
    elements: list[der.TLV]


@der.sequence
class _Pkcs10:
    body: int
    request: der.TLV


@der.sequence
class _OtherRequest:
    body: int
    type: x509.ObjectIdentifier
    value: der.TLV


@dataclass(frozen=True, slots=True)
class Control:
    """A TaggedAttribute (section 3.2.1.1): its values as DER."""

    body: int
    type: x509.ObjectIdentifier
    values: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pkcs10Request:
    """A TaggedCertificationRequest (section 3.2.1.2.1): the CertificationRequest as DER. ``element`` is the TaggedRequest as received."""

    body: int
    der: bytes = field(repr=False)
    element: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CrmfRequest:
    """A CertReqMsg (section 3.2.1.2.2) as DER; its certReqId is the body part identifier (section 3.2.2). ``element`` is the TaggedRequest
    as received."""

    body: int
    der: bytes = field(repr=False)
    element: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OtherRequest:
    """A request of a format that is defined elsewhere (section 3.2.1.2.3)."""

    body: int
    type: x509.ObjectIdentifier


TaggedRequest = Pkcs10Request | CrmfRequest | OtherRequest


@dataclass(frozen=True, slots=True)
class Content:
    """A TaggedContentInfo (section 3.2.1.3): the ContentInfo as DER."""

    body: int
    der: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PkiData:
    """A whole PKIData. ``request_sequence`` is the reqSequence as received, type and length included: what an identity proof covers.

    ``bodies`` are the identifiers of everything in it, in the order of the message.
    """

    controls: tuple[Control, ...]
    requests: tuple[TaggedRequest, ...]
    contents: tuple[Content, ...]
    request_sequence: bytes = field(repr=False)
    bodies: tuple[int, ...] = ()


def parse(octets: bytes) -> PkiData:
    """The PKIData that ``octets`` (DER) are.

    :raises Refused: ``MALFORMED``, also for identifiers that are not unique (section 3.2.2); ``TOO_LARGE`` for too many elements.
    """
    data = der.decode(_PkiData, octets, clause=_CLAUSE)
    sequence = der.encode(data.requests)
    elements = der.decode(_Elements, der.tlv(SEQUENCE, sequence), clause=_CLAUSE).elements
    _bound(len(data.controls), MAXIMUM_CONTROLS, "controls")
    _bound(len(elements), MAXIMUM_REQUESTS, "certification requests")
    _bound(len(data.contents), MAXIMUM_CONTENTS, "messages inside")
    _bound(len(data.others), MAXIMUM_CONTENTS, "other messages")
    controls = tuple(
        Control(item.body, item.type, tuple(der.encode(value) for value in item.values.as_list())) for item in data.controls
    )
    requests = tuple(_request(element) for element in elements)
    contents = tuple(Content(item.body, der.encode(item.content)) for item in data.contents)
    bodies = tuple(item.body for items in (controls, requests, contents, data.others) for item in items)
    _check_bodies(bodies)
    return PkiData(controls, requests, contents, sequence, bodies)


def _bound(count: int, maximum: int, what: str) -> None:
    if count > maximum:
        raise Refused(Reason.TOO_LARGE, _CLAUSE, f"too many {what}", expected=f"at most {maximum}", got=str(count))


def _request(element: der.TLV) -> TaggedRequest:
    tag = element.tag_bytes
    content = der.tlv(SEQUENCE, bytes(element.data))
    if tag == _PKCS10:
        request = der.decode(_Pkcs10, content, clause="RFC 5272 section 3.2.1.2.1")
        return Pkcs10Request(request.body, der.encode(request.request), der.encode(element))
    if tag == _CRMF:
        return CrmfRequest(_certificate_request_id(content), content, der.encode(element))
    if tag == _OTHER:
        other = der.decode(_OtherRequest, content, clause="RFC 5272 section 3.2.1.2.3")
        return OtherRequest(other.body, other.type)
    raise Refused(
        Reason.MALFORMED,
        "RFC 5272 section 3.2.1.2",
        "a certification request is of none of the three kinds",
        expected="tcr [0], crm [1] or orm [2]",
        got=tag.hex(),
    )


def _certificate_request_id(message: bytes) -> int:
    clause = "RFC 5272 section 3.2.1.2.2"
    request = der.children(message, clause=clause)[:1]
    number = der.children(request[0], clause=clause)[:1] if request else []
    if not number:
        raise Refused(Reason.MALFORMED, clause, "a CertReqMsg has a certReqId")
    return read_integer(number[0], clause)


def _check_bodies(bodies: tuple[int, ...]) -> None:
    clause = "RFC 5272 section 3.2.2"
    for number in bodies:
        body_part(number, clause)
    if 0 in bodies:
        raise Refused(Reason.MALFORMED, clause, "body part identifier 0 is reserved for the message itself")
    if len(set(bodies)) != len(bodies):
        raise Refused(Reason.MALFORMED, clause, "a body part identifier is used more than once in one PKIData")
