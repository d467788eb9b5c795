"""Certificates whose state is known: files that the target names, or issued and revoked by ACME while the run goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from conformance.acme.client import dns
from conformance.acme.session import AcmeSession
from conformance.examination import Examination, Inconclusive, NotApplicable

SUPERSEDED = 4
"""The reason that a run gives (RFC 5280 section 5.3.1): any account may give it, and it damages nobody's name."""


@dataclass(frozen=True, slots=True)
class Known:
    """A certificate with its state. ``revoked`` are the moments just before and after its revocation; both None if nobody watched."""

    certificate: x509.Certificate
    reason: int | None = None
    revoked: tuple[datetime, datetime] | None = None

    @property
    def serial(self) -> int:
        """Its serial number."""
        return self.certificate.serial_number


class Issuance(Protocol):
    """How a run gets certificates of its own."""

    def issue(self, examination: Examination, not_after: datetime | None = None) -> x509.Certificate:
        """A new certificate. :param not_after: when it is to end, in UTC. :raises Inconclusive: if it is not to be had."""

    def revoke(self, examination: Examination, certificate: x509.Certificate, reason: int) -> None:
        """Have it revoked. :raises Inconclusive: if that is refused."""


class ByAcme:
    """From an ACME server of the same CA."""

    def __init__(self, session: AcmeSession) -> None:
        self._session = session

    def issue(self, examination: Examination, not_after: datetime | None = None) -> x509.Certificate:
        """A certificate for a name that nobody has used before."""
        lab = self._session.lab(examination)
        names = dns(lab.shared.name())
        if not_after is None:
            return lab.enroll(names).certificates[0]
        wished = not_after.strftime("%Y-%m-%dT%H:%M:%SZ")
        url, order = lab.sure(lambda: lab.client.order(lab.account, names, notAfter=wished))
        return lab.finished(url, order, names).certificates[0]

    def revoke(self, examination: Examination, certificate: x509.Certificate, reason: int) -> None:
        """By the account that it was issued to (RFC 8555 section 7.6)."""
        lab = self._session.lab(examination)
        revocation = lab.client.revoke(lab.account, certificate.public_bytes(Encoding.DER), reason)
        lab.sure(lambda: lab.client.perform(revocation))


class Certificates:
    """The certificates of a run. :param issuance: None if the run cannot have any issued. :param now: tells the time."""

    def __init__(self, issuance: Issuance | None, now: Callable[[], datetime]) -> None:
        self._issuance = issuance
        self._now = now
        self._good: Known | None = None
        self._revoked: Known | None = None

    def good(self, examination: Examination, given: Callable[[], x509.Certificate | None]) -> Known:
        """A certificate that nobody revokes. :param given: that of the target, if it names one."""
        if self._good is None:
            certificate = given()
            self._good = self.fresh(examination) if certificate is None else Known(certificate)
        return self._good

    def revoked(self, examination: Examination, given: Callable[[], x509.Certificate | None]) -> Known:
        """A revoked certificate. :raises NotApplicable: if there is none, and none can be had."""
        if self._revoked is None:
            certificate = given()
            self._revoked = self.revoke(examination, self.fresh(examination)) if certificate is None else Known(certificate)
        return self._revoked

    def fresh(self, examination: Examination, not_after: datetime | None = None) -> Known:
        """A certificate of the case's own. :raises NotApplicable: if none can be had."""
        if self._issuance is None:
            raise NotApplicable("the run has no way to have a certificate issued")
        with examination.during("setup"):
            return Known(self._issuance.issue(examination, not_after))

    def revoke(self, examination: Examination, known: Known, reason: int = SUPERSEDED) -> Known:
        """Have a certificate revoked; what is known of it then."""
        if self._issuance is None:
            raise NotApplicable("the run has no way to have a certificate revoked")
        before = self._now()
        with examination.during("setup"):
            self._issuance.revoke(examination, known.certificate, reason)
        return Known(known.certificate, reason, (before, self._now()))


def certificate_in(octets: bytes, what: str) -> x509.Certificate:
    """A certificate in PEM or DER. :raises Inconclusive: if it is none."""
    try:
        if octets.lstrip().startswith(b"-----BEGIN"):
            return x509.load_pem_x509_certificate(octets)
        return x509.load_der_x509_certificate(octets)
    except ValueError as error:
        raise Inconclusive(f"{what} is no certificate: {str(error)[:200]}") from None


def certificate_of(path: str) -> x509.Certificate:
    """The certificate of a file. :raises Inconclusive: if it cannot be read."""
    try:
        return certificate_in(Path(path).read_bytes(), path)
    except OSError as error:
        raise Inconclusive(f"{path}: {error.strerror}") from None
