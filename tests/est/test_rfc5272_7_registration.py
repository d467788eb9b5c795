"""Registration authorities (RFC 5272 sections 6.5, 6.8, 6.17, 6.19 and 7, RFC 6402 sections 2.5 and 2.12, RFC 7030 section 3.7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.support import cmc_client as cmc
from tests.support.cmc_lab import SECRET, CmcLab, Party, Reply, enrollment


@pytest.fixture
def lab(tmp_path: Path) -> CmcLab:
    return CmcLab(tmp_path)


def dns_names(certificate: x509.Certificate) -> list[str]:
    value = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(value.get_values_for_type(x509.DNSName))


def numbers(*values: int) -> bytes:
    return cmc.sequence(*[cmc.integer(value) for value in values])


def client(
    key: Any, body: int = 201, *, controls: Any = (), crmf: dict[str, Any] | None = None, names: Any = ("a.example.test",)
) -> bytes:
    """A client's message that only proves possession."""
    subject = cmc.name(CN="client")
    request = (
        cmc.crm(cmc.crmf(body, key, subject, names, **crmf)) if crmf is not None else cmc.tcr(body, cmc.csr(key, subject, names))
    )
    return cmc.signed(cmc.pki_data(controls, [request]), [cmc.Signer(key)])


def wrapped(lab: CmcLab, ra: Party, *messages: bytes, controls: Any = (), requests: Any = (), **facts: Any) -> Reply:
    """What an RA sends: messages of clients at 1, 2, ... in a batch."""
    bodies = range(1, len(messages) + 1)
    batch = [cmc.control(101, 28, numbers(*bodies))] if messages else []
    contents = [cmc.content(body, message) for body, message in zip(bodies, messages, strict=True)]
    return lab.post(cmc.signed(cmc.pki_data([*batch, *controls], requests, contents), [ra.signer]), **facts)


def vouching(body: int, *path: int) -> bytes:
    """RA Identity Proof Witness."""
    return cmc.control(body, 35, numbers(*path))


def test_7_simple_requests_of_clients(lab: CmcLab) -> None:
    keys = [cmc.new_key() for _ in range(3)]
    requests = [
        cmc.tcr(1, cmc.csr(keys[0], cmc.name(CN="a"), ["a.example.test"])),
        cmc.crm(cmc.crmf(2, keys[1], cmc.name(CN="b"), ["b.example.test"])),
        cmc.tcr(3, cmc.csr(keys[2], cmc.name(CN="c"), ["c.example.test"], ski=False)),
    ]
    reply = wrapped(lab, lab.registration(), requests=requests)
    assert not reply.cmc.full
    assert [reply.issued(key).subject.rfc4514_string() for key in keys] == ["CN=a", "CN=b", "CN=c"]


def test_6_17_a_batch_of_clients_that_prove_who_they_are(lab: CmcLab) -> None:
    first, second, party = cmc.new_key(), cmc.new_key(), lab.certified()
    lab.later(days=61)
    renewed = cmc.new_key()
    request = cmc.tcr(7, cmc.csr(renewed, cmc.name(CN="device"), ["device.example.test"]))
    reply = wrapped(
        lab,
        lab.registration(),
        enrollment(first, controls=[cmc.control(9, 6, cmc.octets(b"of the client"))]),
        enrollment(second, secret="wrong"),
        cmc.signed(cmc.pki_data([], [request]), [party.signer]),
        controls=[cmc.control(102, 6, cmc.octets(b"of the RA")), cmc.control(103, 5, cmc.integer(77))],
    )
    found = reply.cmc
    assert (reply.status, found.status_of(101).status) == (200, "success")
    assert [found.inside[body].statuses[0].status for body in (1, 2, 3)] == ["success", "failed", "success"]
    assert found.inside[2].statuses[0].failure == "badIdentity"
    assert len(found.statuses) == 1  # errors of single requests are not propagated
    assert found.inside[1].certificate_for(first) is not None
    assert found.inside[3].certificate_for(renewed) is not None
    assert found.certificate_for(first) is None  # certificates are in what immediately encapsulates their response
    assert found.controls[29] == [numbers(1, 2, 3)]
    assert found.controls[7] == [cmc.octets(b"of the RA")]
    assert found.inside[1].controls[7] == [cmc.octets(b"of the client")]
    assert found.controls[5] == [cmc.integer(77)]
    assert lab.count() == 3


