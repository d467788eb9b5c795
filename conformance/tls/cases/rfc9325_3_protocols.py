"""RFC 9325 section 3: versions, compression, renegotiation, and the extensions that a server has to know."""

from __future__ import annotations

import ssl

from OpenSSL import SSL

from conformance.case import case
from conformance.examination import Inconclusive, NotApplicable
from conformance.tls.connection import Connection, Refused, client_context, ticket_lifetimes
from conformance.tls.hello import (
    ALPN,
    EXTENDED_MASTER_SECRET,
    FORWARD_SECRET,
    NO_APPLICATION_PROTOCOL,
    PROTOCOL_VERSION,
    RENEGOTIATION_INFO,
    SSL_3,
    STATUS_REQUEST,
    TLS_1_0,
    TLS_1_1,
    TLS_1_2,
    TLS_1_3,
    TRUNCATED_HMAC,
    UNRECOGNIZED_NAME,
    application_protocols,
    client_hello,
    client_hello_1_3,
    server_name,
    vector,
)
from conformance.tls.lab import TlsLab
from conformance.tls.suites import ECDHE_CBC, RSA_KEY_TRANSPORT
from conformance.verdict import Level

LONGEST_TICKET = 604800
"""Seconds: seven days, beyond which RFC 8446 section 4.6.1 lets no ticket live."""
_HTTP = "http/1.1"


@case("tls.version.tls-1-2", covers=["rfc9325:3.1.1#tls-1-2"])
def tls_1_2(lab: TlsLab) -> None:
    """TLS 1.2 is there"""
    answer = lab.ask(client_hello(extensions=lab.usual))
    if answer.hello is None and lab.ask(client_hello_1_3()).hello is None:
        raise Inconclusive(f"neither TLS 1.2 nor TLS 1.3 gets a ServerHello, but {answer}")
    lab.check(answer.hello is not None and answer.hello.version == TLS_1_2, f"TLS 1.2 gets {answer}")


@case("tls.version.tls-1-3", covers=["rfc9325:3.1.1#tls-1-3"])
def tls_1_3(lab: TlsLab) -> None:
    """TLS 1.3 is there"""
    answer = lab.ask(client_hello_1_3(TLS_1_3))
    if answer.hello is None and lab.ask(client_hello(extensions=lab.usual)).hello is None:
        raise Inconclusive(f"neither TLS 1.3 nor TLS 1.2 gets a ServerHello, but {answer}")
    lab.check(answer.hello is not None and answer.hello.version == TLS_1_3, f"TLS 1.3 gets {answer}")


@case("tls.version.prefers-tls-1-3", covers=["rfc9325:3.1.1#tls-1-3-preferred"])
def prefers_tls_1_3(lab: TlsLab) -> None:
    """TLS 1.3 is preferred, whatever order a client names its versions in"""
    if lab.ask(client_hello_1_3(TLS_1_3)).hello is None:
        raise NotApplicable("it does not speak TLS 1.3")
    for versions in ((TLS_1_3, TLS_1_2), (TLS_1_2, TLS_1_3)):
        answer = lab.ask(client_hello_1_3(*versions))
        lab.check(answer.hello is not None and answer.hello.version == TLS_1_3, f"both offered: it chooses {answer}")


def _without_version(name: str, title: str, version: int, requirement: str) -> None:
    def body(lab: TlsLab) -> None:
        answer = lab.refused(
            client_hello(version=version, suites=(*ECDHE_CBC, *RSA_KEY_TRANSPORT, *FORWARD_SECRET), extensions=lab.usual), title
        )
        # Silence and a hang-up refuse as well; the alert that says why is what RFC 5246 section 7.2.2 has for it.
        lab.check(answer.alert in (None, PROTOCOL_VERSION, 40), f"the alert is {answer.alert}, not protocol_version")

    body.__doc__ = f"{title} is refused"
    case(f"tls.version.no-{name}", covers=[requirement])(body)


_without_version("ssl-3", "SSL 3", SSL_3, "rfc9325:3.1.1#ssl-3")
_without_version("tls-1-0", "TLS 1.0", TLS_1_0, "rfc9325:3.1.1#tls-1-0")
_without_version("tls-1-1", "TLS 1.1", TLS_1_1, "rfc9325:3.1.1#tls-1-1")


