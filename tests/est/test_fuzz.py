"""Octets of all kinds, bounded: every one is refused with a status and a clause, nothing is issued, and nothing fails."""

import string
from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.est.conftest import PKCS10, attribute, basic, change_subject_name, csr, name, tlv
from tests.est.test_rfc7030_4_4_serverkeygen import (
    ASYMMETRIC,
    CAPABILITIES,
    DECRYPT,
    WRAP,
    capabilities,
    key_identifier,
)

BOUNDED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


# Made once: a signature has another length each time, and what is drawn rests on it.
KEY = ec.generate_private_key(ec.SECP256R1())
WHOLE = csr(KEY, ["fuzz.example.test"], name(("CN", "x")), attributes=[change_subject_name(name(("CN", "y")))])
ASKING = [
    csr(KEY, ["fuzz.example.test"], attributes=[key_identifier(kind, b"x" * 8), capabilities(WRAP[16])])
    for kind in (DECRYPT, ASYMMETRIC)
]


def judged(response, issued=()):
    assert response.status in (400, 401, 403, 413, 415, *issued), (response.status, response.body)
    if response.status not in issued and not (response.status == 401 and not response.body):
        assert b"(RFC " in response.body or b"(profile: " in response.body, response.body


@BOUNDED
@given(st.binary(max_size=300))
@example(b"-----BEGIN CERTIFICATE REQUEST-----\n" * 50)
@example(b"=" * 100)
@example(b"-----BEGIN " + b"A" * 5000)
def test_bodies(lab, body):
    before = lab.issued()
    judged(lab.ask("simpleenroll", body, headers={**PKCS10, **basic()}))
    assert lab.issued() == before


@BOUNDED
@given(st.data())
def test_a_csr_with_octets_changed(lab, data):
    """A changed octet breaks the signature at the latest; the one that a bit string ignores, and BER, may make no difference."""
    octets = bytearray(WHOLE)
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] ^= data.draw(st.integers(1, 255))
    judged(lab.ask("simpleenroll", b64encode(bytes(octets)), headers={**PKCS10, **basic()}), issued=(200,))


@BOUNDED
@given(st.data())
def test_generated_keys_for_wishes_with_octets_changed(lab, data):
    """Key and signature do not count here, so that what is changed reaches the attributes."""
    profile = lab.profile(est={"server_keys": "encrypted"})
    octets = bytearray(data.draw(st.sampled_from(ASKING)))
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    before = lab.issued()
    judged(lab.ask("serverkeygen", b64encode(bytes(octets)), headers={**PKCS10, **basic()}, profile=profile))
    assert lab.issued() == before


@BOUNDED
@given(st.binary(max_size=60))
def test_capabilities_of_all_kinds(lab, key, octets):

    profile = lab.profile(est={"server_keys": "encrypted"})
    asked = [key_identifier(DECRYPT, b"x" * 8), attribute(CAPABILITIES, tlv(0x30, octets))]
    judged(lab.post("serverkeygen", csr(key, attributes=asked), profile=profile))


FIELD = st.text(alphabet=string.printable.replace("\r", "").replace("\n", ""), max_size=120)


@BOUNDED
@given(st.sampled_from(["Basic ", "Digest ", "Bearer ", "basic", ""]), FIELD)
@example("Digest ", 'username="' + "\\" * 200)
@example("Digest ", "a=" * 1000)
@example("Basic ", "=" * 200)
def test_authorization_fields(lab, key, scheme, rest):
    profile = lab.profile(est={"http": ("basic", "digest", "bearer")})
    before = lab.issued()
    judged(lab.post("simpleenroll", csr(key), headers={"authorization": scheme + rest}, profile=profile))
    assert lab.issued() == before


@BOUNDED
@given(FIELD)
def test_media_types(lab, key, field):
    response = lab.ask("simpleenroll", b64encode(csr(key)), headers={**basic(), "content-type": field})
    judged(response, issued=(200,) if not field else ())


@BOUNDED
@given(st.binary(max_size=200))
def test_client_certificates(lab, key, octets):
    before = lab.issued()
    judged(lab.post("simplereenroll", csr(key), headers={}, certificate=octets))
    assert lab.issued() == before
