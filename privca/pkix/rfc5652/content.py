"""ContentInfo (RFC 5652 section 3): what all messages are wrapped in, and the kinds of content by OID."""

from __future__ import annotations

from typing import Annotated

from cryptography import x509

from privca.base.refused import Reason, Refused
from privca.pkix import algorithms, der

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
ENVELOPED_DATA = "1.2.840.113549.1.7.3"
AUTH_ENVELOPED_DATA = "1.2.840.113549.1.9.16.1.23"
"""RFC 5083."""
KEY_PACKAGE = "2.16.840.1.101.2.1.2.78.5"
"""id-ct-KP-aKeyPackage (RFC 5958 section 2)."""
ENC_KEY_WITH_ID = "1.2.840.113549.1.9.16.1.21"
"""id-ct-encKeyWithID (RFC 4211 section 4.2)."""

_CLAUSE = "RFC 5652 section 3"
_SEQUENCE, _EXPLICIT_0 = 0x30, 0xA0


@der.sequence
class _ContentInfo:
    type: x509.ObjectIdentifier
    content: Annotated[der.Null | der.TLV, der.Explicit(0)]


def wrap(content_type: str, content: bytes) -> bytes:
    """A ContentInfo as DER. :param content: DER of the content's own type."""
    return der.tlv(_SEQUENCE, algorithms.oid(content_type), der.tlv(_EXPLICIT_0, content))


def unwrap(octets: bytes) -> tuple[str, bytes]:
    """The dotted content type and the content of a ContentInfo in DER. :raises Refused: ``MALFORMED``."""
    read = der.decode(_ContentInfo, octets, clause=_CLAUSE)
    return read.type.dotted_string, der.encode(read.content) if isinstance(read.content, der.TLV) else b"\x05\x00"


def content_type(octets: bytes) -> str:
    """The dotted content type of a ContentInfo in DER or BER. :raises Refused: ``MALFORMED``."""
    parts = der.children(octets, clause=_CLAUSE)
    if not parts:
        raise Refused(Reason.MALFORMED, _CLAUSE, "a ContentInfo names its content type")
    return der.decode(_Type, der.tlv(_SEQUENCE, parts[0]), clause=_CLAUSE).type.dotted_string


@der.sequence
class _Type:
    type: x509.ObjectIdentifier
