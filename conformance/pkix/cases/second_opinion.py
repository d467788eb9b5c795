"""What pkilint says of certificates, CRLs and OCSP responses: whatever it finds is information."""

from __future__ import annotations

from conformance.case import case
from conformance.examination import Inconclusive, Kind, NotApplicable
from conformance.pkix.lab import PkixLab
from conformance.pkix.pkilint import OpinionError, chosen, opinion
from conformance.verdict import Level

_DER = "rfc5280:4.1#der"
"""pkilint names rules of its own; what it looks at first is that."""


@case("pkix.pkilint.certificates", covers=[_DER], needs=["pkilint"], looks_back=True)
def certificates(lab: PkixLab) -> None:
    """By pkilint: certificates"""
    _ask(lab, Kind.CERTIFICATE)


@case("pkix.pkilint.crls", covers=[_DER], needs=["pkilint"], looks_back=True)
def crls(lab: PkixLab) -> None:
    """By pkilint: CRLs"""
    _ask(lab, Kind.CRL)


@case("pkix.pkilint.ocsp-responses", covers=[_DER], needs=["pkilint"], looks_back=True)
def ocsp_responses(lab: PkixLab) -> None:
    """By pkilint: OCSP responses"""
    _ask(lab, Kind.OCSP_RESPONSE)


def _ask(lab: PkixLab, kind: Kind) -> None:
    program = lab.pkilint
    asked = chosen(lab.library.seen, kind)
    if not asked:
        raise NotApplicable(f"the cases of this run saw no {kind.value}")
    for one in asked:
        try:
            found = opinion(program, one)
        except OpinionError as failure:
            raise Inconclusive(str(failure)) from None
        said = f"{lab.library.seen.read.get(one, kind.value)}: {'; '.join(found)}"
        lab.check(not found, said, level=Level.MAY)
