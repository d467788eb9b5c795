"""What proves control of a name and what does not (RFC 8555 sections 8.3 and 8.4, RFC 8737, RFC 8738, RFC 8659, RFC 8657).

Every case begins and ends with the same challenge properly met.
"""

import hashlib
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from conformance.acme.client import dns, ip
from conformance.acme.keys import Key, b64
from conformance.acme.responders import ACME_IDENTIFIER, reverse_name, validation_certificate
from privca.acme.ports import ProbeFailure

INCORRECT = "urn:ietf:params:acme:error:incorrectResponse"


def attempt(lab, client, account, identifier, kind, prepare):
    """Order, answer one challenge after ``prepare``, and read the authorization when it is decided."""
    _, order = client.order(account, [identifier])
    url = order["authorizations"][0]
    challenge = next(c for c in client.read(account, url)["challenges"] if c["type"] == kind)
    bare = {"type": identifier["type"], "value": identifier["value"].removeprefix("*.")}
    prepare(lab.responder, bare, challenge["token"], account.key.key_authorization(challenge["token"]))
    client.perform(client.respond(account, challenge["url"]))
    lab.settle()
    return client.read(account, url)


@pytest.mark.parametrize("kind", ["http-01", "dns-01", "tls-alpn-01"])
@pytest.mark.parametrize(
    ("failure", "error"),
    [
        ("DNS", "dns"),
        ("CONNECTION", "connection"),
        ("TLS", "tls"),
        ("FORBIDDEN_ADDRESS", "connection"),
        ("LIMIT", "incorrectResponse"),
    ],
)
def test_what_could_not_be_seen_is_no_proof_and_says_why(lab, kind, failure, error):
    def blind(network, identifier, token, key_authorization):
        network.failures[identifier["value"]] = ProbeFailure[failure]
        properly(network, identifier, token, key_authorization)

    failed = held_to(lab, lambda: dns(lab.name())[0], kind, blind)
    assert failed["type"] == f"urn:ietf:params:acme:error:{error}"


def properly(network, identifier, token, key_authorization):
    network.provision(identifier, token, key_authorization)


def held_to(lab, make_identifier, kind, prepare, profile=None):
    """Properly, spoilt, properly: the error of the spoilt one."""
    client = lab.client(profile=profile)
    account = client.register()
    assert attempt(lab, client, account, make_identifier(), kind, properly)["status"] == "valid"
    spoilt = attempt(lab, client, account, make_identifier(), kind, prepare)
    assert attempt(lab, client, account, make_identifier(), kind, properly)["status"] == "valid"
    assert spoilt["status"] == "invalid"
    failed = next(c for c in spoilt["challenges"] if c["type"] == kind)
    assert failed["status"] == "invalid"
    return failed["error"]


# -- http-01 --------------------------------------------------------------------------------------------------------


def at_well_known(network, identifier, token, body):
    network.http[identifier["value"], f"/.well-known/acme-challenge/{token}"] = body


HTTP = {
    "nothing there": lambda n, i, t, k: None,
    "empty": lambda n, i, t, k: at_well_known(n, i, t, b""),
    "the token alone": lambda n, i, t, k: at_well_known(n, i, t, t.encode()),
    "another thumbprint": lambda n, i, t, k: at_well_known(n, i, t, Key.make().key_authorization(t).encode()),
    "another token": lambda n, i, t, k: at_well_known(n, i, t, ("A" * 22 + k[k.index(".") :]).encode()),
    "something in front": lambda n, i, t, k: at_well_known(n, i, t, b" " + k.encode()),
    "something behind": lambda n, i, t, k: at_well_known(n, i, t, k.encode() + b"x"),
    "another case": lambda n, i, t, k: at_well_known(n, i, t, k.swapcase().encode()),
    "right, with status 404": lambda n, i, t, k: (n.statuses.update({i["value"]: 404}), n.provision(i, t, k)),
    "at another name": lambda n, i, t, k: n.provision({"type": "dns", "value": "other.example.test"}, t, k),
}


