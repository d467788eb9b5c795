"""How the examiner reads OCSP and CRLs, and where it asks: what no case of the server's own can show."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp as other
from msgspec.structs import replace

from conformance.kill_matrix import NOTICED
from conformance.protocols import load
from conformance.status import crl, ocsp
from conformance.status.client import Client
from conformance.status.session import StatusSession
from conformance.status.signatures import UnknownAlgorithm, verifies
from conformance.status.strict import generalized_time, utc_time, violations
from conformance.status.stubs import TARGET
from conformance.target import StatusTarget, Target, TargetError, given
from conformance.transport import HttpResponse

ISSUER = ocsp.Issuer(b"\x30\x00", bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + bytes(range(64)))


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        ("3003020105", ""),
        ("308103020105", "a length"),
        ("3080020105" + "0000", "indefinite"),
        ("30040202007f", "an INTEGER"),
        ("30040202ff80", "an INTEGER"),
        ("3003010101", "a BOOLEAN"),
        ("3008060155" + "010100" + "0400", "the default"),
        ("3003020105" + "00", "follow"),
        ("", "end in the midst"),
    ],
)
def test_what_is_no_der_is_told(octets, said):
    found = violations(bytes.fromhex(octets))
    assert (said in found[0]) if said else (found == [])


@pytest.mark.parametrize(
    "text", ["20261130031405", "20261130031405.5Z", "202611300314Z", "20261330031405Z", "20261130031405+0000"]
)
def test_a_generalized_time_that_rfc_5280_does_not_allow_is_none(text):
    assert generalized_time(text) is None


def test_times():
    assert generalized_time("20501130031405Z") == datetime(2050, 11, 30, 3, 14, 5, tzinfo=UTC)
    assert utc_time("491231235959Z") == datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert utc_time("500101000000Z") == datetime(1950, 1, 1, tzinfo=UTC)
    assert utc_time("5001010000Z") is None
    assert not crl.Time("generalTime", "20261130031405Z").right
    assert crl.Time("generalTime", "20501130031405Z").right


def test_another_parser_reads_a_request_in_the_same_way():
    octets = ocsp.request([ocsp.CertId.of(ISSUER, 2**150, "sha256")], carried=[ocsp.nonce_extension(b"n" * 32)])
    assert violations(octets) == []
    read = other.load_der_ocsp_request(octets)
    assert (read.serial_number, read.hash_algorithm.name) == (2**150, "sha256")
    assert read.issuer_key_hash == ocsp.CertId.of(ISSUER, 1, "sha256").key_hash
    assert read.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 32


def test_what_is_no_response_says_what_it_is():
    for octets in (b"", b"garbage", b"\x30\x03\x0a\x01\x01\x00"):
        with pytest.raises(ocsp.NotOcsp):
            ocsp.response(octets)
    refused = ocsp.response(b"\x30\x03\x0a\x01\x06")
    assert (refused.said, refused.has_bytes) == ("unauthorized", False)
    with pytest.raises(ocsp.NotOcsp, match="absent"):
        refused.basic()
    with pytest.raises(crl.NotCrl):
        crl.crl(b"garbage")


def spki(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_a_signature_of_another_kind_than_the_key_is_wrong_and_an_unknown_one_is_not_judged():
    key = ec.generate_private_key(ec.SECP256R1())
    signature = key.sign(b"data", ec.ECDSA(hashes.SHA256()))
    with_sha256, rsa_with_sha256 = "1.2.840.10045.4.3.2", "1.2.840.113549.1.1.11"
    assert verifies(spki(key), with_sha256, b"", signature, b"data")
    assert not verifies(spki(key), with_sha256, b"", signature, b"date")
    assert not verifies(spki(key), rsa_with_sha256, b"", signature, b"data")
    assert not verifies(spki(rsa.generate_private_key(65537, 2048)), with_sha256, b"", signature, b"data")
    with pytest.raises(UnknownAlgorithm):
        verifies(spki(key), "1.2.3", b"", signature, b"data")
    with pytest.raises(UnknownAlgorithm):
        verifies(b"no key", with_sha256, b"", signature, b"data")


def test_what_stands_in_certificates_is_asked_where_it_is_reached():
    client = Client(None, "http://here/ocsp/", {"http://there/": "http://here/faults/x/"}, lambda reply: None)
    assert client.where("http://there/crl/a.crl") == "http://here/faults/x/crl/a.crl"
    assert client.where("http://elsewhere/crl/a.crl") == "http://elsewhere/crl/a.crl"


class Recording:
    def __init__(self):
        self.requests = []

    def exchange(self, request):
        self.requests.append(request)
        return HttpResponse(200, (), b"", request)


def test_a_request_by_get_has_no_character_that_means_something_in_a_url():
    recording = Recording()
    Client(recording, "http://here/ocsp/", {}, lambda reply: None).get(b"\xff\xff\xfb\xef\xbe\x00")
    assert recording.requests[0].url == "http://here/ocsp/%2F%2F%2F7774A"


def test_bare_urls():
    target = given(ocsp="http://here/ocsp", crl="http://here/a.crl", issuer="ca.pem", good="good.pem")
    assert target.status == StatusTarget(ocsp="http://here/ocsp", crl="http://here/a.crl", issuer="ca.pem", good="good.pem")
    assert target.endpoints == {"status": "http://here/ocsp"}
    assert given(crl="http://here/a.crl", issuer="ca.pem").endpoints == {"status": "http://here/a.crl"}
    with pytest.raises(TargetError, match="--issuer"):
        given(ocsp="http://here/ocsp")


def test_an_acme_server_without_a_word_on_challenges_is_refused():
    status = StatusTarget(ocsp="http://here/ocsp", issuer="ca.pem", directory="https://here/directory")
    with pytest.raises(TargetError, match="always_valid"), StatusSession(Target(status=status), transport=Recording()):
        pass


def test_what_a_run_was_not_given_is_not_held_against_the_server():
    cases = load()
    without = replace(TARGET, status=replace(TARGET.status, crl="", good=""))
    with StatusSession(without, transport=Recording()) as session:
        assert session.examine(cases["status.crl.version"]).verdict == "not-applicable"
        # Neither a file nor a way to have a certificate issued.
        assert session.examine(cases["status.state.good"]).verdict not in NOTICED
