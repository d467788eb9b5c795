"""A whole CA in one process, without a socket: real service, store, keys and issuance, a network that is a dictionary, a clock that is set.

The examiner's client talks to it through a transport that calls the service, so that the same cases could run by URL.
"""

import contextlib
import itertools
import json
import types
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec.structs import replace

from conformance.acme import csr, enrollment
from conformance.acme.client import Client, dns
from conformance.acme.keys import Key, b64
from conformance.acme.responders import reverse_name, validation_certificate
from conformance.transport import HttpResponse
from privca.acme.ports import CaaProbe, DnsProbe, ExternalKey, HttpProbe, Observation, ProbeFailure, TlsAlpnProbe
from privca.acme.service import AcmeService
from privca.base.clock import SetClock
from privca.base.entropy import SystemEntropy, token
from privca.base.exchange import Exchange
from privca.base.http import Peer, Request
from privca.enrollment.service import EnrollmentService
from privca.issuance.authorities import Authorities
from privca.issuance.issue import Issuer
from privca.issuance.options.acme import AcmeOptions
from privca.issuance.profile import CertificateAuthority, Names, Profile, SubjectRule, Template
from privca.issuance.publication import PublicUrls
from privca.issuance.revocation import Revocation
from privca.keys.secrets import SecretBox
from privca.keys.software import SoftwareKeys
from privca.store import Store

ORIGIN = "https://ca.example.test"


