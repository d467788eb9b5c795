"""What a client that has a certificate may ask for: the same again, and nothing that its certificate does not name.

The key of a device is easily lost, so a certificate is worth no more than its own names. Two rules follow:

* A *renewal* (the protocol says which certificate is renewed) is for the same subject and names, of a certificate that is good and
  inside the profile's ``renewal_window``. Whoever holds it may ask, or who asked for it, or a registration authority.
* *Any other request* under a certificate, ours or a vendor's, is for a subject and names that this certificate has, all or some: else
  one device of a profile could become each other one, and everybody who can buy a device of a vendor could become anybody. It is not
  held to the window: a further certificate is no renewal, and takes nothing from the first.

``rename`` lifts the comparison of both rules, and leaves the name policy (``names``, ``names_by``). A registration authority (cmcRA)
vouches for others by what it is, so the second rule is not for it.

Subjects are compared as the template makes them, so that what it drops or computes makes no difference, and by RFC 5280 section 7.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cryptography import x509

from privca.base.clock import rfc3339
from privca.base.durations import duration
from privca.base.names import Name
from privca.base.refused import Reason, Refused
from privca.enrollment.authentication import check_standing
from privca.enrollment.door import Submission
from privca.issuance.issue import ProfileRules
from privca.issuance.ports import Certificate
from privca.issuance.profile import Revisioned
from privca.pkix.rfc5280.names import attributes_of, name_of

_RENEWAL = "profile: rename"


def check(profile: Revisioned, rules: ProfileRules, submission: Submission, now: datetime, *, approved: bool = False) -> None:
    """Judge a request by the certificate that it renews or came with.

    :param approved: whether a person has approved it since it was made: then it was in time.
    :raises Refused: ``UNAUTHORIZED``, ``UNAUTHENTICATED``, ``OUTSIDE_RENEWAL_WINDOW``, ``BAD_CSR``, ``REJECTED_IDENTIFIER``.
    """
    identity = submission.identity
    if identity.certificate is not None:
        # Read by who authenticated it, or anew for a request that waited: revoked meanwhile is revoked.
        check_standing(identity.certificate)
    if submission.renews is not None:
        _check_renewal(profile, rules, submission, submission.renews, now, approved=approved)
    elif not identity.ra and not profile.profile.rename:
        octets = identity.vendor or (identity.certificate.der if identity.certificate is not None else b"")
        if octets:
            _check_own(rules, submission, x509.load_der_x509_certificate(octets))


def _check_renewal(
    profile: Revisioned, rules: ProfileRules, submission: Submission, renews: Certificate, now: datetime, *, approved: bool
) -> None:
    identity = submission.identity
    holds = identity.certificate is not None and identity.certificate.serial == renews.serial
    # A code or passcode has its name within its profile.
    asked = identity.method in ("code", "otp") and identity.id == renews.identity and renews.profile_id == profile.id
    if not (holds or asked or identity.ra):
        raise Refused(
            Reason.UNAUTHORIZED, "profile: authentication", "a certificate is renewed by its holder, or by who asked for it"
        )
    if renews.profile_id not in (profile.id, *profile.profile.certificate_profiles):
        raise Refused(
            Reason.UNAUTHORIZED, "profile: certificate_profiles", "certificates of its profile are not renewed in this one"
        )
    check_standing(renews)
    if not approved:
        _check_window(profile, renews, now)
    if profile.profile.rename:
        return
    assert renews.der is not None  # it is issued
    before = x509.load_der_x509_certificate(renews.der).subject
    if _folded(rules, submission.csr.subject, submission) != _folded(rules, before, submission):
        raise Refused(
            Reason.BAD_CSR,
            _RENEWAL,
            "a renewal is for the subject of the certificate that is renewed",
            expected=repr(renews.subject[:200]),
            got=repr(submission.csr.subject.rfc4514_string()[:200]),
        )
    if set(submission.csr.names) != set(renews.names):
        raise Refused(
            Reason.REJECTED_IDENTIFIER,
            _RENEWAL,
            "a renewal is for the names of the certificate that is renewed",
            expected=_listed(renews.names),
            got=_listed(submission.csr.names),
        )


def _check_window(profile: Revisioned, renews: Certificate, now: datetime) -> None:
    opens = renews.not_after - duration(profile.profile.renewal_window)
    if not opens <= now <= renews.not_after:
        early = now < opens
        raise Refused(
            Reason.OUTSIDE_RENEWAL_WINDOW,
            "profile: renewal_window" if early else "RFC 5280 section 6.1.3",
            "the certificate is not to be renewed yet" if early else "the certificate has expired",
            expected=f"a time from {rfc3339(opens)} to {rfc3339(renews.not_after)}",
            got=rfc3339(now),
        )


def _check_own(rules: ProfileRules, submission: Submission, own: x509.Certificate) -> None:
    """Refuse what a request asks for beyond the subject and names of the certificate that it came with."""
    allowed = set(_folded(rules, own.subject, submission)) | set(_fold(attributes_of(own.subject)))
    surplus = [short for short, value in _folded(rules, submission.csr.subject, submission) if (short, value) not in allowed]
    if surplus:
        raise Refused(
            Reason.BAD_CSR,
            _RENEWAL,
            "a certificate authenticates for its own subject alone",
            expected=repr(own.subject.rfc4514_string()[:200]),
            got=repr(submission.csr.subject.rfc4514_string()[:200]),
        )
    has = _names(own)
    beyond = [name for name in submission.csr.names if name not in has]
    if beyond:
        raise Refused(
            Reason.REJECTED_IDENTIFIER,
            _RENEWAL,
            "a certificate authenticates for its own names alone",
            expected=_listed(has),
            got=_listed(beyond),
        )


def _names(certificate: x509.Certificate) -> list[Name]:
    """The names of a certificate that we can certify; it may have others, which give no right to anything."""
    found = []
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            for general in extension.value:
                try:
                    found.append(name_of(general))
                except Refused:
                    continue
    return found


def _folded(rules: ProfileRules, subject: x509.Name, submission: Submission) -> list[tuple[str, str]]:
    """The subject that the template makes, in a form that can be compared."""
    return _fold(attributes_of(rules.template.subject(subject, submission.csr.names)))


def _fold(attributes: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """RFC 5280 section 7.1: case folded, white space compressed; in one order, since clients turn subjects around."""
    return sorted((short, " ".join(value.split()).casefold()) for short, value in attributes)


def _listed(names: Iterable[Name]) -> str:
    shown = sorted(str(name) for name in names)
    return ", ".join(shown[:20]) + (", ..." if len(shown) > 20 else "") or "none"
