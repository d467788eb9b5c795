"""RFC 5280 section 5.3: what a CRL says of each certificate."""

from __future__ import annotations

from pyasn1.type.useful import GeneralizedTime

from conformance.case import case
from conformance.examination import Inconclusive, Unsupported
from conformance.status import crl as crls
from conformance.status.crl import Entry, NotCrl
from conformance.status.lab import StatusLab
from conformance.status.strict import generalized_time


def _entry(lab: StatusLab, serial: int) -> Entry:
    found = lab.crl().entry(serial)
    if found is None:
        raise NotCrl("the revoked certificate is not on the CRL")
    return found


@case(
    "status.entry.reason",
    covers=["rfc5280:5.3#reasons"],
    kills=["status.entry.reason-lost", "status.entry.reason-other"],
    needs=["crl"],
)
def reason(lab: StatusLab) -> None:
    """The reason is the one that was given"""
    known = lab.revoked
    found = _entry(lab, known.serial).reason
    lab.check(known.reason is None or found == known.reason, f"expected reason {known.reason}, got {found}")


@case("status.entry.unspecified", covers=["rfc5280:5.3.1#unspecified"], kills=["status.entry.unspecified-written"], needs=["crl"])
def unspecified(lab: StatusLab) -> None:
    """Where no reason is known there is no reason code, rather than unspecified"""
    known = lab.revoke(lab.fresh(), crls.UNSPECIFIED)
    found = _entry(lab, known.serial).reason
    lab.check(found != crls.UNSPECIFIED, "the reason code is unspecified (0)")


@case(
    "status.entry.criticality",
    covers=["rfc5280:5.3.1#not-critical", "rfc5280:5.3.2#not-critical", "rfc5280:5.3.3#critical"],
    kills=["status.entry.reason-critical"],
    needs=["crl"],
)
def criticality(lab: StatusLab) -> None:
    """Reason code and invalidity date are not critical, a certificate issuer is"""
    known = lab.revoked
    found = lab.crl()
    if found.entry(known.serial) is None:
        raise NotCrl("the revoked certificate is not on the CRL")
    wanted = {crls.REASON: ("5.3.1#not-critical", False), crls.INVALIDITY: ("5.3.2#not-critical", False)}
    wanted[crls.CERTIFICATE_ISSUER] = ("5.3.3#critical", True)
    told = [one for entry in found.entries or () for one in entry.extensions if one.oid in wanted]
    if not told:
        raise Unsupported("no entry has an extension")
    for carried in told:
        requirement, critical = wanted[carried.oid]
        lab.check(
            carried.critical is critical,
            f"{carried.oid} is {'' if carried.critical else 'not '}critical",
            f"rfc5280:{requirement}",
        )


@case("status.entry.removed", covers=["rfc5280:5.3.1#remove"], kills=["status.entry.removed-in-complete"], needs=["crl"])
def removed(lab: StatusLab) -> None:
    """No complete CRL has an entry that is removed from it"""
    known = lab.revoked
    found = lab.crl()
    lab.check(
        all(one.reason != crls.REMOVE_FROM_CRL for one in found.entries or ()),
        f"a complete CRL with removeFromCRL (8), among {len(found.entries or ())} entries",
    )
    if found.entry(known.serial) is None:
        raise Inconclusive("the revoked certificate is not on the CRL")


@case("status.entry.date-order", covers=["rfc5280:5.3.2#order"], kills=["status.entry.date-early"], needs=["crl"])
def date_order(lab: StatusLab) -> None:
    """What was not on a CRL was not revoked before that CRL was issued"""
    fresh = lab.fresh()
    before = lab.crl()
    lab.require(before.entry(fresh.serial) is None, "a certificate that is good is on the CRL")
    lab.revoke(fresh)
    at, issued = _entry(lab, fresh.serial).revoked.moment, before.this_update.moment
    if at is None or issued is None:
        raise NotCrl("a time cannot be read")
    lab.check(at >= issued, f"revoked at {at}, though the CRL of {issued} does not know")


@case("status.entry.invalidity", covers=["rfc5280:5.3.2#zulu"], needs=["crl"], feature="invalidity-date")
def invalidity(lab: StatusLab) -> None:
    """An invalidity date is in Greenwich Mean Time"""
    found = [
        str(crls.value_of(one.extensions, crls.INVALIDITY, GeneralizedTime()))
        for one in lab.crl().entries or ()
        if any(carried.oid == crls.INVALIDITY for carried in one.extensions)
    ]
    if not found:
        raise Unsupported("no entry has an invalidity date")
    wrong = [text for text in found if generalized_time(text) is None]
    lab.check(not wrong, f"not YYYYMMDDHHMMSSZ: {', '.join(wrong[:3])}")
