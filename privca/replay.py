"""A CA in a situation that somebody else describes, which answers requests one after the other: what test vectors are replayed on.

Key, credentials, clock and randomness are those of the description, so that the same requests get the same replies each time as far as
the algorithms allow it (RSA PKCS #1 v1.5 and Ed25519 signatures and MACs do; what is encrypted for somebody does not). Nothing here is
for real use: the CA lives in a temporary directory and ends with the description.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from privca.acme.ports import Observation, Probe
from privca.base.clock import SetClock
from privca.base.entropy import SeededEntropy
from privca.base.exchange import Exchange
from privca.base.http import ChannelBinding, Peer, Request, Response
from privca.composition import STORE_KEY, Parts, compose, directly, run
from privca.config import Config, Server, StoreTable
from privca.enrollment.approval import decide
from privca.enrollment.ports import Code
from privca.enrollment.ports import Decision as Decided
from privca.issuance.options.cmp import CmpOptions
from privca.issuance.options.est import EstOptions
from privca.issuance.options.scep import ScepOptions
from privca.issuance.ports import Certificate, CertificateStatus, Generation, GenerationRole
from privca.issuance.profile import CertificateAuthority, Profile, Revisioned, SubjectRule, Template
from privca.keys.files import write_private
from privca.pkix.rfc5280.identifiers import subject_key_identifier
from privca.pkix.rfc5280.names import attributes_of, names_of
from privca.services import Surroundings, acme, cmp, est, scep
from privca.web import urls

PROTOCOLS = ("acme", "est", "scep", "cmp")
PROFILE = "vector"
CA = "vector"
_SERVICES = {"acme": acme, "est": est, "scep": scep, "cmp": cmp}
_AUTHENTICATION = {"acme": ("open",)}
_OPTIONS: dict[str, dict[str, Any]] = {
    # What real clients send is taken: which of it is weak is for other tests.
    "scep": {
        "scep": ScepOptions(
            digests=("sha256", "sha384", "sha512", "sha224", "sha1", "md5"), ciphers=("aes128", "aes192", "aes256", "3des", "des")
        )
    },
    "est": {"est": EstOptions(http=("basic", "digest", "bearer"), realm="estrealm", server_keys="clear")},
    "cmp": {
        "cmp": CmpOptions(
            requests=("ir", "cr", "kur", "p10cr", "rr", "genm", "ccr", "krr"),
            signer="ca",
            message_time="",
            central_key_generation=True,
        )
    },
    "acme": {},
}
_TEMPLATE = Template(
    subject={short: SubjectRule() for short in ("CN", "O", "OU", "C", "serialNumber")},
    names=("dns", "ip", "email", "uri"),
    names_required=False,
    key_usage=("digitalSignature", "keyEncipherment"),
    extended_key_usage=("clientAuth", "serverAuth"),
)


class Authority(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The CA, in PEM."""

    key: str
    certificate: str


class Situation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What there is before the first request. ``seed`` is hex; ``codes`` are passwords by reference; ``issued`` are certificates (PEM)
    that the CA has issued before; ``waits`` tells that a person decides about every request."""

    protocol: str
    now: datetime
    seed: str
    ca: Authority
    codes: dict[str, str] = {}
    issued: tuple[str, ...] = ()
    waits: bool = False


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The connection of a request. ``unique`` is tls-unique (RFC 5929 section 3), hex; ``certificate`` is the client's, PEM."""

    version: str = "TLSv1.2"
    unique: str = ""
    certificate: str = ""

    def chain(self) -> tuple[bytes, ...]:
        """Nothing behind the client's own certificate."""
        return ()

    def channel_binding(self, kind: ChannelBinding) -> bytes | None:
        """The octets that were noted."""
        return bytes.fromhex(self.unique) if self.unique and kind is ChannelBinding.TLS_UNIQUE else None


