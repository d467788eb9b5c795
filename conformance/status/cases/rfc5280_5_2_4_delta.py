"""RFC 5280 sections 5.2.4 and 5.2.6: delta CRLs, and where a complete CRL says that they are."""

from __future__ import annotations

from conformance.case import case
from conformance.examination import Inconclusive, Unsupported
from conformance.status import crl as crls
from conformance.status.lab import StatusLab

FEATURE = "delta-crl"


@case(
    "status.delta.freshest",
    covers=["rfc5280:5.2.6#critical", "rfc5280:5.2.6#fields"],
    kills=["status.delta.freshest-critical", "status.delta.freshest-with-reasons"],
    needs=["crl"],
    feature=FEATURE,
)
def freshest(lab: StatusLab) -> None:
    """Where the delta CRL is, is told without being critical, and without reasons or cRLIssuer"""
    found = lab.crl()
    carried, said = found.extension(crls.FRESHEST), found.freshest
    if carried is None or said is None:
        raise Unsupported("the CRL has no freshest CRL extension")
    lab.check(not carried.critical, "the extension is critical")
    lab.check(not said[1], "a point has reasons or cRLIssuer", "rfc5280:5.2.6#fields")


@case(
    "status.delta.indicator",
    covers=["rfc5280:5.2.4#indicator", "rfc5280:5#delta"],
    kills=["status.delta.indicator-missing", "status.delta.indicator-not-critical"],
    needs=["crl"],
    feature=FEATURE,
)
def indicator(lab: StatusLab) -> None:
    """A delta CRL says so by a critical extension"""
    carried = lab.delta(lab.crl()).extension(crls.DELTA)
    if lab.check(carried is not None, "there is no delta CRL indicator"):
        assert carried is not None
        lab.check(carried.critical, "the delta CRL indicator is not critical")


@case(
    "status.delta.no-freshest",
    covers=["rfc5280:5.2.6#not-in-delta"],
    kills=["status.delta.freshest-too"],
    needs=["crl"],
    feature=FEATURE,
)
def no_freshest(lab: StatusLab) -> None:
    """A delta CRL does not say where a delta CRL is"""
    lab.check(lab.delta(lab.crl()).extension(crls.FRESHEST) is None, "the delta CRL has a freshest CRL extension")


@case(
    "status.delta.numbers",
    covers=["rfc5280:5.2.3#one-sequence", "rfc5280:5.2.3#same-time"],
    kills=["status.delta.numbers-of-its-own", "status.delta.base-ahead"],
    needs=["crl"],
    feature=FEATURE,
)
def numbers(lab: StatusLab) -> None:
    """Complete and delta CRLs share one sequence of numbers"""
    complete = lab.crl()
    delta = lab.delta(complete)
    if complete.number is None or delta.number is None or delta.base is None:
        raise Inconclusive("a number is missing")
    lab.check(delta.base < delta.number, f"the delta CRL {delta.number} is to the base {delta.base}")
    lab.check(delta.base <= complete.number, f"the base {delta.base} is later than the complete CRL {complete.number}")
    if delta.number == complete.number:
        at = complete.this_update.text, delta.this_update.text
        lab.check(at[0] == at[1], f"complete and delta CRL {delta.number} are of {at[0]} and {at[1]}", "rfc5280:5.2.3#same-time")
    lab.revoke(lab.fresh())
    later = lab.crl()
    if later.number is None or later.octets == complete.octets:
        raise Inconclusive("no new complete CRL was issued when a certificate was revoked")
    lab.check(later.number >= delta.number, f"the delta CRL has the number {delta.number}, a later complete CRL {later.number}")


@case(
    "status.delta.scope",
    covers=[
        "rfc5280:5#delta-scope",
        "rfc5280:5.2.4#same-point",
        "rfc5280:5.2.4#same-scope",
        "rfc5280:5.2.4#same-set",
        "rfc5280:5.2.4#same-key",
        "rfc5280:5.2.6#scope",
    ],
    kills=["status.delta.with-a-point"],
    needs=["crl"],
    feature=FEATURE,
)
def scope(lab: StatusLab) -> None:
    """A delta CRL is of the same scope as the complete one, and signed with the same key"""
    complete = lab.crl()
    delta = lab.delta(complete)
    same = [None if one.point is None else one.point.octets for one in (complete, delta)]
    for section in ("5#delta-scope", "5.2.4#same-point", "5.2.4#same-scope", "5.2.4#same-set", "5.2.6#scope"):
        lab.check(same[0] == same[1], "complete and delta CRL have different issuing distribution points", f"rfc5280:{section}")
    lab.check(complete.issuer == delta.issuer, "complete and delta CRL have different issuers")
    lab.check(lab.signed_by_issuer(delta), "the delta CRL is signed with another key", "rfc5280:5.2.4#same-key")


@case(
    "status.delta.changes",
    covers=["rfc5280:5.2.4#changed", "rfc5280:5.2.4#combination", "rfc5280:5.2.3#same-information"],
    kills=["status.delta.nothing-new", "status.delta.other-reason"],
    needs=["crl"],
    feature=FEATURE,
)
def changes(lab: StatusLab) -> None:
    """A complete CRL and a later delta CRL say together what a later complete CRL says"""
    before = lab.crl()
    lab.delta(before)
    known = lab.revoke(lab.fresh())
    delta, after = lab.delta(before), lab.crl()
    if (delta.base or 0) > (before.number or 0):
        raise Inconclusive(f"the delta CRL is to the base {delta.base}, the complete CRL has the number {before.number}")
    lab.check(delta.entry(known.serial) is not None, "what was revoked is not on the delta CRL")
    together = {one.serial: one.reason for one in before.entries or ()}
    for one in delta.entries or ():
        together[one.serial] = one.reason
    together = {serial: reason for serial, reason in together.items() if reason != crls.REMOVE_FROM_CRL}
    if after.entry(known.serial) is None:
        raise Inconclusive("no new complete CRL was issued when a certificate was revoked")
    found = {one.serial: one.reason for one in after.entries or ()}
    # What has expired meanwhile may be on the delta CRL alone.
    differs = [serial for serial, reason in found.items() if together.get(serial, -1) != reason]
    for requirement in ("rfc5280:5.2.4#combination", "rfc5280:5.2.3#same-information"):
        lab.check(
            not differs, f"complete and delta CRL differ from the later complete CRL in {len(differs)} certificates", requirement
        )
