"""The status cases in process, without a socket: the server conforms."""

import pytest

from conformance.case import REGISTRY
from conformance.kill_matrix import NOTICED
from conformance.status.cases import load
from conformance.status.session import StatusSession
from conformance.verdict import Verdict
from privca.faults import faults
from privca.faults.copies import copy
from privca.faults.status.serving import OwnLists
from tests.support.issuance_lab import direct
from tests.support.status_examination import TARGET, Examined

load()
CASES = {id: case for id, case in REGISTRY.items() if case.protocol == "status"}
RIGHT = (Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.UNSUPPORTED)


@pytest.fixture(scope="module")
def examined(tmp_path_factory):
    made = Examined(tmp_path_factory.mktemp("status"))
    yield made
    made.lab.store.close()


@pytest.fixture(scope="module")
def session(examined):
    with StatusSession(TARGET, transport=examined, issuance=examined, now=examined.now, wait=examined.wait) as session:
        yield session


@pytest.mark.parametrize("id", sorted(CASES))
def test_the_server_conforms(session, id):
    result = session.examine(CASES[id])
    assert result.verdict in RIGHT, result.detail


def test_most_of_the_cases_can_be_run_in_process(session):
    verdicts = [session.examine(case).verdict for case in CASES.values()]
    assert len(verdicts) - verdicts.count(Verdict.PASS) <= 3


@pytest.mark.parametrize("name", sorted(name for name in faults() if name.startswith("status.")))
def test_a_fault_is_noticed_in_process(examined, monkeypatch, name):
    lab = examined.lab
    made = copy("privca.services.status", faults()[name].edits)
    lists = made.RevocationLists(OwnLists(lab.store), lab.keys, lab.authorities, direct)
    responder = made.OcspResponder(lab.store, lab.keys, lab.authorities, lab.delegates)
    monkeypatch.setattr(examined, "service", made.StatusService(lab.authorities, lists, responder))
    with StatusSession(TARGET, transport=examined, issuance=examined, now=examined.now, wait=examined.wait) as session:
        results = {case.id: session.examine(case) for case in CASES.values() if name in case.kills}
    missed = {id: f"{one.verdict}: {one.detail}" for id, one in results.items() if one.verdict not in NOTICED}
    assert results
    assert not missed
