"""RFC 8894 sections 4.4 to 4.6: CertPoll, GetCert and GetCRL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from msgspec.structs import replace

from privca.enrollment.ports import Decision
from privca.issuance.ports import RevocationReason
from privca.issuance.profile import Revisioned
from tests.support.issuance_lab import run
from tests.support.scep_client import (
    CERT_POLL,
    GET_CERT,
    GET_CRL,
    PKCS_REQ,
    Client,
    Reply,
    children,
    issuer_and_serial,
    request,
    sequence,
)
from tests.support.scep_lab import ScepLab


def decide(lab: ScepLab, profile: Revisioned, decision: Decision) -> None:
    for waiting in run(lab.store.waiting_requests(profile.id)):
        if waiting.decision is Decision.WAITING:
            run(lab.store.decide_request(replace(waiting, decision=decision, decided=lab.clock.now(), decided_by="test")))


def poll(lab: ScepLab, profile: Revisioned, client: Client) -> Reply:
    parts = children(children(client.certificate)[0])
    return lab.operate(profile, client, client.message(CERT_POLL, sequence(parts[3], parts[5])))


class TestPolling:
    """Section 4.4."""

    def waiting(self, lab: ScepLab) -> tuple[Revisioned, Client, Reply]:
        profile = lab.profile(authentication=("approval",))
        client = lab.client(profile)
        return profile, client, lab.enroll(profile, client, challenge=None)

    def test_4_4_pending_until_a_person_says_yes(self, shared: ScepLab) -> None:
        profile, client, reply = self.waiting(shared)
        assert (reply.status, reply.fail_info) == ("3", None)
        assert poll(shared, profile, client).status == "3"
        decide(shared, profile, Decision.APPROVED)
        issued = poll(shared, profile, client).issued
        assert issued.public_key() == client.key.public_key()
        # Section 5.2, cases 3 and 4: it was lost; whichever way it is asked for again, it is the same.
        assert poll(shared, profile, client).issued == issued

    def test_5_2_the_request_sent_again_stands_where_it_stood(self, shared: ScepLab) -> None:
        profile = shared.profile(authentication=("approval",))
        client = shared.client(profile)
        message = client.message(PKCS_REQ, request(client.key, "device"))
        assert shared.operate(profile, client, message).status == "3"
        assert shared.operate(profile, client, message).status == "3"
        assert len(run(shared.store.waiting_requests(profile.id))) == 1
        decide(shared, profile, Decision.APPROVED)
        assert shared.operate(profile, client, message).status == "0"
        assert shared.operate(profile, client, message).issued == poll(shared, profile, client).issued

    def test_4_4_rejected(self, shared: ScepLab) -> None:
        profile, client, _ = self.waiting(shared)
        decide(shared, profile, Decision.REJECTED)
        reply = poll(shared, profile, client)
        assert (reply.status, reply.fail_info) == ("2", "2")

    def test_4_4_without_a_request(self, shared: ScepLab) -> None:
        profile = shared.profile()
        reply = poll(shared, profile, shared.client(profile, transaction_id="never began"))
        assert (reply.status, reply.fail_info) == ("2", "4")

    def test_4_4_with_the_transaction_id_of_another_client(self, shared: ScepLab) -> None:
        profile, client, _ = self.waiting(shared)
        decide(shared, profile, Decision.APPROVED)
        thief = shared.client(profile, 1, transaction_id=client.transaction_id)
        reply = poll(shared, profile, thief)
        assert (reply.status, reply.fail_info) == ("2", "4")

    def test_4_4_in_another_profile(self, shared: ScepLab) -> None:
        _, client, _ = self.waiting(shared)
        reply = poll(shared, shared.profile(authentication=("approval",)), client)
        assert (reply.status, reply.fail_info) == ("2", "4")

    def test_4_4_an_issued_one_can_be_polled_for_too(self, shared: ScepLab) -> None:
        profile = shared.profile()
        client = shared.client(profile)
        issued = shared.enroll(profile, client).issued
        assert poll(shared, profile, client).issued == issued

    def test_4_4_the_newest_of_several(self, shared: ScepLab) -> None:
        profile = shared.profile(authentication=("approval",))
        client = shared.client(profile)
        shared.enroll(profile, client, challenge=None, common_name="first")
        shared.clock.advance(timedelta(seconds=1))
        shared.enroll(profile, client, challenge=None, common_name="second")
        decide(shared, profile, Decision.APPROVED)
        assert poll(shared, profile, client).issued.subject.rfc4514_string() == "CN=second"


class TestQueries:
    """Section 3.3.4."""

    @pytest.fixture
    def enrolled(self, shared: ScepLab) -> tuple[Revisioned, Client]:
        profile = shared.profile()
        first = shared.client(profile)
        return profile, Client(first.key, shared.enroll(profile, first).certificates[0], first.recipient)

    def test_4_5_its_own_certificate(self, shared: ScepLab, enrolled: tuple[Revisioned, Client]) -> None:
        profile, client = enrolled
        message = client.message(GET_CERT, issuer_and_serial(client.certificate))
        assert shared.operate(profile, client, message).certificates[0] == client.certificate

    def test_2_6_whoever_has_the_key_has_the_certificate(self, shared: ScepLab, enrolled: tuple[Revisioned, Client]) -> None:
        profile, client = enrolled
        forgetful = shared.client(profile)
        message = forgetful.message(GET_CERT, issuer_and_serial(client.certificate))
        assert shared.operate(profile, forgetful, message).certificates[0] == client.certificate

    def test_2_6_nobody_else(self, shared: ScepLab, enrolled: tuple[Revisioned, Client]) -> None:
        profile, client = enrolled
        other = shared.client(profile, 1)
        reply = shared.operate(profile, other, other.message(GET_CERT, issuer_and_serial(client.certificate)))
        assert (reply.status, reply.fail_info) == ("2", "4")

    @pytest.mark.parametrize("kind", [GET_CERT, GET_CRL])
    @pytest.mark.parametrize("what", ["serial", "issuer", "CA", "neither", "not even opened"])
    def test_4_5_what_is_not_there_is_one_failure(
        self, shared: ScepLab, enrolled: tuple[Revisioned, Client], what: str, kind: str
    ) -> None:
        profile, client = enrolled
        issuer, serial = children(issuer_and_serial(client.certificate))
        content = {
            "serial": sequence(issuer, b"\x02\x02\x30\x39"),
            "issuer": sequence(sequence(), serial),
            "CA": issuer_and_serial(run(shared.authorities.current("root")).generation.certificate),
            "neither": b"nothing of the kind",
            "not even opened": sequence(issuer, serial),
        }[what]
        recipient = client.recipient
        if what == "not even opened":
            client.recipient = shared.answering(shared.profile(issuer="ec"))
        message = client.message(kind, content)
        client.recipient = recipient
        reply = shared.operate(profile, client, message)
        assert (reply.status, reply.fail_info) == ("2", "4")
        assert reply.text == "no such certificate, or none for this client (RFC 8894 section 3.3.4)"

    def test_4_6_the_newest_crl(self, shared: ScepLab, enrolled: tuple[Revisioned, Client]) -> None:
        profile, client = enrolled
        message = client.message(GET_CRL, issuer_and_serial(client.certificate))
        (before,) = shared.operate(profile, client, message).crls
        serial = x509.load_der_x509_certificate(client.certificate).serial_number
        run(shared.revocation.revoke(serial.to_bytes(20, "big"), RevocationReason.UNSPECIFIED, "test", shared.clock.now()))
        # The CRL is for everybody, a client with a revoked certificate included.
        (after,) = shared.operate(profile, client, message).crls
        assert before != after
        crl = x509.load_der_x509_crl(after)
        assert crl.get_revoked_certificate_by_serial_number(serial) is not None
        ca = x509.load_der_x509_certificate(run(shared.authorities.current("rsa")).generation.certificate)
        assert crl.is_signature_valid(ca.public_key())


def test_4_5_queries_of_a_ca_with_a_registration_authority(shared: ScepLab) -> None:
    profile = shared.profile(issuer="ec")
    first = shared.client(profile)
    client = Client(first.key, shared.enroll(profile, first).certificates[0], first.recipient)
    name = issuer_and_serial(client.certificate)
    assert shared.operate(profile, client, client.message(GET_CERT, name)).certificates[0] == client.certificate
    assert len(shared.operate(profile, client, client.message(GET_CRL, name)).crls) == 1
