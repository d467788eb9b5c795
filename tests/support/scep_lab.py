"""A SCEP service on the real parts, in a directory: RSA and EC CAs, a code, profiles made as they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from privca.base.entropy import SystemEntropy
from privca.base.exchange import Exchange
from privca.base.http import Peer, Request, Response
from privca.enrollment.authentication import Authentication
from privca.enrollment.ports import Code, Passcode
from privca.issuance.options.scep import ScepOptions
from privca.issuance.profile import CertificateAuthority, Profile, Revisioned, SubjectRule, Template
from privca.scep.service import ScepService
from tests.support.issuance_lab import IssuanceLab, run
from tests.support.scep_client import Client, Reply, read_reply, request, self_signed

CODE = "a code that lets in"
CAS = {
    "root": CertificateAuthority(subject={"CN": "Lab Root", "O": "Lab"}),
    "rsa": CertificateAuthority(
        subject={"CN": "Lab RSA", "O": "Lab"}, parent="root", key="RSA-2048", path_length=0, validity="5y", key_encipherment=True
    ),
    "ec": CertificateAuthority(subject={"CN": "Lab EC", "O": "Lab"}, parent="root", path_length=0, validity="5y"),
}
_ANY: dict[str, SubjectRule] = {short: SubjectRule() for short in ("CN", "O", "OU", "C")}
DEVICE = Template(
    subject=_ANY,
    names=("dns", "ip"),
    names_required=False,
    key_usage=("digitalSignature", "keyEncipherment"),
    extended_key_usage=("clientAuth",),
)
EVERYTHING = {
    "digests": ("sha256", "sha384", "sha512", "sha224", "sha1", "md5"),
    "ciphers": ("aes128", "aes192", "aes256", "3des", "des"),
}
_KEYS: list[rsa.RSAPrivateKey] = []


def rsa_key(number: int) -> rsa.RSAPrivateKey:
    """The same RSA key for the same number, made once in a process."""
    while len(_KEYS) <= number:
        _KEYS.append(rsa.generate_private_key(65537, 2048))
    return _KEYS[number]


class ScepLab(IssuanceLab):
    """The service, and clients of it."""

    def __init__(self, directory: Path, config: Mapping[str, CertificateAuthority] = CAS) -> None:
        super().__init__(directory, config)
        self.make()
        self.credentials = Authentication(self.store)
        self.service = ScepService(
            self.store, self.door, self.credentials, self.authorities, self.delegates, self.lists, self.keys
        )
        self._profiles = 0

    def profile(self, *, id: str = "", issuer: str = "rsa", scep: Mapping[str, Any] | None = None, **settings: Any) -> Revisioned:
        """A new profile with the code."""
        self._profiles += 1
        id = id or f"p{self._profiles}"
        made = Profile(
            **{
                "protocol": "scep",
                "issuer": issuer,
                "template": "device",
                "authentication": ("code", "otp", "certificate"),
                "renewal_window": "90d",
                "scep": ScepOptions(**(EVERYTHING | dict(scep or {}))),
                **settings,
            }
        )
        if "code" in made.authentication:
            run(self.store.save_code(Code(id, "lab", CODE.encode(), self.clock.now())))
        return Revisioned(id=id, revision=1, profile=made, template=DEVICE)

    def passcode(self, profile: Revisioned, reference: str, value: str = "a one-time passcode") -> Passcode:
        """Issue a passcode."""
        now = self.clock.now()
        made = Passcode(f"{profile.id}-{reference}", profile.id, reference, value.encode(), now, now.replace(year=now.year + 1))
        run(self.store.add_passcode(made))
        return made

    def answering(self, profile: Revisioned) -> bytes:
        """The certificate of who answers."""
        return run(self.service._parties.current(profile)).named.der

    def send(
        self,
        profile: Revisioned,
        body: bytes = b"",
        *,
        method: str = "POST",
        query: str = "operation=PKIOperation",
        tail: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One request."""
        self.last = Exchange("test", self.clock.now(), SystemEntropy(), profile.id)
        path = f"/scep/{profile.id}" + (f"/{tail}" if tail else "")
        given = {"content-type": "application/x-pki-message"} if headers is None else headers
        return run(
            self.service.handle(
                self.last, Request(method, path, tail, query, given, body, Peer("127.0.0.1"), "http://localhost"), profile
            )
        )

    def client(
        self, profile: Revisioned, number: int = 0, common_name: str = "device", key: Any = None, **options: Any
    ) -> Client:
        """A client with a self-signed certificate."""
        key = key or rsa_key(number)
        certificate = options.pop("certificate", None) or self_signed(key, common_name, self.clock.now())
        return Client(key, certificate, options.pop("recipient", None) or self.answering(profile), **options)

    def operate(self, profile: Revisioned, client: Client, message: bytes, **options: Any) -> Reply:
        """Send a message, and read the CertRep that must come."""
        response = self.send(profile, message)
        assert response.status == 200, response.body
        assert response.header("content-type") == "application/x-pki-message"
        reply = read_reply(response.body, client.recipient, client.key, **options)
        assert reply.message_type == "3"
        assert reply.transaction_id == client.transaction_id
        assert reply.recipient_nonce == client.nonce
        assert len(reply.sender_nonce) == 16
        assert reply.sender_nonce != client.nonce
        if reply.status != "0":
            assert not reply.content
        return reply

    def enroll(
        self, profile: Revisioned, client: Client, kind: str = "19", *, names: Any = (), challenge: str | None = CODE, **csr: Any
    ) -> Reply:
        """Ask for a certificate with the client's own key, unless ``key`` is another."""
        key = csr.pop("key", client.key)
        return self.operate(
            profile,
            client,
            client.message(kind, request(key, csr.pop("common_name", "device"), names=names, challenge=challenge, **csr)),
        )
