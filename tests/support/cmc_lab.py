"""An EST service with full CMC over a real CA in a directory, and the ways to speak with it: what tests of RFC 5272 stand on."""

from __future__ import annotations

import atexit
import base64
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from privca.base.entropy import SystemEntropy
from privca.base.exchange import Exchange
from privca.base.http import Peer, Request, Response
from privca.base.names import dns_name
from privca.enrollment.authentication import Authentication
from privca.enrollment.ports import Code, Passcode
from privca.est.rfc5272.challenge import PopChallenges
from privca.est.rfc5272.pending import PendTokens
from privca.est.rfc7030.call import Core
from privca.est.rfc7616 import Nonces
from privca.est.service import EstService
from privca.issuance.issue import Request as Issuance
from privca.issuance.options.est import EstOptions
from privca.issuance.ports import Certificate, CertificateStatus
from privca.issuance.profile import Profile, Revisioned, SubjectRule, Template
from privca.pkix import rfc2986
from tests.support import cmc_client as cmc
from tests.support.issuance_lab import IssuanceLab, run

SECRET = "correct horse battery staple"
FULL = "application/pkcs7-mime; smime-type=CMC-response"
CERTIFICATES = "application/pkcs7-mime; smime-type=certs-only"
SUBJECT = {"CN": SubjectRule(), "O": SubjectRule(), "OU": SubjectRule()}


