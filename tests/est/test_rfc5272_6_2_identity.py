"""Who asks (RFC 5272 sections 6.2 and 3.2, RFC 7030 section 3.2.3): nothing that CMC proves goes around what the profile asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import cmc_client as cmc
from tests.support.cmc_lab import SECRET, CmcLab, Party, enrollment


@pytest.fixture
def lab(tmp_path: Path) -> CmcLab:
    return CmcLab(tmp_path)


def plain(key: Any, controls: Any = (), names: Any = ("a.example.test",)) -> bytes:
    """A message that proves nothing but possession."""
    request = cmc.tcr(201, cmc.csr(key, cmc.name(CN=names[0]), names))
    return cmc.signed(cmc.pki_data(controls, [request]), [cmc.Signer(key)])


def renewal(party: Party, key: Any, controls: Any = ()) -> bytes:
    request = cmc.tcr(7, cmc.csr(key, cmc.name(CN="device"), ["device.example.test"]))
    return cmc.signed(cmc.pki_data(controls, [request]), [party.signer], [party.der])


def proof(requests: Any, secret: str = SECRET, reference: str = "device") -> list[bytes]:
    return [cmc.control(102, 2, cmc.text(reference)), cmc.identity_proof(103, requests, secret, reference)]


@pytest.mark.parametrize("hashed", ["sha1", "sha256", "sha384", "sha512"])
def test_6_2_1_identity_proofs_of_every_algorithm(lab: CmcLab, hashed: str) -> None:
    key = cmc.new_key()
    request = cmc.tcr(201, cmc.csr(key, names=["a.example.test"]))
    controls = [
        cmc.control(102, 2, cmc.text("device")),
        cmc.identity_proof(103, [request], SECRET, "device", hashed=hashed, mac=hashed),
    ]
    message = cmc.signed(cmc.pki_data(controls, [request]), [cmc.Signer(key)])
    assert lab.post(message).issued(key)
    if hashed == "sha1":
        lab.set(est={"cmc_sha1": False})
        assert lab.post(message).failure(0) == "badAlg"


def test_6_2_2_identity_proof_version_1(lab: CmcLab) -> None:
    key = cmc.new_key()
    request = cmc.tcr(201, cmc.csr(key, names=["a.example.test"]))
    controls = [cmc.control(102, 2, cmc.text("device")), cmc.identity_proof_v1(103, [request], SECRET, "device")]
    assert lab.post(cmc.signed(cmc.pki_data(controls, [request]), [cmc.Signer(key)])).issued(key)


@pytest.mark.parametrize("wrong", ["secret", "reference", "other requests", "no identification", "no requests", "derivation"])
def test_6_2_1_a_proof_that_fails_is_bad_identity(lab: CmcLab, wrong: str) -> None:
    key = cmc.new_key()
    requests = [cmc.tcr(201, cmc.csr(key, names=["a.example.test"]))]
    controls = proof(requests)
    if wrong == "secret":
        controls = proof(requests, SECRET + "x")
    elif wrong == "reference":
        controls = proof(requests, reference="nobody")
    elif wrong == "other requests":
        controls = proof([cmc.tcr(202, cmc.csr(key, names=["a.example.test"]))])
    elif wrong == "no identification":
        controls = [cmc.identity_proof(103, requests, SECRET)]
    elif wrong == "derivation":
        # Without the identification in the key, which section 6.2.3 wants there.
        controls = [cmc.control(102, 2, cmc.text("device")), cmc.identity_proof(103, requests, SECRET)]
    if wrong == "no requests":
        # The same for ever: whoever has seen it once could use it.
        party = lab.certified()
        revocation = cmc.control(1, 17, cmc.revoke_request(issuer_of(party), int.from_bytes(party.record.serial, "big")))
        message = cmc.signed(cmc.pki_data([*proof([]), revocation]), [party.signer])
    else:
        message = cmc.signed(cmc.pki_data(controls, requests), [cmc.Signer(key)])
    reply = lab.post(message)
    assert (reply.status, reply.failure(0)) == (401, "badIdentity")
    assert reply.http.header("www-authenticate") is not None
    assert lab.count() == (1 if wrong == "no requests" else 0)


def issuer_of(party: Party) -> bytes:
    from cryptography import x509

    return x509.load_der_x509_certificate(party.der).issuer.public_bytes()


def test_failures_lock_a_passcode(lab: CmcLab) -> None:
    lab.passcode("other", "one-time-passcode-2")
    for _ in range(5):
        assert lab.post(enrollment(cmc.new_key(), secret="wrong", reference="other")).status == 401
    assert lab.post(enrollment(cmc.new_key(), secret="one-time-passcode-2", reference="other")).status == 401


def test_one_text_for_an_unknown_name_and_a_wrong_secret(lab: CmcLab) -> None:
    texts = set()
    for secret, reference in ((SECRET + "x", "device"), (SECRET, "nobody")):
        texts.add(lab.post(enrollment(cmc.new_key(), secret=secret, reference=reference)).cmc.statuses[0].text)
    assert len(texts) == 1


def test_a_passcode_is_for_one_request(lab: CmcLab) -> None:
    lab.passcode()
    first, second = cmc.new_key(), cmc.new_key()
    requests = [cmc.tcr(1, cmc.csr(first, names=["a.example.test"])), cmc.tcr(2, cmc.csr(second, names=["b.example.test"]))]
    random = b"r" * 64
    witness = cmc.attribute("1.3.6.1.5.5.7.7.33", cmc.pop_link_witness("one-time-passcode-1", random))
    linked = [
        cmc.tcr(1, cmc.csr(first, names=["a.example.test"], attributes=[witness])),
        cmc.tcr(2, cmc.csr(second, names=["b.example.test"], attributes=[witness])),
    ]
    controls = [*proof(linked, "one-time-passcode-1"), cmc.control(104, 22, cmc.octets(random))]
    reply = lab.post(cmc.signed(cmc.pki_data(controls, linked), [cmc.Signer(first)]))
    assert [reply.cmc.status_of(body).failure for body in (1, 2)] == ["badIdentity", "badIdentity"]
    assert lab.count() == 0
    # It was not spent by that.
    one = cmc.signed(cmc.pki_data(proof(requests[:1], "one-time-passcode-1"), requests[:1]), [cmc.Signer(first)])
    assert lab.post(one).issued(first)
    # It is now, but the same request may be repeated.
    assert lab.post(one).issued(first)
    other = cmc.signed(cmc.pki_data(proof(requests[1:], "one-time-passcode-1"), requests[1:]), [cmc.Signer(second)])
    assert lab.post(other).status in (401, 403)
    assert lab.count() == 1


def test_a_global_code_is_for_several_requests_that_are_linked_to_it(lab: CmcLab) -> None:
    first, second, random = cmc.new_key(), cmc.new_key(), b"r" * 64
    witness = cmc.attribute("1.3.6.1.5.5.7.7.33", cmc.pop_link_witness(SECRET, random))
    control = cmc.sequence(cmc.oid("1.3.6.1.5.5.7.7.33"), cmc.pop_link_witness(SECRET, random, hashed="sha1", mac="sha1"))
    requests = [
        cmc.tcr(1, cmc.csr(first, names=["a.example.test"], attributes=[witness])),
        cmc.crm(cmc.crmf(2, second, names=["b.example.test"], controls=[control])),
    ]
    controls = [*proof(requests), cmc.control(104, 22, cmc.octets(random))]
    reply = lab.post(cmc.signed(cmc.pki_data(controls, requests), [cmc.Signer(first)]))
    assert reply.issued(first)
    assert reply.issued(second)


# What EST asks for


def test_what_only_proves_possession_asks_for_credentials(lab: CmcLab) -> None:
    key = cmc.new_key()
    reply = lab.post(plain(key))
    assert (reply.status, reply.failure(0)) == (401, "badIdentity")
    assert reply.http.header("www-authenticate") == 'Basic realm="privca"'
    assert lab.post(plain(key), user=("device", SECRET)).issued(key)
    assert lab.post(plain(key), user=("device", "wrong")).status == 401
    assert lab.count() == 1


def test_a_client_certificate_of_the_connection_proves_who_asks(lab: CmcLab) -> None:
    party, key = lab.certified(), cmc.new_key()
    lab.later(days=61)
    assert lab.post(plain(key), client=party).failure(201) == "popFailed"  # not its own names
    request = cmc.tcr(7, cmc.csr(key, cmc.name(CN="device"), ["device.example.test"]))
    message = cmc.signed(cmc.pki_data([], [request]), [cmc.Signer(key)])
    assert lab.post(message, client=party).issued(key)
    stranger = lab.certified(profile=lab._save("other", ("certificate",), lab.profile.template))
    assert lab.post(message, client=stranger).status == 401


def test_a_wrong_password_is_refused_whatever_else_is_right(lab: CmcLab) -> None:
    party = lab.certified()
    lab.later(days=61)
    assert lab.post(renewal(party, cmc.new_key()), user=("device", "wrong")).failure(0) == "badIdentity"
    assert lab.post(enrollment(cmc.new_key()), user=("device", "wrong")).failure(0) == "badIdentity"
    assert lab.count() == 1


@pytest.mark.parametrize("methods", [("code",), ("certificate",)], ids=["code alone", "certificate alone"])
def test_methods_that_the_profile_does_not_accept_prove_nothing(lab: CmcLab, methods: Any) -> None:
    party = lab.certified()
    lab.later(days=61)
    lab.set(authentication=methods)
    by_code, by_certificate = lab.post(enrollment(cmc.new_key())), lab.post(renewal(party, cmc.new_key()))
    assert [by_code.status == 200, by_certificate.status == 200] == [methods == ("code",), methods == ("certificate",)]
    assert lab.count() == 2


def test_both_means_both_of_one_message(lab: CmcLab) -> None:
    party, key = lab.certified(), cmc.new_key()
    lab.later(days=61)
    lab.set(est={"both": True})
    requests = [cmc.tcr(7, cmc.csr(key, cmc.name(CN="device"), ["device.example.test"]))]
    by_proof = cmc.signed(cmc.pki_data(proof(requests), requests), [cmc.Signer(key)])
    for message, facts in (
        (renewal(party, key), {}),
        (by_proof, {}),
        (cmc.signed(cmc.pki_data([], requests), [cmc.Signer(key)]), {"client": party}),
        (cmc.signed(cmc.pki_data([], requests), [cmc.Signer(key)]), {"user": ("device", SECRET)}),
    ):
        reply = lab.post(message, **facts)
        assert reply.status in (401, 403), facts
        assert lab.count() == 1
    for message, facts in (
        (renewal(party, cmc.new_key()), {"user": ("device", SECRET)}),
        (by_proof, {"client": party}),
        (cmc.signed(cmc.pki_data([], requests), [cmc.Signer(key)]), {"client": party, "user": ("device", SECRET)}),
        (cmc.signed(cmc.pki_data(proof(requests), requests), [party.signer]), {}),
    ):
        assert lab.post(message, **facts).status == 200, facts


def test_both_spends_the_passcode(lab: CmcLab) -> None:
    party = lab.certified()
    lab.later(days=61)
    lab.passcode()
    lab.set(est={"both": True}, authentication=("otp", "certificate"))
    keys = [cmc.new_key(), cmc.new_key()]
    for key in keys:
        requests = [cmc.tcr(7, cmc.csr(key, cmc.name(CN="device"), ["device.example.test"]))]
        reply = lab.post(cmc.signed(cmc.pki_data(proof(requests, "one-time-passcode-1"), requests), [party.signer]))
        assert (reply.status == 200) == (key is keys[0])
    assert lab.count() == 2


def test_the_names_policy_of_the_method_holds(lab: CmcLab) -> None:
    names = lab.profile.profile.names.__class__
    lab.set(names_by={"code": names(permitted_dns=("only.test",))})
    assert lab.post(enrollment(cmc.new_key())).failure(201) == "badRequest"
    assert lab.post(enrollment(cmc.new_key(), names=["a.only.test"])).status == 200


@pytest.mark.parametrize("binding", ["optional", "required"])
def test_rfc7030_3_5_the_link_of_est_counts_where_the_message_has_none(lab: CmcLab, binding: str) -> None:
    lab.set(est={"channel_binding": binding})
    password = cmc.attribute("1.2.840.113549.1.9.7", b"\x0c\x04AAAA")
    key = cmc.new_key()
    wrong = cmc.tcr(201, cmc.csr(key, names=["a.example.test"], attributes=[password]))
    # What is there is verified, and this is no channel binding of anything.
    reply = lab.post(cmc.signed(cmc.pki_data(proof([wrong]), [wrong]), [cmc.Signer(key)]))
    assert reply.failure(201) == "popFailed"
    # An identity proof links by itself (RFC 5272 section 6.3, to which RFC 7030 section 3.5 is the alternative) ...
    assert lab.post(enrollment(cmc.new_key())).status == 200
    # ... credentials of the connection do not.
    reply = lab.post(plain(cmc.new_key()), user=("device", SECRET))
    assert (reply.status == 200) == (binding == "optional")
    if binding == "required":
        assert reply.failure(201) == "popFailed"
