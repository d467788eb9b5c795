"""Who asks: Basic (RFC 7617), Digest (RFC 7616), Bearer (RFC 6750), client certificates, and two of them together."""

import hashlib
import re
from base64 import b64encode
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.est.conftest import CODE, USER, basic, csr, name, only, refused


def challenges(response):
    return [value for header, value in response.headers if header == "WWW-Authenticate"]


def nonce_of(response):
    return re.search(r'nonce="([^"]+)"', "".join(challenges(response)))[1]


def digest(lab, profile, nonce, *, algorithm="MD5", user=USER, password=CODE, uri=None, method="POST", quoted=False, **changes):
    """The Authorization field of RFC 7616 section 3.4, computed here."""
    make = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]

    def h(text):
        return make(text.encode()).hexdigest()

    uri = uri or f"/.well-known/est/{profile}/simpleenroll"
    realm, nc, cnonce = "privca", "00000001", "f2/wE4q74E6zIJEtWaHKaf5wv"
    said = changes.pop("response", None) or h(
        f"{h(f'{user}:{realm}:{password}')}:{nonce}:{nc}:{cnonce}:auth:{h(f'{method}:{uri}')}"
    )
    q = '"' if quoted else ""
    fields = {
        "username": f'"{user}"',
        "realm": f'"{realm}"',
        "nonce": f'"{nonce}"',
        "uri": f'"{uri}"',
        "qop": f"{q}auth{q}",
        "nc": nc,
        "cnonce": f'"{cnonce}"',
        "response": f'"{said}"',
        "algorithm": f"{q}{algorithm}{q}",
        **changes,
    }
    return {"authorization": "Digest " + ", ".join(f"{key}={value}" for key, value in fields.items() if value is not None)}


def test_rfc7030_3_2_3_who_presents_nothing_is_asked_in_a_reply_without_a_body(lab, key):
    response = lab.post("simpleenroll", csr(key), headers={})
    assert (response.status, response.body, response.header("Content-Type")) == (401, b"", None)
    found = challenges(response)
    # libest reads the first one alone, and knows MD5 alone.
    assert found[0] == 'Basic realm="privca"'
    assert [one.split(" ")[0] for one in found] == ["Basic", "Digest", "Digest"]
    assert ["algorithm=MD5" in found[1], "algorithm=SHA-256" in found[2]] == [True, True]


@pytest.mark.parametrize("operation", ["cacerts", "csrattrs"])
def test_rfc7030_4_1_2_nobody_is_asked_for_what_is_public(lab, operation):
    assert lab.ask(operation).status in (200, 204)


@pytest.mark.parametrize("schemes", [("digest",), ("bearer", "basic"), ("basic",)], ids="-".join)
def test_the_schemes_are_offered_in_the_order_of_the_profile(lab, key, schemes):
    profile = lab.profile(est={"http": schemes})
    offered = [one.split(" ")[0].lower() for one in challenges(lab.post("simpleenroll", csr(key), headers={}, profile=profile))]
    assert tuple(dict.fromkeys(offered)) == schemes


def test_rfc7617_basic(lab, key):
    only(lab.post("simpleenroll", csr(key, [lab.name()]), headers=basic()))


def test_rfc7030_3_2_3_a_password_without_a_user(lab, key):
    profile = lab.profile()
    only(lab.post("simpleenroll", csr(key, [lab.name()]), headers=basic(""), profile=profile))
    only(lab.post("simpleenroll", csr(key, [lab.name()]), headers=basic("", lab.passcode(profile)), profile=profile))


