"""RFC 6960 section 2.3: what is no request is said to be malformed, by a response without an answer."""

from __future__ import annotations

from dataclasses import replace

from conformance import der
from conformance.case import case
from conformance.examination import Inconclusive
from conformance.status import ocsp
from conformance.status.lab import StatusLab, negative
from conformance.status.ocsp import NotOcsp

MALFORMED = ["rfc6960:2.3#malformed"]

negative(
    "status.error.garbage",
    "What is no ASN.1 is malformed",
    covers=MALFORMED,
    mutation=("octets.text", lambda octets: b"this is no OCSP request"),
)
negative(
    "status.error.empty",
    "An empty body is malformed",
    covers=MALFORMED,
    mutation=("octets.none", lambda octets: b""),
)
negative(
    "status.error.truncated",
    "A request that ends in its midst is malformed",
    covers=MALFORMED,
    mutation=("octets.truncated", lambda octets: octets[:-3]),
)
negative(
    "status.error.trailing",
    "A request that something follows is malformed",
    covers=MALFORMED,
    mutation=("octets.trailing", lambda octets: octets + b"\x05\x00"),
    kills=["status.error.trailing-ignored"],
)
negative(
    "status.error.no-list",
    "A request without requestList is malformed",
    covers=MALFORMED,
    mutation=("requestList.absent", lambda octets: der.deleted(octets, (0, 0))),
)
negative(
    "status.error.hash-type",
    "An issuerNameHash that is no OCTET STRING is malformed",
    covers=MALFORMED,
    mutation=("issuerNameHash.UTF8String", lambda octets: der.retagged(octets, (0, 0, 0, 0, 1), 0x0C)),
)
negative(
    "status.error.no-serial",
    "A CertID without a serial number is malformed",
    covers=MALFORMED,
    mutation=("serialNumber.absent", lambda octets: der.deleted(octets, (0, 0, 0, 0, 3))),
)


@case(
    "status.error.no-answer",
    covers=["rfc6960:4.2.1#no-bytes", "rfc6960:2.3#not-signed"],
    kills=["status.error.with-bytes"],
    needs=["ocsp"],
)
def no_answer(lab: StatusLab) -> None:
    """A response that tells an error has no response bytes, and so no signature"""
    lab.control()
    try:
        found = lab.read(lab.client.post(b"this is no OCSP request"))
    except NotOcsp as failure:
        raise Inconclusive(str(failure)) from None
    if found.status == 0:
        raise Inconclusive("no error is told")
    lab.check(not found.has_bytes, f"{found.said} comes with response bytes")
    lab.check(not found.has_bytes, f"{found.said} comes with response bytes", "rfc6960:2.3#not-signed")


@case("status.error.unauthorized", covers=["rfc6960:2.3#unauthorized"], kills=["status.state.issuer-unchecked"], needs=["ocsp"])
def unauthorized(lab: StatusLab) -> None:
    """Who is asked for certificates of another CA alone says unauthorized, or unknown"""
    lab.control()
    asked = replace(lab.cert_id(lab.good.serial), name_hash=b"\x01" * 20, key_hash=b"\x02" * 20)
    response = lab.client.post(ocsp.request([asked]))
    found = lab.read(response)
    if found.status == 0:
        state = lab.single(found.basic(), asked.serial).state
        lab.check(state == "unknown", f"expected unauthorized or unknown, got {state}")
    else:
        lab.check(found.said == "unauthorized", f"expected unauthorized or unknown, got {found.said}")
