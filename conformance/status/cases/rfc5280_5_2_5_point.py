"""RFC 5280 section 5.2.5: CRLs that speak of a part of the certificates."""

from __future__ import annotations

from conformance.case import case
from conformance.status import crl as crls
from conformance.status.lab import StatusLab

FEATURE = "idp"


@case(
    "status.point.critical",
    covers=["rfc5280:5.2.5#critical"],
    kills=["status.point.not-critical"],
    needs=["crl"],
    feature=FEATURE,
)
def critical(lab: StatusLab) -> None:
    """The issuing distribution point is critical"""
    found, _ = lab.part(lab.good)
    carried = found.extension(crls.POINT)
    lab.check(carried is not None and carried.critical, "the issuing distribution point is not critical")


@case(
    "status.point.name",
    covers=["rfc5280:5.2.5#name", "rfc5280:5.2.5#identical"],
    kills=["status.point.other-name"],
    needs=["crl"],
    feature=FEATURE,
)
def name(lab: StatusLab) -> None:
    """The distribution point of the CRL has a name that the certificate has, octet by octet"""
    found, expected = lab.part(lab.good)
    point = found.point
    assert point is not None
    for requirement in ("rfc5280:5.2.5#name", "rfc5280:5.2.5#identical"):
        lab.check(
            not point.named or expected in point.names,
            f"the certificate has {expected[2:].decode()}, the CRL does not",
            requirement,
        )


@case(
    "status.point.flags",
    covers=[
        "rfc5280:5.2.5#not-indirect",
        "rfc5280:5.2.5#attribute",
        "rfc5280:5.2.5#not-empty",
        "rfc5280:5.2.5#something",
    ],
    kills=["status.point.indirect", "status.point.attribute", "status.point.empty"],
    needs=["crl"],
    feature=FEATURE,
)
def flags(lab: StatusLab) -> None:
    """The scope of the CRL is told as it is: certificates of this CA alone, no attribute certificates, and not nothing"""
    found, _ = lab.part(lab.good)
    point = found.point
    assert point is not None
    lab.check(not point.indirect, "indirectCRL is TRUE, and the certificate is by the issuer of the CRL")
    lab.check(not point.attribute, "onlyContainsAttributeCerts is TRUE", "rfc5280:5.2.5#attribute")
    lab.check(point.octets != b"\x30\x00", "the extension is an empty sequence", "rfc5280:5.2.5#not-empty")
    something = point.named or point.some_reasons or point.user or point.ca or point.indirect or point.attribute
    lab.check(something, "nothing is TRUE, and neither distributionPoint nor onlySomeReasons is there", "rfc5280:5.2.5#something")


@case(
    "status.point.complete",
    covers=[
        "rfc5280:5.2.5#complete",
        "rfc5280:5.2.5#all-reasons",
        "rfc5280:5.2.5#some-reasons",
        "rfc5280:5.2.5#reason-given",
    ],
    kills=["status.point.other-part"],
    needs=["crl"],
    feature=FEATURE,
)
def complete(lab: StatusLab) -> None:
    """A revoked certificate is on the CRL that its distribution point leads to, whatever the reason"""
    known = lab.revoked
    found, _ = lab.part(known)
    point = found.point
    assert point is not None
    if point.some_reasons:
        unsaid = [one for one in found.entries or () if one.reason in (None, crls.UNSPECIFIED)]
        lab.check(not unsaid, f"{len(unsaid)} entries without a reason", "rfc5280:5.2.5#reason-given")
        return
    listed = found.entry(known.serial) is not None
    lab.check(listed, "the revoked certificate is not on the CRL of its distribution point")
    lab.check(listed, "the revoked certificate is not on the CRL of its distribution point", "rfc5280:5.2.5#all-reasons")