@pytest.mark.parametrize("case", HTTP)
def test_http_01_is_the_key_authorization_and_nothing_else(lab, case):
    error = held_to(lab, lambda: dns(lab.name())[0], "http-01", HTTP[case])
    assert error["type"] == INCORRECT


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" \t\n"])
def test_http_01_ignores_white_space_at_the_end(lab, end):
    client = lab.client()
    account = client.register()
    prepare = lambda n, i, t, k: at_well_known(n, i, t, k.encode() + end)  # noqa: E731
    assert attempt(lab, client, account, dns(lab.name())[0], "http-01", prepare)["status"] == "valid"


# -- dns-01 ---------------------------------------------------------------------------------------------------------


def digest(key_authorization):
    return b64(hashlib.sha256(key_authorization.encode()).digest())


def in_txt(network, identifier, *texts):
    network.txt[f"_acme-challenge.{identifier['value']}"] = [text.encode() for text in texts]


DNS = {
    "no record": lambda n, i, t, k: None,
    "the key authorization itself": lambda n, i, t, k: in_txt(n, i, k),
    "padded": lambda n, i, t, k: in_txt(n, i, digest(k) + "="),
    "in hex": lambda n, i, t, k: in_txt(n, i, hashlib.sha256(k.encode()).hexdigest()),
    "another key's": lambda n, i, t, k: in_txt(n, i, digest(Key.make().key_authorization(t))),
    "at the name itself": lambda n, i, t, k: n.txt.update({i["value"]: [digest(k).encode()]}),
}


@pytest.mark.parametrize("wildcard", ["", "*."])
@pytest.mark.parametrize("case", DNS)
def test_dns_01_is_the_digest_at_its_name(lab, case, wildcard):
    error = held_to(lab, lambda: dns(wildcard + lab.name())[0], "dns-01", DNS[case])
    assert error["type"] == INCORRECT


def test_dns_01_finds_its_record_among_others(lab):
    """A name and its wildcard are proven at the same place: both records are there at once."""
    client = lab.client()
    account = client.register()
    prepare = lambda n, i, t, k: in_txt(n, i, "v=spf1 -all", digest("x.y"), digest(k), "")  # noqa: E731
    assert attempt(lab, client, account, dns(lab.name())[0], "dns-01", prepare)["status"] == "valid"


# -- tls-alpn-01 ----------------------------------------------------------------------------------------------------


def shown(network, identifier, names, digest_octets, *, critical=True, extension=True):
    """A certificate that is not quite what RFC 8737 asks for."""
    key = Key.make().private
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    pattern, _ = validation_certificate(identifier, "pattern")
    good = x509.load_pem_x509_certificate(pattern)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, good.not_valid_before_utc, good.not_valid_after_utc)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if extension:
        value = x509.UnrecognizedExtension(ACME_IDENTIFIER, digest_octets)
        builder = builder.add_extension(value, critical=critical)
    where = reverse_name(identifier["value"]) if identifier["type"] == "ip" else identifier["value"]
    network.tls[where] = builder.sign(key, hashes.SHA256())


def octets(key_authorization):
    return b"\x04\x20" + hashlib.sha256(key_authorization.encode()).digest()


def own(identifier):
    return [x509.DNSName(identifier["value"])]


