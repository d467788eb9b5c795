"""The SCEP cases in process: all pass on the server, each fault is noticed, and what the examiner's codec makes and reads is right."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from conformance.case import selected
from conformance.kill_matrix import NOTICED
from conformance.protocols import load
from conformance.scep.session import ScepSession
from conformance.target import ScepTarget, Target
from conformance.transport import HttpResponse
from conformance.verdict import Verdict
from privca.enrollment.approval import decide
from privca.enrollment.ports import Decision
from privca.faults import faults
from privca.faults.copies import copy
from tests.support.issuance_lab import run
from tests.support.scep_lab import CODE, ScepLab

URL = "http://127.0.0.1/scep"
STRICT = {"signing_time": "1h", "password_recipients": True, "password_reference": "lab"}
FAULTS = sorted(name for name, fault in faults().items() if fault.protocol == "scep")


class Server:
    """A lab whose clock is right, with an honest profile and one in which a person decides; also the examiner's transport."""

    def __init__(self, directory):
        self.lab = ScepLab(directory)
        # Real time, since the examiner has no other, without the fraction that no certificate has.
        self.lab.clock.advance(datetime.now(UTC).replace(microsecond=0) - self.lab.clock.now())
        run(self.lab.authorities.prepare_next("rsa"))
        options = {"digests": ("sha1", "sha224", "sha256", "sha384", "sha512"), "ciphers": ("3des", "aes128", "aes192", "aes256")}
        self.profiles = {
            "strict": self.lab.profile(scep=options | STRICT, tolerant=False),
            "approval": self.lab.profile(scep=options, approval_always=True, authentication=("code", "approval")),
        }
        self.honest = self.lab.service

    def exchange(self, request):
        parts = urlsplit(request.url)
        profile, _, tail = parts.path.removeprefix("/scep/").partition("/")
        headers = {name.lower(): value for name, value in request.headers}
        method = {"method": request.method, "query": parts.query, "tail": tail, "headers": headers}
        response = self.lab.send(self.profiles[profile], request.body, **method)
        return HttpResponse(response.status, response.headers, response.body, request)

    def session(self, url=URL):
        described = ScepTarget(url=f"{url}/strict", code=CODE, approval_url=f"{url}/approval", approval_code=CODE)
        return ScepSession(Target(name="in process", scep=described), transport=self, decide=self.decide)

    def decide(self, decision, subject):
        """The person who decides about the request of a subject."""
        lab, decisions = self.lab, {"approve": Decision.APPROVED, "reject": Decision.REJECTED}
        (record,) = [one for one in run(lab.store.waiting_requests()) if one.subject == subject]
        run(decide(lab.store, record, decisions[decision], "a person", lab.clock.now(), "7d"))

    def erring(self, fault):
        """Serve with this fault from now on."""
        lab = self.lab
        module = copy("privca.services.scep", fault.edits)
        made = module.ScepService(lab.store, lab.door, lab.credentials, lab.authorities, lab.delegates, lab.lists, lab.keys)
        lab.service = made


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("scep-kit"))
    yield made
    made.lab.store.close()


@pytest.fixture
def cases():
    return selected(load().values(), protocols=["scep"])


def test_every_case_passes_on_the_server(server, cases):
    server.lab.service = server.honest
    with server.session() as session:
        found = [session.examine(case) for case in cases]
    assert [f"{one.case.id}: {one.verdict} {one.detail}" for one in found if one.verdict is not Verdict.PASS] == []
    sent = [exchange.response.request.body for one in found for exchange in one.exchanges]
    assert sent
    assert not any(CODE.encode() in body for body in sent), "a secret is in what is kept of a run"


def test_a_secret_is_not_sent_unencrypted_where_somebody_may_listen(server, cases):
    server.lab.service = server.honest
    (case,) = [one for one in cases if one.id == "scep.envelope.in-the-clear"]
    with server.session("http://ca.example.test/scep") as session:
        done = session.examine(case)
    assert done.verdict is Verdict.NOT_APPLICABLE
    assert "challengePassword" in done.detail


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_noticed(server, cases, name):
    server.erring(faults()[name])
    with server.session() as session:
        found = [session.examine(case) for case in cases if name in case.kills]
    said = [f"{one.case.id}: {one.verdict} {one.detail}" for one in found]
    assert found
    # Each case that says so, not only one of them.
    assert [one for one, result in zip(said, found, strict=True) if result.verdict not in NOTICED] == []