def test_2_5_an_ra_vouches_for_the_identity_of_a_client(lab: CmcLab) -> None:
    ra, key = lab.registration(), cmc.new_key()
    reply = wrapped(lab, ra, client(key))
    assert reply.cmc.inside[1].statuses[0].failure == "badIdentity"
    assert lab.count() == 0
    reply = wrapped(lab, ra, client(key), controls=[vouching(102, 1)])
    assert reply.cmc.inside[1].certificate_for(key) is not None
    # It vouches for one message and not for the other.
    reply = wrapped(lab, ra, client(cmc.new_key()), client(cmc.new_key()), controls=[vouching(102, 2)])
    assert [reply.cmc.inside[body].statuses[0].status for body in (1, 2)] == ["failed", "success"]
    assert lab.count() == 2


def test_2_5_an_ra_has_verified_an_identity_proof_itself(lab: CmcLab) -> None:
    ra, key = lab.registration(), cmc.new_key()
    # A secret that the RA shares with the client, and we do not know.
    message = enrollment(key, secret="between the two", reference="client 7")
    assert wrapped(lab, ra, message).cmc.inside[1].statuses[0].failure == "badIdentity"
    assert wrapped(lab, ra, message, controls=[vouching(102, 1, 102)]).cmc.inside[1].statuses[0].failure == "badIdentity"
    assert wrapped(lab, ra, message, controls=[vouching(102, 1, 103)]).cmc.inside[1].certificate_for(key) is not None


def test_what_the_connection_proves_is_not_the_client_s(lab: CmcLab) -> None:
    reply = wrapped(lab, lab.registration(), client(cmc.new_key()), user=("device", SECRET), client=lab.certified())
    assert reply.cmc.inside[1].statuses[0].failure == "badIdentity"


def test_6_5_1_an_ra_changes_a_request(lab: CmcLab) -> None:
    ra, key, other = lab.registration(), cmc.new_key(), cmc.new_key()
    names = cmc.extension(x509.SubjectAlternativeName([x509.DNSName("assigned.example.test")]))
    template = cmc.sequence(cmc.tlv(0xA5, cmc.name(CN="assigned")), cmc.tlv(0xA9, names))
    change = cmc.control(103, 31, cmc.sequence(numbers(1), numbers(201), template))
    reply = wrapped(lab, ra, client(key), controls=[vouching(102, 1), change])
    issued = reply.cmc.inside[1].certificate_for(key)
    assert issued is not None
    assert (issued.subject.rfc4514_string(), dns_names(issued)) == ("CN=assigned", ["assigned.example.test"])
    # In its own message, and removing: the subject goes, the names stay.
    removal = cmc.control(
        104, 31, cmc.sequence(numbers(0), numbers(5), b"\x01\x01\x00", cmc.sequence(cmc.tlv(0xA5, cmc.name(CN="x"))))
    )
    reply = wrapped(lab, ra, controls=[removal], requests=[cmc.tcr(5, cmc.csr(other, cmc.name(CN="x"), ["b.example.test"]))])
    assert reply.issued(other).subject.rfc4514_string() == ""


def test_6_5_1_the_names_policy_holds_for_what_an_ra_wants(lab: CmcLab) -> None:
    lab.set(names=lab.profile.profile.names.__class__(permitted_dns=("example.test",)))
    names = cmc.extension(x509.SubjectAlternativeName([x509.DNSName("elsewhere.test")]))
    change = cmc.control(103, 31, cmc.sequence(numbers(0), numbers(5), cmc.sequence(cmc.tlv(0xA9, names))))
    request = cmc.tcr(5, cmc.csr(cmc.new_key(), names=["a.example.test"]))
    assert wrapped(lab, lab.registration(), controls=[change], requests=[request]).failure(5) == "badRequest"
    assert lab.count() == 0