@case("tls.version.no-ssl-2", covers=["rfc9325:3.1.1#ssl-2"])
def no_ssl_2(lab: TlsLab) -> None:
    """SSL 2 is refused"""
    suites = bytes.fromhex("0100800200800300800400800500800600400700c0")
    body = b"\x01\x00\x02" + len(suites).to_bytes(2, "big") + b"\x00\x00\x00\x10" + suites + bytes(range(16))
    answer = lab.refused(bytes((0x80, len(body))) + body, "SSL 2")
    lab.check(answer.octets[2:3] != b"\x04" or answer.octets[:1] < b"\x80", "it answers with a SERVER-HELLO of SSL 2")


@case("tls.compression.none", covers=["rfc9325:3.3#compression"])
def compression(lab: TlsLab) -> None:
    """Nothing is compressed, though a client offers it"""
    _ = lab.ordinary
    answer = lab.ask(client_hello(extensions=lab.usual, compressions=(1, 0)))
    if answer.hello is None:
        raise Inconclusive(f"a client that offers compression gets {answer}")
    lab.check(answer.hello.compression == 0, f"it chooses compression method {answer.hello.compression}")


@case("tls.renegotiation.indicated", covers=["rfc9325:3.5#renegotiation-info"])
def renegotiation_indicated(lab: TlsLab) -> None:
    """The server has the extension renegotiation_info, whether a client sends it or the cipher suite that stands for it"""
    answer = lab.ordinary
    assert answer.hello is not None
    found = answer.hello.extensions.get(RENEGOTIATION_INFO)
    lab.check(found == b"\x00", f"to the extension it says {_shown(found)}")
    without = {kind: value for kind, value in lab.usual.items() if kind != RENEGOTIATION_INFO}
    other = lab.ask(client_hello(suites=(*FORWARD_SECRET, 0x00FF), extensions=without))
    lab.require(other.hello is not None, f"TLS_EMPTY_RENEGOTIATION_INFO_SCSV gets {other}")
    assert other.hello is not None
    lab.check(other.hello.extensions.get(RENEGOTIATION_INFO) == b"\x00", "to the cipher suite it says nothing")


def _shown(octets: bytes | None) -> str:
    return "nothing" if octets is None else octets.hex()


@case("tls.renegotiation.client-initiated", covers=["rfc9325:3.5#renegotiation-info"])
def renegotiation_by_client(lab: TlsLab) -> None:
    """A client does not make the server go through another handshake, and the connection, or the next one, goes on"""
    assert lab.ordinary.hello is not None
    connection = Connection(lab.listener.dial(), client_context(SSL.TLS1_2_VERSION), _name(lab))
    try:
        lab.sure(connection)
        again = connection.renegotiate()
    finally:
        connection.close()
    # With renegotiation_info it is no hole; it costs the server more than the client.
    lab.check(not again, "a client can have one handshake after another on one connection")
    after = lab.ask(client_hello(extensions=lab.usual))
    lab.check(after.hello is not None, f"after that, an ordinary ClientHello gets {after}")


def _name(lab: TlsLab) -> str:
    return lab.listener.host if lab.name else ""


@case("tls.extended-master-secret.supported", covers=["rfc9325:3.5#extended-master-secret"])
def extended_master_secret(lab: TlsLab) -> None:
    """The extended master secret is agreed on"""
    answer = lab.ordinary
    assert answer.hello is not None
    lab.check(EXTENDED_MASTER_SECRET in answer.hello.extensions, "the ServerHello has no extended_master_secret")


@case("tls.sni.known", covers=["rfc9325:3.7#sni"])
def sni_known(lab: TlsLab) -> None:
    """A client that names the host is served; so is one that names none"""
    if not lab.name:
        raise NotApplicable("the endpoints have an address for a host, which cannot be named (RFC 6066 section 3)")
    named, unnamed = lab.ask(client_hello(extensions=lab.usual)), lab.ask(client_hello())
    if named.hello is None and unnamed.hello is None:
        raise Inconclusive(f"an ordinary ClientHello gets {named}")
    lab.check(named.hello is not None, f"a client that names {lab.listener.host} gets {named}")
    # A server may insist on a name (RFC 6066 section 3): whoever runs clients that have none wants to know it.
    lab.check(unnamed.hello is not None, f"a client that names no host gets {unnamed}", level=Level.MAY)


