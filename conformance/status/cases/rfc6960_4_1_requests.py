"""RFC 6960 sections 4.1 and 4.4: what a request may carry, and what a responder makes of it."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import NameOID
from pyasn1.codec.der import encoder
from pyasn1.type.univ import ObjectIdentifier
from pyasn1_modules import rfc6960

from conformance import der
from conformance.case import case
from conformance.examination import Unsupported
from conformance.status.lab import ERRORS, StatusLab, negative
from conformance.status.ocsp import ACCEPTABLE, BASIC, NOBODY_KNOWS, PREFERRED, Extension, NotOcsp, request
from conformance.status.signatures import WEAK

_UNKNOWN = Extension(NOBODY_KNOWS, False, b"\x05\x00")
_CRITICAL = b"\x01\x01\xff"


def _acceptable(*types: str) -> Extension:
    value = rfc6960.AcceptableResponses()
    value.extend([ObjectIdentifier(one) for one in types])
    return Extension(ACCEPTABLE, False, encoder.encode(value))


def _preferred(*algorithms: str) -> Extension:
    value = rfc6960.PreferredSignatureAlgorithms()
    for number, one in enumerate(algorithms):
        value[number]["sigIdentifier"]["algorithm"] = ObjectIdentifier(one)
    return Extension(PREFERRED, False, encoder.encode(value))


def _good(lab: StatusLab, octets: bytes, requirement: str | None = None) -> None:
    """The request must be answered, and the certificate is good."""
    basic = lab.wanted(lab.client.post(octets), requirement)
    state = lab.single(basic, lab.good.serial).state
    lab.check(state == "good", f"expected good, got {state}", requirement)


@case(
    "status.request.sha-1",
    covers=["rfc6960:4.1.1#name-hash", "rfc6960:4.1.1#key-hash"],
    kills=["status.request.key-hash-with-unused-bits"],
    needs=["ocsp"],
)
def sha1(lab: StatusLab) -> None:
    """A CertID with SHA-1, over the issuer's Name and the octets of its key alone, is understood"""
    _good(lab, lab.request(lab.good.serial), "rfc6960:4.1.1#key-hash")
    basic = lab.answer(lab.request(lab.good.serial))
    lab.check(basic.singles[0].cert_id == lab.cert_id(lab.good.serial), "the answer has another CertID than the request")


@case(
    "status.request.sha-256",
    covers=["rfc6960:4.1.1#name-hash", "rfc6960:4.2.2.3#identifier"],
    kills=["status.response.cert-id-other"],
    needs=["ocsp"],
    feature="sha-256-cert-id",
)
def sha256(lab: StatusLab) -> None:
    """A CertID with SHA-256 is understood, and comes back as it was sent"""
    serial = lab.good.serial
    asked = lab.cert_id(serial, "sha256")
    try:
        basic = lab.answered(lab.client.post(request([asked])))
    except NotOcsp as failure:
        raise Unsupported(str(failure)) from None
    same = asked in [one.cert_id for one in basic.singles]
    lab.check(same, "no answer has the CertID of the request", "rfc6960:4.2.2.3#identifier")
    found = lab.single(basic, serial)
    lab.check(found.state != "revoked", "a certificate that is good is revoked if it is asked for with SHA-256")
    if found.state == "unknown":
        raise Unsupported("a certificate that is good is unknown if it is asked for with SHA-256")


@case(
    "status.request.unknown-extension",
    covers=["rfc6960:4.1.2#unrecognized", "rfc6960:4.1.1#request-extensions"],
    kills=["status.request.extension-refused"],
    needs=["ocsp"],
)
def unknown_extension(lab: StatusLab) -> None:
    """An extension of the request that the responder does not know is ignored"""
    _good(lab, lab.request(lab.good.serial, carried=[_UNKNOWN]))


