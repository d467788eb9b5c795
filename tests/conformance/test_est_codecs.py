"""The EST examiner's reading of replies, its Digest, and what it keeps out of reports."""

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from conformance import expected, results
from conformance.est import authorization, csr, replies, template
from conformance.est.replies import Unreadable
from conformance.est.session import EstSession
from conformance.protocols import load
from conformance.target import EstTarget, Target
from conformance.transport import HttpRequest, HttpResponse

URL = "https://ca.example.test/.well-known/est"


def test_schemes_are_found_whether_in_one_field_or_in_several():
    one = ['Basic realm="a, b", Digest realm="c", nonce="n", qop="auth"']
    assert authorization.schemes(one) == ["basic", "digest"]
    assert authorization.schemes(['Digest realm="c"', 'Bearer realm="d"']) == ["digest", "bearer"]
    assert authorization.schemes([]) == []


def test_digest_is_that_of_the_rfc():
    # RFC 7616 section 3.9.1 has the same user, password and resource; the client's nonce is random here, so the answer is computed again.
    challenge = authorization.digest_challenge(
        ['Digest realm="r", qop="auth, auth-int", algorithm=SHA-256, nonce="n", opaque="o"']
    )
    answer = challenge.answer("Mufasa", "Circle of Life", "GET", "/dir/index.html")
    assert 'opaque="o"' in answer
    assert "algorithm=SHA-256" in answer
    assert authorization.digest_challenge(['Digest realm="r", nonce="n", algorithm=SHA-512-256']) is None
    assert authorization.digest_challenge(['Digest realm="r", nonce="n", qop="auth-int"']) is None
    assert authorization.digest_challenge(['Basic realm="r"']) is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b" \r\n\t", id="white space alone"),
        pytest.param(b"MAA=\0", id="an octet behind"),
        pytest.param(b"-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n", id="PEM"),
        pytest.param(b"\x30\x00", id="DER"),
        pytest.param(b"MA-_", id="the URL alphabet"),
        pytest.param(b"MAA", id="without padding"),
    ],
)
def test_what_is_no_base64_is_unreadable(body):
    with pytest.raises(Unreadable):
        replies.unspelled(body)


def test_white_space_counts_for_nothing():
    assert replies.unspelled(b" M\r\nA\tA=\n") == b"0\0"


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param("3000", id="no version"),
        pytest.param("30050201003000", id="no attributes"),
        pytest.param("3007020100a000a100", id="a key without an algorithm"),
        pytest.param("30070201003100a100", id="a SET for a subject"),
        pytest.param("3005020100a100ff", id="something behind"),
    ],
)
def test_what_is_no_template_is_unreadable(octets):
    with pytest.raises(Unreadable):
        template.parse(bytes.fromhex(octets))


def test_a_template_with_nothing_in_it():
    found = template.parse(bytes.fromhex("3005020100a100"))
    assert (found.subject, found.algorithm, found.public_key, found.attributes) == (None, None, None, ())


class KeyMaker:
    """A server that hands the same private key to everybody."""

    def __init__(self):
        key = csr.new_key()
        self.key = b64encode(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))

    def exchange(self, request: HttpRequest) -> HttpResponse:
        parts = [b"Content-Type: application/pkcs8\r\n\r\n" + self.key, b"Content-Type: application/pkcs7-mime\r\n\r\nMAA="]
        body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"
        return HttpResponse(200, (("Content-Type", "multipart/mixed; boundary=x"),), body, request)


def test_no_generated_key_is_in_the_results():
    server = KeyMaker()
    target = Target(name="x", est=EstTarget(url=URL, username="u", code="never-to-be-seen"))
    with EstSession(target, transport=server) as session:
        found = [session.examine(case) for case in load().values() if case.protocol == "est"]
    assert any("serverkeygen" in one.response.request.url for result in found for one in result.exchanges)
    now = datetime.now(UTC)
    document = json.dumps(results.document(results.Run(target, now, now, 1, {}), expected.judge(found, {}, now.date())))
    for secret in (server.key.decode(), server.key[:40].decode(), server.key[-40:].decode(), "never-to-be-seen"):
        assert secret not in document