@case("tls.sni.unknown", covers=["rfc9325:3.7#unknown-name"])
def sni_unknown(lab: TlsLab) -> None:
    """A client that names a host that is not there is told so"""
    _ = lab.ordinary
    answer = lab.ask(client_hello(extensions={**lab.usual, **server_name("unknown.conformance.test")}))
    lab.check(answer.hello is None and answer.alert == UNRECOGNIZED_NAME, f"expected alert {UNRECOGNIZED_NAME}, got {answer}")


@case("tls.alpn.http", covers=["rfc9325:3.8#alpn", "rfc9325:3.9#alpn-deployed"])
def alpn(lab: TlsLab) -> None:
    """A client that offers HTTP/1.1 by ALPN is told that it is HTTP/1.1"""
    _ = lab.ordinary
    answer = lab.ask(client_hello(extensions={**lab.usual, **application_protocols("none.example", _HTTP)}))
    if answer.hello is None:
        lab.check(False, f"a client that offers {_HTTP} among others gets {answer}")
        return
    chosen = answer.hello.extensions.get(ALPN)
    lab.check(chosen == application_protocols(_HTTP)[ALPN], f"it says {_shown(chosen)} to ALPN")


@case("tls.alpn.no-overlap", covers=["rfc9325:3.8#no-overlap"])
def alpn_no_overlap(lab: TlsLab) -> None:
    """A client that offers by ALPN only what the server has not is told so"""
    answer = lab.refused(
        client_hello(extensions={**lab.usual, **application_protocols("none.example")}), "a client that offers none.example alone"
    )
    lab.check(answer.alert == NO_APPLICATION_PROTOCOL, f"expected alert {NO_APPLICATION_PROTOCOL}, got {answer}")


@case("tls.truncated-hmac.none", covers=["rfc9325:4.6#truncated-hmac"])
def truncated_hmac(lab: TlsLab) -> None:
    """The HMAC is not truncated, though a client offers it"""
    _ = lab.ordinary
    answer = lab.ask(client_hello(extensions={**lab.usual, TRUNCATED_HMAC: b""}))
    if answer.hello is None:
        raise Inconclusive(f"a client that offers truncated_hmac gets {answer}")
    lab.check(TRUNCATED_HMAC not in answer.hello.extensions, "the ServerHello has truncated_hmac")


@case("tls.status-request.stapled", covers=["rfc9325:7.5#stapling"])
def stapled(lab: TlsLab) -> None:
    """A client that asks for the status of the server's certificate gets it in the handshake"""
    _ = lab.ordinary
    answer = lab.ask(client_hello(extensions={**lab.usual, STATUS_REQUEST: b"\x01" + vector(2) + vector(2)}))
    if answer.hello is None:
        raise Inconclusive(f"a client that asks for the status gets {answer}")
    lab.check(answer.stapled, "there is no CertificateStatus")


@case("tls.session.ticket-lifetime", covers=["rfc9325:3.4#ticket-validity"])
def ticket_lifetime(lab: TlsLab) -> None:
    """A session ticket lives for a week at most"""
    found, refusals = list[int](), list[str]()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        try:
            found += ticket_lifetimes(lab.listener.dial(), lab.listener.host, version)
        except Refused as failure:
            refusals.append(str(failure))
    if len(refusals) == 2:
        raise Inconclusive("; ".join(refusals))
    if not found:
        raise NotApplicable("it gives no session tickets")
    for seconds in found:
        lab.check(seconds <= LONGEST_TICKET, f"a ticket lives for {seconds} seconds")


@case("tls.early-data.none", covers=["rfc9325:3.10#early-data"], needs=["sslyze"])
def early_data(lab: TlsLab) -> None:
    """Nothing is taken before the handshake has ended where the protocol does not say that this is safe, as ACME alone does"""
    others = [protocol for protocol in lab.listener.protocols if protocol != "acme"]
    if not others:
        raise NotApplicable("ACME alone is behind it, and RFC 8555 section 6.1 allows early data")
    accepted = lab.scan.of("tls_1_3_early_data")["supports_early_data"]
    lab.check(accepted is False, f"early data are accepted; {', '.join(others)} do not say that this is safe")
