"""The status cases in process, without a socket: the server conforms."""

import pytest

from conformance.case import REGISTRY
from conformance.status.cases import load
from conformance.status.session import StatusSession
from conformance.verdict import Verdict
from tests.support.status_examination import TARGET, Examined
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
    with StatusSession(TARGET, transport=examined, issuance=examined) as session:
        yield session


@pytest.mark.parametrize("id", sorted(CASES))
def test_the_server_conforms(session, id):
    result = session.examine(CASES[id])
    assert result.verdict in RIGHT, result.detail
