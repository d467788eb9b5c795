"""RFC 5280 section 5.1: the fields of a CRL."""

from __future__ import annotations

from datetime import timedelta

from conformance import der
from conformance.case import case
from conformance.examination import Unsupported
from conformance.status.crl import MEDIA_TYPE, NotCrl, Time, crl
from conformance.status.lab import SKEW, StatusLab, said
from conformance.status.strict import violations

_SHORT = timedelta(seconds=8)
"""How long a certificate lives that is to expire while the run goes on."""


@case(
    "status.crl.der",
    covers=["rfc5280:5.1.1.3#signature"],
    kills=["status.crl.long-length"],
    needs=["crl"],
)
def is_der(lab: StatusLab) -> None:
    """A CRL is DER, and so is what is signed"""
    for found in lab.every_crl():
        wrong = violations(found.octets)
        lab.check(not wrong, "; ".join(wrong))


@case(
    "status.crl.media-type",
    covers=["rfc5280:4.2.1.13#media-type", "rfc5280:4.2.1.13#single-crl"],
    kills=["status.crl.media-type", "status.crl.pem"],
    needs=["crl"],
)
def media_type(lab: StatusLab) -> None:
    """A CRL by HTTP is application/pkix-crl, and a single CRL in DER"""
    response = lab.client.fetch(lab.shared.target.crl)
    if response.status != 200:
        raise NotCrl(said(response))
    lab.check(response.media_type == MEDIA_TYPE, f"expected {MEDIA_TYPE}, got {response.media_type or 'no type'}")
    try:
        crl(response.body)
        why = ""
    except NotCrl as failure:
        why = str(failure)
    lab.check(not why, f"no single CRL in DER: {why}", "rfc5280:4.2.1.13#single-crl")


@case(
    "status.crl.version",
    covers=["rfc5280:5.1.2.1#version", "rfc5280:5#profile", "rfc5280:5.1#version"],
    kills=["status.crl.version-1"],
    needs=["crl"],
)
def version(lab: StatusLab) -> None:
    """The version is v2"""
    for found in lab.every_crl():
        lab.check(found.version == 1, f"expected 1, got {'nothing' if found.version is None else found.version}")


@case("status.crl.signature", covers=["rfc5280:5.1.1.3#signature"], kills=["status.crl.signature-wrong"], needs=["crl"])
def signature(lab: StatusLab) -> None:
    """The signature of the CRL is right, by the key of the CA"""
    lab.check(lab.signed_by_issuer(lab.crl()), "the signature is not by the key of the CA")


@case(
    "status.crl.algorithms",
    covers=["rfc5280:5.1.1.2#same", "rfc5280:5.1.2.2#same"],
    kills=["status.crl.algorithm-differs"],
    needs=["crl"],
)
def algorithms(lab: StatusLab) -> None:
    """The algorithm that is signed is the one beside the signature"""
    for found in lab.every_crl():
        inside, outside = found.inner_algorithm, found.outer_algorithm
        lab.check(inside == outside, f"within {inside.hex()}, without {outside.hex()}")
        lab.check(inside == outside, f"within {inside.hex()}, without {outside.hex()}", "rfc5280:5.1.2.2#same")


@case(
    "status.crl.issuer",
    covers=["rfc5280:5.1.2.3#non-empty", "rfc5280:5.1.2.3#encoding"],
    kills=["status.crl.issuer-empty", "status.crl.issuer-encoded-otherwise"],
    needs=["crl"],
)
def issuer(lab: StatusLab) -> None:
    """The issuer is the name of the CA, octet by octet as its certificates have it"""
    found = lab.crl().issuer
    lab.check(der.decode(found).parts, "the issuer is an empty name")
    expected = lab.issuer.subject.public_bytes()
    lab.check(found == expected, f"expected {expected.hex()}, got {found.hex()}", "rfc5280:5.1.2.3#encoding")


def _written(at: Time | None) -> str:
    return "nothing" if at is None else f"{at.kind} {at.text}"


@case(
    "status.crl.this-update",
    covers=["rfc5280:5.1.2.4#utc-time", "rfc5280:5.1.2.4#utc-form"],
    kills=["status.crl.generalized-time", "status.crl.this-update-ahead"],
    needs=["crl"],
)
def this_update(lab: StatusLab) -> None:
    """The date of issue is UTCTime in Greenwich Mean Time with seconds, and has passed"""
    for found in lab.every_crl():
        at = found.this_update
        lab.check(at.kind == "utcTime", f"expected UTCTime, got {_written(at)}")
        if lab.check(at.moment is not None, f"not YYMMDDHHMMSSZ: {_written(at)}", "rfc5280:5.1.2.4#utc-form"):
            assert at.moment is not None
            lab.check(at.moment <= lab.now() + SKEW, f"thisUpdate {at.text} is ahead", "rfc5280:5.1.2.4#utc-form")