def test_6_5_2_extensions_are_added_and_must_not_contradict(lab: CmcLab) -> None:
    ra, key = lab.registration(), cmc.new_key()

    def add(body: int, data: int, name: str) -> bytes:
        extension = cmc.extension(x509.SubjectAlternativeName([x509.DNSName(name)]))
        return cmc.control(body, 8, cmc.sequence(cmc.integer(data), numbers(201), cmc.sequence(extension)))

    reply = wrapped(lab, ra, client(key, names=()), controls=[vouching(102, 1), add(103, 1, "added.example.test")])
    issued = reply.cmc.inside[1].certificate_for(key)
    assert issued is not None
    assert dns_names(issued) == ["added.example.test"]
    both = [vouching(102, 1), add(103, 1, "a.example.test"), add(104, 1, "b.example.test")]
    assert wrapped(lab, ra, client(cmc.new_key()), controls=both).cmc.inside[1].statuses[0].failure == "badRequest"
    assert lab.count() == 1


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(
            cmc.sequence(numbers(1), numbers(999), cmc.sequence(cmc.tlv(0xA5, cmc.name(CN="x")))),
            id="a request that is not there",
        ),
        pytest.param(
            cmc.sequence(numbers(9), numbers(201), cmc.sequence(cmc.tlv(0xA5, cmc.name(CN="x")))),
            id="a message that is not there",
        ),
        pytest.param(
            cmc.sequence(numbers(0), numbers(201), cmc.sequence(cmc.tlv(0xA5, cmc.name(CN="x")))), id="the wrong message"
        ),
        pytest.param(
            cmc.sequence(numbers(1), numbers(201), cmc.sequence(cmc.retagged(0xA6, cmc.spki(cmc.new_key())))), id="another key"
        ),
    ],
)
def test_6_5_1_a_change_of_what_is_not_there_is_refused(lab: CmcLab, value: bytes) -> None:
    reply = wrapped(lab, lab.registration(), client(cmc.new_key()), controls=[vouching(102, 1), cmc.control(103, 31, value)])
    failures = [one.failure for part in (reply.cmc, *reply.cmc.inside.values()) for one in part.statuses if one.failure]
    assert failures == ["badRequest"]
    assert lab.count() == 0


def test_6_5_1_a_change_of_a_request_that_is_not_there(lab: CmcLab) -> None:
    value = cmc.sequence(numbers(1), numbers(999), cmc.sequence(cmc.tlv(0xA5, cmc.name(CN="x"))))
    reply = wrapped(lab, lab.registration(), client(cmc.new_key()), controls=[vouching(102, 1), cmc.control(103, 31, value)])
    assert reply.cmc.inside[1].statuses[0].failure == "badRequest"


def test_6_8_an_ra_vouches_for_possession(lab: CmcLab) -> None:
    ra = lab.registration()
    for pop in ("none", "raVerified"):
        key, signer = cmc.new_key(), cmc.new_key()
        # The message is signed with another key of the client, since this one is not to sign.
        requests = [
            cmc.crm(cmc.crmf(201, key, cmc.name(CN="c"), ["c.example.test"], pop=pop)),
            cmc.tcr(202, cmc.csr(signer, names=["s.example.test"])),
        ]
        message = cmc.signed(cmc.pki_data([], requests), [cmc.Signer(signer)])
        assert wrapped(lab, ra, message, controls=[vouching(102, 1)]).cmc.inside[1].status_of(201).failure == "popFailed"
        elsewhere = cmc.control(103, 11, cmc.sequence(cmc.integer(0), numbers(201)))
        reply = wrapped(lab, ra, message, controls=[vouching(102, 1), elsewhere])
        assert reply.cmc.inside[1].status_of(201).failure == "popFailed"
        witness = cmc.control(103, 11, cmc.sequence(cmc.integer(1), numbers(201)))
        reply = wrapped(lab, ra, message, controls=[vouching(102, 1), witness])
        assert reply.cmc.inside[1].certificate_for(key) is not None
    lab.set(est={"cmc_ra_possession": False})
    assert wrapped(lab, ra, message, controls=[vouching(102, 1), witness]).cmc.inside[1].status_of(201).failure == "popFailed"


