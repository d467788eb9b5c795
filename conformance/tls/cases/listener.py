"""What stands around the handshake: the server's certificate, a client's that nobody knows, and plaintext."""

from __future__ import annotations

import datetime as dt
import itertools
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import SSL

from conformance.case import case
from conformance.examination import NotApplicable
from conformance.pkix.hosts import is_address
from conformance.tls.connection import Connection, Refused, client_context
from conformance.tls.hello import client_hello, signatures
from conformance.tls.lab import TlsLab

_SMALLEST_RSA = 2048
_SHA_1_FIRST = (0x0203, 0x0201, 0x0403, 0x0804, 0x0401)
"""ECDSA and RSA with SHA-1, and behind them what a server should take instead."""


@case("tls.certificate.rsa-size", covers=["rfc9325:4.5#rsa-2048"])
def rsa_size(lab: TlsLab) -> None:
    """An RSA key of the server has at least 2048 bits"""
    key = lab.chain[0].public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise NotApplicable("its key is no RSA key")
    lab.check(key.key_size >= _SMALLEST_RSA, f"its key has {key.key_size} bits")


@case("tls.certificate.curve", covers=["rfc9325:4.2#p-256"])
def curve(lab: TlsLab) -> None:
    """An ECDSA key of the server is on P-256"""
    key = lab.chain[0].public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise NotApplicable("its key is no EC key")
    lab.check(isinstance(key.curve, ec.SECP256R1), f"its key is on {key.curve.name}")


@case("tls.certificate.signature", covers=["rfc9325:4.5#no-sha-1", "rfc9325:4.5#sha-256"])
def signature(lab: TlsLab) -> None:
    """Neither the server's certificates nor its handshake are signed with SHA-1 or MD5"""
    for one in lab.chain:
        if one.issuer == one.subject:
            continue  # what a trust anchor is signed with does not matter
        algorithm = one.signature_hash_algorithm
        lab.check(
            not isinstance(algorithm, hashes.SHA1 | hashes.MD5), f"{one.subject.rfc4514_string()!r} is signed with {algorithm}"
        )
    answer = lab.ask(client_hello(extensions={**lab.usual, **signatures(*_SHA_1_FIRST)}))
    if answer.key_exchange[:1] == b"\x03":
        at = 4 + answer.key_exchange[3]
        used = int.from_bytes(answer.key_exchange[at : at + 2], "big")
        lab.check(
            used not in (0x0201, 0x0203, 0x0101), f"a client that names SHA-1 first gets the signature algorithm {used:#06x}"
        )


@case("tls.certificate.names-host", covers=["rfc9325:7.1#host-name"])
def names_host(lab: TlsLab) -> None:
    """The server's certificate names the host of its URLs (RFC 9110 section 4.3.4)"""
    host = lab.listener.host
    try:
        names = lab.chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        lab.check(False, "it has no subjectAltName")
        return
    if is_address(host):
        found = [str(one) for one in names.get_values_for_type(x509.IPAddress)]
        lab.check(str(ip_address(host)) in found, f"it names {found}, not {host}")
    else:
        hosts = names.get_values_for_type(x509.DNSName)
        lab.check(any(_matches(host.lower(), one.lower()) for one in hosts), f"it names {hosts}, not {host}")


def _matches(host: str, pattern: str) -> bool:
    """A wildcard stands for one whole label, the leftmost (RFC 9525 section 6.3)."""
    if pattern.startswith("*."):
        return host.partition(".")[2] == pattern[2:]
    return host == pattern


@case("tls.certificate.chain-order", covers=["rfc5246:7.4.2#chain-order", "rfc5246:7.4.2#own-first"])
def chain_order(lab: TlsLab) -> None:
    """Each certificate that the server sends is certified by the next one"""
    for below, above in itertools.pairwise(lab.chain):
        said = f"{below.subject.rfc4514_string()!r} is not certified by {above.subject.rfc4514_string()!r}, which follows it"
        try:
            below.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as failure:
            lab.check(False, f"{said}: {type(failure).__name__}")
    # One alone may be a self-signed one that somebody has made in a hurry.
    first_is_ca = len(lab.chain) > 1 and _is_ca(lab.chain[0])
    lab.check(not first_is_ca, "the first certificate is that of a CA", "rfc5246:7.4.2#own-first")


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


@case("tls.client-certificate.unknown", covers=["rfc5246:7.4.6#unacceptable"])
def unknown_client(lab: TlsLab) -> None:
    """A client with a certificate that nobody has issued is answered or refused, and whoever comes next is served"""
    _ = lab.ordinary
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nobody")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - dt.timedelta(hours=1), now + dt.timedelta(hours=1))
    context = client_context(SSL.TLS1_2_VERSION)
    context.use_certificate(builder.sign(key, hashes.SHA256()))
    context.use_privatekey(key)
    host = lab.listener.host
    connection = Connection(lab.listener.dial(), context, host if lab.name else "")
    try:
        connection.handshake()
        reply = connection.request(f"GET / HTTP/1.1\r\nHost: {lab.listener.place}\r\nConnection: close\r\n\r\n".encode("ascii"))
        lab.check(reply.startswith(b"HTTP/"), f"it gets {reply[:80]!r}")
    except Refused as failure:
        lab.check("alert" in str(failure) or "closed" in str(failure), f"it gets {failure}")
    finally:
        connection.close()
    after = lab.ask(client_hello(extensions=lab.usual))
    lab.check(after.hello is not None, f"after it, an ordinary ClientHello gets {after}")


@case("tls.plaintext.refused", covers=["rfc9325:3.2#plaintext"])
def plaintext(lab: TlsLab) -> None:
    """A request in plaintext is not answered with what it asks for"""
    _ = lab.ordinary
    path = "/" + lab.listener.url.partition("://")[2].partition("/")[2]
    request = f"GET {path} HTTP/1.1\r\nHost: {lab.listener.place}\r\nConnection: close\r\n\r\n".encode("ascii")
    wire = lab.listener.dial()
    try:
        wire.send(request)
        reply = wire.receive()
    finally:
        wire.close()
    lab.exchanged(request, reply)
    status = reply.split(b" ", 2)[1:2] if reply.startswith(b"HTTP/") else []
    lab.check(not status or status[0][:1] in (b"3", b"4", b"5"), f"it gets {reply[:80]!r}")
    after = lab.ask(client_hello(extensions=lab.usual))
    lab.check(after.hello is not None, f"after it, an ordinary ClientHello gets {after}")