class Nothing:
    """Ports of EST that CMC has no part in."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"CMC has asked for {name}")


@dataclass
class Reply:
    """A reply to a message, and what the exchange wrote down."""

    http: Response
    exchange: Exchange

    @property
    def status(self) -> int:
        return self.http.status

    @property
    def cmc(self) -> cmc.Response:
        assert self.http.header("content-type") in (FULL, CERTIFICATES), self.http.body
        found = cmc.read(base64.b64decode(self.http.body))
        assert found.full == (self.http.header("content-type") == FULL)
        return found

    def failure(self, body: int | None = None) -> str:
        """The only failInfo there is, or that of a body part."""
        statuses = [one for one in self.cmc.statuses if body is None or body in one.bodies]
        assert [one.status for one in statuses] == ["failed"], statuses
        return statuses[0].failure

    def issued(self, key: Any) -> Any:
        found = self.cmc.certificate_for(key)
        assert found is not None, self.cmc.statuses
        return found


@dataclass
class Party:
    """A key with a certificate of ours."""

    key: Any
    record: Certificate

    @property
    def der(self) -> bytes:
        assert self.record.der is not None
        return self.record.der

    @property
    def signer(self) -> cmc.Signer:
        return cmc.Signer(self.key, self.der)


class CmcLab:
    """Two CAs, the profiles ``lab`` (what is tested) and ``ra`` (registration authorities), a code of ``device`` in the first."""

    _made = ""

    def __init__(self, directory: Path) -> None:
        shutil.copytree(self._template(), directory, dirs_exist_ok=True)
        self.ca = IssuanceLab(directory)
        self.keys = self.ca.keys
        self.store = self.ca.store
        self.profile = self._save(
            "lab",
            ("code", "otp", "certificate"),
            Template(subject=SUBJECT, extended_key_usage=("clientAuth",)),
            # A key of RSA for each lab, and only the tests of section 5 want it.
            est=EstOptions(cmc_encryption=False),
        )
        self.ra_profile = self._save(
            "ra", ("certificate",), Template(subject=SUBJECT, extended_key_usage=("clientAuth", "cmcRA"), names_required=False)
        )
        run(self.store.save_code(Code("lab", "device", SECRET.encode(), self.ca.clock.now())))
        self.service = EstService(
            Core(
                door=self.ca.door,
                credentials=Authentication(self.store),
                authorities=self.ca.authorities,
                delegates=self.ca.delegates,
                keys=self.keys,
                maker=Nothing(),
                decryption_keys=Nothing(),
                entropy=SystemEntropy(),
                nonces=Nonces(b"n" * 32),
                lists=self.ca.lists,
                pend_tokens=PendTokens(b"p" * 32),
                pop_challenges=PopChallenges(b"c" * 32),
            )
        )
        self._issued = 0

    @classmethod
    def _template(cls) -> str:
        """A directory with CAs, made once in a process and copied for each lab."""
        if not cls._made:
            cls._made = tempfile.mkdtemp(prefix="cmc-lab-")
            atexit.register(shutil.rmtree, cls._made, ignore_errors=True)
            IssuanceLab(Path(cls._made)).make().store.close()
        return cls._made

    def _save(self, id: str, authentication: Sequence[str], template: Template, **keys: Any) -> Revisioned:
        settings: dict[str, Any] = {
            "protocol": "est",
            "issuer": "issuing",
            "template": id,
            "authentication": tuple(authentication),
        }
        profile = Profile(**{**settings, **keys})
        return self._stored(id, profile, template)

    def _stored(self, id: str, profile: Profile, template: Template) -> Revisioned:
        run(self.store.save_profile(id, profile, template))
        found = run(self.store.profile(id))
        assert found is not None
        return found

    def set(self, *, template: dict[str, Any] | None = None, est: dict[str, Any] | None = None, **keys: Any) -> None:
        """Another revision of the profile."""
        old = self.profile.profile
        if est:
            keys["est"] = replace(old.est, **est)
        self.profile = self._stored("lab", replace(old, **keys), replace(self.profile.template, **(template or {})))

    def options(self, **keys: Any) -> EstOptions:
        return replace(self.profile.profile.est, **keys)

    def passcode(
        self, reference: str = "device", value: str = "one-time-passcode-1", life: timedelta = timedelta(hours=1)
    ) -> None:
        now = self.ca.clock.now()
        run(self.store.add_passcode(Passcode(f"otp-{value}", "lab", reference, value.encode(), now, now + life)))

    def certified(
        self,
        names: Sequence[str] = ("device.example.test",),
        *,
        profile: Revisioned | None = None,
        identity: str = "code:device",
        key: Any = None,
        **subject: str,
    ) -> Party:
        """A key with a certificate that was issued before."""
        self._issued += 1
        key = key or cmc.new_key()
        request = rfc2986.parse(cmc.csr(key, cmc.name(**(subject or {"CN": "device"})), names, ski=False))
        issuance = Issuance(f"before:{self._issued}", identity, request, tuple(dns_name(name) for name in names))
        return Party(key, run(self.ca.issuer.issue(self.exchange(), profile or self.profile, issuance)))

    def registration(self) -> Party:
        """A registration authority."""
        return self.certified((), profile=self.ra_profile, identity="operator:test", CN="RA")

    def later(self, **delta: float) -> None:
        self.ca.clock.advance(timedelta(**delta))

    def exchange(self) -> Exchange:
        return Exchange("test", self.ca.clock.now(), SystemEntropy(), "lab")

    def post(
        self,
        message: bytes,
        *,
        client: Party | bytes | None = None,
        user: tuple[str, str] | None = None,
        content_type: str = "application/pkcs7-mime; smime-type=CMC-request",
        body: bytes | None = None,
        method: str = "POST",
    ) -> Reply:
        """Send a message; ``client`` is the certificate of the TLS connection, ``user`` what HTTP Basic says."""
        headers = {"content-type": content_type}
        if user is not None:
            headers["authorization"] = "Basic " + base64.b64encode(":".join(user).encode()).decode()
        certificate = client.der if isinstance(client, Party) else client
        request = Request(
            method=method,
            path="/.well-known/est/lab/fullcmc",
            tail="fullcmc",
            query="",
            headers=headers,
            body=base64.encodebytes(message) if body is None else body,
            peer=Peer("192.0.2.1", tls=True, certificate=certificate),
            origin="https://ca.example.test:8443",
        )
        exchange = self.exchange()
        return Reply(run(self.service.handle(exchange, request, self.profile)), exchange)

    def count(self) -> int:
        """Certificates of the profile that is tested."""
        return len(run(self.store.certificates(profile_id="lab", limit=1000)))

    def standing(self, record: Certificate) -> CertificateStatus:
        found = run(self.store.certificate_by_serial(record.serial))
        assert found is not None
        return found.status


def enrollment(
    key: Any,
    *,
    names: Sequence[str] = ("new.example.test",),
    secret: str = SECRET,
    reference: str = "device",
    crmf: bool = False,
    controls: Sequence[bytes] = (),
    signer: cmc.Signer | None = None,
) -> bytes:
    """A first enrollment: an identity proof, and the message signed with the key of the request (RFC 5272 section B.1)."""
    subject = cmc.name(CN=names[0])
    request = cmc.crm(cmc.crmf(201, key, subject, names)) if crmf else cmc.tcr(201, cmc.csr(key, subject, names))
    proof = [cmc.control(102, 2, cmc.text(reference)), cmc.identity_proof(103, [request], secret, reference)]
    return cmc.signed(cmc.pki_data([*proof, *controls], [request]), [signer or cmc.Signer(key)])