TLS = {
    "nobody there": lambda n, i, t, k: None,
    "another protocol": lambda n, i, t, k: (n.protocols.update({i["value"]: "http/1.1"}), n.provision(i, t, k)),
    "no protocol": lambda n, i, t, k: (n.protocols.update({i["value"]: ""}), n.provision(i, t, k)),
    "no extension": lambda n, i, t, k: shown(n, i, own(i), b"", extension=False),
    "extension not critical": lambda n, i, t, k: shown(n, i, own(i), octets(k), critical=False),
    "another digest": lambda n, i, t, k: shown(n, i, own(i), octets("x.y")),
    "digest without its OCTET STRING": lambda n, i, t, k: shown(n, i, own(i), octets(k)[2:]),
    "digest and more": lambda n, i, t, k: shown(n, i, own(i), octets(k) + b"\0"),
    "no name": lambda n, i, t, k: shown(n, i, [], octets(k)),
    "another name": lambda n, i, t, k: shown(n, i, [x509.DNSName("other.example.test")], octets(k)),
    "a name too many": lambda n, i, t, k: shown(n, i, [*own(i), x509.DNSName("other.example.test")], octets(k)),
    "an address too": lambda n, i, t, k: shown(n, i, [*own(i), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))], octets(k)),
    "a wildcard": lambda n, i, t, k: shown(n, i, [x509.DNSName("*." + i["value"].partition(".")[2])], octets(k)),
}


@pytest.mark.parametrize("case", TLS)
def test_tls_alpn_01_is_exactly_that_certificate(lab, case):
    error = held_to(lab, lambda: dns(lab.name())[0], "tls-alpn-01", TLS[case])
    assert error["type"] == INCORRECT


def test_tls_alpn_01_takes_the_name_in_another_case(lab):
    client = lab.client()
    account = client.register()
    prepare = lambda n, i, t, k: shown(n, i, [x509.DNSName(i["value"].upper())], octets(k))  # noqa: E731
    assert attempt(lab, client, account, dns(lab.name())[0], "tls-alpn-01", prepare)["status"] == "valid"


@pytest.mark.parametrize("address", ["192.0.2.17", "2001:db8::17"])
def test_an_address_is_asked_for_by_its_reverse_name(lab, address):
    """RFC 8738 section 6: SNI in in-addr.arpa or ip6.arpa, iPAddress in the certificate."""
    client = lab.client(profile=lab.profile(acme={"authorization_reuse": False}))
    account = client.register()
    identifier = ip(address)[0]
    assert attempt(lab, client, account, identifier, "tls-alpn-01", properly)["status"] == "valid"
    assert lab.responder.probes[-1].server_name == reverse_name(address)
    as_text = lambda n, i, t, k: shown(n, i, [x509.DNSName(reverse_name(address))], octets(k))  # noqa: E731
    assert attempt(lab, client, account, identifier, "tls-alpn-01", as_text)["status"] == "invalid"
    assert attempt(lab, client, account, identifier, "tls-alpn-01", properly)["status"] == "valid"


# -- CAA ------------------------------------------------------------------------------------------------------------

US = "ca.example.test"


@pytest.fixture
def caa(lab):
    """Order a name below one whose CAA records the test sets; the authorization that comes of it."""
    profile = lab.profile(acme={"caa": True, "caa_identities": (US,)})
    client = lab.client(profile=profile)
    account = client.register()

    def ask(records, *, wildcard=False, kind="dns-01", at="parent"):
        name = lab.name()
        own_name = f"a.b.{name}"
        lab.responder.caa[{"parent": name, "own": own_name}[at]] = [r(account) if callable(r) else r for r in records]
        identifier = dns(("*." if wildcard else "") + own_name)[0]
        done = attempt(lab, client, account, identifier, kind, properly)
        challenge = next(c for c in done["challenges"] if c["type"] == kind)
        return done["status"], challenge.get("error", {}).get("type", "").removeprefix("urn:ietf:params:acme:error:")

    ask.client = client
    return ask


