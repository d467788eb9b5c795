"""That who asks and whose key it is are the same (RFC 5272 section 6.3, RFC 6402 sections 2.3, 2.4 and 2.8)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.support import cmc_client as cmc
from tests.support.cmc_lab import SECRET, CmcLab, Party

RANDOM = b"r" * 64


@pytest.fixture
def lab(tmp_path: Path) -> CmcLab:
    return CmcLab(tmp_path)


def proof(requests: Any) -> list[bytes]:
    return [cmc.control(102, 2, cmc.text("device")), cmc.identity_proof(103, requests, SECRET, "device")]


def test_2_3_a_request_of_somebody_else_cannot_be_put_in(lab: CmcLab) -> None:
    """Who knows the secret takes another one's request, which its key has signed long ago, and has it certified as its own."""
    mine, theirs = cmc.new_key(), cmc.new_key()
    requests = [
        cmc.tcr(1, cmc.csr(mine, names=["a.example.test"])),
        cmc.tcr(2, cmc.csr(theirs, names=["victim.example.test"])),
    ]
    reply = lab.post(cmc.signed(cmc.pki_data(proof(requests), requests), [cmc.Signer(mine)]))
    assert reply.failure(2) == "popFailed"
    assert lab.count() == 0


@pytest.mark.parametrize("wrong", ["none", "random", "secret", "one of two", "no random", "no proof"])
def test_6_3_1_1_every_request_has_a_witness_that_verifies(lab: CmcLab, wrong: str) -> None:
    key, other = cmc.new_key(), cmc.new_key()
    good = cmc.attribute("1.3.6.1.5.5.7.7.33", cmc.pop_link_witness(SECRET, RANDOM))
    bad = {
        "none": [],
        "random": [cmc.attribute("1.3.6.1.5.5.7.7.33", cmc.pop_link_witness(SECRET, b"other"))],
        "secret": [cmc.attribute("1.3.6.1.5.5.7.7.33", cmc.pop_link_witness("other", RANDOM))],
        # Both values of one attribute have to be right.
        "one of two": [
            cmc.attribute(
                "1.3.6.1.5.5.7.7.33", *sorted([cmc.pop_link_witness(SECRET, RANDOM), cmc.pop_link_witness("x", RANDOM)])
            )
        ],
    }.get(wrong, [good])
    requests = [
        cmc.tcr(1, cmc.csr(key, names=["a.example.test"], attributes=[good])),
        cmc.tcr(2, cmc.csr(other, names=["b.example.test"], attributes=bad)),
    ]
    controls = [*proof(requests), cmc.control(104, 22, cmc.octets(RANDOM))]
    if wrong == "no random":
        controls = proof(requests)
    elif wrong == "no proof":
        controls = [cmc.control(104, 22, cmc.octets(RANDOM))]
    reply = lab.post(cmc.signed(cmc.pki_data(controls, requests), [cmc.Signer(key)]), user=("device", SECRET))
    assert reply.failure(2) == "popFailed"
    assert lab.count() == 0


def test_6_3_1_2_pop_link_witness_version_1(lab: CmcLab) -> None:
    import hashlib
    import hmac

    key = cmc.new_key()
    witness = hmac.digest(hashlib.sha1(SECRET.encode()).digest(), RANDOM, "sha1")
    requests = [
        cmc.tcr(1, cmc.csr(key, names=["a.example.test"], attributes=[cmc.attribute("1.3.6.1.5.5.7.7.23", cmc.octets(witness))]))
    ]
    message = cmc.signed(cmc.pki_data([*proof(requests), cmc.control(104, 22, cmc.octets(RANDOM))], requests), [cmc.Signer(key)])
    assert lab.post(message).issued(key)
    lab.set(est={"cmc_sha1": False})
    assert lab.post(message).failure(1) == "badAlg"


def changed(**names: Any) -> bytes:
    """A ChangeSubjectName."""
    value = []
    if "subject" in names:
        value.append(cmc.name(CN=names["subject"]))
    if "alternative" in names:
        value.append(cmc.retagged(0xA1, cmc.alternative_names(*names["alternative"])))
    return cmc.sequence(*value)