class Stage:
    """The CA of one situation."""

    def __init__(self, situation: Situation) -> None:
        self._stack = ExitStack()
        self.situation = situation
        directory = Path(self._stack.enter_context(TemporaryDirectory(prefix="privca-replay-")))
        (directory / "keys").mkdir(mode=0o700)
        self.clock, self._entropy = SetClock(situation.now), SeededEntropy(bytes.fromhex(situation.seed))
        key = load_pem_private_key(situation.ca.key.encode(), None)
        certificate = x509.load_pem_x509_certificate(situation.ca.certificate.encode())
        config = Config(
            path=directory / "privca.toml",
            server=Server(hosts=("ca.example.test",), https_port=443, http_port=80),
            store=StoreTable(durable=False),
            ca={
                CA: CertificateAuthority(subject=dict(attributes_of(certificate.subject)), key=_kind(key), key_encipherment=True)
            },
        )
        # Else it would be another one each time, and with it whatever is derived from it, as the nonces of Digest.
        write_private(directory / "keys" / STORE_KEY, sha256(bytes.fromhex(situation.seed)).digest())
        self._parts: Parts = compose(config, directly, create=True, clock=self.clock, entropy=self._entropy)
        self._stack.callback(self._parts.store.close)
        self._background = _AtOnce()
        surroundings = Surroundings(_Nobody(), self._background, directly)
        self._service = _SERVICES[situation.protocol].service(self._parts, surroundings)
        write_private(directory / "keys" / "vector.pem", situation.ca.key.encode())
        self._install(key, certificate)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def answer(
        self, method: str, target: str, fields: Mapping[str, str], body: bytes, tls: Tls | None = None
    ) -> tuple[Response, Exchange]:
        """The reply to one request, and what was decided. :param target: path and query as a client of that day sent them."""
        path, _, query = target.partition("?")
        protocol = self.situation.protocol
        route = urls.find(path.lower() if protocol == "est" else path)
        tail = route.tail if route is not None and route.protocol == protocol else ""
        secure = protocol in ("acme", "est")
        certificate = x509.load_pem_x509_certificate(tls.certificate.encode()) if tls and tls.certificate else None
        peer = Peer(
            "192.0.2.1",
            secure,
            certificate.public_bytes(Encoding.DER) if certificate else None,
            (tls or Tls()) if secure else None,
        )
        # Reached under the name that the client of that day used: it signs its URLs.
        origin = f"{'https' if secure else 'http'}://{fields.get('host', 'ca.example.test')}"
        request = Request(method, path, tail, query, dict(fields), body, peer, origin)
        exchange = Exchange("replay", self.clock.now(), self._entropy, PROFILE)
        response: Response = run(self._service.handle(exchange, request, self._profile))
        self._background.finish()
        return response, exchange

    def approve(self) -> int:
        """Approve every request that waits; how many."""
        waiting = [one for one in run(self._parts.store.waiting_requests(PROFILE)) if one.decision is Decided.WAITING]
        for one in waiting:
            run(decide(self._parts.store, one, Decided.APPROVED, "replay", self.clock.now(), self._profile.profile.waiting.life))
        return len(waiting)

    def advance(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(seconds=seconds))

    def _install(self, key: Any, certificate: x509.Certificate) -> None:
        store, situation = self._parts.store, self.situation
        der = _usable(key, certificate, situation.now).public_bytes(Encoding.DER)
        run(store.save_generations([Generation(CA, 1, GenerationRole.CURRENT, "vector", der, None, None, situation.now)]))
        authentication = _AUTHENTICATION.get(situation.protocol, ("code", "otp", "certificate"))
        profile = Profile(
            protocol=situation.protocol,  # type: ignore[arg-type]
            issuer=CA,
            template="vector",
            keys=(
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
            ),
            authentication=(*authentication, "approval") if situation.waits else authentication,  # type: ignore[arg-type]
            approval_always=situation.waits,
            renewal_window="20y",
            rename=True,
            **_OPTIONS[situation.protocol],
        )
        run(store.save_profile(PROFILE, profile, _TEMPLATE))
        self._profile: Revisioned = run(store.profile(PROFILE))  # type: ignore[assignment]
        for reference, value in situation.codes.items():
            run(store.save_code(Code(PROFILE, reference, value.encode(), situation.now)))
        for pem in situation.issued:
            self._knows(x509.load_pem_x509_certificate(pem.encode()))

    def _knows(self, issued: x509.Certificate) -> None:
        names: tuple[Any, ...] = ()
        for extension in issued.extensions:
            if isinstance(extension.value, x509.SubjectAlternativeName):
                names = names_of(extension.value)
        spki = issued.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        der = issued.public_bytes(Encoding.DER)
        record = Certificate(
            serial=issued.serial_number.to_bytes(20, "big"),
            authority=CA,
            generation=1,
            profile_id=PROFILE,
            profile_revision=1,
            protocol=self.situation.protocol,
            request_id=sha256(der).hexdigest(),
            identity=f"code:{next(iter(self.situation.codes), '')}",
            subject=issued.subject.rfc4514_string(),
            names=names,
            spki_sha256=sha256(spki).digest(),
            not_before=issued.not_valid_before_utc,
            not_after=issued.not_valid_after_utc,
            tbs=issued.tbs_certificate_bytes,
            der=None,
            status=CertificateStatus.PREPARED,
            recorded=self.situation.now,
        )
        run(self._parts.store.add_certificate(record))
        changed = msgspec.structs.replace(record, der=der, status=CertificateStatus.ISSUED, version=1)
        run(self._parts.store.update_certificate(changed))


class _AtOnce:
    """Work behind a reply is done when the reply is there."""

    def __init__(self) -> None:
        self._work: list[Coroutine[Any, Any, None]] = []

    def start(self, work: object) -> None:
        self._work.append(work)  # type: ignore[arg-type]

    async def wait(self, seconds: float) -> None:
        """No time passes."""

    def finish(self) -> None:
        while self._work:
            run(self._work.pop(0))


class _Nobody:
    """There is no network: challenges count as met, and nobody is asked."""

    async def observe(self, probe: Probe, asker: str = "") -> Observation:
        raise NotImplementedError("a vector needs no network")


def _kind(key: Any) -> Any:
    return f"RSA-{key.key_size}" if isinstance(key, rsa.RSAPrivateKey) else "P-256"


def _usable(key: CertificateIssuerPrivateKeyTypes, certificate: x509.Certificate, now: datetime) -> x509.Certificate:
    """The CA's certificate, or one of the same name, key and serial number that has the key identifiers which ours always have."""
    ski = subject_key_identifier(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    aki = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski)
    if {ski, aki} <= {extension.value for extension in certificate.extensions}:
        return certificate
    encipher = isinstance(key, rsa.RSAPrivateKey)
    usage = x509.KeyUsage(True, False, encipher, False, False, True, True, False, False)
    builder = x509.CertificateBuilder(
        certificate.subject, certificate.subject, key.public_key(), certificate.serial_number, now, now + timedelta(days=3650)
    )
    for extension, critical in ((x509.BasicConstraints(True, None), True), (usage, True), (ski, False), (aki, False)):
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=None if encipher else True)