VALID, FORBIDDEN = ("valid", ""), ("invalid", "caa")
CAA = {
    "no record": ([], False, VALID),
    "us": ([(0, "issue", US)], False, VALID),
    "us in capitals": ([(0, "ISSUE", US.upper())], False, VALID),
    "us and others": ([(0, "issue", "other.test"), (0, "issue", US)], False, VALID),
    "others": ([(0, "issue", "other.test")], False, FORBIDDEN),
    "nobody": ([(0, "issue", ";")], False, FORBIDDEN),
    "empty": ([(0, "issue", "")], False, FORBIDDEN),
    "not our name but one below": ([(0, "issue", f"x.{US}")], False, FORBIDDEN),
    "malformed": ([(0, "issue", f"{US} x y")], False, FORBIDDEN),
    "iodef alone": ([(0, "iodef", "mailto:a@example.test")], False, VALID),
    "unknown tag": ([(0, "tbs", "x")], False, VALID),
    "unknown critical tag": ([(128, "tbs", "x"), (0, "issue", US)], False, FORBIDDEN),
    "critical tag that is known": ([(128, "issue", US)], False, VALID),
    "reserved flags": ([(1, "issue", US)], False, VALID),
    "issuewild does not bind a plain name": ([(0, "issuewild", ";")], False, VALID),
    "wildcard by issue": ([(0, "issue", US)], True, VALID),
    "wildcard by issue, others": ([(0, "issue", "other.test")], True, FORBIDDEN),
    "wildcard by issuewild": ([(0, "issue", "other.test"), (0, "issuewild", US)], True, VALID),
    "issuewild before issue": ([(0, "issue", US), (0, "issuewild", ";")], True, FORBIDDEN),
    "our account": ([lambda a: (0, "issue", f"{US}; accounturi={a.url}")], False, VALID),
    "another account": ([(0, "issue", f"{US}; accounturi=https://ca.example.test/acct/1")], False, FORBIDDEN),
    "our account twice": ([lambda a: (0, "issue", f"{US}; accounturi={a.url}; accounturi={a.url}")], False, FORBIDDEN),
    "this method": ([(0, "issue", f"{US}; validationmethods=dns-01")], False, VALID),
    "this method among others": ([(0, "issue", f"{US}; validationmethods=http-01,dns-01")], False, VALID),
    "another method": ([(0, "issue", f"{US}; validationmethods=http-01")], False, FORBIDDEN),
    "an unknown parameter": ([(0, "issue", f"{US}; colour=red")], False, VALID),
}


@pytest.mark.parametrize("case", CAA)
def test_caa_is_obeyed(caa, case):
    records, wildcard, expected = CAA[case]
    assert caa([(0, "issue", US)]) == VALID
    assert caa(records, wildcard=wildcard) == expected
    assert caa([(0, "issue", US)]) == VALID


def test_the_nearest_records_count_alone(caa, lab):
    """RFC 8659 section 3: the first name on the way up that has records, and no further."""
    lab.responder.caa["example.test"] = [(0, "issue", ";")]
    try:
        assert caa([(0, "issue", US)], at="own") == VALID
        assert caa([(0, "issue", US)]) == VALID
        assert caa([]) == FORBIDDEN
    finally:
        del lab.responder.caa["example.test"]


def test_caa_records_that_could_not_be_had_forbid(lab):
    """RFC 8659 section 3: after SERVFAIL nobody knows whether they forbid, at the name itself or on the way up."""
    client = lab.client(profile=lab.profile(acme={"caa": True, "caa_identities": (US,)}))
    account = client.register()
    for where in ("name", "parent"):
        parent = lab.name()
        lab.responder.caa_failures.add(f"a.{parent}" if where == "name" else parent)
        done = attempt(lab, client, account, dns(f"a.{parent}")[0], "dns-01", properly)
        assert done["status"] == "invalid"
        assert done["challenges"][0]["error"]["type"].endswith(":caa")
        assert attempt(lab, client, account, dns(lab.name())[0], "dns-01", properly)["status"] == "valid"


def test_caa_is_not_looked_at_unless_the_profile_says_so(lab):
    client = lab.client()
    account = client.register()
    name = lab.name()
    lab.responder.caa[name] = [(0, "issue", ";")]
    assert attempt(lab, client, account, dns(name)[0], "http-01", properly)["status"] == "valid"


def test_our_caa_identities_are_in_the_directory(caa):
    assert caa.client.directory["meta"]["caaIdentities"] == [US]