@case(
    "status.request.unknown-single-extension",
    covers=["rfc6960:4.1.2#unrecognized", "rfc6960:4.1.1#single-extensions"],
    kills=["status.request.extension-refused"],
    needs=["ocsp"],
)
def unknown_single_extension(lab: StatusLab) -> None:
    """An extension of a single request that the responder does not know is ignored"""
    _good(lab, lab.request(lab.good.serial, single=[_UNKNOWN]))


negative(
    "status.request.critical-extension",
    "A critical extension of the request that the responder does not know is not ignored",
    covers=["rfc6960:4.1.2#unrecognized-critical"],
    carried=[_UNKNOWN],
    mutation=("requestExtensions.critical", lambda octets: der.inserted(octets, (0, 1, 0, 0, 1), _CRITICAL)),
    errors=ERRORS,
    kills=["status.request.critical-ignored"],
)
negative(
    "status.request.critical-single-extension",
    "A critical extension of a single request that the responder does not know is not ignored",
    covers=["rfc6960:4.1.2#unrecognized-critical"],
    single=[_UNKNOWN],
    mutation=("singleRequestExtensions.critical", lambda octets: der.inserted(octets, (0, 0, 0, 1, 0, 0, 1), _CRITICAL)),
    errors=ERRORS,
    kills=["status.request.critical-ignored", "status.request.critical-single-ignored"],
)


@case(
    "status.request.requestor-name",
    covers=["rfc6960:4.1.1#requestor-name"],
    kills=["status.request.requestor-refused"],
    needs=["ocsp"],
)
def requestor_name(lab: StatusLab) -> None:
    """A request that names its requestor, and is not signed, is answered"""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "examiner")])
    _good(lab, lab.request(lab.good.serial, requestor=name))


@case(
    "status.request.several",
    covers=["rfc6960:4.2.2.3#each", "rfc6960:2.2#each"],
    kills=["status.response.first-alone", "status.response.one-state-for-all"],
    needs=["ocsp"],
)
def several(lab: StatusLab) -> None:
    """Each certificate of a request has an answer of its own"""
    good, revoked = lab.good.serial, lab.revoked.serial
    basic = lab.wanted(lab.client.post(lab.request(good, revoked)))
    states = {one.cert_id.serial: one.state for one in basic.singles}
    lab.require(states.keys() >= {good, revoked}, f"{len(basic.singles)} answers, and not one for each of two certificates")
    found = states[good], states[revoked]
    lab.check(found == ("good", "revoked"), f"expected good and revoked, got {' and '.join(found)}", "rfc6960:2.2#each")


@case(
    "status.request.acceptable",
    covers=["rfc6960:4.4.3#basic", "rfc6960:4.2.1#basic", "rfc6960:2.2#basic"],
    kills=["status.response.other-type"],
    needs=["ocsp"],
)
def acceptable(lab: StatusLab) -> None:
    """Who accepts id-pkix-ocsp-basic alone gets that"""
    found = lab.read(lab.client.post(lab.request(lab.good.serial, carried=[_acceptable(BASIC)])))
    lab.require(found.status == 0, f"expected an answer, got {found.said}", "rfc6960:2.2#basic")
    lab.check(found.kind == BASIC, f"expected id-pkix-ocsp-basic, got {found.kind}")
    lab.check(found.kind == BASIC, f"expected id-pkix-ocsp-basic, got {found.kind}", "rfc6960:4.2.1#basic")


@case(
    "status.request.weak-preferred",
    covers=["rfc6960:5.1.2#weak", "rfc6960:5.1.1#not-secure"],
    kills=["status.response.sha-1"],
    needs=["ocsp"],
)
def weak_preferred(lab: StatusLab) -> None:
    """Nothing is signed with a weak algorithm, even if the client prefers it"""
    for algorithms in ((), ("1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1")):
        carried = [_preferred(*algorithms)] if algorithms else []
        basic = lab.answer(lab.request(lab.good.serial, carried=carried))
        lab.check(basic.algorithm not in WEAK, f"signed with {WEAK.get(basic.algorithm)}")
