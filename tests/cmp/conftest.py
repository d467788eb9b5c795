"""A whole CA that speaks CMP in one process, without a socket: real service, door, store and keys, a clock that is set."""

import shutil
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from privca.base.entropy import SystemEntropy
from privca.base.exchange import Exchange
from privca.base.http import Peer
from privca.base.http import Request as HttpRequest
from privca.cmp.rfc9810.call import Core
from privca.cmp.service import CmpService
from privca.enrollment.authentication import Authentication
from privca.enrollment.ports import Code
from privca.issuance.options.cmp import CmpOptions
from privca.issuance.ports import CertificateStatus
from privca.issuance.profile import Profile, SubjectRule, Template
from privca.keys.made_for_others import KeysForOthers
from tests.support import cmp
from tests.support.issuance_lab import IssuanceLab, direct, run

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())


class CmpLab:
    """The CA, and a client of it."""

    def __init__(self, directory):
        self.ca = IssuanceLab(directory).make()
        self.clock, self.store = self.ca.clock, self.ca.store
        core = Core(
            store=self.store,
            certificates=self.store,
            door=self.ca.door,
            credentials=Authentication(self.store),
            authorities=self.ca.authorities,
            delegates=self.ca.delegates,
            lists=self.ca.lists,
            keys=self.ca.keys,
            profiles=self.store,
            maker=KeysForOthers(direct),
        )
        self.service = CmpService(core, self.clock, SystemEntropy())
        self.profile = self.make_profile("lab")
        self.code("lab")
        self.decision = self.exchange = None
        self.label = ""

    def make_profile(self, id, *, authentication=("code", "otp", "certificate"), template=None, **options):
        more = {name: options.pop(name) for name in list(options) if name in Profile.__struct_fields__}
        facts = {
            "protocol": "cmp",
            "issuer": "issuing",
            "template": "device",
            "authentication": authentication,
            "keys": (
                "P-256",
                "P-384",
                "P-521",
                "RSA",
                "Ed25519",
                "Ed448",
                "ML-DSA-44",
                "ML-DSA-65",
                "ML-DSA-87",
                "X25519",
                "ML-KEM-768",
                "ML-KEM-1024",
            ),
            "renewal_window": "90d",
        }
        settings = Profile(**{**facts, **more}, cmp=CmpOptions(**options))
        template = template or Template(
            subject={"CN": SubjectRule()},
            names=("dns", "ip", "uri"),
            names_required=False,
            key_usage=("digitalSignature", "keyEncipherment", "keyAgreement"),
            extended_key_usage=("clientAuth",),
        )
        run(self.store.save_profile(id, settings, template))
        return run(self.store.profile(id))

    def code(self, profile_id, reference="lab"):
        """The secret of the tests for a profile."""
        run(self.store.save_code(Code(profile_id, reference, b"secret", self.clock.now())))

    def ra(self, key=OTHER_KEY):
        """The signer of a registration authority of the same CA."""
        subject = {"CN": SubjectRule()}
        usage = Template(subject=subject, names_required=False, extended_key_usage=("cmcRA",))
        profile, self.profile = self.profile, self.make_profile("ra", template=usage)
        self.code("ra")
        signer = self.device(key, "the RA")
        self.profile = profile
        return signer

    def options(self, **options):
        """Change options of the profile."""
        settings = self.profile.profile
        more = {name: options.pop(name) for name in list(options) if name in Profile.__struct_fields__}
        changed = replace(settings, cmp=replace(settings.cmp, **options), **more)
        run(self.store.save_profile("lab", changed, self.profile.template))
        self.profile = run(self.store.profile("lab"))

    def post(self, body, *, method="POST", content_type="application/pkixcmp"):
        """One HTTP request to the service; the response."""
        exchange = Exchange("test", self.clock.now(), SystemEntropy(), self.profile.id)
        headers = {} if content_type is None else {"content-type": content_type}
        path = f"/.well-known/cmp/p/{self.profile.id}"
        request = HttpRequest(method, path, self.label, "", headers, body, Peer("192.0.2.1"), "http://ca.example.test")
        response = run(self.service.handle(exchange, request, self.profile))
        self.exchange, self.decision = exchange, exchange.decision
        assert self.decision.outcome
        assert self.decision.clause
        assert response.header("content-type") == "application/pkixcmp"
        return response

    def send(self, body):
        response = self.post(body)
        assert response.status == 200
        return response.body

    def client(self, protection=None, **more):
        return cmp.Client(self.send, protection or cmp.Pbm(), self.clock.now, **more)

    def device(self, key=KEY, subject="device-1", **request):
        """A signer with a certificate that was just enrolled and confirmed."""
        client = self.client()
        answer = client.enroll(cmp.Request(key, subject, **request))
        assert answer.status()[0] == 0, answer.status()
        certificate = answer.certificate()
        assert client.confirm(cmp.cert_status(certificate)).kind == cmp.PKICONF
        return cmp.Signer(certificate, key)

    def record(self, certificate):
        return run(self.store.certificate_by_serial(certificate.serial_number.to_bytes(20, "big")))

    def status(self, certificate):
        return self.record(certificate).status

    def certificates(self):
        """Everything that was ever issued to clients."""
        return [c for c in run(self.store.certificates(limit=1000)) if c.protocol == "cmp"]

    def transaction(self, client):
        return run(self.store.transaction(self.profile.id, client.transaction_id))

    def advance(self, **by):
        self.clock.advance(timedelta(**by))

    def resume(self):
        run(self.service.resume(self.clock.now()))


def good(lab, certificate):
    return lab.status(certificate) is CertificateStatus.ISSUED


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A directory with a CA in it: its keys and schema are made once."""
    directory = tmp_path_factory.mktemp("ca")
    IssuanceLab(directory).make().store.close()
    return directory


@pytest.fixture
def lab(made, tmp_path):
    directory = tmp_path / "ca"
    shutil.copytree(made, directory)
    made = CmpLab(directory)
    yield made
    made.store.close()


def root(lab):
    return x509.load_der_x509_certificate(run(lab.ca.authorities.current("root")).generation.certificate)