def test_6_8_ra_verified_in_the_message_of_an_ra(lab: CmcLab) -> None:
    key, ra = cmc.new_key(), lab.registration()
    request = cmc.crm(cmc.crmf(1, key, cmc.name(CN="c"), ["c.example.test"], pop="raVerified"))
    assert wrapped(lab, ra, requests=[request]).issued(key)
    request = cmc.crm(cmc.crmf(1, key, cmc.name(CN="c"), ["c.example.test"], pop="none"))
    assert wrapped(lab, ra, requests=[request]).failure(1) == "popFailed"
    witness = cmc.control(103, 11, cmc.sequence(cmc.integer(0), numbers(1)))
    assert wrapped(lab, ra, requests=[request], controls=[witness]).issued(key)


AUTHORITATIVE = [
    pytest.param(cmc.control(50, 11, cmc.sequence(cmc.integer(0), numbers(201))), id="RA POP Witness"),
    pytest.param(
        cmc.control(50, 31, cmc.sequence(numbers(0), numbers(201), cmc.sequence(cmc.tlv(0xA5, cmc.name(CN="x"))))), id="Modify"
    ),
    pytest.param(
        cmc.control(50, 8, cmc.sequence(cmc.integer(0), numbers(201), cmc.sequence(cmc.extension(x509.OCSPNoCheck())))), id="Add"
    ),
    pytest.param(cmc.control(50, 32, cmc.sequence(numbers(60))), id="Control Processed"),
    pytest.param(vouching(50, 102), id="RA Identity Witness"),
    pytest.param(cmc.control(50, 28, numbers(9)), id="Batch Request"),
]


@pytest.mark.parametrize("control", AUTHORITATIVE)
@pytest.mark.parametrize(
    "how", ["by itself", "by its certificate", "through the connection of an RA", "inside the message of an RA"]
)
def test_2_12_a_client_does_not_speak_as_an_ra(lab: CmcLab, how: str, control: bytes) -> None:
    """The controls of an RA count in what an RA has signed, and nowhere else: an RA that passes a message on has not read it."""
    key, ra, party = cmc.new_key(), lab.registration(), lab.certified()
    lab.later(days=61)
    message = client(key, controls=[control])
    if how == "by itself":
        reply = lab.post(enrollment(key, controls=[control]))
    elif how == "by its certificate":
        request = cmc.tcr(201, cmc.csr(key, cmc.name(CN="device"), ["device.example.test"]))
        reply = lab.post(cmc.signed(cmc.pki_data([control], [request]), [party.signer]))
    elif how == "through the connection of an RA":
        reply = lab.post(message, client=ra)
    else:
        reply = wrapped(lab, ra, message, controls=[vouching(102, 1)])
        assert [(one.bodies, one.failure) for one in reply.cmc.inside[1].statuses] == [([50], "badRequest")]
        assert lab.count() == 1
        return
    assert [(one.bodies, one.failure) for one in reply.cmc.statuses] == [([50], "badRequest")]
    assert (reply.status, lab.count()) == (403, 1)


def test_an_unknown_key_usage_makes_no_ra(lab: CmcLab) -> None:
    """cmcRA of another CA is none here, nor is a certificate of ours without it."""
    witness = cmc.control(50, 11, cmc.sequence(cmc.integer(0), numbers(201)))
    request = cmc.crm(cmc.crmf(201, cmc.new_key(), cmc.name(CN="device"), ["device.example.test"], pop="none"))
    elsewhere = lab._save("elsewhere", ("certificate",), lab.ra_profile.template, issuer="root")
    lab.set(certificate_profiles=("elsewhere",))
    for party in (lab.certified(), lab.certified(profile=elsewhere)):
        lab.later(days=31)
        assert lab.post(cmc.signed(cmc.pki_data([witness], [request]), [party.signer])).failure(50) == "badRequest"
    assert lab.count() == 1


def test_6_19_a_control_that_an_ra_has_processed(lab: CmcLab) -> None:
    key, ra = cmc.new_key(), lab.registration()
    unknown = cmc.control(60, "1.3.6.1.4.1.99999.2", b"\x05\x00")
    message = client(key, controls=[unknown])
    reply = wrapped(lab, ra, message, controls=[vouching(102, 1)])
    assert reply.cmc.inside[1].statuses[0].bodies == [60]
    processed = cmc.control(103, 32, cmc.sequence(cmc.sequence(numbers(1, 60))))
    assert wrapped(lab, ra, message, controls=[vouching(102, 1), processed]).cmc.inside[1].certificate_for(key) is not None
    # The path leads to one message.
    elsewhere = cmc.control(103, 32, cmc.sequence(cmc.sequence(cmc.integer(60), numbers(2, 60))))
    reply = wrapped(lab, ra, message, controls=[vouching(102, 1), elsewhere])
    assert reply.cmc.inside[1].statuses[0].bodies == [60]


