"""RFC 6960 appendix A: OCSP over HTTP, by POST and by GET."""

from __future__ import annotations

import base64

from conformance.case import case
from conformance.examination import Inconclusive
from conformance.status.lab import MALFORMED, StatusLab, said
from conformance.status.ocsp import RESPONSE_TYPE

_PLUS = bytes.fromhex("fbefbe")
_EVERY = b"\xff\xff\xff" + b"\x00".join([_PLUS] * 3) + b"\x00\x00"
"""Octets of which base64 makes a slash and, wherever they begin, a plus sign."""


@case(
    "status.http.post",
    covers=["rfc6960:A.2#type", "rfc6960:A.1#post-type", "rfc6960:A.1#either"],
    kills=["status.http.media-type", "status.http.post-refused"],
    needs=["ocsp"],
)
def post(lab: StatusLab) -> None:
    """A request by POST is answered as application/ocsp-response"""
    response = lab.client.post(lab.request(lab.good.serial))
    lab.wanted(response, "rfc6960:A.1#either")
    lab.check(response.media_type == RESPONSE_TYPE, f"expected {RESPONSE_TYPE}, got {response.media_type or 'no type'}")


@case(
    "status.http.get",
    covers=["rfc6960:A.1#either", "rfc6960:A.1#get", "rfc6960:A.2#type"],
    kills=["status.http.get-refused", "status.http.media-type"],
    needs=["ocsp"],
)
def get(lab: StatusLab) -> None:
    """A small request by GET is answered in the same way"""
    response = lab.client.get(lab.request(lab.good.serial))
    basic = lab.wanted(response)
    state = lab.single(basic, lab.good.serial).state
    lab.check(state == "good", f"expected good, got {state}")
    lab.check(
        response.media_type == RESPONSE_TYPE,
        f"expected {RESPONSE_TYPE}, got {response.media_type or 'no type'}",
        "rfc6960:A.2#type",
    )


@case("status.http.get-encoded", covers=["rfc6960:A.1#get-encoding"], kills=["status.http.not-decoded"], needs=["ocsp"])
def get_encoded(lab: StatusLab) -> None:
    """The URL encoding of base64 is undone: %2B, %2F and %3D stand for +, / and ="""
    for length in (16, 17, 18):
        octets = lab.request(lab.good.serial, nonce=_EVERY + bytes(length - 16))
        encoded = base64.b64encode(octets)
        assert b"+" in encoded, "the nonce is made so that these characters come up"
        assert b"/" in encoded, "the nonce is made so that these characters come up"
        response = lab.client.get(octets)
        lab.check(not lab.denied(response), f"expected an answer: {lab.denied(response)}")


@case("status.http.get-garbage", covers=["rfc6960:A.1#get-encoding"], kills=["status.error.always-internal"], needs=["ocsp"])
def get_garbage(lab: StatusLab) -> None:
    """A path that is no request in base64 is malformed, or an HTTP error of the client"""
    lab.control()
    for path in ("no-base64!", "AAAA"):
        lab.refused(lab.client.get_path(path), MALFORMED, or_http=True)


@case("status.http.length", covers=["rfc6960:A.2#length"], needs=["ocsp"])
def length(lab: StatusLab) -> None:
    """Content-Length tells the length of the response"""
    response = lab.client.post(lab.request(lab.good.serial))
    if response.status != 200:
        raise Inconclusive(said(response))
    told = response.header("Content-Length")
    lab.check(told == str(len(response.body)), f"expected {len(response.body)}, got {told}")
