"""The status service of a lab CA as the examiner's cases want it: a transport that calls the service, and a way to have certificates."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from conformance.examination import Examination
from conformance.target import StatusTarget, Target
from conformance.transport import HttpRequest, HttpResponse
from privca.base.http import Peer, Request
from privca.issuance.options.status import CrlOptions, OcspOptions
from privca.issuance.ports import RevocationReason
from privca.issuance.profile import CertificateAuthority
from tests.support.issuance_lab import TWO_TIERS, profile, run
from tests.support.status_lab import StatusLab

ORIGIN = "http://pki.example.test:8080"
TARGET = Target(
    name="in process",
    status=StatusTarget(
        ocsp=f"{ORIGIN}/ocsp/issuing",
        crl=f"{ORIGIN}/crl/issuing.crl",
        issuer=f"{ORIGIN}/ca/issuing.cer",
        lightweight=True,
    ),
)


class Examined:
    """A CA that publishes every kind of list, at the time that it is: the examiner looks at the clock.

    It carries the examiner's messages (``Transport``), and issues and revokes for it (``Issuance``). ``service`` answers.
    """

    def __init__(self, directory: Path) -> None:
        issuing = CertificateAuthority(
            subject={"CN": "Lab Issuing", "O": "Lab"},
            parent="root",
            crl=CrlOptions(partitions=2, delta=True),
            ocsp=OcspOptions(not_issued="revoked"),
        )
        self._ahead = timedelta(0)
        self.lab = StatusLab(directory, {**TWO_TIERS, "issuing": issuing})
        self._at_once()
        self.lab.make()
        self.service = self.lab.status
        self._numbers = itertools.count(1)

    def now(self) -> datetime:
        """The time that it is, or later by as much as was waited."""
        return datetime.now(UTC) + self._ahead

    def _at_once(self) -> None:
        self.lab.clock.advance(self.now().replace(microsecond=0) - self.lab.clock.now())

    def wait(self, seconds: float) -> None:
        """Nobody waits: the clock goes ahead."""
        self._ahead += timedelta(seconds=ceil(seconds))

    def exchange(self, request: HttpRequest) -> HttpResponse:
        """The reply to a request."""
        self._at_once()
        path = urlsplit(request.url).path
        headers = {name.lower(): value for name, value in request.headers}
        asked = Request(request.method, path, path[1:], "", headers, request.body, Peer("192.0.2.1"), ORIGIN)
        reply = run(self.service.handle(self.lab.exchange(), asked))
        return HttpResponse(reply.status, (*reply.headers, ("Content-Length", str(len(reply.body)))), reply.body, request)

    def issue(self, examination: Examination, not_after: datetime | None = None) -> x509.Certificate:
        """A certificate by the issuing CA."""
        self._at_once()
        made = self.lab.issue(profile(), request_id=str(next(self._numbers)), not_after=not_after)
        assert made.der is not None
        return x509.load_der_x509_certificate(made.der)

    def revoke(self, examination: Examination, certificate: x509.Certificate, reason: int) -> None:
        """Have it revoked."""
        self._at_once()
        serial = certificate.serial_number.to_bytes(20, "big")
        run(self.lab.revocation.revoke(serial, RevocationReason(reason), "acme:1", self.lab.clock.now()))
