"""RFC 9654: the nonce, which lengths it has, and that it comes back."""

from __future__ import annotations

import secrets

from pyasn1.codec.der import decoder
from pyasn1.error import PyAsn1Error
from pyasn1.type.univ import OctetString

from conformance import der
from conformance.case import case
from conformance.examination import Unsupported
from conformance.status.lab import StatusLab, negative
from conformance.status.ocsp import NONCE, Basic

_VALUE = (0, 1, 0, 0, 1)
"""Where the value of the nonce is in a request that has no other extension."""


def _echoed(basic: Basic) -> bytes | None:
    """The nonce of an answer, decoded; None if it has none, empty if it is no OCTET STRING."""
    found = basic.extension(NONCE)
    if found is None:
        return None
    try:
        value, rest = decoder.decode(found.value, asn1Spec=OctetString())
    except PyAsn1Error:
        return b""
    return b"" if rest else bytes(value)


def _asked(lab: StatusLab, nonce: bytes) -> Basic:
    return lab.answer(lab.request(lab.good.serial, nonce=nonce))


def _supported(lab: StatusLab) -> None:
    """:raises Unsupported: if a nonce of the length that everybody has to take does not come back."""
    if _echoed(_asked(lab, secrets.token_bytes(32))) is None:
        raise Unsupported("the answer has no nonce")


@case(
    "status.nonce.echoed",
    covers=["rfc6960:4.4.1#response-extension", "rfc9654:2.1#response-extension", "rfc9654:2.1#encoded"],
    kills=["status.nonce.other", "status.nonce.unencoded", "status.nonce.first-kept"],
    needs=["ocsp"],
    feature="nonce",
)
def echoed(lab: StatusLab) -> None:
    """The nonce of the request comes back in responseExtensions, another one each time"""
    _supported(lab)
    for _ in range(2):
        nonce = secrets.token_bytes(32)
        basic = _asked(lab, nonce)
        found = _echoed(basic)
        lab.check(found != b"", "the nonce of the answer is no OCTET STRING within extnValue", "rfc9654:2.1#encoded")
        lab.check(found == nonce, f"expected {nonce.hex()}, got {'nothing' if found is None else found.hex()}")
        lab.check(
            all(one.oid != NONCE for single in basic.singles for one in single.extensions),
            "the nonce is in singleExtensions",
            "rfc9654:2.1#response-extension",
        )


@case(
    "status.nonce.lengths",
    covers=["rfc9654:2.1#accepted", "rfc9654:2.1#length"],
    kills=["status.nonce.short-refused", "status.nonce.short-left-out"],
    needs=["ocsp"],
    feature="nonce",
)
def lengths(lab: StatusLab) -> None:
    """Nonces of 16 to 32 octets are accepted, and come back"""
    _supported(lab)
    for length in (16, 17, 24, 31, 32):
        nonce = secrets.token_bytes(length)
        basic = lab.wanted(lab.client.post(lab.request(lab.good.serial, nonce=nonce)))
        lab.check(_echoed(basic) == nonce, f"a nonce of {length} octets does not come back")


@case(
    "status.nonce.other-lengths",
    covers=["rfc9654:2.1#without"],
    kills=["status.nonce.long-refused"],
    needs=["ocsp"],
    feature="nonce",
)
def other_lengths(lab: StatusLab) -> None:
    """Nonces of 1 to 15 and of 33 to 128 octets are answered, with the nonce or without it"""
    _supported(lab)
    for length in (1, 15, 33, 64, 128):
        nonce = secrets.token_bytes(length)
        basic = lab.wanted(lab.client.post(lab.request(lab.good.serial, nonce=nonce)))
        lab.check(_echoed(basic) in (None, nonce), f"another nonce comes back than one of {length} octets")


negative(
    "status.nonce.empty",
    "A nonce of 0 octets is malformed",
    covers=["rfc9654:2.1#rejected", "rfc9654:2.1#length"],
    nonce=32,
    mutation=("nonce.0-octets", lambda octets: der.content(octets, _VALUE, b"\x04\x00")),
    kills=["status.nonce.empty-accepted"],
    feature="nonce",
)
negative(
    "status.nonce.too-long",
    "A nonce of 129 octets is malformed",
    covers=["rfc9654:2.1#rejected", "rfc9654:2.1#length"],
    nonce=32,
    mutation=("nonce.129-octets", lambda octets: der.content(octets, _VALUE, b"\x04\x81\x81" + bytes(129))),
    kills=["status.nonce.long-accepted"],
    feature="nonce",
)
negative(
    "status.nonce.unencoded",
    "A nonce that is no OCTET STRING within extnValue is malformed",
    covers=["rfc9654:2.1#encoded"],
    nonce=32,
    mutation=("nonce.unencoded", lambda octets: der.content(octets, _VALUE, bytes(range(1, 33)))),
    kills=["status.nonce.unencoded-accepted"],
    feature="nonce",
)
