"""A passcode is good for one request, and for the transaction of that request: not for a second request within it."""

from datetime import timedelta

import pytest

from privca.enrollment.ports import Passcode
from tests.cmp.conftest import KEY, OTHER_KEY
from tests.cmp.test_rfc9810_pop import CHALLENGE, RSA_KEY, numbers
from tests.support import cmp
from tests.support.issuance_lab import run

IMPLICIT = cmp.seq(cmp.oid("1.3.6.1.5.5.7.4.13"), cmp.NULL)


@pytest.fixture
def passcode(lab):
    """A client that has a passcode."""
    now = lab.clock.now()
    run(lab.store.add_passcode(Passcode("1", lab.profile.id, "device-1", b"passcode", now, now + timedelta(hours=1))))
    return lab.client(cmp.Pbm(secret=b"passcode", reference="device-1"))


def second(client, **changes):
    """A second request in the same transaction."""
    return client.call(cmp.IR, cmp.seq(cmp.Request(OTHER_KEY, "device-2").encode()), **changes)


def refused(answer):
    return answer.status()[0] == 2


def test_a_passcode_gives_one_certificate(lab, passcode):
    answer = passcode.enroll(cmp.Request(KEY))
    certificate = answer.certificate()
    assert passcode.confirm(cmp.cert_status(certificate)).kind == cmp.PKICONF
    assert lab.record(certificate).identity == "otp:device-1"
    assert refused(second(passcode))
    assert refused(passcode.enroll(cmp.Request(OTHER_KEY, "device-2")))


def test_not_before_the_first_is_confirmed(passcode):
    passcode.enroll(cmp.Request(KEY))
    assert refused(second(passcode))
    assert refused(second(passcode, information=(IMPLICIT,)))


def test_not_where_none_is_confirmed(passcode):
    assert passcode.enroll(cmp.Request(KEY), information=(IMPLICIT,)).status()[0] == 0
    assert refused(second(passcode, information=(IMPLICIT,)))


def test_not_two_in_one_message(lab, passcode):
    answer = passcode.enroll(cmp.Request(KEY), cmp.Request(OTHER_KEY, "device-2", id=1))
    assert [answer.status(number)[0] for number in (0, 1)] == [0, 2]


def test_a_code_that_was_replaced_gives_nothing_more(lab):
    client = lab.client()
    certificate = client.enroll(cmp.Request(KEY)).certificate()
    run(lab.store.remove_code(lab.profile.id, "lab"))
    # What has begun may end.
    assert client.confirm(cmp.cert_status(certificate)).kind == cmp.PKICONF
    assert refused(second(client))


def spent(lab):
    return run(lab.store.passcode("1")).state(lab.clock.now()) == "spent"


def test_a_proof_by_deciphering_spends_it(lab, passcode):
    answer = passcode.enroll(cmp.Request(RSA_KEY, "a", proof=CHALLENGE["keyEncipherment"]))
    assert (answer.kind, spent(lab)) == (cmp.POPDECC, False)
    answer = passcode.call(cmp.POPDECR, cmp.seq(*map(cmp.integer, numbers(lab, RSA_KEY, answer, pvno=2))))
    assert (answer.status()[0], spent(lab)) == (0, True)
    assert refused(passcode.enroll(cmp.Request(KEY)))


def test_a_delayed_request_spends_it(lab, passcode):
    lab.options(delayed=("ir",), check_after=7)
    assert passcode.enroll(cmp.Request(KEY)).status()[0] == 3
    lab.clock.advance(timedelta(seconds=7))
    answer = passcode.call(cmp.POLLREQ, cmp.poll_request(0))
    assert (answer.status()[0], spent(lab)) == (0, True)
    lab.options(delayed=())
    assert refused(passcode.enroll(cmp.Request(OTHER_KEY, "device-2")))
