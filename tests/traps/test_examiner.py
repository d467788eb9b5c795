"""The examiner's own cases in process, without a socket: the server conforms, and a server with a fault does not."""

import pytest

from conformance.acme.session import AcmeSession
from conformance.protocols import load
from conformance.target import AcmeTarget, Target
from conformance.verdict import Verdict
from privca.faults import faults
from privca.faults.copies import copy
from tests.traps.conftest import ORIGIN

CASES = {id: case for id, case in load().items() if case.protocol == "acme"}
RIGHT = (Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.UNSUPPORTED)


@pytest.fixture(scope="module")
def target(lab):
    """A profile that counts every challenge as met and has terms of service, and one with a limit."""
    terms, limit = {"terms_of_service": f"{ORIGIN}/terms"}, {"orders_limit": "3/1h", "website": f"{ORIGIN}/limits"}
    directory, limited = (
        lab.client(profile=lab.profile(authentication=("open",), acme=rules)).directory_url for rules in (terms, limit)
    )
    return Target(name="in process", acme=AcmeTarget(directory=directory, validates=False, rate_limited=limited))


@pytest.fixture(scope="module")
def session(lab, target):
    with AcmeSession(target, transport=lab) as session:
        yield session


@pytest.mark.parametrize("id", sorted(CASES))
def test_the_server_conforms(session, id):
    result = session.examine(CASES[id])
    assert result.verdict in RIGHT, result.detail


def test_most_of_the_cases_can_be_run_in_process(session):
    assert sum(session.examine(case).verdict is Verdict.PASS for case in CASES.values()) > 110


@pytest.mark.parametrize("name", ["acme.nonce.accept-reused", "acme.jws.skip-signature", "acme.key-change.old-key-lives"])
def test_a_fault_is_noticed_in_process(lab, target, monkeypatch, name):
    service = copy("privca.acme.service", faults()[name].edits).AcmeService
    parts = (lab.store, lab.door, lab.responder, lab.background, lab.clock, lab.entropy, b"k" * 32)
    monkeypatch.setattr(lab, "service", service(*parts))
    with AcmeSession(target, transport=lab) as session:
        verdicts = {case.id: session.examine(case).verdict for case in CASES.values() if name in case.kills}
    assert set(verdicts.values()) == {Verdict.FAIL}, verdicts