WRONG = {
    "password": basic(password="open sesam"),
    "empty password": basic(password=""),
    "user": basic("somebody"),
    "empty user and wrong password": basic("", "wrong"),
    "case": basic(password=CODE.upper()),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_password_is_refused_with_one_text(lab, key, case):
    before = lab.issued()
    response = lab.post("simpleenroll", csr(key), headers=WRONG[case])
    assert response.status == 401
    assert response.body == lab.post("simpleenroll", csr(key), headers=basic(password="wrong")).body
    assert challenges(response)
    assert lab.issued() == before


def test_a_wrong_password_never_falls_back_to_approval(lab, key):
    profile = lab.profile(authentication=("code", "approval"))
    assert lab.post("simpleenroll", csr(key), headers=basic(password="wrong"), profile=profile).status == 401


MALFORMED = [
    "Basic",
    "Basic !!!",
    "Basic " + b64encode(b"no colon").decode(),
    "Basic " + b64encode(b"\xff\xfe:x").decode(),
    "Basic " + b64encode(b"a:b\0c").decode(),
    "Basic ZGV2aWNlOm9wZW4gc2VzYW1l=",
    "Basic YTpiIR==",  # what YTpiIQ== says, spelled with bits that no octet has
    "Digest",
    "Digest username",
    'Digest username="a", username="b"',
    "Digest " + "a=b," * 2000,
    'Digest username="a", realm="privca", nonce="n", uri="/", response="0", qop=auth-int, nc=00000001, cnonce="c"',
    'Digest username="a", realm="privca", nonce="n", uri="/", response="0", qop=auth, nc=1, cnonce="c"',
    'Digest username="a", realm="privca", nonce="n", uri="/", response="0", qop=auth, nc=00000001, cnonce="c", algorithm=SHA-512',
]


@pytest.mark.parametrize("field", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_credentials(lab, key, field):
    before = lab.issued()
    response = lab.post("simpleenroll", csr(key), headers={"authorization": field})
    refused(response, 400, "RFC 76")
    assert lab.issued() == before


@pytest.mark.parametrize(
    "field", ["Bearer b3BlbiBzZXNhbWU=", "Negotiate abc", "", "x"], ids=["bearer", "negotiate", "empty", "word"]
)
def test_a_scheme_that_is_not_offered(lab, key, field):
    refused(lab.post("simpleenroll", csr(key), headers={"authorization": field}), 401, "RFC 7030 section 3.2.3", "not offered")


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("quoted", [False, True], ids=["tokens", "quoted"])
def test_rfc7616_3_4_digest(lab, key, algorithm, quoted):
    profile = lab.profile()
    nonce = nonce_of(lab.post("simpleenroll", csr(key), headers={}))
    only(
        lab.post("simpleenroll", csr(key, [lab.name()]), headers=digest(lab, profile, nonce, algorithm=algorithm, quoted=quoted))
    )


def test_rfc7616_3_4_without_an_algorithm_it_is_md5(lab, key):
    nonce = nonce_of(lab.post("simpleenroll", csr(key), headers={}))
    only(lab.post("simpleenroll", csr(key, [lab.name()]), headers=digest(lab, lab.profile(), nonce, algorithm="MD5")))
    without = digest(lab, lab.profile(), nonce)["authorization"].replace(", algorithm=MD5", "")
    only(lab.post("simpleenroll", csr(key, [lab.name()]), headers={"authorization": without}))


def test_rfc7616_digest_with_a_passcode(lab, key):
    profile = lab.profile()
    nonce = nonce_of(lab.post("simpleenroll", csr(key), headers={}))
    passcode = lab.passcode(profile, "once-only")
    only(
        lab.post("simpleenroll", csr(key, [lab.name()]), headers=digest(lab, profile, nonce, user="once-only", password=passcode))
    )


BAD_DIGESTS = {
    "password": {"password": "wrong"},
    "user": {"user": "somebody"},
    "response": {"response": "0" * 32},
    "method": {"method": "GET"},
    "other resource": {"uri": "/.well-known/est/other/simpleenroll"},
    "other realm": {"realm": '"elsewhere"'},
    "short response": {"response": "00"},
}


@pytest.mark.parametrize("case", BAD_DIGESTS)
def test_rfc7616_3_4_a_bad_digest(lab, key, case):
    nonce = nonce_of(lab.post("simpleenroll", csr(key), headers={}))
    before = lab.issued()
    response = lab.post("simpleenroll", csr(key), headers=digest(lab, lab.profile(), nonce, **BAD_DIGESTS[case]))
    assert response.status == 401, response.body
    assert lab.issued() == before


def test_rfc7616_3_4_6_a_digest_for_another_resource(lab, key):
    """The answer is right, for another operation: it does not move."""
    profile = lab.profile()
    nonce = nonce_of(lab.post("simpleenroll", csr(key), headers={}))
    headers = digest(lab, profile, nonce, uri=f"/.well-known/est/{profile}/serverkeygen")
    before = lab.issued()
    refused(lab.post("simpleenroll", csr(key), headers=headers), 401, "RFC 7616 section 3.4.6")
    assert lab.issued() == before


@pytest.mark.parametrize("case", ["invented", "of another profile", "changed"])
def test_rfc7616_3_3_a_nonce_that_is_not_ours(lab, key, case):
    profile = lab.profile()
    other = nonce_of(lab.post("simpleenroll", csr(key), headers={}, profile=lab.profile(validity="70d")))
    mine = nonce_of(lab.post("simpleenroll", csr(key), headers={}))
    nonce = {"invented": "1795435342", "of another profile": other, "changed": mine[:-2] + ("AA" if mine[-2:] != "AA" else "BB")}[
        case
    ]
    before = lab.issued()
    response = lab.post("simpleenroll", csr(key), headers=digest(lab, profile, nonce))
    refused(response, 401, "RFC 7616 section 3.3")
    assert any("stale=true" in one for one in challenges(response))
    assert lab.issued() == before


def test_rfc7616_3_3_a_nonce_that_has_expired(own_lab, key):
    profile = own_lab.profile()
    nonce = nonce_of(own_lab.post("simpleenroll", csr(key), headers={}))
    own_lab.clock.advance(timedelta(minutes=5, seconds=1))
    before = own_lab.issued()
    refused(own_lab.post("simpleenroll", csr(key), headers=digest(own_lab, profile, nonce)), 401, "RFC 7616 section 3.3")
    assert own_lab.issued() == before


def test_failed_digests_lock_a_passcode(lab, key):
    profile = lab.profile()
    passcode = lab.passcode(profile, "guessed")
    nonce = nonce_of(lab.post("simpleenroll", csr(key), headers={}))
    for _ in range(5):
        lab.post("simpleenroll", csr(key), headers=digest(lab, profile, nonce, user="guessed", password="wrong"))
    response = lab.post("simpleenroll", csr(key), headers=digest(lab, profile, nonce, user="guessed", password=passcode))
    assert response.status == 401


def test_rfc6750_bearer_as_libest_sends_it(lab, key):
    profile = lab.profile(est={"http": ("bearer",)})
    token = b64encode(CODE.encode()).decode()
    assert challenges(lab.post("simpleenroll", csr(key), headers={}, profile=profile)) == ['Bearer realm="privca"']
    only(lab.post("simpleenroll", csr(key, [lab.name()]), headers={"authorization": f"Bearer {token}"}, profile=profile))
    wrong = b64encode(b"wrong").decode()
    assert lab.post("simpleenroll", csr(key), headers={"authorization": f"Bearer {wrong}"}, profile=profile).status == 401


def test_rfc6750_bearer_as_the_rfc_has_it(lab, key):
    profile = lab.profile(est={"http": ("bearer",), "bearer": "plain"})
    passcode = lab.passcode(profile)
    only(lab.post("simpleenroll", csr(key, [lab.name()]), headers={"authorization": f"bearer {passcode}"}, profile=profile))
    refused(lab.post("simpleenroll", csr(key), headers={"authorization": "Bearer a b"}, profile=profile), 400, "RFC 6750")


def test_a_passcode_is_good_for_one_request(lab, key):
    profile = lab.profile()
    headers = basic("once", lab.passcode(profile))
    request = csr(key, [lab.name()])
    first = only(lab.post("simpleenroll", request, headers=headers))
    assert only(lab.post("simpleenroll", request, headers=headers)) == first
    before = lab.issued()
    response = lab.post("simpleenroll", csr(key, [lab.name()]), headers=headers)
    assert response.status in (401, 403)
    assert lab.issued() == before


def test_a_refusal_does_not_spend_a_passcode(lab, key):
    profile = lab.profile()
    headers = basic("spared", lab.passcode(profile, "spared"))
    assert lab.post("simpleenroll", b"\x30\x00", headers=headers).status == 400
    only(lab.post("simpleenroll", csr(key, [lab.name()]), headers=headers))


def test_a_client_certificate_is_enough_for_another_certificate_of_its_own_names(lab):
    old = lab.enroll()
    key = ec.generate_private_key(ec.SECP256R1())
    names = old.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    request = csr(key, names.get_values_for_type(x509.DNSName), old.certificate.subject)
    only(lab.post("simpleenroll", request, headers={}, certificate=old.der))


def vendor(lab, key, **changes):
    """A vendor's CA in PEM, and a device certificate of it."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    now = lab.clock.now()
    subject = name(("CN", "Vendor CA"))
    ca = (
        x509.CertificateBuilder(subject, subject, ca_key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=999))
        .add_extension(x509.BasicConstraints(True, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    device = x509.CertificateBuilder(
        subject,
        name(("CN", "Device"), ("serialNumber", "4711")),
        key.public_key(),
        2,
        now - timedelta(days=changes.get("age", 1)),
        now + timedelta(days=changes.get("left", 99)),
    )
    device = device.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
    ).add_extension(x509.BasicConstraints(False, None), critical=True)
    signer = ec.generate_private_key(ec.SECP256R1()) if changes.get("forged") else ca_key
    return ca.public_bytes(Encoding.PEM).decode(), device.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


def test_rfc7030_3_3_2_a_certificate_of_a_vendor(lab, key):
    anchor, device = vendor(lab, key)
    profile = lab.profile(vendor_anchors=(anchor,))
    request = csr(key, (), name(("CN", "Device"), ("serialNumber", "4711")))
    only(lab.post("simpleenroll", request, headers={}, certificate=device, profile=profile))


@pytest.mark.parametrize("case", [{"forged": True}, {"age": 99, "left": -1}, {"age": -1}], ids=["forged", "expired", "not yet"])
def test_rfc7030_3_3_2_a_certificate_of_a_vendor_that_does_not_count(lab, key, case):
    anchor, device = vendor(lab, key, **case)
    profile = lab.profile(vendor_anchors=(anchor,))
    before = lab.issued()
    request = csr(key, (), name(("CN", "Device"), ("serialNumber", "4711")))
    response = lab.post("simpleenroll", request, headers={}, certificate=device, profile=profile)
    refused(response, 401, "")
    assert lab.issued() == before


def test_an_unknown_certificate_is_no_obstacle_to_a_password(lab, key):
    _, device = vendor(lab, key)
    only(lab.post("simpleenroll", csr(key, [lab.name()]), certificate=device))


def test_where_there_are_no_passwords_nothing_is_challenged(lab, key):
    profile = lab.profile(authentication=("certificate",))
    response = lab.post("simpleenroll", csr(key), headers={}, profile=profile)
    refused(response, 403, "RFC 7030 section 3.2.3")
    assert challenges(response) == []
    _, device = vendor(lab, key)
    response = lab.post("simpleenroll", csr(key), headers={}, certificate=device, profile=profile)
    refused(response, 403, "profile: certificate_profiles")
    assert challenges(response) == []


BOTH = {"both": True}


@pytest.mark.parametrize("operation", ["simpleenroll", "simplereenroll", "serverkeygen"])
@pytest.mark.parametrize("missing", ["certificate", "password", "both", "right password"])
def test_rfc7030_3_2_3_both_are_needed_where_both_are_asked_for(lab, operation, missing):
    plain = lab.profile()
    old = lab.enroll(plain)
    profile = lab.profile(est={"both": True, "server_keys": "clear"}, certificate_profiles=(plain,))
    names = old.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
        x509.DNSName
    )
    request = csr(old.key, names, old.certificate.subject)
    headers = {} if missing in ("password", "both") else basic(password="wrong" if missing == "right password" else CODE)
    certificate = None if missing in ("certificate", "both") else old.der
    before = lab.issued()
    response = lab.post(operation, request, headers=headers, certificate=certificate, profile=profile)
    assert response.status in (401, 403), response.body
    assert lab.issued() == before
    done = lab.post(operation, request, headers=basic(), certificate=old.der, profile=profile)
    assert done.status == 200, done.body


def test_with_both_the_passcode_is_spent(lab):
    plain = lab.profile()
    old = lab.enroll(plain)
    profile = lab.profile(est=BOTH, certificate_profiles=(plain,))
    headers = basic("both", lab.passcode(profile, "both"))
    names = old.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
        x509.DNSName
    )

    def enroll():
        key = ec.generate_private_key(ec.SECP256R1())
        return lab.post(
            "simpleenroll", csr(key, names, old.certificate.subject), headers=headers, certificate=old.der, profile=profile
        )

    only(enroll())
    assert enroll().status in (401, 403)


def test_the_code_never_reaches_reply_or_decision(lab, key):
    for headers in (basic(), basic("somebody")):
        response = lab.post("simpleenroll", csr(key), headers=headers)
        said = repr(lab.exchange.decision) + repr(response)
        assert CODE not in said
        assert b64encode(f"{USER}:{CODE}".encode()).decode() not in said