def test_6_17_what_a_batch_must_not_be(lab: CmcLab) -> None:
    ra, key = lab.registration(), cmc.new_key()
    contents = [cmc.content(1, enrollment(key))]
    for members in ((9,), (1, 9), (1, 1)):
        data = cmc.pki_data([cmc.control(101, 28, numbers(*members))], [], contents)
        assert lab.post(cmc.signed(data, [ra.signer])).failure(101) == "badRequest"
    assert lab.count() == 0
    # What is inside is no SignedData: its own refusal, which stays inside.
    data = cmc.pki_data(
        [cmc.control(101, 28, numbers(1))], [], [cmc.content(1, cmc.sequence(cmc.oid("1.2.3"), cmc.tlv(0xA0, cmc.octets(b""))))]
    )
    reply = lab.post(cmc.signed(data, [ra.signer]))
    assert reply.cmc.inside[1].statuses[0].failure == "badRequest"


def test_7_several_authorities_one_around_the_other(lab: CmcLab) -> None:
    key, near, far = cmc.new_key(), lab.registration(), lab.registration()

    def around(ra: Party, message: bytes, *controls: bytes) -> bytes:
        return cmc.signed(cmc.pki_data([cmc.control(101, 28, numbers(1)), *controls], [], [cmc.content(1, message)]), [ra.signer])

    def change(*data: int, name: str) -> bytes:
        return cmc.control(103, 31, cmc.sequence(numbers(*data), numbers(201), cmc.sequence(cmc.tlv(0xA5, cmc.name(CN=name)))))

    inner = around(near, client(key), vouching(102, 1), change(1, name="near"))
    reply = lab.post(around(far, inner, change(1, 1, name="far")))
    issued = reply.cmc.inside[1].inside[1].certificate_for(key)
    assert issued is not None
    assert issued.subject.rfc4514_string() == "CN=far"  # section 6.5.1: the outer one overrides
    deep = around(far, around(far, around(near, client(cmc.new_key()), vouching(102, 1))))
    found = lab.post(deep).cmc.inside[1].inside[1].statuses[0]
    assert (found.bodies, found.failure) == ([101], "badRequest")
    assert lab.count() == 1


def test_all_messages_together_are_bounded(lab: CmcLab) -> None:
    ra = lab.registration()
    request = cmc.csr(cmc.new_key(), names=["a.example.test"])
    message = cmc.signed(cmc.pki_data([], [cmc.tcr(body, request) for body in range(1, 31)]), [ra.signer])
    reply = wrapped(lab, ra, message, message, message)
    assert [reply.cmc.inside[body].statuses[0].failure for body in (1, 2, 3)] == ["", "", "badRequest"]
    assert lab.count() == 1


def test_rfc7030_3_7_an_ra_by_its_connection_sends_the_requests_of_others(lab: CmcLab) -> None:
    key = cmc.new_key()
    assert lab.post(client(key), client=lab.registration()).issued(key).subject.rfc4514_string() == "CN=client"


def test_both_holds_inside_a_batch_too(lab: CmcLab) -> None:
    party, key = lab.certified(), cmc.new_key()
    lab.later(days=61)
    ra = lab.registration()
    lab.set(est={"both": True})
    request = cmc.tcr(7, cmc.csr(key, cmc.name(CN="device"), ["device.example.test"]))
    by_certificate = cmc.signed(cmc.pki_data([], [request]), [party.signer])
    reply = wrapped(lab, ra, by_certificate, enrollment(cmc.new_key()), user=("device", SECRET))
    assert [reply.cmc.inside[body].statuses[0].failure for body in (1, 2)] == ["badIdentity", "badIdentity"]
    assert wrapped(lab, ra, client(key), controls=[vouching(102, 1)]).status == 401
    assert wrapped(lab, ra, client(key), controls=[vouching(102, 1)], user=("device", SECRET)).cmc.inside[1].certificate_for(key)
    assert lab.count() == 2