@case(
    "status.crl.next-update",
    covers=[
        "rfc5280:5.1.2.5#included",
        "rfc5280:5#profile",
        "rfc5280:5.1.2.5#utc-time",
        "rfc5280:5.1.2.5#utc-form",
        "rfc5280:5.1.2.5#generalized-time",
        "rfc5280:5.1.2.5#generalized-form",
    ],
    kills=["status.crl.next-update-missing", "status.crl.generalized-time"],
    needs=["crl"],
)
def next_update(lab: StatusLab) -> None:
    """The date of the next CRL is there, as UTCTime up to the year 2049 and as GeneralizedTime from then on"""
    for found in lab.every_crl():
        at = found.next_update
        if not lab.check(at is not None, "there is no nextUpdate"):
            continue
        assert at is not None
        utc = at.kind == "utcTime"
        form = "rfc5280:5.1.2.5#utc-form" if utc else "rfc5280:5.1.2.5#generalized-form"
        if lab.check(at.moment is not None, f"not in Greenwich Mean Time with seconds: {_written(at)}", form):
            kind = "rfc5280:5.1.2.5#generalized-time" if utc else "rfc5280:5.1.2.5#utc-time"
            lab.check(at.right, f"the wrong type for its year: {_written(at)}", kind)


@case("status.crl.current", covers=["rfc5280:5.1.2.5#next-crl"], kills=["status.crl.stale"], needs=["crl"])
def current(lab: StatusLab) -> None:
    """The next CRL is there when the last one ends"""
    for found in lab.every_crl():
        at = found.next_update.moment if found.next_update is not None else None
        if at is None:
            raise NotCrl("there is no nextUpdate that can be read")
        lab.check(at > lab.now() - SKEW, f"nextUpdate {at} has passed")


@case("status.crl.next-update-order", covers=["rfc5280:5.1.2.5#order"], kills=["status.crl.next-update-sooner"], needs=["crl"])
def next_update_order(lab: StatusLab) -> None:
    """The next CRL of a later CRL is not announced for an earlier moment"""
    before = lab.crl()
    lab.revoke(lab.fresh())
    after = lab.crl()
    first, second = (one.next_update.moment if one.next_update is not None else None for one in (before, after))
    if first is None or second is None:
        raise NotCrl("there is no nextUpdate that can be read")
    lab.check(second >= first, f"{first}, and then {second}")


@case("status.crl.list-absent", covers=["rfc5280:5.1.2.6#absent"], kills=["status.crl.empty-list"], needs=["crl"])
def list_absent(lab: StatusLab) -> None:
    """Where nothing is revoked there is no list, rather than an empty one"""
    for found in lab.every_crl():
        lab.check(found.entries is None or found.entries, "the list is there, and empty")


@case(
    "status.crl.revoked-listed",
    covers=["rfc5280:5.1.2.6#listed", "rfc5280:5.2.5#complete"],
    kills=["status.crl.revoked-forgotten"],
    needs=["crl"],
)
def revoked_listed(lab: StatusLab) -> None:
    """A revoked certificate is on the CRL, and one that is good is not"""
    good, revoked = lab.good, lab.revoked
    found = lab.crl()
    lab.check(found.entry(revoked.serial) is not None, "the revoked certificate is not on the CRL")
    lab.check(found.entry(good.serial) is None, "the certificate that is good is on the CRL")
    if found.point is None:
        lab.check(found.entry(revoked.serial) is not None, "the revoked certificate is not on the CRL", "rfc5280:5.2.5#complete")


@case(
    "status.crl.expired-listed",
    covers=["rfc5280:3.3#removed-late"],
    kills=["status.crl.expired-removed"],
    needs=["crl"],
)
def expired_listed(lab: StatusLab) -> None:
    """A certificate that was revoked and has expired since is on the first CRL that is issued after its end"""
    known = lab.revoke(lab.fresh(lab.now().replace(microsecond=0) + _SHORT))
    end = known.certificate.not_valid_after_utc
    if end > lab.now() + 2 * _SHORT:
        raise Unsupported(f"the certificate ends at {end}, and not as soon as was asked for")
    if lab.crl().entry(known.serial) is None:
        raise NotCrl("the revoked certificate is not on the CRL")
    lab.shared.wait(max((end - lab.now()).total_seconds() + 1, 0))
    lab.revoke(lab.fresh())
    found = lab.crl()
    issued = found.this_update.moment
    if issued is None or issued <= end:
        raise NotCrl("no new CRL was issued when a certificate was revoked")
    lab.check(found.entry(known.serial) is not None, f"revoked, expired at {end}, and not on the CRL of {issued}")


@case("status.crl.revocation-date", covers=["rfc5280:5.1.2.6#time"], kills=["status.entry.date-early"], needs=["crl"])
def revocation_date(lab: StatusLab) -> None:
    """The revocation date is when the certificate was revoked, in the form that thisUpdate has"""
    known = lab.revoked
    found = lab.crl()
    wrong = [_written(one.revoked) for one in found.entries or () if not one.revoked.right]
    lab.check(not wrong, f"not as thisUpdate is to be written: {', '.join(wrong[:3])}")
    entry = found.entry(known.serial)
    if entry is None or entry.revoked.moment is None:
        raise NotCrl("the revoked certificate is not on the CRL")
    at = entry.revoked.moment
    lab.check(at <= (found.this_update.moment or at), f"revoked at {at}, later than the CRL was issued")
    if known.revoked is not None:
        before, after = known.revoked
        lab.check(before - SKEW <= at <= after + SKEW, f"revoked between {before} and {after}, but the CRL says {at}")