def renewal(
    party: Party,
    key: Any,
    subject: str = "device",
    names: Any = ("device.example.test",),
    crmf: bool = False,
    change: bytes = b"",
) -> bytes:
    identifier = "1.3.6.1.5.5.7.7.36"
    if crmf:
        controls = [cmc.sequence(cmc.oid(identifier), change)] if change else []
        request = cmc.crm(cmc.crmf(7, key, cmc.name(CN=subject), names, controls=controls))
    else:
        attributes = [cmc.attribute(identifier, change)] if change else []
        request = cmc.tcr(7, cmc.csr(key, cmc.name(CN=subject), names, attributes=attributes))
    return cmc.signed(cmc.pki_data([], [request]), [party.signer])


@pytest.mark.parametrize("crmf", [False, True], ids=["PKCS10", "CRMF"])
@pytest.mark.parametrize(
    ("subject", "names"),
    [
        pytest.param("other", ["device.example.test"], id="subject"),
        pytest.param("device", ["other.example.test"], id="another name"),
        pytest.param("device", ["device.example.test", "other.example.test"], id="one more name"),
        pytest.param("device", [], id="no name"),
    ],
)
@pytest.mark.parametrize("rename", [False, True], ids=["keeps names", "may rename"])
def test_2_4_a_request_repeats_the_names_of_the_certificate(
    lab: CmcLab, subject: str, names: Any, crmf: bool, rename: bool
) -> None:
    lab.set(rename=rename)
    party = lab.certified()
    lab.later(days=61)
    assert lab.post(renewal(party, cmc.new_key(), subject, names, crmf)).failure(7) == "popFailed"
    assert lab.count() == 1


@pytest.mark.parametrize("crmf", [False, True], ids=["PKCS10", "CRMF"])
def test_2_8_other_names_stand_in_change_subject_name(lab: CmcLab, crmf: bool) -> None:
    party, key = lab.certified(), cmc.new_key()
    lab.later(days=61)
    message = renewal(party, key, crmf=crmf, change=changed(subject="renamed", alternative=["renamed.example.test"]))
    assert lab.post(message).failure(7) == "badRequest"  # the profile does not let it
    lab.set(rename=True)
    issued = lab.post(message).issued(key)
    assert issued.subject.rfc4514_string() == "CN=renamed"
    assert dns_names(issued) == ["renamed.example.test"]


def dns_names(certificate: x509.Certificate) -> list[str]:
    value = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(value.get_values_for_type(x509.DNSName))


def test_2_8_what_change_subject_name_leaves_out_is_not_kept(lab: CmcLab) -> None:
    lab.set(rename=True)
    party, key = lab.certified(), cmc.new_key()
    lab.later(days=61)
    issued = lab.post(renewal(party, key, change=changed(alternative=["renamed.example.test"]))).issued(key)
    assert issued.subject.rfc4514_string() == ""
    assert dns_names(issued) == ["renamed.example.test"]
    assert lab.post(renewal(party, key, change=b"\x30\x00")).failure(7) == "badRequest"


def test_2_8_the_names_policy_holds_for_new_names_too(lab: CmcLab) -> None:
    lab.set(rename=True, names=lab.profile.profile.names.__class__(permitted_dns=("example.test",)))
    party = lab.certified()
    lab.later(days=61)
    message = renewal(party, cmc.new_key(), change=changed(subject="renamed", alternative=["elsewhere.test"]))
    assert lab.post(message).failure(7) == "badRequest"
    assert lab.count() == 1


def test_a_certificate_of_another_profile_gets_its_own_names_and_no_renewal(lab: CmcLab) -> None:
    other = lab._save("other", ("certificate",), lab.profile.template)
    lab.set(certificate_profiles=("other",))
    party, key = lab.certified(profile=other), cmc.new_key()
    # Not in the renewal window of its own certificate, which this is no renewal of.
    assert lab.post(renewal(party, key)).issued(key)
    assert lab.post(renewal(party, cmc.new_key(), names=["more.example.test"])).failure(7) == "popFailed"
