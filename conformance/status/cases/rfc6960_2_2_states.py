"""RFC 6960 section 2.2: good, revoked and unknown."""

from __future__ import annotations

import secrets
from dataclasses import replace

from conformance.case import case
from conformance.examination import Unsupported
from conformance.status import ocsp
from conformance.status.lab import SKEW, StatusLab, random_serial
from conformance.status.ocsp import CERTIFICATE_HOLD, EXTENDED_REVOKE, NotOcsp
from conformance.status.strict import generalized_time
from conformance.verdict import Level

_NULL = b"\x05\x00"


@case(
    "status.state.good",
    covers=["rfc6960:2.2#good", "rfc6960:2.2#basic"],
    kills=["status.state.revoked-for-good", "status.state.unknown-for-good"],
    needs=["ocsp"],
)
def good(lab: StatusLab) -> None:
    """A certificate that was issued and not revoked is good"""
    basic = lab.wanted(lab.client.post(lab.request(lab.good.serial)), "rfc6960:2.2#basic")
    found = lab.single(basic, lab.good.serial)
    lab.check(found.state == "good", f"expected good, got {found.state}")


@case("status.state.revoked", covers=["rfc6960:2.2#revoked"], kills=["status.state.good-for-revoked"], needs=["ocsp"])
def revoked(lab: StatusLab) -> None:
    """A certificate that was revoked is revoked"""
    found = lab.single(lab.wanted(lab.client.post(lab.request(lab.revoked.serial))), lab.revoked.serial)
    lab.check(found.state == "revoked", f"expected revoked, got {found.state}")


def _revoked(lab: StatusLab) -> ocsp.Single:
    found = lab.single(lab.answer(lab.request(lab.revoked.serial)), lab.revoked.serial)
    if found.state != "revoked":
        raise NotOcsp(f"a revoked certificate is said to be {found.state}")
    return found


@case(
    "status.state.revocation-time",
    covers=["rfc6960:2.4#revocation-time"],
    kills=["status.state.revoked-in-1970"],
    needs=["ocsp"],
)
def revocation_time(lab: StatusLab) -> None:
    """The revocation time is when the certificate was revoked, and stays the same"""
    known = lab.revoked
    found = _revoked(lab)
    at = generalized_time(found.revoked_at)
    this_update = generalized_time(found.this_update)
    lab.require(at is not None and this_update is not None, f"expected times in Greenwich Mean Time, got {found.revoked_at}")
    assert at is not None
    assert this_update is not None
    lab.check(at <= this_update, f"revoked at {at}, which is later than thisUpdate {this_update}")
    if known.revoked is not None:
        before, after = known.revoked
        lab.check(before - SKEW <= at <= after + SKEW, f"revoked between {before} and {after}, but the answer says {at}")
    again = _revoked(lab)
    lab.check(again.revoked_at == found.revoked_at, f"revoked at {found.revoked_at}, and then at {again.revoked_at}")


@case(
    "status.state.reason",
    covers=["rfc6960:4.2.2.3#reason", "rfc6960:2.2#revoked"],
    kills=["status.state.reason-lost", "status.state.reason-other"],
    needs=["ocsp"],
)
def reason(lab: StatusLab) -> None:
    """The reason is the one that was given"""
    known = lab.revoked
    found = _revoked(lab)
    wanted = known.reason
    if lab.check(wanted is None or found.reason is not None, f"expected reason {wanted}, got none") and wanted is not None:
        lab.check(found.reason == wanted, f"expected reason {wanted}, got {found.reason}", "rfc6960:2.2#revoked")


@case(
    "status.state.changes",
    covers=["rfc6960:2.2#revoked", "rfc6960:2.5#known-at"],
    kills=["status.state.good-for-revoked", "status.state.kept-as-fresh"],
    needs=["ocsp"],
)
def changes(lab: StatusLab) -> None:
    """A certificate that is revoked while the run goes on is no longer said to be good as of a later moment"""
    known = lab.fresh()
    asked = lab.request(known.serial)
    before = lab.single(lab.answer(asked), known.serial)
    lab.require(before.state == "good", f"expected good, got {before.state}")
    after = lab.revoke(known)
    assert after.revoked is not None
    found = lab.single(lab.answer(asked), known.serial)
    if found.state != "revoked":
        # An answer that was made before may be given again, but says when it was true.
        as_of = generalized_time(found.this_update)
        old = as_of is not None and as_of <= after.revoked[0] and found.this_update == before.this_update
        lab.check(old, f"{found.state} as of {found.this_update}, after the revocation", "rfc6960:2.5#known-at")
    fresh = lab.answer(lab.request(known.serial, nonce=secrets.token_bytes(32)))
    if fresh.extension(ocsp.NONCE) is not None:
        state = lab.single(fresh, known.serial).state
        lab.check(state == "revoked", f"expected revoked in an answer made for the request, got {state}")


