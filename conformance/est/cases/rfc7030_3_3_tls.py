"""RFC 7030 sections 3.2.3, 3.3, 3.5 and 6: what TLS has to be under EST."""

from __future__ import annotations

import contextlib
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from conformance.case import case
from conformance.est import handshake, replies
from conformance.est.handshake import TLS10, TLS12, ServerHello
from conformance.est.lab import EstLab, said
from conformance.examination import Inconclusive, NotApplicable

_TIMEOUT = 10.0


def _offered(lab: EstLab, version: int, suites: tuple[int, ...], requirement: str, what: str) -> ServerHello:
    """Check that what is offered is refused, between two handshakes that succeed; the first of these."""
    lab.needs_sockets()
    url = lab.client.access.url
    try:
        before = handshake.offer(url, TLS12, handshake.MODERN)
        if before is None:
            raise NotApplicable("the server speaks no TLS 1.2 with forward secrecy, so that nothing can be compared")
        chosen = handshake.offer(url, version, suites)
        after = handshake.offer(url, TLS12, handshake.MODERN)
    except OSError as failure:
        raise Inconclusive(f"{url}: {failure}") from None
    if chosen is not None:
        lab.check(False, f"{what}: the server chose version {chosen.version:#06x}, suite {chosen.suite:#06x}", requirement)
    lab.check(after is not None, "after that the right handshake fails", requirement)
    return before


@case("est.tls.version", covers=["rfc7030:3.3#tls-version", "rfc7030:3.2.3#over-tls"])
def version(lab: EstLab) -> None:
    """TLS 1.0 is refused."""
    _offered(lab, TLS10, handshake.OLD, "rfc7030:3.3#tls-version", "TLS 1.0")


@case("est.tls.null-and-anon", covers=["rfc7030:3.2.3#null-and-anon", "rfc7030:4.4#null-confidentiality"])
def null_and_anon(lab: EstLab) -> None:
    """Suites without encryption, and those without a certificate of the server, are refused."""
    _offered(lab, TLS12, handshake.NULL, "rfc7030:4.4#null-confidentiality", "suites without encryption")
    _offered(lab, TLS12, handshake.ANON, "rfc7030:3.2.3#null-and-anon", "suites without authentication")


@case("est.tls.export-and-des", covers=["rfc7030:6#export-and-des"])
def export_and_des(lab: EstLab) -> None:
    """Suites with EXPORT or DES in their names are refused."""
    _offered(lab, TLS12, handshake.EXPORT + handshake.DES, "rfc7030:6#export-and-des", "suites with EXPORT or DES")


@case("est.tls.secure-renegotiation", covers=["rfc7030:3.5#secure-renegotiation"])
def secure_renegotiation(lab: EstLab) -> None:
    """A server of TLS 1.2 knows secure renegotiation (RFC 5746), without which a renegotiation would be of two connections."""
    lab.needs_sockets()
    try:
        chosen = handshake.offer(lab.client.access.url, TLS12, handshake.MODERN)
    except OSError as failure:
        raise Inconclusive(f"{failure}") from None
    if chosen is None:
        raise NotApplicable("the server speaks no TLS 1.2, and TLS 1.3 has no renegotiation")
    lab.check(chosen.renegotiation_info, "ServerHello has no renegotiation_info (RFC 5746 section 3.6)")


def _connected(lab: EstLab, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
    parts = urlsplit(lab.client.access.url)
    plain = socket.create_connection((parts.hostname or "", parts.port or 443), _TIMEOUT)
    return context.wrap_socket(plain, server_hostname=parts.hostname, session=session)


def _context(lab: EstLab) -> ssl.SSLContext:
    anchor: Path | None = lab.shared.trust
    return ssl.create_default_context(cafile=str(anchor) if anchor else None)


@case(
    "est.tls.server-certificate",
    covers=["rfc7030:3.3#server-authenticated", "rfc7030:3.3.1#server-certificates", "rfc7030:3.3.1#server-certificate-profile"],
)
def server_certificate(lab: EstLab) -> None:
    """The server authenticates itself in TLS by a certificate of the profile of RFC 5280, for the name by which it is reached."""
    lab.needs_sockets()
    try:
        with _connected(lab, _context(lab)) as connection:
            octets = connection.getpeercert(binary_form=True) or b""
    except ssl.SSLError as failure:
        lab.check(False, f"the server is not authenticated: {failure}")
        return
    except OSError as failure:
        raise Inconclusive(f"{failure}") from None
    profile = "rfc7030:3.3.1#server-certificate-profile"
    certificate = x509.load_der_x509_certificate(octets)
    lab.check(octets, "the server has no certificate", "rfc7030:3.3.1#server-certificates")
    lab.check(certificate.version is x509.Version.v3, f"it is of version {certificate.version.name}", profile)
    now = datetime.now(UTC)
    lab.check(certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc, "it is not valid now", profile)
    lab.check(0 < certificate.serial_number < 1 << 160, "its serial number is not positive with at most 20 octets", profile)
    kinds = [one.oid for one in certificate.extensions]
    lab.check(len(set(kinds)) == len(kinds), "an extension is there twice", profile)
    subject_empty = not certificate.subject.rdns
    lab.check(not subject_empty or x509.SubjectAlternativeName.oid in kinds, "neither subject nor subjectAltName", profile)


@case("est.tls.cipher", covers=["rfc7030:4.4#commensurate"])
def cipher(lab: EstLab) -> None:
    """What the server and a client of today agree on encrypts with 128 bits at least."""
    lab.needs_sockets()
    reply = lab.client.send(lab.client.get("cacerts"))
    if reply.status != 200 or not replies.certificates(reply):
        raise Inconclusive(f"/cacerts: {said(reply)}")
    with _connected(lab, _context(lab)) as connection:
        chosen = connection.cipher()
    lab.check(chosen is not None and chosen[2] >= 128, f"the suite is {chosen}")


@case("est.tls.resumption", covers=["rfc7030:3.3#resumption"])
def resumption(lab: EstLab) -> None:
    """A TLS session can be resumed."""
    lab.needs_sockets()
    context = _context(lab)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        with _connected(lab, context) as first:
            session = first.session
            with contextlib.suppress(OSError):
                first.unwrap()  # a session of a connection that was cut off is not to be resumed
        with _connected(lab, context, session) as second:
            reused = second.session_reused
    except ssl.SSLError as failure:
        raise NotApplicable(f"the server speaks no TLS 1.2: {failure}") from None
    except OSError as failure:
        raise Inconclusive(f"{failure}") from None
    lab.check(reused, "a second connection with the session of the first is made from the beginning")
