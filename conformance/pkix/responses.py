"""OCSP responses as their octets say (RFC 6960 section 4.2.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from conformance.der import DerError, Value, decode, encode
from conformance.pkix.reading import GENERALIZED_TIME, OCTET_STRING, SEQUENCE, integer, walk

_ENUMERATED, _EXPLICIT_0, _EXPLICIT_1 = b"\x0a", b"\xa0", b"\xa1"


@dataclass(frozen=True, eq=False)
class Response:
    """A response. ``basic`` is the BasicOCSPResponse as octets, ``data`` the fields of its ResponseData; empty for an error."""

    octets: bytes
    status: int
    has_bytes: bool
    basic: bytes
    data: tuple[Value, ...]
    certificates: tuple[bytes, ...]
    has_empty_certificates: bool

    @classmethod
    def read(cls, octets: bytes) -> Response:
        """:raises DerError: if it has not the parts of a response."""
        outer = decode(octets)
        if outer.identifier != SEQUENCE or not outer.parts or outer.parts[0].identifier != _ENUMERATED:
            raise DerError("an OCSP response is a SEQUENCE that begins with a status")
        status, *rest = outer.parts
        bytes_ = [one for one in rest if one.identifier == _EXPLICIT_0]
        basic, empty = b"", False
        data: tuple[Value, ...] = ()
        certificates: tuple[bytes, ...] = ()
        if bytes_:
            inside = bytes_[0].parts[0].parts if bytes_[0].parts else ()
            if len(inside) != 2 or inside[1].identifier != OCTET_STRING:
                raise DerError("ResponseBytes are a SEQUENCE of a type and an OCTET STRING")
            basic = inside[1].octets
            parts = decode(basic).parts
            if len(parts) < 3:
                raise DerError("a BasicOCSPResponse has at least three parts")
            data = parts[0].parts
            listed = [part for part in parts[3:] if part.identifier == _EXPLICIT_0]
            certificates = tuple(encode(one) for part in listed for inner in part.parts for one in inner.parts)
            empty = bool(listed) and not certificates
        return cls(octets, integer(status), bool(bytes_), basic, data, certificates, empty)

    def __str__(self) -> str:
        return f"OCSP response, SHA-256 {hashlib.sha256(self.octets).hexdigest()[:32]}"

    @property
    def version(self) -> int:
        """The version of its ResponseData: 0, the default, for v1."""
        first = self.data[0] if self.data and self.data[0].identifier == _EXPLICIT_0 else None
        return integer(first.parts[0]) if first is not None and first.parts else 0

    def times(self) -> Iterator[Value]:
        """Every time that is no part of an extension."""
        for field in self.data:
            if field.identifier != _EXPLICIT_1:
                yield from (one for one in walk(field) if one.identifier == GENERALIZED_TIME)