def run(work):
    """Drive a coroutine that never waits."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as end:
        return end.value
    raise AssertionError("a request waited for something")


class Network:
    """What the prober sees, and a responder that provides for every kind of challenge at once."""

    challenge = ""

    def __init__(self):
        self.http, self.txt, self.tls, self.caa = {}, {}, {}, {}
        self.statuses, self.protocols = {}, {}
        self.failures, self.caa_failures = {}, set()
        self.probes = []

    def provision(self, identifier, challenge_token, key_authorization):
        name = identifier["value"]
        self.http[name, f"/.well-known/acme-challenge/{challenge_token}"] = key_authorization.encode()
        self.txt.setdefault(f"_acme-challenge.{name}", []).append(b64(sha256(key_authorization.encode()).digest()).encode())
        server_name = reverse_name(name) if identifier["type"] == "ip" else name
        self.tls[server_name] = x509.load_pem_x509_certificate(validation_certificate(identifier, key_authorization)[0])

    def withdraw(self, identifier, challenge_token):
        """What was proven stays where it is: no other challenge has its token."""

    async def observe(self, probe, asker):
        self.probes.append(probe)
        if probe.name.value in self.failures:
            return Observation(failure=self.failures[probe.name.value], detail="seen nothing", address="192.0.2.1")
        match probe:
            case HttpProbe():
                path = probe.path if probe.path.startswith("/") else f"/{probe.path}"
                body = self.http.get((probe.name.value, path))
                url = f"http://{probe.name.value}{path}"
                status = self.statuses.get(probe.name.value, 404 if body is None else 200)
                return Observation(address="192.0.2.1", url=url, status=status, body=body or b"no")
            case DnsProbe():
                return Observation(address="192.0.2.53", texts=tuple(self.txt.get(probe.query_name, ())))
            case TlsAlpnProbe():
                found = self.tls.get(probe.server_name)
                certificate = found and found.public_bytes(Encoding.DER)
                protocol = self.protocols.get(probe.server_name, "acme-tls/1" if found else "")
                return Observation(address="192.0.2.1", certificate=certificate, alpn=protocol)
            case CaaProbe() if probe.query_name in self.caa_failures:
                return Observation(failure=ProbeFailure.DNS, detail="SERVFAIL")
            case CaaProbe():
                return Observation(address="192.0.2.53", caa=tuple(self.caa.get(probe.query_name, ())))
        raise AssertionError(probe)


@types.coroutine
def _pause():
    yield


class Background:
    """Work that runs when the test says so; to wait moves the clock."""

    def __init__(self, clock):
        self._clock = clock
        self.waiting = []

    def start(self, work):
        self.waiting.append(work)

    async def wait(self, seconds):
        await _pause()
        self._clock.advance(timedelta(seconds=seconds))

    def step(self):
        """Let each piece of work go on to its next wait."""
        for work in self.waiting[:]:
            try:
                work.send(None)
            except StopIteration:
                self.waiting.remove(work)

    def settle(self):
        while self.waiting:
            self.step()


async def directly(work):
    return work()


class Lab:
    """The composition; also the examiner's transport."""

    def __init__(self, directory):
        self.clock = SetClock(datetime.now(UTC))
        self.responder = Network()
        self.background = Background(self.clock)
        self.entropy = SystemEntropy()
        secrets = SecretBox(directory / "keys" / "store.key", create=True)
        self.store = Store.open(directory / "privca.db", secrets, durable=False, clock=self.clock)
        keys = SoftwareKeys(directory / "keys", directly)
        authorities = Authorities(self.store, keys, AUTHORITIES, self.clock, PublicUrls("http://ca.example.test"), self.entropy)
        run(authorities.create_missing())
        self.authorities = authorities
        self.door = EnrollmentService(self.store, authorities, Issuer(self.store, keys, authorities), Revocation(self.store))
        self.service = AcmeService(
            self.store, self.door, self.responder, self.background, self.clock, self.entropy, secrets.derive("acme nonce"), ORIGIN
        )
        self._names = itertools.count(1)
        self._ids = {}
        self._keys = {}
        self._profiles = {}

    # -- the transport --------------------------------------------------------------------------------------------

    def exchange(self, request):
        parts = urlsplit(request.url)
        assert request.url.startswith(ORIGIN + "/acme/")
        profile_id, _, tail = parts.path.removeprefix("/acme/").partition("/")
        headers = {name.lower(): value for name, value in request.headers}
        peer = Peer("192.0.2.9", tls=True)
        inside = Request(request.method, parts.path, tail, parts.query, headers, request.body, peer, ORIGIN)
        exchange = Exchange(token(self.entropy, 12), self.clock.now(), self.entropy, profile_id)
        response = run(self.service.handle(exchange, inside, self._profiles[profile_id]))
        assert exchange.decision.outcome, "every exchange is decided"
        assert exchange.decision.clause, "every decision rests on a clause"
        return HttpResponse(response.status, response.headers, response.body, request)

    @contextlib.contextmanager
    def serving_alone(self):
        """Inside, another process serves, and it is the only one of its store."""
        parts = (self.store, self.door, self.responder, self.background, self.clock, self.entropy)
        before, self.service = self.service, AcmeService(*parts, None, ORIGIN)
        try:
            yield
        finally:
            self.service = before

    # -- what tests ask for ------------------------------------------------------------------------------------------

    def profile(self, *, acme=None, names=None, **fields):
        """The ID of a profile with these options."""
        spelled = json.dumps([acme, names, fields], sort_keys=True, default=str)
        if spelled not in self._ids:
            id = self._ids[spelled] = f"p{len(self._ids)}"
            options = {"validation_attempts": 1, **(acme or {})}
            profile = Profile(
                **{"protocol": "acme", "issuer": "issuing", "template": "server", "authentication": ("account",), **fields},
                acme=AcmeOptions(**options),
                names=Names(**(names or {})),
            )
            run(self.store.save_profile(id, profile, TEMPLATE))
            self._profiles[id] = run(self.store.profile(id))
        return self._ids[spelled]

    def amend(self, profile_id, **acme):
        """Change ACME options of a profile, as ``profile apply`` does under a running server."""
        known = self._profiles[profile_id]
        profile = replace(known.profile, acme=replace(known.profile.acme, **acme))
        run(self.store.save_profile(profile_id, profile, known.template))
        self._profiles[profile_id] = run(self.store.profile(profile_id))

    def client(self, observe=None, profile=None):
        return Client(self, f"{ORIGIN}/acme/{profile or self.profile()}/directory", observe)

    def name(self):
        """A name that nothing else uses."""
        return f"t{next(self._names)}.example.test"

    def key(self, alg, bits=2048):
        """A fresh key for a certificate; of RSA, which takes long to make, one of a size serves all."""
        if alg != "RS256":
            return Key.make(alg)
        if bits not in self._keys:
            self._keys[bits] = Key.make(alg, rsa_bits=bits)
        return self._keys[bits]

    def csr(self, identifiers):
        return csr.request(Key.make(), identifiers)

    def external_key(self, profile_id, ttl=None):
        """A new external account binding key: kid and HMAC key as the CA hands them out."""
        octets = self.entropy.octets(64)
        expires = None if ttl is None else self.clock.now() + ttl
        key = ExternalKey(token(self.entropy), profile_id, octets, self.clock.now(), expires, None)
        run(self.store.commit(key))
        return key.id, b64(octets)

    def settle(self):
        self.background.settle()

    def step(self):
        self.background.step()

    def wait(self, seconds):
        self.settle()

    def prove(self, client, account, url):
        enrollment.prove(client, account, url, self.responder, wait=self.wait)

    def fail(self, client, account, url):
        """Answer http-01 with nothing in place."""
        challenge = next(c for c in client.read(account, url)["challenges"] if c["type"] == "http-01")
        client.perform(client.respond(account, challenge["url"]))
        self.settle()

    def ready(self, client, account, names=None, **fields):
        """A ready order: URL and object."""
        url, order = client.order(account, dns(*(names or [self.name()])), **fields)
        for authorization in order["authorizations"]:
            self.prove(client, account, authorization)
        order = client.read(account, url)
        assert order["status"] == "ready"
        return url, order

    def finalized(self, client, account, url):
        """Finalize a ready order, to show that it still can be."""
        order = client.read(account, url)
        key = Key.make()
        client.perform(client.finalize(account, order["finalize"], csr.request(key, order["identifiers"])))
        order = enrollment.poll(client, account, url, lambda o: o["status"] == "valid", self.wait)
        response = client.perform(client.fetch(account, order["certificate"]))
        certificates = enrollment.read_chain(response)
        enrollment.check(certificates, key, order["identifiers"])
        return enrollment.Enrolled(account, url, key, response.body, certificates, tuple(response.links("alternate")))

    def enroll(self, client, account, identifiers=None, key=None):
        wanted = identifiers or dns(self.name())
        return enrollment.enroll(client, wanted, self.responder, account=account, key=key, wait=self.wait)

    def twin(self, certificate):
        """A certificate that says all that another says, by a CA that is not ours; its key and DER."""
        key = Key.make()
        builder = x509.CertificateBuilder(
            certificate.issuer,
            certificate.subject,
            key.private.public_key(),
            certificate.serial_number,
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
            list(certificate.extensions),
        )
        return key, builder.sign(Key.make().private, hashes.SHA256()).public_bytes(Encoding.DER)

    def state_of(self, authorization_url):
        """What is stored of an authorization, for when its account may no longer ask."""
        profile_id, id = self._stored(authorization_url)
        return run(self.store.authorization(profile_id, id)).state.value

    def issued_for(self, order_url):
        """Whether an order has led to a certificate, for when its account may no longer ask."""
        profile_id, id = self._stored(order_url)
        return run(self.store.certificate_by_request(profile_id, id)) is not None

    @staticmethod
    def _stored(url):
        parts = urlsplit(url).path.split("/")
        return parts[2], parts[4]

    def rollover(self, authority):
        """Give a CA a new key."""
        run(self.authorities.rollover(authority))

    def close(self):
        self.store.close()


AUTHORITIES = {
    "root": CertificateAuthority(subject={"CN": "Trap Root"}, validity="20y"),
    "issuing": CertificateAuthority(subject={"CN": "Trap Issuing"}, parent="root", path_length=0),
}
TEMPLATE = Template(subject={"CN": SubjectRule(source="first-name")})


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """One for all tests that neither move the clock nor mind each other: names and accounts are fresh each time."""
    made = Lab(tmp_path_factory.mktemp("lab"))
    yield made
    made.close()


@pytest.fixture
def own_lab(tmp_path):
    """One for a test that moves the clock."""
    made = Lab(tmp_path)
    yield made
    made.close()
