"""What our own server issues, looked at in process by every lint."""

import pytest

from conformance.acme.session import AcmeSession
from conformance.pkix.session import PkixSession
from conformance.protocols import load
from conformance.target import AcmeTarget, Target
from conformance.transport import Unreachable
from conformance.verdict import Verdict

CASES = {id: case for id, case in load().items() if id.startswith(("pkix.certificate.", "pkix.crl."))}


class Nowhere:
    """What certificates point to is not asked for: there are no sockets."""

    def exchange(self, request):
        raise Unreachable(request.url)


@pytest.fixture(scope="module")
def session(lab):
    directory = lab.client(profile=lab.profile(authentication=("open",))).directory_url
    target = Target(name="in process", acme=AcmeTarget(directory=directory, validates=False))
    with AcmeSession(target, transport=lab) as session:
        issued = [one for _ in range(2) for one in session.examine(load()["acme.finalize.as-requested"]).issued]
    assert len(issued) > 2
    with PkixSession(target, transport=Nowhere(), issued=issued) as session:
        yield session


@pytest.mark.parametrize("id", sorted(CASES))
def test_what_is_issued_keeps_the_rule(session, id):
    result = session.examine(CASES[id])
    assert result.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE), result.detail


def test_many_rules_concern_it(session):
    assert sum(session.examine(case).verdict is Verdict.PASS for case in CASES.values()) > 40
