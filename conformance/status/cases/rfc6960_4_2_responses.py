"""RFC 6960 section 4.2: the response, field by field."""

from __future__ import annotations

from datetime import datetime

from conformance import der
from conformance.case import case
from conformance.examination import Unsupported
from conformance.status.lab import SKEW, StatusLab
from conformance.status.ocsp import ARCHIVE_CUTOFF, Basic, Issuer
from conformance.status.strict import generalized_time, violations
from conformance.verdict import Level


def _answer(lab: StatusLab) -> Basic:
    return lab.answer(lab.request(lab.good.serial))


@case(
    "status.response.der",
    covers=["rfc6960:4.2.1#der", "rfc6960:A.2#binary"],
    kills=["status.response.long-length", "status.response.version-spelled-out"],
    needs=["ocsp"],
)
def is_der(lab: StatusLab) -> None:
    """Response and basic response are DER"""
    response = lab.client.post(lab.request(lab.good.serial))
    basic = lab.answered(response)
    found = violations(response.body)
    lab.check(not found, "; ".join(found), "rfc6960:A.2#binary")
    found = violations(basic.octets)
    first = der.at(der.decode(basic.octets), (0, 0))
    if first.identifier == b"\xa0" and basic.version == 0:
        found.append("the version spells out that it is 1, which is the default (X.690 section 11.5)")
    lab.check(not found, "; ".join(found))


@case("status.response.version", covers=["rfc6960:4.2.2.3#version"], kills=["status.response.version-2"], needs=["ocsp"])
def version(lab: StatusLab) -> None:
    """The version is v1"""
    basic = _answer(lab)
    lab.check(basic.version == 0, f"expected 0, got {basic.version}")


@case(
    "status.response.signature",
    covers=["rfc6960:4.2.1#signature", "rfc6960:2.2#signed", "rfc6960:4.2.1#certs-may"],
    kills=["status.response.signature-wrong", "status.response.certificate-missing"],
    needs=["ocsp"],
)
def signature(lab: StatusLab) -> None:
    """The signature is right, by the key of the CA or of a certificate that comes with it"""
    basic = _answer(lab)
    lab.require(basic.signature, "there is no signature", "rfc6960:2.2#signed")
    who = f"the CA or {len(basic.certs or ())} certificates that come with the answer"
    lab.check(lab.signer(basic) is not None, f"the signature is not by {who}")


@case(
    "status.response.certs", covers=["rfc6960:4.2.1#certs-absent"], kills=["status.response.certificate-missing"], needs=["ocsp"]
)
def certs(lab: StatusLab) -> None:
    """The field certs is absent if there is no certificate in it"""
    basic = _answer(lab)
    lab.check(basic.certs is None or basic.certs, "certs is there, and empty")


@case(
    "status.response.responder-id",
    covers=["rfc6960:4.2.2.3#responder-id"],
    kills=["status.response.responder-other", "status.response.responder-hash-with-unused-bits"],
    needs=["ocsp"],
)
def responder_id(lab: StatusLab) -> None:
    """The ResponderID is that of the certificate by which the answer is signed (a KeyHash as errata 6165 to 6167 say)"""
    basic = _answer(lab)
    signer = lab.signer(basic)
    lab.require(signer is not None, "nobody is there whose key has signed the answer")
    assert signer is not None
    kind, value = basic.responder
    expected = signer.subject.public_bytes() if kind == "name" else Issuer.of(signer).key_hash()
    lab.check(value == expected, f"the answer says {value.hex()[:80]}, the signer has {expected.hex()[:80]}")


@case("status.response.cert-id", covers=["rfc6960:4.2.2.3#identifier"], kills=["status.response.cert-id-other"], needs=["ocsp"])
def cert_id(lab: StatusLab) -> None:
    """The answer names the certificate as the request did"""
    asked = lab.cert_id(lab.good.serial)
    basic = _answer(lab)
    lab.check(asked in [one.cert_id for one in basic.singles], "no answer has the CertID of the request")


