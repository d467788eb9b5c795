"""The cases of TLS without sockets: our server's settings keep what they examine, and servers that do one thing wrong do not."""

from __future__ import annotations

import datetime as dt
import ssl
from functools import cache
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from conformance.case import REGISTRY
from conformance.examination import Examination, NotApplicable, examine
from conformance.tls.cases import load
from conformance.tls.hello import TLS_1_0, TLS_1_2, TLS_1_3, ask, client_hello, client_hello_1_3, number, vector
from conformance.tls.lab import TlsLab
from conformance.tls.scan import Scan, ScanFailed, Scanner, read
from conformance.tls.wire import Listener, listeners
from conformance.verdict import Verdict
from privca.web.tls import _context

load()
CASES = {id: case for id, case in REGISTRY.items() if id.startswith("tls.") and not id.startswith("tls.sslyze.")}
HOST = "ca.example.test"
NOW = dt.datetime.now(dt.UTC)
KNOWN = {"tls.sni.unknown": Verdict.WARN, "tls.status-request.stapled": Verdict.WARN}
"""What our server does not do."""


def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


@cache
def pki(*, key="P-256", host=HOST, digest="sha256"):
    """A root, and a certificate and key of a server."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    make = {
        "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "RSA": lambda: rsa.generate_private_key(65537, 2048),
    }[key]
    own = make()
    days = dt.timedelta(days=1)
    root = (
        x509.CertificateBuilder(name("Root"), name("Root"), root_key.public_key(), 1, NOW - days, NOW + days)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(root_key, hashes.SHA256())
    )
    general = x509.DNSName(host) if not host[0].isdigit() else x509.IPAddress(ip_address(host))
    leaf = (
        x509.CertificateBuilder(name("Root"), name("server"), own.public_key(), 2, NOW - days, NOW + days)
        .add_extension(x509.SubjectAlternativeName([general]), False)
        .sign(root_key, {"sha256": hashes.SHA256(), "sha384": hashes.SHA384()}[digest])
    )
    return root, leaf, own


class MemoryWire:
    """A connection to a server of OpenSSL in the same process, which answers every request with a line."""

    def __init__(self, context):
        self.tls = SSL.Connection(context, None)
        self.tls.set_accept_state()
        self.open, self.done = True, False

    def send(self, octets):
        if not self.open:
            return
        self.tls.bio_write(octets)
        try:
            if not self.done:
                self.tls.do_handshake()
                self.done = True
            self.tls.recv(1 << 14)
            self.tls.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except SSL.WantReadError:
            pass
        except (SSL.Error, SSL.ZeroReturnError):
            self.open = False

    def receive(self):
        try:
            return self.tls.bio_read(1 << 14)
        except SSL.WantReadError:
            return b""

    def close(self):
        pass


def ours(**which):
    root, leaf, key = pki(**which)
    context = _context([leaf, root], key)
    return lambda: MemoryWire(context)


def lax(change=lambda context: None, *, chain=None, ciphers=b"ALL:@SECLEVEL=0", **which):
    """A server that takes what OpenSSL takes, and ``change`` more."""
    root, leaf, key = pki(**which)
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_cipher_list(ciphers)
    context.set_min_proto_version(SSL.TLS1_VERSION)
    first, *rest = chain or (leaf, root)
    context.use_certificate(first)
    for one in rest:
        context.add_extra_chain_cert(one)
    context.use_privatekey(key)
    change(context)
    return lambda: MemoryWire(context)


class Scripted:
    """Says the same to everything."""

    def __init__(self, octets):
        self.left = [octets]

    def send(self, octets):
        pass

    def receive(self):
        return self.left.pop() if self.left else b""

    def close(self):
        pass


def says(*, version=TLS_1_2, suite=0xC02B, compression=0, extensions=b"", more=b""):
    """A server that always says one ServerHello."""
    body = number(version, 2) + bytes(32) + vector(1) + number(suite, 2) + bytes((compression,))
    body += vector(2, extensions) if extensions else b""
    messages = b"\x02" + vector(3, body) + more + b"\x0e" + vector(3)
    return lambda: Scripted(b"\x16\x03\x03" + vector(2, messages))


def examined(id, dial, *, host=HOST, protocols=("acme", "est")):
    case = REGISTRY[id]
    examination = Examination(case)
    listener = Listener(host, 443, f"https://{host}/directory", protocols, dial)
    return examine(examination, TlsLab(listener, examination, Scanner(reachable=False)), frozenset(), (ScanFailed,))


@pytest.mark.parametrize("id", sorted(CASES))
@pytest.mark.parametrize("key", ["P-256", "RSA"])
def test_our_server(id, key):
    result = examined(id, ours(key=key))
    wanted = (KNOWN[id],) if id in KNOWN else (Verdict.PASS, Verdict.NOT_APPLICABLE)
    assert result.verdict in wanted, result.detail


def test_most_cases_say_something_of_our_server():
    verdicts = [examined(id, ours()).verdict for id in CASES]
    assert verdicts.count(Verdict.PASS) > 30


def only(version):
    return lambda context: (context.set_min_proto_version(version), context.set_max_proto_version(version))


def renegotiates(context):
    only(SSL.TLS1_2_VERSION)(context)
    context.set_options(0x100)  # SSL_OP_ALLOW_CLIENT_RENEGOTIATION, which pyOpenSSL has no name for


RSA_SUITES = b"AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"
DHE_SUITES = b"DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"


@pytest.mark.parametrize(
    ("id", "dial", "verdict"),
    [
        ("tls.version.tls-1-2", lax(only(SSL.TLS1_3_VERSION)), Verdict.FAIL),
        ("tls.version.tls-1-3", lax(only(SSL.TLS1_2_VERSION)), Verdict.WARN),
        ("tls.version.no-tls-1-0", lax(), Verdict.FAIL),
        ("tls.version.no-tls-1-1", lax(), Verdict.FAIL),
        ("tls.version.no-ssl-3", says(version=0x0300), Verdict.FAIL),
        ("tls.compression.none", says(compression=1), Verdict.WARN),
        ("tls.renegotiation.indicated", says(), Verdict.FAIL),
        ("tls.renegotiation.client-initiated", lax(renegotiates), Verdict.FAIL),
        ("tls.extended-master-secret.supported", says(), Verdict.FAIL),
        ("tls.sni.unknown", lax(), Verdict.WARN),
        ("tls.alpn.http", lax(), Verdict.FAIL),
        ("tls.alpn.no-overlap", lax(), Verdict.FAIL),
        ("tls.truncated-hmac.none", says(extensions=number(4, 2) + vector(2)), Verdict.FAIL),
        ("tls.suite.no-cbc", lax(), Verdict.WARN),
        ("tls.suite.no-rsa-key-transport", lax(key="RSA"), Verdict.WARN),
        ("tls.suite.no-mandatory-of-tls-1-2", lax(key="RSA"), Verdict.WARN),
        ("tls.suite.forward-secrecy", lax(key="RSA", ciphers=RSA_SUITES), Verdict.FAIL),
        ("tls.suite.preferred", lax(key="RSA", ciphers=RSA_SUITES), Verdict.FAIL),
        ("tls.suite.stronger", lax(ciphers=b"ECDHE+AESGCM"), Verdict.WARN),
        ("tls.suite.recommended", says(suite=0xC009), Verdict.PASS),
        ("tls.suite.recommended", lax(ciphers=b"ECDHE-ECDSA-CHACHA20-POLY1305"), Verdict.WARN),
        ("tls.suite.no-null", says(suite=1), Verdict.FAIL),
        ("tls.suite.no-rc4", says(suite=4), Verdict.FAIL),
        ("tls.suite.no-export", says(suite=3), Verdict.FAIL),
        ("tls.suite.no-triple-des", says(suite=10), Verdict.WARN),
        ("tls.suite.no-static-dh", says(suite=0x30), Verdict.WARN),
        ("tls.suite.no-static-ecdh", says(suite=0xC004), Verdict.WARN),
        ("tls.suite.no-dhe", says(suite=0x33), Verdict.WARN),
        ("tls.group.curves", says(), Verdict.WARN),
        ("tls.group.none-small", says(), Verdict.FAIL),
        (
            "tls.dh.size",
            says(more=b"\x0c" + vector(3, vector(2, b"\xff" * 128) + vector(2, b"\x02") + vector(2, b"x"))),
            Verdict.FAIL,
        ),
        (
            "tls.dh.fresh",
            says(more=b"\x0c" + vector(3, vector(2, b"\xff" * 256) + vector(2, b"\x02") + vector(2, b"x"))),
            Verdict.WARN,
        ),
        ("tls.certificate.curve", lax(key="P-384"), Verdict.WARN),
        ("tls.certificate.names-host", lax(host="other.example.test"), Verdict.FAIL),
        ("tls.plaintext.refused", says(), Verdict.PASS),
    ],
)
def test_what_is_wrong_is_noticed(id, dial, verdict):
    result = examined(id, dial)
    assert result.verdict is verdict, result.detail


def test_a_server_that_wants_a_name_and_one_that_takes_none():
    root, leaf, key = pki()
    context = _context([leaf, root], key)

    class Picky(MemoryWire):
        def __init__(self, wants):
            super().__init__(context)
            self.wants = wants

        def send(self, octets):
            self.open = self.open and (HOST.encode() in octets) is self.wants
            super().send(octets)

    assert examined("tls.sni.known", lambda: Picky(True)).verdict is Verdict.INFO
    assert examined("tls.sni.known", lambda: Picky(False)).verdict is Verdict.FAIL


def test_the_chain_has_an_order():
    root, leaf, _ = pki()
    other, _, _ = pki(key="P-384")
    assert examined("tls.certificate.chain-order", lax(chain=(leaf, other))).verdict is Verdict.FAIL
    assert examined("tls.certificate.chain-order", lax(chain=(leaf, root))).verdict is Verdict.PASS


def test_an_address_is_named_as_an_address():
    assert examined("tls.certificate.names-host", ours(host="127.0.0.1"), host="127.0.0.1").verdict is Verdict.PASS
    assert examined("tls.certificate.names-host", ours(host="127.0.0.2"), host="127.0.0.1").verdict is Verdict.FAIL


def test_the_server_comes_first():
    root, leaf, key = pki()
    context = _context([leaf, root], key)
    assert examined("tls.certificate.chain-order", lambda: MemoryWire(context)).issued == ()
    both = x509.CertificateBuilder(name("Root"), name("server"), key.public_key(), 3, NOW, NOW + dt.timedelta(days=1))
    own_ca = both.add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    assert examined("tls.certificate.chain-order", lax(chain=(own_ca, root))).verdict is Verdict.FAIL
    assert examined("tls.certificate.chain-order", lax(chain=(own_ca,))).verdict is Verdict.PASS


def test_a_server_of_tls_1_3_alone_is_no_failure_of_what_concerns_tls_1_2():
    dial = lax(only(SSL.TLS1_3_VERSION))
    assert examined("tls.extended-master-secret.supported", dial).verdict is Verdict.NOT_APPLICABLE
    assert examined("tls.version.no-tls-1-0", dial).verdict is Verdict.PASS


def test_nothing_is_concluded_of_a_server_that_hangs_up():
    passed = [id for id in CASES if examined(id, lambda: Scripted(b"")).verdict is Verdict.PASS]
    assert passed == []


def test_plaintext_that_is_answered_is_noticed():
    class Both(MemoryWire):
        def send(self, octets):
            if octets.startswith(b"GET "):
                self.receive = lambda: b"HTTP/1.1 200 OK\r\n\r\n{}"
            else:
                super().send(octets)

    root, leaf, key = pki()
    context = _context([leaf, root], key)
    assert examined("tls.plaintext.refused", lambda: Both(context)).verdict is Verdict.FAIL


def test_a_long_ticket_is_noticed():
    result = examined("tls.session.ticket-lifetime", lax())
    assert result.verdict is Verdict.PASS
    assert examined("tls.session.ticket-lifetime", ours()).verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE)


# -- the hello -------------------------------------------------------------------------------------------------------------


def test_what_a_server_says_in_clear_is_read():
    root, leaf, _ = pki()
    answer = ask(ours()(), client_hello())
    assert (answer.hello.version, answer.hello.compression, answer.alert) == (TLS_1_2, 0, None)
    assert answer.chain == [one.public_bytes(Encoding.DER) for one in (leaf, root)]
    assert answer.key_exchange[:1] == b"\x03"
    assert ask(ours()(), client_hello_1_3()).hello.version == TLS_1_3
    assert ask(ours()(), client_hello(version=TLS_1_0)).alert == 70


@pytest.mark.parametrize(
    "octets", [b"", b"\x16", b"\x16\x03\x03\x00\x04\x02\x00\x00\x00", b"\x15\x03\x03\x00\x01\x02", bytes(range(256))]
)
def test_what_is_no_hello_is_none(octets):
    assert ask(Scripted(octets), client_hello()).hello is None


def test_python_itself_takes_the_hello():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(inward, outward, server_side=True)
    inward.write(client_hello())
    with pytest.raises(ssl.SSLError, match="NO_SHARED_CIPHER"):  # it has no certificate; but it has read everything
        server.do_handshake()


def test_listeners_are_found_once():
    found = listeners(
        {"acme": "https://a.test/x", "est": "https://a.test:443/y", "scep": "http://a.test/", "cmp": "https://[::1]:8443/z"}
    )
    assert [(one.place, one.protocols) for one in found] == [("a.test:443", ("acme", "est")), ("[::1]:8443", ("cmp",))]


# -- sslyze ----------------------------------------------------------------------------------------------------------------


def done(**result):
    return {"status": "COMPLETED", "result": result}


def suites(*names):
    return done(accepted_cipher_suites=[{"cipher_suite": {"name": name}} for name in names])


RIGHT = {
    **{f"{version}_cipher_suites": suites() for version in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1")},
    "tls_1_2_cipher_suites": suites("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    "tls_1_3_cipher_suites": suites("TLS_AES_256_GCM_SHA384"),
    "tls_compression": done(supports_compression=False),
    "tls_1_3_early_data": done(supports_early_data=False),
    "session_renegotiation": done(
        supports_secure_renegotiation=True, is_vulnerable_to_client_renegotiation_dos=False, client_renegotiations_success_count=0
    ),
    "tls_extended_master_secret": done(supports_ems_extension=True),
    "elliptic_curves": done(supported_curves=[{"name": "X25519"}, {"name": "secp256r1"}]),
    "heartbleed": done(is_vulnerable_to_heartbleed=False),
    "robot": done(robot_result="NOT_VULNERABLE_RSA_NOT_SUPPORTED"),
    "openssl_ccs_injection": done(is_vulnerable_to_ccs_injection=False),
}
SSLYZE = sorted({id for id in REGISTRY if id.startswith("tls.sslyze.")} | {"tls.early-data.none"})


def judged(id, *, protocols=("acme", "est"), **changed):
    class Known(Scanner):
        def scan(self, listener):
            return Scan({**RIGHT, **changed})

    examination = Examination(REGISTRY[id])
    listener = Listener(HOST, 443, f"https://{HOST}/", protocols, lambda: Scripted(b""))
    return examine(examination, TlsLab(listener, examination, Known()), frozenset(), (ScanFailed,)).verdict


@pytest.mark.parametrize("id", SSLYZE)
def test_a_good_scan_passes(id):
    assert judged(id) is Verdict.PASS


@pytest.mark.parametrize(
    ("id", "changed", "verdict"),
    [
        ("tls.sslyze.versions", {"tls_1_0_cipher_suites": suites("TLS_RSA_WITH_AES_128_CBC_SHA")}, Verdict.FAIL),
        ("tls.sslyze.versions", {"tls_1_3_cipher_suites": suites()}, Verdict.WARN),
        ("tls.sslyze.suites", {"tls_1_2_cipher_suites": suites("TLS_RSA_WITH_RC4_128_SHA")}, Verdict.FAIL),
        ("tls.sslyze.suites", {"tls_1_2_cipher_suites": suites("TLS_RSA_WITH_AES_128_GCM_SHA256")}, Verdict.WARN),
        ("tls.sslyze.compression", {"tls_compression": done(supports_compression=True)}, Verdict.WARN),
        ("tls.sslyze.extended-master-secret", {"tls_extended_master_secret": done(supports_ems_extension=False)}, Verdict.FAIL),
        ("tls.sslyze.curves", {"elliptic_curves": done(supported_curves=[{"name": "X25519"}])}, Verdict.WARN),
        ("tls.sslyze.compression", {"tls_compression": done()}, Verdict.INCONCLUSIVE),
        ("tls.sslyze.attacks", {"heartbleed": done(is_vulnerable_to_heartbleed=True)}, Verdict.FAIL),
        ("tls.sslyze.attacks", {"robot": done(robot_result="VULNERABLE_STRONG_ORACLE")}, Verdict.FAIL),
        ("tls.early-data.none", {"tls_1_3_early_data": done(supports_early_data=True)}, Verdict.FAIL),
        (
            "tls.sslyze.renegotiation",
            {
                "session_renegotiation": done(
                    supports_secure_renegotiation=False,
                    is_vulnerable_to_client_renegotiation_dos=True,
                    client_renegotiations_success_count=10,
                )
            },
            Verdict.FAIL,
        ),
        (
            "tls.sslyze.compression",
            {"tls_compression": {"status": "ERROR", "error_reason": "BUG_IN_SSLYZE"}},
            Verdict.INCONCLUSIVE,
        ),
    ],
)
def test_a_bad_scan_does_not(id, changed, verdict):
    assert judged(id, **changed) is verdict


def test_early_data_are_acmes_to_allow():
    assert judged("tls.early-data.none", protocols=("acme",)) is Verdict.NOT_APPLICABLE


def test_without_sslyze_its_cases_say_what_to_do():
    result = examined("tls.sslyze.versions", ours())
    assert result.verdict is Verdict.NOT_APPLICABLE
    assert "run --install-tools" in result.detail
    with pytest.raises(NotApplicable):
        Scanner(reachable=False).scan(Listener(HOST, 443, "", (), lambda: Scripted(b"")))


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        "{}",
        '{"server_scan_results": []}',
        '{"server_scan_results": [{"scan_status": "ERROR_NO_CONNECTIVITY", "scan_result": null}]}',
    ],
)
def test_what_is_no_scan_is_none(document):
    with pytest.raises(ScanFailed):
        read(document)
