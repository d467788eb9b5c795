"""Each piece of evidence notices the one thing that is wrong."""

from __future__ import annotations

import datetime
import http.server
import json
import threading
from base64 import encodebytes

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from josepy import jwa, jwk, jws

from interop.evidence import account, keys
from interop.evidence.certificate import Held, examine
from interop.evidence.revocation import in_crl


def failed(checks):
    return [check.name for check in checks if not check.ok]


def test_all_is_well(ca):
    certificate, checks = examine(ca.held("a.test", "127.0.0.1"), anchors=ca.anchors, names=["127.0.0.1", "a.test"], key="ec256")
    assert certificate is not None
    assert len(checks) == 6
    assert failed(checks) == []


def test_another_ca(ca, make_ca):
    checks = examine(ca.held("a.test"), anchors=make_ca("other").anchors, names=["a.test"], key="ec256")[1]
    assert failed(checks) == ["openssl verify accepts it"]


def test_another_name(ca):
    assert failed(examine(ca.held("a.test"), anchors=ca.anchors, names=["b.test"], key="ec256")[1]) == ["names as asked"]


def test_one_name_too_many(ca):
    assert failed(examine(ca.held("a.test", "b.test"), anchors=ca.anchors, names=["a.test"], key="ec256")[1]) == [
        "names as asked"
    ]


def test_another_key(ca):
    assert failed(examine(ca.held("a.test", other_key=True), anchors=ca.anchors, names=["a.test"], key="ec256")[1]) == [
        "key is the client's"
    ]


def test_no_key(ca):
    held = Held(ca.held("a.test").certificate, None, None)
    assert failed(examine(held, anchors=ca.anchors, names=["a.test"], key="ec256")[1]) == ["key is the client's"]


def test_another_kind_of_key(ca):
    assert failed(examine(ca.held("a.test"), anchors=ca.anchors, names=["a.test"], key="rsa2048")[1]) == ["key kind as asked"]


def test_expired(ca):
    held = ca.held("a.test", life=datetime.timedelta(hours=1))
    assert failed(examine(held, anchors=ca.anchors, names=["a.test"], key="ec256")[1]) == [
        "openssl verify accepts it",
        "valid now",
    ]


@pytest.mark.parametrize("octets", [b"", b"noise", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_no_certificate_at_all(ca, tmp_path, octets):
    (tmp_path / "c.pem").write_bytes(octets)
    certificate, checks = examine(Held(tmp_path / "c.pem", None, None), anchors=ca.anchors, names=[], key="ec256")
    assert certificate is None
    assert failed(checks) == ["certificate parses"]


class Files(http.server.BaseHTTPRequestHandler):
    files: dict[str, bytes] = {}  # noqa: RUF012 - each server has a subclass of its own

    def do_GET(self):
        self.send_response(200 if self.path in self.files else 404)
        self.end_headers()
        self.wfile.write(self.files.get(self.path, b""))

    def log_message(self, format, *args):
        pass


@pytest.fixture
def publish():
    """Serve files on loopback; gives the base URL and the files."""
    kind = type("OneFiles", (Files,), {"files": {}})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", kind.files
        server.shutdown()
        thread.join()


def crl(ca, serials, signer=None, reason=None):
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.name)
        .last_update(ca.now)
        .next_update(ca.now + datetime.timedelta(days=1))
    )
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(ca.now)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(signer or ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    ("make", "reason", "wrong"),
    [
        (lambda ca, serial: crl(ca, [serial]), "unspecified", []),
        (lambda ca, serial: crl(ca, [serial], reason=x509.ReasonFlags.key_compromise), "keyCompromise", []),
        (lambda ca, serial: crl(ca, [serial]), "keyCompromise", ["CRL lists it as revoked"]),
        (lambda ca, serial: crl(ca, [serial + 1]), "unspecified", ["CRL lists it as revoked"]),
        (
            lambda ca, serial: crl(ca, [serial], ec.generate_private_key(ec.SECP256R1())),
            "unspecified",
            ["CRL is signed by the issuer"],
        ),
        (lambda ca, serial: b"noise", "unspecified", ["CRL can be fetched"]),
        (lambda ca, serial: None, "unspecified", ["CRL can be fetched"]),
    ],
)
def test_crl(ca, publish, make, reason, wrong):
    base, files = publish
    certificate = x509.load_pem_x509_certificate(ca.held("a.test", crl=f"{base}/ca.crl").certificate.read_bytes())
    if (octets := make(ca, certificate.serial_number)) is not None:
        files["/ca.crl"] = octets
    assert failed(in_crl(certificate, [ca.certificate], reason)) == wrong


def test_a_certificate_that_points_to_no_crl(ca):
    certificate = x509.load_pem_x509_certificate(ca.held("a.test").certificate.read_bytes())
    assert failed(in_crl(certificate, [ca.certificate], "unspecified")) == ["certificate points to a CRL"]


def without_leading_zeros() -> bytes:
    """The scalar 1 in one octet, where RFC 5915 section 3 has 32."""
    form = serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    der = ec.derive_private_key(1, ec.SECP256R1()).private_bytes(*form)
    body = der[2:].replace(b"\x04\x20" + bytes(31) + b"\x01", b"\x04\x01\x01")
    text = encodebytes(bytes([0x30, len(body)]) + body).decode()
    return f"-----BEGIN EC PRIVATE KEY-----\n{text}-----END EC PRIVATE KEY-----\n".encode()


def test_a_key_that_is_written_down_wrongly_is_a_key_still(tmp_path):
    (tmp_path / "key.pem").write_bytes(without_leading_zeros())
    key, wrong = keys.read(tmp_path / "key.pem")
    assert key.private_numbers().private_value == 1
    assert "too short" in wrong
    (tmp_path / "key.pem").write_text("noise")
    with pytest.raises(ValueError, match=r"PEM"):
        keys.read(tmp_path / "key.pem")


KEYS = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
}


@pytest.mark.parametrize("alg", KEYS)
def test_the_harness_signs_as_an_independent_library_reads_it(alg):
    key = KEYS[alg]
    signed = jws.JWS.from_json(json.loads(account.sign(key, {"jwk": account.jwk_of(key)}, b"{}")))
    other = jwk.JWKRSA if alg == "RS256" else jwk.JWKEC
    assert signed.signatures[0].combined.alg == getattr(jwa, alg)
    assert signed.verify(other(key=key.public_key()))


@pytest.mark.parametrize("alg", KEYS)
def test_account_keys_are_read_as_clients_write_them(alg, tmp_path):
    key = KEYS[alg]
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    (tmp_path / "account.key").write_bytes(pem)
    (tmp_path / "private_key.json").write_text((jwk.JWKRSA if alg == "RS256" else jwk.JWKEC)(key=key).json_dumps())
    for file in ("account.key", "private_key.json"):
        assert account.load_key(tmp_path / file).private_numbers() == key.private_numbers()
