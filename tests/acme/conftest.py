"""A whole ACME service over a real store, with the network replaced by what a test puts there, and a client that signs by itself.

The client shares no code with the server: it makes its JWS with ``cryptography`` alone.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from privca.acme.ports import DnsProbe, ExternalKey, HttpProbe, Observation, Probe, ProbeFailure
from privca.acme.service import AcmeService
from privca.base.clock import SetClock
from privca.base.entropy import SeededEntropy
from privca.base.exchange import Exchange
from privca.base.http import Peer, Request, Response
from privca.base.refused import Refused
from privca.enrollment.door import Issued, Pending, Submission
from privca.enrollment.service import EnrollmentService
from privca.issuance.authorities import Authorities
from privca.issuance.issue import Issuer
from privca.issuance.options.acme import AcmeOptions
from privca.issuance.profile import CertificateAuthority, Names, Profile, Revisioned, Template
from privca.issuance.publication import PublicUrls
from privca.issuance.revocation import Revocation
from privca.keys.software import SoftwareKeys
from privca.store import Store

ORIGIN = "https://ca.example.test:8443"
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def b64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def drive(coroutine: Any) -> Any:
    """Run a coroutine whose awaits never block."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("something waited")


class Key:
    """A P-256 key."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        numbers = self.private.public_key().public_numbers()
        self.jwk = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32, "big")), "y": b64(numbers.y.to_bytes(32, "big"))}
        self.thumbprint = b64(hashlib.sha256(json.dumps(self.jwk, sort_keys=True, separators=(",", ":")).encode()).digest())

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def jws(protected: dict[str, Any], payload: bytes, sign: Callable[[bytes], bytes]) -> dict[str, Any]:
    head, body = b64(json.dumps(protected).encode()), b64(payload)
    return {"protected": head, "payload": body, "signature": b64(sign(f"{head}.{body}".encode()))}


@dataclass
class Reply:
    response: Response
    exchange: Exchange

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def json(self) -> Any:
        return json.loads(self.response.body)

    @property
    def type(self) -> str:
        assert self.header("content-type") == "application/problem+json"
        return str(self.json["type"]).removeprefix("urn:ietf:params:acme:error:")

    def header(self, name: str) -> str | None:
        return self.response.header(name)

    def links(self, relation: str) -> list[str]:
        values = [v for k, v in self.response.headers if k.lower() == "link" and v.endswith(f';rel="{relation}"')]
        return [value[1 : value.index(">")] for value in values]


class Background:
    """Keeps work until :meth:`run`; time that passes is only written down on the clock."""

    def __init__(self, clock: SetClock) -> None:
        self.clock = clock
        self.work: list[Any] = []
        self.between: Callable[[], None] = lambda: None

    def start(self, work: Any) -> None:
        self.work.append(work)

    async def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        self.between()

    def run(self) -> None:
        while self.work:
            drive(self.work.pop(0))

    def die(self) -> None:
        """What a kill does to work under way."""
        for work in self.work:
            work.close()
        self.work.clear()


class Network:
    """What there is to see."""

    def __init__(self) -> None:
        self.http: dict[tuple[str, str], bytes] = {}
        self.txt: dict[str, tuple[bytes, ...]] = {}
        self.caa: dict[str, tuple[tuple[int, str, str], ...]] = {}
        self.seen: list[Probe] = []
        self.during: Callable[[], None] = lambda: None

    async def observe(self, probe: Probe, asker: str) -> Observation:
        self.seen.append(probe)
        self.during()
        if isinstance(probe, HttpProbe):
            body = self.http.get((probe.name.value, probe.path))
            if body is None:
                return Observation(failure=ProbeFailure.CONNECTION, detail="connection refused")
            return Observation(status=200, body=body)
        if isinstance(probe, DnsProbe):
            return Observation(texts=self.txt.get(probe.query_name, ()))
        return Observation(caa=self.caa.get(getattr(probe, "query_name", ""), ()))


class Door(EnrollmentService):
    """The real door, which can be told to refuse, to break, or to let something happen first."""

    refusal: Refused | None = None
    fault: Exception | None = None
    waiting = False

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        self.submissions: list[Submission] = []

    async def submit(self, exchange: Exchange, profile: Revisioned, submission: Submission) -> Issued | Pending:  # type: ignore[override]
        self.before()
        self.submissions.append(submission)
        if self.fault is not None:
            raise self.fault
        if self.refusal is not None:
            raise self.refusal
        if self.waiting:
            return Pending(600)
        issued = await super().submit(exchange, profile, submission)
        self.after()
        return issued


@dataclass
class World:
    clock: SetClock
    store: Store
    door: Door
    authorities: Authorities
    network: Network
    background: Background
    service: AcmeService
    peer: Peer = field(default_factory=lambda: Peer("192.0.2.1", tls=True))
    entropy: SeededEntropy = field(default_factory=lambda: SeededEntropy(b"exchanges"))
    count: int = 0

    def profile(self, id: str = "web", authentication: Sequence[str] = ("account",), **options: Any) -> Revisioned:
        names = options.pop("names", Names())
        validity = options.pop("validity", "90d")
        enabled = options.pop("enabled", True)
        tolerant = options.pop("tolerant", True)
        settings = Profile(
            protocol="acme",
            issuer="issuing",
            template="server",
            authentication=tuple(authentication),  # type: ignore[arg-type]
            names=names,
            validity=validity,
            enabled=enabled,
            tolerant=tolerant,
            acme=AcmeOptions(**options),
        )
        drive(self.store.save_profile(id, settings, Template()))
        found = drive(self.store.profile(id))
        assert found is not None
        return found

    def external_key(self, id: str = "kid-1", profile_id: str = "web", expires: datetime | None = None) -> bytes:
        key = hashlib.sha512(id.encode()).digest()
        drive(self.store.commit(ExternalKey(id, profile_id, key, self.clock.now(), expires, None)))
        return key

    drive = staticmethod(drive)

    def resume(self) -> None:
        drive(self.service.resume(self.clock.now()))

    def scalar(self, sql: str) -> Any:
        return self.store._database._connection.execute(sql).fetchone()[0]

    def stored(self, authorization_url: str) -> Any:
        profile_id, _, id = authorization_url.removeprefix(f"{ORIGIN}/acme/").split("/")
        return drive(self.store.authorization(profile_id, id))

    def send(
        self,
        profile: Revisioned,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        shared: bool = False,
        origin: str = ORIGIN,
        **headers: str,
    ) -> Reply:
        path, _, query = url.removeprefix(ORIGIN).partition("?")
        stem = "/certificate-authority/api/v1/acme/" if shared else f"/acme/{profile.id}/"
        assert path.startswith(stem), (path, stem)
        self.count += 1
        exchange = Exchange(str(self.count), self.clock.now(), self.entropy, profile.id)
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(method, path, path.removeprefix(stem), query, fields, body, self.peer, origin)
        response = drive(self.service.handle(exchange, request, profile))
        assert exchange.decision.outcome, "every outcome is written down"
        assert exchange.decision.clause
        return Reply(response, exchange)

    def client(self, profile: Revisioned, *, register: bool = True, **more: Any) -> Client:
        client = Client(self, profile, **more)
        if register:
            assert client.register().status == 201
        return client


class Client:
    """An ACME client of one profile, with a key and, once it registered, an account."""

    def __init__(self, world: World, profile: Revisioned, key: Key | None = None, *, shared: bool = False) -> None:
        self.world, self.profile, self.shared = world, profile, shared
        self.key = key or Key()
        self.kid = ""
        self.front = ORIGIN + ("/certificate-authority/api/v1/acme" if shared else f"/acme/{profile.id}")
        self.nonce = ""

    def url(self, tail: str) -> str:
        return f"{self.front}/{tail}"

    def get(self, tail: str, method: str = "GET") -> Reply:
        return self.world.send(self.profile, method, self.url(tail), shared=self.shared)

    def fresh(self) -> str:
        nonce = self.get("new-nonce", "HEAD").header("replay-nonce")
        assert nonce
        return nonce

    def body(
        self, url: str, payload: Any, /, *, key: Key | None = None, jwk: bool = False, header: Any = (), **more: Any
    ) -> dict[str, Any]:
        """A signed body; ``more`` and ``header`` change the protected header, where ``...`` takes a member out."""
        signer = key or self.key
        protected: dict[str, Any] = {"alg": "ES256", "nonce": self.fresh(), "url": url}
        protected |= {} if header else {"jwk": signer.jwk} if jwk else {"kid": self.kid}
        protected = {name: value for name, value in (protected | more | dict(header)).items() if value is not ...}
        octets = payload if isinstance(payload, bytes) else b"" if payload is None else json.dumps(payload).encode()
        return jws(protected, octets, signer.sign)

    def post(self, tail_or_url: str, payload: Any = None, /, *, accept: str = "", **more: Any) -> Reply:
        url = tail_or_url if tail_or_url.startswith("https:") else self.url(tail_or_url)
        return self.raw(url, self.body(url, payload, **more), accept=accept)

    def raw(
        self, url: str, body: dict[str, Any] | bytes, *, accept: str = "", content_type: str = "application/jose+json"
    ) -> Reply:
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        shared = self.shared and url.startswith(self.front)
        profile = self.profile
        if not shared and not url.startswith(f"{ORIGIN}/acme/{profile.id}/"):
            profile = drive(self.world.store.profile(url.removeprefix(ORIGIN).split("/")[2]))
        headers = {"content_type": content_type} | ({"accept": accept} if accept else {})
        return self.world.send(profile, "POST", url, octets, shared=shared, **headers)

    def register(self, **payload: Any) -> Reply:
        reply = self.post("new-account", {"termsOfServiceAgreed": True, **payload}, jwk=True)
        if reply.status in (200, 201):
            self.kid = reply.header("location") or ""
        return reply

    def bind(self, kid: str, key: bytes, /, *, alg: str = "HS256", payload: Any = None, **header: Any) -> dict[str, Any]:
        protected: dict[str, Any] = {"alg": alg, "kid": kid, "url": self.url("new-account")}
        protected = {name: value for name, value in (protected | header).items() if value is not ...}
        octets = json.dumps(self.key.jwk if payload is None else payload).encode()
        return jws(protected, octets, lambda message: hmac.digest(key, message, "sha" + alg[2:]))

    def order(self, *names: str, **more: Any) -> Reply:
        return self.post("new-order", {"identifiers": [{"type": "dns", "value": name} for name in names], **more})

    def serve(self, challenge: dict[str, Any], name: str) -> None:
        """Provision the answer to a challenge."""
        answer = f"{challenge['token']}.{self.key.thumbprint}"
        if challenge["type"] == "http-01":
            self.world.network.http[name, f"/.well-known/acme-challenge/{challenge['token']}"] = answer.encode()
        else:
            digest = b64(hashlib.sha256(answer.encode()).digest()).encode()
            self.world.network.txt[f"_acme-challenge.{name}"] = (digest,)

    def challenge(self, authorization_url: str, type: str = "http-01") -> dict[str, Any]:
        found: dict[str, Any] = next(c for c in self.post(authorization_url).json["challenges"] if c["type"] == type)
        return found

    def prove(self, authorization_url: str, type: str = "http-01") -> Reply:
        """Provision, respond, and let the server look."""
        authorization = self.post(authorization_url).json
        challenge = next(c for c in authorization["challenges"] if c["type"] == type)
        self.serve(challenge, authorization["identifier"]["value"])
        reply = self.post(challenge["url"], {})
        self.world.background.run()
        return reply

    def ready(self, *names: str, **more: Any) -> Reply:
        """An order with all authorizations valid."""
        reply = self.order(*names, **more)
        assert reply.status == 201, reply.json
        for url, name in zip(reply.json["authorizations"], reply.json["identifiers"], strict=True):
            self.prove(url, "dns-01" if name["value"].startswith("*.") else "http-01")
        return reply

    def csr(self, *names: str, key: Any = None, common_name: str = "", extensions: Sequence[x509.ExtensionType] = ()) -> str:
        subject = [x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)] if common_name else []
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        self.certificate_key = key or ec.generate_private_key(ec.SECP256R1())
        hash_algorithm = None if isinstance(self.certificate_key, ed448.Ed448PrivateKey) else hashes.SHA256()
        return b64(builder.sign(self.certificate_key, hash_algorithm).public_bytes(Encoding.DER))

    def finalize(self, order: Reply, *names: str, **more: Any) -> Reply:
        return self.post(order.json["finalize"], {"csr": self.csr(*names, **more)})

    def issue(self, *names: str) -> Reply:
        """A valid order."""
        reply = self.finalize(self.ready(*names), *names)
        assert reply.json["status"] == "valid", reply.json
        return reply

    def certificate(self, order: Reply) -> bytes:
        return self.post(order.json["certificate"], accept="application/pkix-cert").response.body


class PlainSealing:
    """Nothing is secret in a test."""

    def seal(self, plaintext: bytes, context: str) -> bytes:
        del context
        return plaintext

    def open(self, sealed: bytes, context: str) -> bytes:
        del context
        return sealed

    def derive(self, label: str) -> bytes:
        return label.encode().ljust(32)


async def directly(work: Callable[[], bytes]) -> bytes:
    return work()


def build(directory: Path) -> World:
    clock, entropy = SetClock(START), SeededEntropy(b"acme")
    store = Store.open(directory / "privca.db", PlainSealing(), durable=False, clock=clock)
    keys = SoftwareKeys(directory / "keys", directly)
    config = {
        "root": CertificateAuthority(subject={"CN": "Root"}),
        "issuing": CertificateAuthority(subject={"CN": "Issuing"}, parent="root"),
    }
    authorities = Authorities(store, keys, config, clock, PublicUrls("http://ca.example.test:8080"), entropy)
    drive(authorities.create_missing())
    door = Door(store, authorities, Issuer(store, keys, authorities), Revocation(store))
    network, background = Network(), Background(clock)
    service = AcmeService(store, door, network, background, clock, entropy, b"k" * 32, ORIGIN)
    return World(clock, store, door, authorities, network, background, service)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build(tmp_path)
    yield made
    made.background.die()
    made.store.close()


@pytest.fixture
def client(world: World) -> Client:
    return world.client(world.profile())


@pytest.fixture
def new_key() -> Callable[[], Key]:
    return Key


@pytest.fixture
def build_world() -> Callable[[Path], World]:
    return build
