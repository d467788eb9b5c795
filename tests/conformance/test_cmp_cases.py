"""The CMP cases in process, without a socket: the server conforms, a server with a fault does not, and no case passes for nothing."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from conformance.cmp.session import CmpSession
from conformance.gauntlet import run as gauntlet
from conformance.gauntlet import vacuous
from conformance.kill_matrix import NOTICED, loose_ends
from conformance.protocols import PROTOCOLS, load
from conformance.target import CmpEndpoint, CmpTarget, Target
from conformance.transport import HttpResponse
from conformance.verdict import Verdict
from privca.base.entropy import SystemEntropy
from privca.base.exchange import Exchange
from privca.base.http import Peer, Request
from privca.cmp.rfc9810.call import Core
from privca.enrollment.authentication import Authentication
from privca.enrollment.ports import Code
from privca.faults import faults
from privca.faults.copies import copy
from privca.issuance.options.cmp import CmpOptions
from privca.issuance.profile import Profile, SubjectRule, Template
from privca.keys.made_for_others import KeysForOthers
from tests.support.issuance_lab import IssuanceLab, direct, run

CASES = {id: case for id, case in load().items() if case.protocol == "cmp"}
TOLERATED = {"cmp.pop.no-input": Verdict.INFO}
"""What this server does for OpenSSL's sake, where a profile does not say ``tolerant = false``."""
RIGHT = (Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.UNSUPPORTED)
BASE = "http://ca.example.test/.well-known/cmp/p/"
KEYS = ("P-256", "P-384", "P-521", "RSA", "Ed25519", "Ed448", "X25519", "ML-KEM-768")


class Endpoints:
    """A CA with the profiles that an examiner needs, as a transport."""

    def __init__(self, directory):
        self.ca = IssuanceLab(directory).make()
        self.core = Core(
            store=self.ca.store,
            certificates=self.ca.store,
            door=self.ca.door,
            credentials=Authentication(self.ca.store),
            authorities=self.ca.authorities,
            delegates=self.ca.delegates,
            lists=self.ca.lists,
            keys=self.ca.keys,
            profiles=self.ca.store,
            maker=KeysForOthers(direct),
        )
        usages = ("digitalSignature", "keyEncipherment", "keyAgreement")
        common = {"subject": {"CN": SubjectRule()}, "names": ("dns", "ip", "uri"), "names_required": False, "key_usage": usages}
        device = Template(**common, extended_key_usage=("clientAuth",))
        self.add("lab", device)
        self.add("delayed", device, delayed=("ir", "cr", "kur", "p10cr", "rr", "genm"), check_after=5)
        self.add("lightweight", device, rules="rfc9483")
        self.add("ra", Template(**common, extended_key_usage=("cmcRA",)))
        self.services = {}
        self.fault = None

    def add(self, id, template, **options):
        settings = Profile(
            protocol="cmp",
            issuer="issuing",
            template="device",
            authentication=("code", "otp", "certificate"),
            keys=KEYS,
            renewal_window="90d",
            certificate_profiles=("lab",) if id == "delayed" else (),
            cmp=CmpOptions(central_key_generation=True, **options),
        )
        run(self.ca.store.save_profile(id, settings, template))
        run(self.ca.store.save_code(Code(id, "lab", b"secret", self.ca.clock.now())))

    def service(self):
        """The honest service, or one with the fault that is set."""
        if self.fault not in self.services:
            edits = () if self.fault is None else faults()[self.fault].edits
            module = copy("privca.cmp.service", edits)
            self.services[self.fault] = module.CmpService(self.core, self.ca.clock, SystemEntropy())
        return self.services[self.fault]

    def exchange(self, request):
        path = urlsplit(request.url).path
        id, _, tail = path.removeprefix(urlsplit(BASE).path).partition("/")
        profile = run(self.ca.store.profile(id))
        assert profile is not None
        at = Exchange("test", self.ca.clock.now(), SystemEntropy(), id)
        headers = {name.lower(): value for name, value in request.headers}
        received = Request(request.method, path, tail, "", headers, request.body, Peer("192.0.2.1"), "http://ca.example.test")
        response = run(self.service().handle(at, received, profile))
        return HttpResponse(response.status, tuple(response.headers), response.body, request)


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory):
    made = Endpoints(tmp_path_factory.mktemp("cmp"))
    yield made
    made.ca.store.close()


@pytest.fixture(scope="module")
def target(tmp_path_factory, endpoints):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    root = x509.load_der_x509_certificate(run(endpoints.ca.authorities.current("root")).generation.certificate)
    anchor = tmp_path_factory.mktemp("anchor") / "root.pem"
    anchor.write_bytes(root.public_bytes(Encoding.PEM))

    def at(id):
        return CmpEndpoint(url=BASE + id, reference="lab", code="secret")

    return Target(
        name="in process",
        cmp=CmpTarget(
            url=BASE + "lab",
            reference="lab",
            code="secret",
            trust_anchor=str(anchor),
            delayed=at("delayed"),
            ra=at("ra"),
            lightweight=at("lightweight"),
        ),
    )


def opened(endpoints, target):
    def wait(seconds):
        endpoints.ca.clock.advance(timedelta(seconds=seconds))

    return CmpSession(target, transport=endpoints, now=endpoints.ca.clock.now, wait=wait)


@pytest.fixture(scope="module")
def session(endpoints, target):
    with opened(endpoints, target) as session:
        yield session


@pytest.mark.parametrize("id", sorted(CASES))
def test_the_server_conforms(session, id):
    result = session.examine(CASES[id])
    assert result.verdict in ((TOLERATED[id],) if id in TOLERATED else RIGHT), result.detail


def test_no_case_passes_on_a_server_that_does_nothing_right():
    found = [
        (stub.name, result.case.id, result.verdict, result.detail)
        for stub, result in gauntlet(PROTOCOLS["cmp"], list(CASES.values()))
        if vacuous(stub, result)
    ]
    assert found == []


def test_every_fault_has_a_case_that_says_that_it_notices_it():
    names = [name for name in faults() if name.startswith("cmp.")]
    assert loose_ends(names, CASES.values()) == []


@pytest.mark.parametrize(
    "name",
    [
        "cmp.header.recipient-nonce-unchecked",
        "cmp.protection.mac-unchecked",
        "cmp.protection.replies-unprotected",
        "cmp.pop.signature-unchecked",
        "cmp.pop.ra-verified-by-anybody",
        "cmp.enroll.ids-swapped",
        "cmp.confirmation.hash-unchecked",
        "cmp.revocation.forgotten",
        "cmp.general.first-question-only",
        "cmp.polling.by-anybody",
    ],
)
def test_a_fault_is_noticed_in_process(endpoints, target, name):
    endpoints.fault = name
    try:
        with opened(endpoints, target) as session:
            verdicts = {case.id: session.examine(case).verdict for case in CASES.values() if name in case.kills}
    finally:
        endpoints.fault = None
    assert set(verdicts.values()) <= NOTICED, verdicts
