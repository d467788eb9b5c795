"""Renewal information: when a certificate is best renewed, and orders that say what they replace."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cryptography import x509

from privca.acme import rfc9773
from privca.acme.ports import RenewalWindow
from privca.base.refused import Reason, Refused
from privca.issuance.ports import RevocationReason
from tests.support.taking_out import NOTICED, instead, refusing, take_out

NAMES = ("www.example.test", "mail.example.test")
# RFC 9773 section 4.1 and appendix A.
EXAMPLE = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"
KEY_IDENTIFIER = bytes.fromhex("69885B6B87464041E1B37B847BA0AE2CDE01C8D4")
B64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def b64(octets):
    """base64url by hand, so that not our own code is what the test stands on."""
    bits = "".join(f"{octet:08b}" for octet in octets)
    bits += "0" * (-len(bits) % 6)
    return "".join(B64[int(bits[at : at + 6], 2)] for at in range(0, len(bits), 6))


def id_of(certificate):
    """The unique identifier of a certificate, made from the certificate alone."""
    aki = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    number = certificate.serial_number
    return f"{b64(aki)}.{b64(number.to_bytes(number.bit_length() // 8 + 1, 'big'))}"


def issued(client, *names):
    order = client.issue(*(names or NAMES))
    return x509.load_der_x509_certificate(client.certificate(order))


def ask(client, identifier, method="GET"):
    return client.get(f"renewal-info/{identifier}", method)


def window(reply):
    assert reply.status == 200, reply.json
    found = reply.json["suggestedWindow"]
    return tuple(datetime.fromisoformat(found[key]) for key in ("start", "end"))


def replacing(client, certificate, *names):
    return client.order(*(names or NAMES), replaces=id_of(certificate))


# -- section 4.1: identifiers


def test_4_1_the_example():
    assert rfc9773.read_id(EXAMPLE) == (KEY_IDENTIFIER, bytes(16) + bytes.fromhex("87654321"))
    assert f"{b64(KEY_IDENTIFIER)}.{b64(bytes.fromhex('0087654321'))}" == EXAMPLE


BAD_IDS = {
    "padding": "aYhba4dGQEHhs3uEe6CuLN4ByNQ=.AIdlQyE=",
    "padding of the serial": "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE=",
    "negative serial": f"aYhba4dGQEHhs3uEe6CuLN4ByNQ.{b64(bytes.fromhex('87654321'))}",
    "surplus zero": f"aYhba4dGQEHhs3uEe6CuLN4ByNQ.{b64(bytes.fromhex('0007654321'))}",
    "two zeros": f"aYhba4dGQEHhs3uEe6CuLN4ByNQ.{b64(bytes.fromhex('000087654321'))}",
    "serial zero": "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AA",
    "no serial": "aYhba4dGQEHhs3uEe6CuLN4ByNQ.",
    "no key": ".AIdlQyE",
    "no point": "aYhba4dGQEHhs3uEe6CuLN4ByNQAIdlQyE",
    "two points": "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdl.QyE",
    "base64": "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdl+yE",
    "bits behind": "aYhba4dGQEHhs3uEe6CuLN4ByNR.AIdlQyE",
    "endless": "a" * 4000 + ".AIdlQyE",
}


@pytest.mark.parametrize("case", BAD_IDS)
def test_4_1_what_is_no_identifier(client, case):
    reply = ask(client, BAD_IDS[case])
    assert (reply.status, reply.type) == (400, "malformed")
    order = client.order(*NAMES, replaces=BAD_IDS[case])
    assert (order.status, order.type) == (400, "malformed")


def test_4_1_the_identifier_of_a_certificate(client):
    assert ask(client, id_of(issued(client))).status == 200


@pytest.mark.parametrize("spoil", ["key", "serial"])
def test_4_1_a_certificate_that_is_not_there(client, spoil):
    key, serial = id_of(issued(client)).split(".")
    other = f"{b64(bytes(20))}.{serial}" if spoil == "key" else f"{key}.{b64(b'x' * 20)}"
    reply = ask(client, other)
    assert (reply.status, reply.type) == (404, "malformed")


def test_a_certificate_of_another_profile(world, client):
    identifier = id_of(issued(client))
    other = world.client(world.profile("other"))
    assert ask(other, identifier).status == 404
    assert (other.order(*NAMES, replaces=identifier)).status == 400


def test_a_certificate_that_was_not_issued_by_acme(world, client):
    key = world.drive(world.authorities.current("issuing")).certificate
    assert ask(client, id_of(key)).status == 404


def test_4_1_by_get_and_unauthenticated(client):
    identifier = id_of(issued(client))
    assert ask(client, identifier, "HEAD").status == 200
    for method in ("PUT", "DELETE"):
        reply = ask(client, identifier, method)
        assert (reply.status, reply.json["detail"].count("GET, HEAD")) == (405, 1)
    assert client.post(f"renewal-info/{identifier}").status == 405


# -- section 4.2: windows


def test_4_2_a_third_before_the_end(client):
    certificate = issued(client)
    start, end = window(ask(client, id_of(certificate)))
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert abs(start - (certificate.not_valid_after_utc - life / 3)) < timedelta(seconds=1)
    assert abs(end - start - life / 30) < timedelta(seconds=1)


def test_4_2_by_the_profile(world):
    options = {"renewal_before": "10d", "renewal_spread": "12h", "renewal_explanation": "https://ca.example.test/why"}
    client = world.client(world.profile(renewal_retry_after="1h", **options))
    certificate = issued(client)
    reply = ask(client, id_of(certificate))
    start = certificate.not_valid_after_utc - timedelta(days=10)
    assert window(reply) == (start, start + timedelta(hours=12))
    assert reply.json["explanationURL"] == "https://ca.example.test/why"
    assert reply.header("retry-after") == "3600"
    assert reply.header("content-type") == "application/json"


def test_4_2_without_an_explanation_there_is_none(client):
    assert list(ask(client, id_of(issued(client))).json) == ["suggestedWindow"]


@pytest.mark.parametrize("validity", ["70s", "90s", "5m"])
def test_4_2_the_end_is_after_the_start_however_short_a_life(world, validity):
    client = world.client(world.profile(validity=validity, renewal_before="30d"))
    start, end = window(ask(client, id_of(issued(client))))
    assert end > start


def test_4_2_a_revoked_certificate_should_have_been_renewed(world, client):
    certificate = issued(client)
    world.clock.advance(timedelta(days=5))
    serial = certificate.serial_number.to_bytes(20, "big")
    revoked = world.drive(
        world.door._revocation.revoke(serial, RevocationReason.SUPERSEDED, "operator", world.clock.now())
    ).revoked_at
    start, end = window(ask(client, id_of(certificate)))
    # Section 6: also for a client whose clock is slow.
    assert start < end == revoked - timedelta(days=1)


def set_window(world, certificate, start, end, explanation=""):
    made = rfc9773.ordered_window(certificate.serial_number.to_bytes(20, "big"), start, end, explanation, world.clock.now())
    known = world.drive(world.store.renewal_window(made.id))
    world.drive(world.store.commit(RenewalWindow(made.id, start, end, explanation, made.created, known.version if known else 0)))


def test_a_window_that_an_administrator_set(world, client):
    certificate = issued(client)
    identifier, now = id_of(certificate), world.clock.now()
    usual = window(ask(client, identifier))
    set_window(world, certificate, now, now + timedelta(hours=1), "https://ca.example.test/incident")
    reply = ask(client, identifier)
    assert window(reply) == (now, now + timedelta(hours=1))
    assert reply.json["explanationURL"] == "https://ca.example.test/incident"
    set_window(world, certificate, now, now + timedelta(hours=2))
    assert window(ask(client, identifier))[1] == now + timedelta(hours=2)
    world.drive(world.store.forget_renewal_window(certificate.serial_number.to_bytes(20, "big").hex()))
    assert window(ask(client, identifier)) == usual


def test_4_2_a_window_that_ends_before_it_begins_is_refused(world, client):
    certificate, now = issued(client), world.clock.now()
    with pytest.raises(Refused) as refused:
        set_window(world, certificate, now, now)
    assert refused.value.reason is Reason.BAD_VALIDITY


def test_an_administrators_window_gives_way_to_a_revocation(world, client):
    certificate, now = issued(client), world.clock.now()
    set_window(world, certificate, now + timedelta(days=1), now + timedelta(days=2))
    world.drive(
        world.door._revocation.revoke(certificate.serial_number.to_bytes(20), RevocationReason.SUPERSEDED, "operator", now)
    )
    assert window(ask(client, id_of(certificate)))[1] < now


# -- section 5: orders that replace


def test_5_the_field_is_reflected(client):
    certificate = issued(client)
    order = replacing(client, certificate)
    assert (order.status, order.json["replaces"]) == (201, id_of(certificate))
    assert client.post(order.header("location")).json["replaces"] == id_of(certificate)
    done = client.finalize(order, *NAMES)
    assert (done.json["status"], done.json["replaces"]) == ("valid", id_of(certificate))
    assert "replaces" not in client.order(*NAMES).json


def test_5_replaced_once(client):
    certificate = issued(client)
    assert replacing(client, certificate).status == 201
    again = replacing(client, certificate)
    assert (again.status, again.type) == (409, "alreadyReplaced")


def test_5_replaced_once_also_after_the_order_is_valid(client):
    certificate = issued(client)
    client.finalize(replacing(client, certificate), *NAMES)
    assert replacing(client, certificate).type == "alreadyReplaced"


def test_5_an_invalid_order_replaces_nothing(world, client):
    certificate = issued(client)
    assert replacing(client, certificate).status == 201
    world.clock.advance(timedelta(days=8))
    assert replacing(client, certificate).status == 201
    assert replacing(client, certificate).type == "alreadyReplaced"


def test_5_two_at_the_same_moment(world, client, monkeypatch):
    """Both have looked before either is stored: one of them has to look again."""
    certificate = issued(client)
    store, real = world.store, world.store.replacement
    late = []

    async def slow(serial):
        found = await real(serial)
        if not late:
            late.append(serial)
            monkeypatch.undo()
            assert replacing(client, certificate).status == 201
        return found

    monkeypatch.setattr(store, "replacement", slow)
    assert replacing(client, certificate).type == "alreadyReplaced"


def test_5_of_the_same_account(world, client):
    certificate = issued(client)
    other = world.client(client.profile)
    reply = replacing(other, certificate)
    assert (reply.status, reply.type) == (403, "unauthorized")


def test_5_with_an_identifier_in_common(client):
    certificate = issued(client)
    reply = replacing(client, certificate, "other.example.test")
    assert (reply.status, reply.type) == (400, "malformed")
    assert replacing(client, certificate, "other.example.test", NAMES[1]).status == 201


def test_5_what_is_refused_marks_nothing(client):
    certificate = issued(client)
    assert replacing(client, certificate, "not a name").status >= 400
    assert replacing(client, certificate, "other.example.test").status == 400
    assert replacing(client, certificate).status == 201


def test_5_a_revoked_certificate_may_be_replaced(world, client):
    certificate = issued(client)
    world.drive(
        world.door._revocation.revoke(
            certificate.serial_number.to_bytes(20), RevocationReason.SUPERSEDED, "operator", world.clock.now()
        )
    )
    assert replacing(client, certificate).status == 201


# -- section 4 and the directory; without it


def test_7_1_the_directory(client):
    assert client.get("directory").json["renewalInfo"] == client.url("renewal-info")


def test_by_the_path_without_a_profile(world):
    profile = world.profile()
    client = world.client(profile, shared=True)
    certificate = issued(client)
    assert client.get("directory").json["renewalInfo"] == client.url("renewal-info")
    assert ask(client, id_of(certificate)).status == 200
    assert replacing(client, certificate).status == 201


def test_without_it_rfc_8555_is_whole(world):
    client = world.client(world.profile(renewal_information=False))
    assert "renewalInfo" not in client.get("directory").json
    certificate = issued(client)
    reply = ask(client, id_of(certificate))
    assert (reply.status, reply.type) == (404, "malformed")
    # RFC 8555 section 7.4: what is not known is ignored.
    for _ in range(2):
        order = replacing(client, certificate)
        assert order.status == 201
        assert "replaces" not in order.json
    assert client.order(*NAMES, replaces="nonsense").status == 201


# -- each check taken out

SHOW, MARK = "acme.rfc9773:find", "acme.rfc9773:replacement"
CHECKS = {
    "padding": ([instead("acme.rfc9773:read_id", "text.partition('.')", "text.replace('=', '').partition('.')")], "padding"),
    "negative serial": ([instead("acme.rfc9773:read_id", "serial[0] & 128 or", "")], "negative serial"),
    "surplus zero": ([instead("acme.rfc9773:read_id", "not serial[1] & 128", "False")], "surplus zero"),
    "serial zero": ([instead("acme.rfc9773:read_id", "len(serial) == 1 or", "len(serial) > 1 and")], "serial zero"),
}


@pytest.mark.parametrize("check", CHECKS)
def test_4_1_a_trap_notices_that_its_check_is_gone(client, monkeypatch, check):
    removed, case = CHECKS[check]
    take_out(monkeypatch, removed)
    with pytest.raises(NOTICED):
        test_4_1_what_is_no_identifier(client, case)


OTHERS = {
    "key identifier": (
        [instead(SHOW, "issuer == key_identifier", "True")],
        lambda world, client: test_4_1_a_certificate_that_is_not_there(client, "key"),
    ),
    "profile": (
        [instead(SHOW, "not (shared or record.profile_id == profile.id)", "False")],
        test_a_certificate_of_another_profile,
    ),
    "protocol": (
        [
            instead(SHOW, "record.protocol != 'acme'", "False"),
            instead(SHOW, "not (shared or record.profile_id == profile.id)", "False"),
        ],
        test_a_certificate_that_was_not_issued_by_acme,
    ),
    "account": (
        [refusing(MARK, "was issued to another account")],
        test_5_of_the_same_account,
    ),
    "identifier in common": (
        [refusing(MARK, "no identifier in common")],
        lambda world, client: test_5_with_an_identifier_in_common(client),
    ),
    "replaced once": (
        [refusing(MARK, "another order replaces")],
        lambda world, client: test_5_replaced_once(client),
    ),
    "window": (
        [refusing("acme.rfc9773:ordered_window", "ends after it begins")],
        test_4_2_a_window_that_ends_before_it_begins_is_refused,
    ),
    "switched off": (
        [
            instead(
                "acme.service:AcmeService._answer",
                "name == 'renewal-info/*' and (not profile.profile.acme.renewal_information)",
                "False",
            )
        ],
        lambda world, client: test_without_it_rfc_8555_is_whole(world),
    ),
}


@pytest.mark.parametrize("check", OTHERS)
def test_a_trap_notices_that_its_check_is_gone(world, client, monkeypatch, check):
    removed, trap = OTHERS[check]
    take_out(monkeypatch, removed)
    with pytest.raises(NOTICED) as noticed:
        trap(world, client)
    assert not isinstance(noticed.value, NameError)
