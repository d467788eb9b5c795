"""A CA in a directory, made of the real parts: what tests of issuance and enrollment stand on."""

from __future__ import annotations

import subprocess
import weakref
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from privca.base.clock import SetClock
from privca.base.entropy import SystemEntropy
from privca.base.exchange import Exchange
from privca.base.names import Name, dns_name
from privca.enrollment.authentication import Authentication
from privca.enrollment.door import Identity, Submission
from privca.enrollment.service import EnrollmentService
from privca.issuance.authorities import Authorities
from privca.issuance.delegates import Delegates
from privca.issuance.issue import Issuer, Request
from privca.issuance.ports import Certificate
from privca.issuance.profile import CertificateAuthority, Profile, Revisioned, Template
from privca.issuance.publication import PublicUrls
from privca.issuance.revocation import Revocation
from privca.issuance.revocation_lists import RevocationLists
from privca.keys.secrets import SecretBox
from privca.keys.software import SoftwareKeys
from privca.pkix.rfc2986 import CertificationRequest, parse
from privca.pkix.rfc5280.names import subject_alternative_name
from privca.status.rfc6960 import OcspResponder
from privca.store import Store

R = TypeVar("R")

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TWO_TIERS = {
    "root": CertificateAuthority(subject={"CN": "Lab Root", "O": "Lab"}),
    "issuing": CertificateAuthority(subject={"CN": "Lab Issuing", "O": "Lab"}, parent="root", path_length=0, validity="5y"),
}


def run(coroutine: Coroutine[Any, Any, R]) -> R:
    """Drive a coroutine that never has to wait."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    raise AssertionError("something waited that has nothing to wait for")


async def direct(call: Callable[[], bytes]) -> bytes:
    """Offload to nowhere."""
    return call()


class IssuanceLab:
    """Store, keys, CAs and the door, in ``directory``. Nothing is made until :meth:`make`."""

    def __init__(self, directory: Path, config: Mapping[str, CertificateAuthority] = TWO_TIERS) -> None:
        self.directory = directory
        self.clock = SetClock(NOW)
        self.store = Store.open(
            directory / "privca.db", SecretBox(directory / "keys" / "store.key", create=True), durable=False, clock=self.clock
        )
        # Closed with the lab: Python 3.13 warns of a connection that is merely forgotten.
        weakref.finalize(self, self.store.close)
        self.keys = SoftwareKeys(directory / "keys", direct)
        self.urls = PublicUrls("http://pki.example.test:8080")
        self.authorities = Authorities(self.store, self.keys, config, self.clock, self.urls)
        self.delegates = Delegates(self.store, self.keys, self.authorities, self.clock, SystemEntropy())
        self.issuer = Issuer(self.store, self.keys, self.authorities)
        self.revocation = Revocation(self.store)
        self.lists = RevocationLists(self.store, self.keys, self.authorities, direct)
        self.responder = OcspResponder(self.store, self.keys, self.authorities, self.delegates)
        self.door = EnrollmentService(self.store, self.authorities, self.issuer, self.revocation)
        self.credentials = Authentication(self.store)
        self._files = 0

    def make(self) -> IssuanceLab:
        run(self.authorities.create_missing())
        return self

    def exchange(self) -> Exchange:
        return Exchange("test", self.clock.now(), SystemEntropy(), "lab")

    def issue(
        self, profile: Revisioned, names: Sequence[Name] = (dns_name("www.example.test"),), request_id: str = "1", **facts: Any
    ) -> Certificate:
        request = Request(request_id, "acme:1", facts.pop("csr", None) or csr(names), tuple(names), **facts)
        return run(self.issuer.issue(self.exchange(), profile, request))

    def submit(self, profile: Revisioned, submission: Submission) -> Certificate:
        return run(self.door.submit(self.exchange(), profile, submission)).certificate

    def pem(self, *certificates: bytes) -> Path:
        """A PEM file of these certificates."""
        self._files += 1
        path = self.directory / f"{self._files}.pem"
        path.write_bytes(b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in certificates))
        return path

    def verify(self, certificate: bytes, chain: Sequence[bytes], *options: str) -> str:
        """What ``openssl verify`` says of a certificate: ``OK``, or its complaint. The last of ``chain`` is the trust anchor."""
        at = str(int(self.clock.now().timestamp()))
        untrusted = ["-untrusted", str(self.pem(*chain[:-1]))] if len(chain) > 1 else []
        command = [
            "openssl",
            "verify",
            "-x509_strict",
            "-check_ss_sig",
            "-attime",
            at,
            "-CAfile",
            str(self.pem(chain[-1])),
            *untrusted,
            *options,
        ]
        done = subprocess.run([*command, str(self.pem(certificate))], capture_output=True, text=True, timeout=30, check=False)
        return done.stdout.rpartition(": ")[2].strip() if done.returncode == 0 else done.stderr


def csr(
    names: Sequence[Name] = (),
    subject: Sequence[tuple[x509.ObjectIdentifier, str]] = (),
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    key: Any = None,
) -> CertificationRequest:
    """A request, parsed as the server does it."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(oid, value) for oid, value in subject])
    )
    if names:
        builder = builder.add_extension(subject_alternative_name(names), critical=False)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    signed = builder.sign(
        key or ec.generate_private_key(ec.SECP256R1()), hashes.SHA256() if key is None or hasattr(key, "key_size") else None
    )
    return parse(signed.public_bytes(Encoding.DER))


def profile(template: Template | None = None, *, revision: int = 1, **keys: Any) -> Revisioned:
    """A profile of the issuing CA, with these keys of ``Profile``."""
    settings: dict[str, Any] = {
        "protocol": "acme",
        "issuer": "issuing",
        "template": "lab",
        "authentication": ("account",),
        **keys,
    }
    return Revisioned(id="lab", revision=revision, profile=Profile(**settings), template=template or Template())


def submission(
    names: Sequence[Name], request_id: str = "1", method: str = "account", who: str = "acme:1", **facts: Any
) -> Submission:
    """A request under a method, every name proven."""
    settings: dict[str, Any] = {"csr": facts.pop("csr", None) or csr(names), "proven": frozenset(names), **facts}
    return Submission(request_id, Identity(method, who), **settings)