@case("status.response.only-asked", covers=["rfc6960:4.2.2.3#no-more"], kills=["status.response.more"], needs=["ocsp"])
def only_asked(lab: StatusLab) -> None:
    """Nothing is answered that was not asked"""
    basic = _answer(lab)
    lab.check(len(basic.singles) == 1, f"{len(basic.singles)} answers to a request for one certificate")


@case("status.response.time-format", covers=["rfc6960:4.2.2.1#time-format"], kills=["status.response.fraction"], needs=["ocsp"])
def time_format(lab: StatusLab) -> None:
    """Times are in Greenwich Mean Time, with seconds and no fraction"""
    for serial in (lab.good.serial, lab.revoked.serial):
        basic = lab.answer(lab.request(serial))
        found = lab.single(basic, serial)
        times = [basic.produced_at, found.this_update, found.next_update, found.revoked_at or None]
        wrong = [text for text in times if text is not None and generalized_time(text) is None]
        lab.check(not wrong, f"not YYYYMMDDHHMMSSZ: {', '.join(wrong)}")


def _moment(lab: StatusLab, text: str) -> datetime:
    found = generalized_time(text)
    lab.require(found is not None, f"{text} is no time in Greenwich Mean Time with seconds")
    assert found is not None
    return found


@case(
    "status.response.this-update",
    covers=["rfc6960:2.4#this-update", "rfc6960:2.5#known-at"],
    kills=["status.response.this-update-ahead"],
    needs=["ocsp"],
)
def this_update(lab: StatusLab) -> None:
    """The state was known to be right at a moment that has passed, and not after the answer was made"""
    basic = _answer(lab)
    at = _moment(lab, lab.single(basic, lab.good.serial).this_update)
    lab.check(at <= lab.now() + SKEW, f"thisUpdate {at} is ahead")
    made = _moment(lab, basic.produced_at)
    lab.check(at <= made, f"thisUpdate {at} is later than producedAt {made}", "rfc6960:2.5#known-at")


@case(
    "status.response.next-update",
    covers=["rfc6960:2.4#next-update"],
    kills=["status.response.next-update-passed"],
    needs=["ocsp"],
)
def next_update(lab: StatusLab) -> None:
    """Newer information is announced for a moment that is yet to come"""
    found = lab.single(_answer(lab), lab.good.serial)
    if found.next_update is None:
        raise Unsupported("there is no nextUpdate: newer information is available all the time (section 4.2.2.1)")
    at = _moment(lab, found.next_update)
    lab.check(at > lab.now() - SKEW, f"nextUpdate {at} has passed")
    lab.check(at > _moment(lab, found.this_update), f"nextUpdate {at} is not later than thisUpdate")


@case("status.response.produced-at", covers=["rfc6960:2.4#produced-at"], kills=["status.response.produced-ahead"], needs=["ocsp"])
def produced_at(lab: StatusLab) -> None:
    """The answer was signed at a moment that has passed"""
    at = _moment(lab, _answer(lab).produced_at)
    lab.check(at <= lab.now() + SKEW, f"producedAt {at} is ahead")


@case(
    "status.response.archive-cutoff",
    covers=["rfc6960:4.4.4#single"],
    kills=["status.response.archive-for-all", "status.response.archive-utc-time"],
    needs=["ocsp"],
    feature="archive-cutoff",
)
def archive_cutoff(lab: StatusLab) -> None:
    """An archive cutoff stands in singleExtensions, as GeneralizedTime"""
    basic = _answer(lab)
    lab.check(basic.extension(ARCHIVE_CUTOFF) is None, "the archive cutoff is in responseExtensions")
    found = next((one for one in lab.single(basic, lab.good.serial).extensions if one.oid == ARCHIVE_CUTOFF), None)
    if found is None:
        raise Unsupported("the answer has no archive cutoff")
    value = der.decode(found.value)
    text = value.octets.decode("ascii", "replace")
    lab.check(value.identifier == b"\x18", f"expected GeneralizedTime, got tag {value.identifier.hex()}")
    lab.check(generalized_time(text) is not None, f"not YYYYMMDDHHMMSSZ: {text}", level=Level.SHOULD)
