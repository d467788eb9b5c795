"""Status over HTTP: OCSP by GET and POST with what caches need, and CRLs and CA certificates likewise."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from datetime import timedelta
from email.utils import format_datetime
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509 import AuthorityInformationAccessOID, ocsp

from privca.base.http import Response
from privca.issuance.profile import Template
from tests.support.issuance_lab import NOW, profile, run
from tests.support.status_lab import StatusLab, about, read


def asked(ca: StatusLab) -> bytes:
    return about(ca.issue(profile()), ca.key())


def headers(reply: Response) -> dict[str, str]:
    return dict(reply.headers)


def test_rfc9919_6_headers(ca: StatusLab) -> None:
    octets = asked(ca)
    first = ca.get(octets)
    assert headers(first) == {
        "Content-Type": "application/ocsp-response",
        "Last-Modified": format_datetime(NOW, usegmt=True),
        "Expires": format_datetime(NOW + timedelta(hours=1), usegmt=True),
        "ETag": f'"{hashlib.sha256(first.body).hexdigest()}"',
        "Cache-Control": "max-age=1800, public, no-transform, must-revalidate",
    }
    ca.clock.advance(timedelta(minutes=10))
    # Section 7.1: what is kept until max-age is over is refreshed by then.
    assert ca.get(octets).header("Cache-Control") == "max-age=1200, public, no-transform, must-revalidate"
    assert headers(ca.post(octets)) == headers(ca.get(octets))


def test_rfc9110_13_1_who_has_it_gets_no_second_copy(ca: StatusLab) -> None:
    octets = asked(ca)
    first = ca.get(octets)
    tag = first.header("ETag")
    assert tag is not None
    for condition in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = ca.get(octets, if_none_match=condition)
        assert (again.status, again.body, again.header("ETag")) == (304, b"", tag)
    for condition in ('"other"', ""):
        assert ca.get(octets, if_none_match=condition).status == 200
    later, earlier = format_datetime(NOW, usegmt=True), format_datetime(NOW - timedelta(seconds=1), usegmt=True)
    assert ca.get(octets, if_modified_since=later).status == 304
    assert ca.get(octets, if_modified_since=earlier).status == 200
    assert ca.get(octets, if_modified_since="yesterday").status == 200
    assert ca.get(octets, if_modified_since="Fri, 02 Jan 2026 03:04:05 -0000").status == 200
    # Section 13.1.3: If-None-Match is what counts.
    assert ca.get(octets, if_modified_since=later, if_none_match='"other"').status == 200
    post = ca.ask("ocsp/issuing", "POST", octets, content_type="application/ocsp-request", if_none_match=tag)
    assert post.status == 200


@pytest.mark.parametrize(
    "spelled",
    [
        lambda text: quote(text, safe=""),
        lambda text: text,
        lambda text: "/" + quote(text, safe=""),
        lambda text: quote(text, safe="/+"),
    ],
    ids=["encoded", "plain", "two-slashes", "half-encoded"],
)
def test_rfc6960_a_1_requests_in_paths(ca: StatusLab, spelled) -> None:  # type: ignore[no-untyped-def]
    octets = asked(ca)
    found = read(ca.ask(f"ocsp/issuing/{spelled(base64.b64encode(octets).decode())}"))
    assert found.certificate_status is ocsp.OCSPCertStatus.GOOD


@pytest.mark.parametrize(
    "tail", ["", "/", "/%", "/MEow", "/MEow%20", "/ME%C3%A4w", "/MEowSDBGMEQwQjAKBggqhkiG9w0CBQQQ7sp6GTKpL2dA"]
)
def test_rfc6960_2_3_a_path_that_is_no_request(ca: StatusLab, tail: str) -> None:
    assert read(ca.ask(f"ocsp/issuing{tail}")).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_rfc9919_6_nothing_but_base64_in_the_path(ca: StatusLab) -> None:
    encoded = base64.b64encode(asked(ca)).decode()
    for spelled in (encoded + "%20", encoded[:8] + "%0A" + encoded[8:], encoded + "!"):
        assert read(ca.ask(f"ocsp/issuing/{spelled}")).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_head_is_like_get(ca: StatusLab) -> None:
    octets = asked(ca)
    encoded = quote(base64.b64encode(octets), safe="")
    assert ca.ask(f"ocsp/issuing/{encoded}", "HEAD").headers == ca.get(octets).headers


@pytest.mark.parametrize("kind", ["", "application/x-www-form-urlencoded", "application/ocsp-response"])
def test_rfc6960_a_1_another_media_type(ca: StatusLab, kind: str) -> None:
    reply = ca.ask("ocsp/issuing", "POST", asked(ca), content_type=kind)
    assert (reply.status, reply.header("Content-Type")) == (415, "application/problem+json")
    assert "application/ocsp-request" in json.loads(reply.body)["detail"]


def test_a_media_type_with_parameters(ca: StatusLab) -> None:
    reply = ca.ask("ocsp/issuing", "POST", asked(ca), content_type="Application/OCSP-Request; charset=binary")
    assert read(reply).certificate_status is ocsp.OCSPCertStatus.GOOD


def test_other_methods(ca: StatusLab) -> None:
    reply = ca.ask("ocsp/issuing", "PUT")
    assert (reply.status, reply.header("Allow")) == (405, "GET, HEAD, POST")


def test_a_crl_may_be_kept(ca: StatusLab) -> None:
    first = ca.ask("crl/issuing.crl")
    assert first.header("Expires") == format_datetime(NOW + timedelta(days=7), usegmt=True)
    again = ca.ask("crl/issuing.crl", if_none_match=first.header("ETag") or "")
    assert (again.status, again.body) == (304, b"")


def test_rfc5280_4_2_2_1_all_certificates_of_a_ca(ca: StatusLab) -> None:
    run(ca.authorities.rollover("root"))
    for number, count in ((1, 2), (2, 2)):
        reply = ca.ask(f"ca/root.{number}.p7c" if number > 1 else "ca/root.p7c")
        assert reply.header("Content-Type") == "application/pkcs7-mime; smime-type=certs-only"
        found = pkcs7.load_der_pkcs7_certificates(reply.body)
        assert len(found) == count
        mine = ca.key("root", number)
        assert mine in found
        # Whoever trusts one key of the CA finds a way to it from the other.
        assert {one.public_key() == mine.public_key() for one in found} == {True}
        other = ca.key("root", 3 - number)
        crossed = next(one for one in found if one != mine)
        crossed.verify_directly_issued_by(other)
    assert pkcs7.load_der_pkcs7_certificates(ca.ask("ca/issuing.p7c").body) == [ca.key()]


def access(certificate: x509.Certificate) -> dict[x509.ObjectIdentifier, str]:
    value = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    return {one.access_method: str(one.access_location.value) for one in value}


def test_rfc5280_4_2_2_1_certificates_say_where(ca: StatusLab) -> None:
    certificate = ca.issue(profile())
    assert certificate.der is not None
    assert access(x509.load_der_x509_certificate(certificate.der)) == {
        AuthorityInformationAccessOID.OCSP: "http://pki.example.test:8080/ocsp/issuing",
        AuthorityInformationAccessOID.CA_ISSUERS: "http://pki.example.test:8080/ca/issuing.cer",
    }
    assert access(ca.key()) == {
        AuthorityInformationAccessOID.OCSP: "http://pki.example.test:8080/ocsp/root",
        AuthorityInformationAccessOID.CA_ISSUERS: "http://pki.example.test:8080/ca/root.cer",
    }
    with pytest.raises(x509.ExtensionNotFound):
        access(ca.key("root"))


@pytest.mark.parametrize(("ocsp_url", "ca_url"), [(False, True), (True, False), (False, False)])
def test_a_template_leaves_out_what_it_should(ca: StatusLab, ocsp_url: bool, ca_url: bool) -> None:
    template = Template(ocsp_url=ocsp_url, ca_url=ca_url)
    certificate = ca.issue(profile(template, revision=2), request_id="other")
    assert certificate.der is not None
    parsed = x509.load_der_x509_certificate(certificate.der)
    wanted = set()
    if ocsp_url:
        wanted.add(AuthorityInformationAccessOID.OCSP)
    if ca_url:
        wanted.add(AuthorityInformationAccessOID.CA_ISSUERS)
    if wanted:
        assert set(access(parsed)) == wanted
    else:
        with pytest.raises(x509.ExtensionNotFound):
            access(parsed)


def test_the_certificate_behind_the_url_is_the_issuers(ca: StatusLab) -> None:
    assert ca.ask("ca/issuing.cer").body == ca.key().public_bytes(Encoding.DER)


def test_fuzzed_requests_are_answered_and_never_with_500(ca: StatusLab) -> None:
    """Whatever comes by POST, or in a path, has an OCSPResponse with 200; what is no request has malformedRequest."""
    whole, chance = asked(ca), random.Random(9919)
    statuses = set()
    for _ in range(400):
        octets = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            where = chance.randrange(len(octets))
            octets[where : where + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        for reply in (ca.post(bytes(octets)), ca.get(bytes(octets))):
            statuses.add(read(reply).response_status)
    assert ocsp.OCSPResponseStatus.MALFORMED_REQUEST in statuses
    assert statuses <= {
        ocsp.OCSPResponseStatus.SUCCESSFUL,
        ocsp.OCSPResponseStatus.MALFORMED_REQUEST,
        ocsp.OCSPResponseStatus.UNAUTHORIZED,
    }


def test_fuzzed_paths_are_answered_and_never_with_500(ca: StatusLab) -> None:
    chance = random.Random(5019)
    alphabet = "abcABC012%/+=.-_~!é\x7f\x00"
    for _ in range(400):
        stem = chance.choice(["ocsp/issuing/", "ocsp/", "crl/", "ca/", "crl/issuing.", "ca/issuing.", ""])
        reply = ca.ask(stem + "".join(chance.choices(alphabet, k=chance.randrange(40))))
        assert reply.status in (200, 404)
