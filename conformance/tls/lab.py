"""What a case of TLS gets: one listener, and ways to say something to it that it should take, or should not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from cryptography import x509

from conformance.examination import Examination, Inconclusive, NotApplicable
from conformance.pkix.hosts import is_address
from conformance.tls.connection import Connection, Refused
from conformance.tls.hello import USUAL, Answer, ask, client_hello, client_hello_1_3, server_name
from conformance.tls.scan import Scan, Scanner
from conformance.tls.wire import Listener
from conformance.transport import HttpRequest, HttpResponse


class TlsLab:
    """The bench of one case at one listener."""

    def __init__(self, listener: Listener, examination: Examination, scanner: Scanner) -> None:
        self.listener = listener
        self.examination = examination
        self._scanner = scanner
        self.check = examination.check
        self.require = examination.require

    @cached_property
    def name(self) -> Mapping[int, bytes]:
        """The extension that names the host; none for an address (RFC 6066 section 3)."""
        return {} if is_address(self.listener.host) else server_name(self.listener.host)

    @property
    def usual(self) -> Mapping[int, bytes]:
        """What a client of TLS 1.2 says beside its suites."""
        return {**USUAL, **self.name}

    def ask(self, hello: bytes) -> Answer:
        """What the listener says to a ClientHello."""
        answer = ask(self.listener.dial(), hello)
        self.exchanged(hello, answer.octets)
        return answer

    def exchanged(self, sent: bytes, received: bytes) -> None:
        """Keep what was sent and what came, as octets: there is no HTTP in it."""
        self.examination.record(HttpResponse(0, (), received, HttpRequest("TLS", self.listener.url, (), sent)))

    @property
    def ordinary(self) -> Answer:
        """What the listener says to an ordinary client of TLS 1.2, or of TLS 1.3 if it has that alone. :raises Inconclusive: if it says no hello."""
        answer = self.ask(client_hello(extensions=self.usual))
        if answer.hello is None:
            other = self.ask(client_hello_1_3())
            if other.hello is not None:
                raise NotApplicable("it speaks TLS 1.3 alone")
            raise Inconclusive(f"an ordinary ClientHello gets {answer}")
        return answer

    def refused(self, hello: bytes, what: str, requirement: str | None = None) -> Answer:
        """Check that a ClientHello gets no ServerHello, while an ordinary one does before and after it."""
        with self.examination.during("control before"):
            self._ordinary_of_any_version()
        with self.examination.during("spoilt"):
            answer = self.ask(hello)
        self.check(answer.hello is None, f"{what}: got {answer}", requirement)
        with self.examination.during("control after"):
            try:
                self._ordinary_of_any_version()
            except Inconclusive as failure:
                self.check(False, f"after that, {failure}", requirement)
        return answer

    def _ordinary_of_any_version(self) -> None:
        try:
            _ = self.ordinary
        except NotApplicable:
            return

    @cached_property
    def chain(self) -> list[x509.Certificate]:
        """The certificates that the listener shows, parsed. They may be of any CA: they are not handed over as issued.

        :raises Inconclusive: if there are none, or they cannot be parsed.
        """
        octets = self.ordinary.chain
        try:
            found = [x509.load_der_x509_certificate(one) for one in octets]
        except ValueError as failure:
            raise Inconclusive(f"its certificates cannot be parsed: {failure}") from None
        if not found:
            raise Inconclusive("it shows no certificate")
        return found

    def sure(self, connection: Connection) -> None:
        """Go through a handshake that has to work. :raises Inconclusive: if it does not."""
        try:
            connection.handshake()
        except Refused as failure:
            raise Inconclusive(f"an ordinary handshake ends with: {failure}") from None

    @property
    def scan(self) -> Scan:
        """What sslyze found. :raises NotApplicable: without sslyze. :raises ScanFailed: if it could not scan."""
        return self._scanner.scan(self.listener)
