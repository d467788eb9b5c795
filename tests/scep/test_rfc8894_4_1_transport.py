"""RFC 8894 sections 3.5, 4.1 and 4.2: GET and POST, what stands in the query, capabilities and CA certificates."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509

from privca.base.http import Response
from privca.issuance.profile import Revisioned
from privca.pkix.rfc5652 import signed_data
from privca.pkix.rfc5652.signing import verify
from tests.support.issuance_lab import run
from tests.support.scep_client import PKCS_REQ, certificates_of, query, read_reply, request
from tests.support.scep_lab import CODE, ScepLab


def message(lab: ScepLab, profile: Revisioned) -> bytes:
    client = lab.client(profile)
    return client.message(PKCS_REQ, request(client.key, "device", challenge=CODE))


def answered(lab: ScepLab, profile: Revisioned, response: Response) -> bool:
    """Whether a certificate came."""
    if response.status != 200:
        return False
    client = lab.client(profile)
    return read_reply(response.body, client.recipient, client.key).status == "0"


# What devices make of base64 in a query (T5): name, and how the value is made of the base64 text.
ENCODINGS = {
    "as the RFC says": lambda text: quote(text, safe=""),
    "slashes raw": lambda text: quote(text, safe="/"),
    "nothing escaped but +": lambda text: text.replace("+", "%2B"),
    "lines of 64 columns": lambda text: quote("".join(f"{text[at : at + 64]}\n" for at in range(0, len(text), 64)), safe="/"),
    "lines of 64 columns with CR LF": lambda text: quote(
        "".join(f"{text[at : at + 64]}\r\n" for at in range(0, len(text), 64)), safe=""
    ),
    "spaces for +": lambda text: text.replace("+", "%20").replace("=", "%3D"),
    "+ as it is, which is a space to a form": lambda text: text,
    "URL-safe alphabet": lambda text: text.replace("+", "-").replace("/", "_").replace("=", "%3D"),
    "URL-safe alphabet without padding": lambda text: text.replace("+", "-").replace("/", "_").rstrip("="),
}
STRICT = {"as the RFC says", "slashes raw", "nothing escaped but +", "+ as it is, which is a space to a form"}


@pytest.mark.parametrize("encoding", list(ENCODINGS))
@pytest.mark.parametrize("tolerant", [True, False], ids=["tolerant", "strict"])
def test_4_1_get(shared: ScepLab, encoding: str, tolerant: bool) -> None:
    profile = shared.profile(tolerant=tolerant)
    text = b64encode(message(shared, profile)).decode()
    response = shared.send(profile, method="GET", query=f"operation=PKIOperation&message={ENCODINGS[encoding](text)}")
    assert answered(shared, profile, response) is (tolerant or encoding in STRICT)


def test_4_1_parameters_in_either_order(shared: ScepLab) -> None:
    profile = shared.profile()
    text = quote(b64encode(message(shared, profile)).decode(), safe="")
    assert answered(shared, profile, shared.send(profile, method="GET", query=f"message={text}&operation=PKIOperation"))


@pytest.mark.parametrize(
    ("headers", "strict"),
    [
        ({"content-type": "application/x-pki-message"}, True),
        ({"content-type": "Application/X-PKI-Message; charset=x"}, True),
        ({"content-type": "application/octet-stream"}, False),
        ({}, False),
    ],
    ids=["right", "right with a parameter", "another", "none"],
)
def test_4_3_content_type(shared: ScepLab, headers: dict[str, str], strict: bool) -> None:
    for tolerant in (True, False):
        profile = shared.profile(tolerant=tolerant)
        response = shared.send(profile, message(shared, profile), headers=headers)
        assert answered(shared, profile, response) is (tolerant or strict)
        assert response.status == (200 if tolerant or strict else 415)


@pytest.mark.parametrize(
    ("tail", "strict"), [("", True), ("pkiclient.exe", True), ("cgi-bin/pkiclient.exe", True), ("x/y", False)], ids=str
)
def test_4_1_path(shared: ScepLab, tail: str, strict: bool) -> None:
    for tolerant in (True, False):
        profile = shared.profile(tolerant=tolerant)
        assert answered(shared, profile, shared.send(profile, message(shared, profile), tail=tail)) is (tolerant or strict)


def test_4_3_a_post_need_not_name_its_only_operation(shared: ScepLab) -> None:
    for tolerant in (True, False):
        profile = shared.profile(tolerant=tolerant)
        assert answered(shared, profile, shared.send(profile, message(shared, profile), query="")) is tolerant


@pytest.mark.parametrize("name", ["", "pkioperation", "GetCAChain", "getcacaps"])
def test_4_1_unknown_operations(shared: ScepLab, name: str) -> None:
    profile = shared.profile()
    response = shared.send(profile, method="GET", query=f"operation={name}")
    assert response.status == 400
    assert b"unknown operation" in response.body


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_4_1_other_methods(shared: ScepLab, method: str) -> None:
    response = shared.send(shared.profile(), method=method, query="operation=GetCACaps")
    assert response.status == 405
    assert response.header("allow") == "GET, HEAD, POST"


@pytest.mark.parametrize(
    ("method", "body", "text"),
    [
        ("POST", b"", ""),
        ("POST", b"no message", ""),
        ("GET", b"", ""),
        ("GET", b"", "%%%"),
        ("GET", b"", "AAAA"),
        ("POST", b"\x30\x80", ""),
    ],
    ids=["empty", "no ASN.1", "no parameter", "no base64", "zeros", "without an end"],
)
def test_4_1_what_is_no_message_is_an_http_error(shared: ScepLab, method: str, body: bytes, text: str) -> None:
    response = shared.send(shared.profile(), body, method=method, query=f"operation=PKIOperation&message={text}")
    assert response.status == 400
    assert response.header("content-type") == "text/plain; charset=utf-8"


def test_4_1_a_message_without_an_end_is_not_read(shared: ScepLab) -> None:
    assert shared.send(shared.profile(), b"\x30" * 70_000).status == 413


class TestCapabilities:
    """Section 3.5.2."""

    def keywords(self, lab: ScepLab, profile: Revisioned) -> list[str]:
        response = lab.send(profile, method="GET", query="operation=GetCACaps")
        assert response.header("content-type") == "text/plain"
        return response.body.decode().split("\n")[:-1]

    def test_every_keyword_in_its_case(self, shared: ScepLab) -> None:
        assert self.keywords(shared, shared.profile()) == [
            "AES", "DES3", "GetNextCACert", "POSTPKIOperation", "Renewal", "SHA-1", "SHA-256", "SHA-512", "SCEPStandard",
        ]  # fmt: skip

    def test_what_a_profile_cannot_is_not_there(self, shared: ScepLab) -> None:
        modern = shared.profile(authentication=("code",), scep={"digests": ("sha256",), "ciphers": ("aes128",)})
        assert self.keywords(shared, modern) == ["AES", "GetNextCACert", "POSTPKIOperation", "SHA-256", "SCEPStandard"]
        old = shared.profile(scep={"digests": ("sha1",), "ciphers": ("3des",)})
        assert self.keywords(shared, old) == ["DES3", "GetNextCACert", "POSTPKIOperation", "Renewal", "SHA-1"]

    @pytest.mark.parametrize("given", ["0", "CAIdentifier", "default"])
    def test_any_message_is_a_tolerance(self, shared: ScepLab, given: str) -> None:
        for operation in ("GetCACaps", "GetCACert"):
            for tolerant, status in ((True, 200), (False, 400)):
                profile = shared.profile(tolerant=tolerant)
                assert shared.send(profile, method="GET", query=f"operation={operation}&message={given}").status == status


class TestCaCertificates:
    """Sections 4.2 and 2.2."""

    def get(self, lab: ScepLab, profile: Revisioned) -> Response:
        return lab.send(profile, method="GET", query="operation=GetCACert")

    def test_4_2_1_2_a_chain(self, shared: ScepLab) -> None:
        response = self.get(shared, shared.profile())
        assert response.header("content-type") == "application/x-x509-ca-ra-cert"
        assert certificates_of(response.body) == list(run(shared.authorities.chains("rsa", 1))[0])

    def test_4_2_1_1_one_certificate(self, shared: ScepLab) -> None:
        response = self.get(shared, shared.profile(scep={"ca_chain": False}))
        assert response.header("content-type") == "application/x-x509-ca-cert"
        assert response.body == run(shared.authorities.chains("rsa", 1))[0][0]

    def test_2_1_2_key_usage(self, shared: ScepLab) -> None:
        for profile in (shared.profile(), shared.profile(issuer="ec")):
            read = x509.load_der_x509_certificate(shared.answering(profile))
            usage = read.extensions.get_extension_for_class(x509.KeyUsage).value
            assert usage.digital_signature
            assert usage.key_encipherment

    @pytest.mark.parametrize("chain", [True, False], ids=["chain", "CA alone"])
    def test_4_2_1_2_a_registration_authority_comes_first(self, shared: ScepLab, chain: bool) -> None:
        profile = shared.profile(issuer="ec", scep={"ca_chain": chain})
        response = self.get(shared, profile)
        assert response.header("content-type") == "application/x-x509-ca-ra-cert"
        shown = certificates_of(response.body)
        above = run(shared.authorities.chains("ec", 1))[0]
        assert shown[1:] == list(above if chain else above[:1])
        assert shared.verify(shown[0], above) == "OK"

    def test_an_rsa_ca_has_one_too_if_the_profile_says_so(self, shared: ScepLab) -> None:
        profile = shared.profile(scep={"ra": "always"})
        assert shared.answering(profile) != run(shared.authorities.chains("rsa", 1))[0][0]
        client = shared.client(profile)
        assert shared.enroll(profile, client).status == "0"


def test_4_7_the_next_ca_certificate(tmp_path: Path) -> None:
    lab = ScepLab(tmp_path)
    profile = lab.profile()
    nothing = lab.send(profile, method="GET", query="operation=GetNextCACert")
    assert nothing.status == 404
    now = run(lab.authorities.current("rsa"))
    coming = run(lab.authorities.prepare_next("rsa"))
    response = lab.send(profile, method="GET", query="operation=GetNextCACert")
    assert response.header("content-type") == "application/x-x509-next-ca-cert"
    inner = read_signed(response.body, now.generation.certificate)
    assert certificates_of(inner)[0] == coming.generation.certificate
    # Until then it is the current one that issues, and afterwards the former one still deciphers.
    client = lab.client(profile)
    assert client.recipient == now.generation.certificate
    run(lab.authorities.rollover("rsa"))
    assert lab.answering(profile) == coming.generation.certificate
    reply = lab.enroll(profile, client)
    assert lab.verify(reply.certificates[0], run(lab.authorities.chains("rsa", 2))[0]) == "OK"
    lab.store.close()


def read_signed(octets: bytes, signer: bytes) -> bytes:
    """The content of a SignedData that this certificate's key signed, as ``openssl`` checks it too."""
    parsed = signed_data.parse(octets)
    assert parsed.content is not None
    verify(parsed.signers[0], parsed.content_type, parsed.content, x509.load_der_x509_certificate(signer).public_key())
    return parsed.content


def test_4_1_get_by_the_helper(shared: ScepLab) -> None:
    profile = shared.profile()
    assert answered(shared, profile, shared.send(profile, method="GET", query=query(message(shared, profile))))
