"""PKIResponse (RFC 5272 section 4.2.1), written."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.x509 import ObjectIdentifier

from privca.pkix import der
from privca.pkix.rfc5272.values import SEQUENCE, integer

_SET = 0x31


def pki_response(controls: Sequence[tuple[ObjectIdentifier, bytes]], contents: Sequence[tuple[int, bytes]] = ()) -> bytes:
    """A PKIResponse as DER.

    :param controls: type and value (DER) of each control; they are numbered on from what ``contents`` use.
    :param contents: body part identifier, above 0, and ContentInfo (DER) of each message inside.
    """
    first = max((body for body, _ in contents), default=0) + 1
    tagged = [
        der.tlv(SEQUENCE, integer(first + place), der.oid(kind), der.tlv(_SET, value))
        for place, (kind, value) in enumerate(controls)
    ]
    inside = [der.tlv(SEQUENCE, integer(body), content) for body, content in contents]
    return der.tlv(SEQUENCE, der.tlv(SEQUENCE, *tagged), der.tlv(SEQUENCE, *inside), der.tlv(SEQUENCE))