@case("status.state.non-issued", covers=["rfc6960:2.2#non-issued"], kills=["status.state.good-for-non-issued"], needs=["ocsp"])
def non_issued(lab: StatusLab) -> None:
    """A serial number that was never issued is unknown or revoked, or the responder does not answer for it"""
    serial = random_serial()
    state, _ = _said(lab, lab.cert_id(serial))
    lab.check(state != "good", "good is said of a certificate that was never issued")


@case(
    "status.state.extended-revoke",
    covers=[
        "rfc6960:2.2#extended-revoke",
        "rfc6960:2.2#non-issued-reason",
        "rfc6960:2.2#non-issued-time",
        "rfc6960:2.2#non-issued-extensions",
        "rfc6960:4.4.8#included",
        "rfc6960:4.4.8#place",
        "rfc6960:4.4.8#null",
        "rfc6960:4.4.8#not-critical",
    ],
    kills=["status.state.non-issued-unmarked", "status.state.non-issued-for-good", "status.state.non-issued-marked-critical"],
    needs=["ocsp"],
    feature="extended-revoke",
)
def extended_revoke(lab: StatusLab) -> None:
    """Who says revoked of what was never issued says so in the way that is meant for it"""
    serial = random_serial()
    basic = lab.answer(lab.request(serial))
    found = lab.single(basic, serial)
    marked = basic.extension(EXTENDED_REVOKE)
    lab.check(
        all(one.oid != EXTENDED_REVOKE for single in basic.singles for one in single.extensions),
        "the extended revoked definition is in singleExtensions",
        "rfc6960:4.4.8#place",
    )
    if found.state != "revoked" and marked is None:
        raise Unsupported(f"what was never issued is {found.state}")
    if found.state == "revoked":
        lab.check(marked is not None, "revoked, without the extended revoked definition")
        lab.check(marked is not None, "revoked, without the extended revoked definition", "rfc6960:4.4.8#included")
        lab.check(
            found.reason == CERTIFICATE_HOLD, f"expected certificateHold (6), got {found.reason}", "rfc6960:2.2#non-issued-reason"
        )
        lab.check(
            found.revoked_at == "19700101000000Z",
            f"expected January 1, 1970, got {found.revoked_at}",
            "rfc6960:2.2#non-issued-time",
        )
        lab.check(
            not [one for one in found.extensions if one.oid == ocsp.CRL_REFERENCE or one.oid.startswith("2.5.29.")],
            "the answer has a CRL reference or an extension of CRL entries",
            "rfc6960:2.2#non-issued-extensions",
        )
    if marked is not None:
        lab.check(marked.value == _NULL, f"expected NULL, got {marked.value.hex()}", "rfc6960:4.4.8#null")
        lab.check(not marked.critical, "the extension is critical", "rfc6960:4.4.8#not-critical")


def _said(lab: StatusLab, asked: ocsp.CertId) -> tuple[str, int | None]:
    """State and reason that are said of a certificate; the OCSPResponseStatus if nothing is, of a responder that answers otherwise."""
    lab.control()
    found = lab.read(lab.client.post(ocsp.request([asked])))
    if found.status:
        return found.said, None
    single = lab.single(found.basic(), asked.serial)
    return single.state, single.reason


def _never_good(lab: StatusLab, asked: ocsp.CertId, what: str) -> None:
    state, reason = _said(lab, asked)
    lab.check(state != "good", f"good is said of a certificate by {what}")
    lab.check(
        state != "revoked" or reason == CERTIFICATE_HOLD,
        f"revoked is said of a certificate by {what}",
        level=Level.SHOULD,
    )


@case(
    "status.state.other-issuer",
    covers=["rfc6960:2.2#unknown"],
    kills=["status.state.issuer-unchecked"],
    needs=["ocsp"],
)
def other_issuer(lab: StatusLab) -> None:
    """A CA that the responder does not know: the serial number alone makes nothing good"""
    asked = replace(lab.cert_id(lab.good.serial), name_hash=secrets.token_bytes(20), key_hash=secrets.token_bytes(20))
    _never_good(lab, asked, "a CA that the responder does not know")


@case(
    "status.state.other-key",
    covers=["rfc6960:4.1.1#key-hash"],
    kills=["status.state.issuer-unchecked", "status.state.key-unchecked"],
    needs=["ocsp"],
)
def other_key(lab: StatusLab) -> None:
    """A CA of the same name with another key is another CA"""
    _never_good(lab, replace(lab.cert_id(lab.good.serial), key_hash=secrets.token_bytes(20)), "a CA with another key")


@case(
    "status.state.other-name",
    covers=["rfc6960:4.1.1#name-hash"],
    kills=["status.state.issuer-unchecked", "status.state.name-unchecked"],
    needs=["ocsp"],
)
def other_name(lab: StatusLab) -> None:
    """A CA of another name with the same key is another CA"""
    _never_good(lab, replace(lab.cert_id(lab.good.serial), name_hash=secrets.token_bytes(20)), "a CA of another name")
