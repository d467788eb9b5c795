"""``/simpleenroll``: from a CSR to a certificate, and everything that is no such request."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.est.conftest import PKCS10, Enrolled, attribute, basic, change_subject_name, csr, name, only, refused, spelled


def spki(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_a_certificate_for_the_key_and_the_names(lab, key):
    wanted = lab.name()
    response = lab.post("simpleenroll", csr(key, [wanted], name(("CN", wanted), ("O", "Example"))))
    certificate = x509.load_der_x509_certificate(only(response))
    assert spki(key) == certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [wanted]
    assert certificate.subject.rfc4514_string() == f"O=Example,CN={wanted}"


def test_the_reply_has_the_shape_that_all_clients_read(lab, key):
    """libest wants exactly this media type, short lines and a line end at the end; BouncyCastle decodes nothing without a transfer encoding."""
    response = lab.post("simpleenroll", csr(key, [lab.name()]))
    assert response.headers == (
        ("Content-Type", "application/pkcs7-mime; smime-type=certs-only"),
        ("Content-Transfer-Encoding", "base64"),
    )
    lines = response.body.split(b"\n")
    assert lines.pop() == b""
    assert all(len(line) == 64 for line in lines[:-1])
    assert 0 < len(lines[-1]) <= 64


@pytest.mark.parametrize(
    "fields", [{"tolerant": False}, {"est": {"content_transfer_encoding": False}}], ids=["strict", "switched off"]
)
def test_rfc8951_3_no_transfer_encoding_to_the_letter(lab, key, fields):
    profile = lab.profile(**fields)
    for response in (lab.post("simpleenroll", csr(key, [lab.name()]), profile=profile), lab.ask("cacerts", profile=profile)):
        assert response.status == 200
        assert response.header("Content-Transfer-Encoding") is None


def test_the_same_request_again_finds_its_certificate_for_a_while(own_lab, key):
    request = csr(key, ["again.example.test"])
    first = only(own_lab.post("simpleenroll", request))
    own_lab.clock.advance(timedelta(minutes=59))
    assert only(own_lab.post("simpleenroll", request)) == first
    own_lab.clock.advance(timedelta(minutes=2))
    second = only(own_lab.post("simpleenroll", request))
    assert second != first
    assert only(own_lab.post("simpleenroll", request)) == second
    assert own_lab.issued() == 4  # two CAs, two clients


def test_a_request_that_was_answered_with_what_is_revoked_now_gets_another_certificate(lab, key):
    request = csr(key, [lab.name()])
    first = Enrolled(key, only(lab.post("simpleenroll", request)))
    lab.revoke(first)
    assert only(lab.post("simpleenroll", request)) != first.der


def test_another_client_with_the_same_csr_gets_a_certificate_of_its_own(lab, key):
    profile = lab.profile()
    request = csr(key, [lab.name()])
    first = only(lab.post("simpleenroll", request, profile=profile))
    passcode = lab.passcode(profile, "other")
    assert only(lab.post("simpleenroll", request, profile=profile, headers=basic("other", passcode))) != first


BAD_BODIES = {
    "empty": (b"", "RFC 8951 section 3"),
    "white space": (b" \r\n\t\n", "RFC 8951 section 3"),
    "not base64": (b"!" * 40, "RFC 8951 section 3"),
    "url alphabet": (b"MIIB-_AB", "RFC 8951 section 3"),
    "padding missing": (b"MIIBAg=", "RFC 8951 section 3"),
    "padding inside": (b"MII=BAgM", "RFC 8951 section 3"),
    "set bits after the end": (b"MB==", "RFC 4648 section 3.5"),
    "nothing in it": (b"MAA=", "RFC 2986 section 4"),
    "not DER": (b"AAAA", "RFC 2986 section 4"),
    "other armour": (b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "RFC 8951 section 3"),
    "two armours": (b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n" * 2, "RFC 8951 section 3"),
    "NUL": (b"MAA=\0", "RFC 8951 section 3"),
    "high octets": (b"\xff\xfe\xfd\xfc", "RFC 8951 section 3"),
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_body_that_is_no_csr_in_base64(lab, case):
    body, clause = BAD_BODIES[case]
    before = lab.issued()
    refused(lab.ask("simpleenroll", body, headers={**PKCS10, **basic()}), 400, clause)
    assert lab.issued() == before


def test_rfc8951_3_bare_der_is_no_body(lab, key):
    refused(lab.ask("simpleenroll", csr(key, [lab.name()]), headers={**PKCS10, **basic()}), 400, "RFC 8951 section 3", "DER")


def test_a_csr_with_octets_behind_it(lab, key):
    refused(lab.post("simpleenroll", csr(key, [lab.name()]) + b"\0"), 400, "RFC 2986 section 4")


def test_rfc7030_3_4_a_csr_that_another_key_signed(lab, key):
    """The signature is the proof of possession."""
    good = csr(key, [lab.name()])
    other = ec.generate_private_key(ec.SECP256R1())
    spoilt = good.replace(spki(key), spki(other))
    assert spoilt != good
    before = lab.issued()
    refused(lab.post("simpleenroll", spoilt), 400, "RFC 5280 section 4.1.1.2", "does not verify")
    assert lab.issued() == before


def test_a_key_that_the_profile_does_not_certify(lab):
    small = rsa.generate_private_key(65537, 1024)
    refused(lab.post("simpleenroll", csr(small, [lab.name()])), 400, "")
    profile = lab.profile(keys=("P-384",))
    refused(lab.post("simpleenroll", csr(ec.generate_private_key(ec.SECP256R1())), profile=profile), 400, "profile: keys")


def test_a_name_that_the_policy_forbids(lab, key):
    profile = lab.profile(names={"permitted_dns": ("inside.test",)})
    before = lab.issued()
    response = lab.post("simpleenroll", csr(key, ["www.outside.test"]), profile=profile)
    refused(response, response.status, "profile: names")
    assert response.status in (400, 403)
    assert lab.issued() == before


WRONG_TYPES = ["application/x-www-form-urlencoded", "application/pkcs7-mime", "text/plain", "application/pkcs10x", "pkcs10"]


@pytest.mark.parametrize("media_type", WRONG_TYPES)
@pytest.mark.parametrize("tolerant", [True, False], ids=["tolerant", "strict"])
def test_rfc7030_3_2_4_the_wrong_media_type(lab, key, media_type, tolerant):
    profile = lab.profile(tolerant=tolerant)
    response = lab.post("simpleenroll", csr(key), profile=profile, headers={**basic(), "content-type": media_type})
    refused(response, 415, "RFC 7030 section 3.2.4", "application/pkcs10")


@pytest.mark.parametrize("media_type", ["application/pkcs10", "Application/PKCS10", "application/pkcs10; charset=utf-8"])
def test_rfc9110_8_3_the_media_type_in_other_spellings(lab, key, media_type):
    profile = lab.profile(tolerant=False)
    only(lab.post("simpleenroll", csr(key, [lab.name()]), profile=profile, headers={**basic(), "content-type": media_type}))


def test_no_media_type_is_taken_by_a_tolerant_profile_alone(lab, key):
    request = spelled(csr(key, [lab.name()]))
    only(lab.ask("simpleenroll", request, headers=basic()))
    refused(lab.ask("simpleenroll", request, headers=basic(), profile=lab.profile(tolerant=False)), 415, "RFC 7030 section 3.2.4")


SPELLINGS = {
    "one line without an end (strongSwan)": lambda octets: spelled(octets, 1 << 20, b""),
    "64 columns (libest)": spelled,
    "76 columns": lambda octets: spelled(octets, 76),
    "100 columns": lambda octets: spelled(octets, 100),
    "CR LF": lambda octets: spelled(octets, 64, b"\r\n"),
    "blanks and tabs": lambda octets: b" \t\n" + spelled(octets, 10, b" \t") + b"\n\n",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("tolerant", [True, False], ids=["tolerant", "strict"])
def test_rfc8951_3_1_white_space_counts_for_nothing(lab, key, spelling, tolerant):
    body = SPELLINGS[spelling](csr(key, [lab.name()]))
    only(lab.ask("simpleenroll", body, headers={**PKCS10, **basic()}, profile=lab.profile(tolerant=tolerant)))


@pytest.mark.parametrize("encoding", ["base64", "binary", "8bit", "nonsense"])
@pytest.mark.parametrize("tolerant", [True, False], ids=["tolerant", "strict"])
def test_rfc8951_3_a_content_transfer_encoding_is_ignored(lab, key, encoding, tolerant):
    headers = {**basic(), "content-transfer-encoding": encoding}
    only(lab.post("simpleenroll", csr(key, [lab.name()]), headers=headers, profile=lab.profile(tolerant=tolerant)))


@pytest.mark.parametrize("label", ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"])
def test_pem_armour_is_taken_by_a_tolerant_profile_alone(lab, key, label):
    body = f"-----BEGIN {label}-----\n".encode() + spelled(csr(key, [lab.name()])) + f"-----END {label}-----\n".encode()
    only(lab.ask("simpleenroll", body, headers={**PKCS10, **basic()}))
    strict = lab.profile(tolerant=False)
    refused(lab.ask("simpleenroll", body, headers={**PKCS10, **basic()}, profile=strict), 400, "RFC 8951 section 3")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("operation", ["simpleenroll", "simplereenroll", "serverkeygen"])
def test_what_enrolls_is_posted(lab, operation, method):
    response = lab.ask(operation, method=method, headers=basic())
    refused(response, 405, "RFC 7030 section 3.2.2")
    assert response.header("Allow") == "POST"


@pytest.mark.parametrize("operation", ["", "simpleenrol", "SimpleEnroll", "simpleenroll/", "x/simpleenroll", "cacerts/x"])
def test_an_operation_that_there_is_not(lab, operation):
    refused(lab.ask(operation, method="POST", headers=basic()), 404, "RFC 7030 section 3.2.2", "simpleenroll")


@pytest.mark.parametrize("operation", ["cacerts", "csrattrs", "simpleenroll", "simplereenroll", "serverkeygen"])
def test_rfc7030_3_3_nothing_without_tls(lab, operation):
    """Not even a challenge: who answers one in clear has given its password away."""
    response = lab.ask(operation, headers=basic(), tls=False)
    refused(response, 403, "RFC 7030 section 3.3")
    assert response.header("WWW-Authenticate") is None


def test_rfc6402_2_8_change_subject_name_renames(lab, key):
    wanted = lab.name()
    change = change_subject_name(name(("CN", "renamed")), [wanted])
    request = csr(key, ["old.example.test"], attributes=[change])
    certificate = x509.load_der_x509_certificate(only(lab.post("simpleenroll", request)))
    assert certificate.subject.rfc4514_string() == "CN=renamed"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [wanted]


def test_rfc6402_2_8_what_change_subject_name_leaves_out_is_gone(lab, key):
    request = csr(key, ["old.example.test"], attributes=[change_subject_name(name(("CN", lab.name())))])
    certificate = x509.load_der_x509_certificate(only(lab.post("simpleenroll", request)))
    assert not any(isinstance(one.value, x509.SubjectAlternativeName) for one in certificate.extensions)


def test_rfc6402_2_8_new_names_are_judged_too(lab, key):
    profile = lab.profile(names={"permitted_dns": ("inside.test",)})
    change = change_subject_name(name(("CN", "x")), ["www.outside.test"])
    response = lab.post("simpleenroll", csr(key, ["a.inside.test"], attributes=[change]), profile=profile)
    refused(response, response.status, "profile: names")


BAD_CHANGES = {
    "empty": attribute("1.3.6.1.5.5.7.7.36", b"\x30\x00"),
    "no SEQUENCE": attribute("1.3.6.1.5.5.7.7.36", b"\x05\x00"),
    "two values": attribute("1.3.6.1.5.5.7.7.36", b"\x30\x02\x30\x00", b"\x30\x02\xa1\x00"),
    "no Name": attribute("1.3.6.1.5.5.7.7.36", b"\x30\x05\x30\x03\x02\x01\x00"),
    "no GeneralNames": attribute("1.3.6.1.5.5.7.7.36", b"\x30\x05\xa1\x03\x02\x01\x00"),
}


@pytest.mark.parametrize("case", BAD_CHANGES)
def test_rfc6402_2_8_a_bad_change_subject_name(lab, key, case):
    refused(lab.post("simpleenroll", csr(key, attributes=[BAD_CHANGES[case]])), 400, "RFC")
