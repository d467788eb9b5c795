"""A SCEP client (RFC 8894) in two steps: one method per message drafts it, then :meth:`Client.send` carries it, spoilt or not.

What comes back is judged as a client must: :attr:`Answer.wrong` says why it would have to be thrown away.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from conformance.scep import applicants, draft, password, reply, structures
from conformance.scep.applicants import Signer
from conformance.scep.draft import Draft, Mutation
from conformance.scep.reply import CertRep, Degenerate, Opened
from conformance.scep.structures import Malformed
from conformance.transport import HttpRequest, HttpResponse, Transport

CA_CERTIFICATE, CHAIN = "application/x-x509-ca-cert", "application/x-x509-ca-ra-cert"
KEYWORDS = frozenset(
    ("AES", "DES3", "GetNextCACert", "POSTPKIOperation", "Renewal", "SHA-1", "SHA-256", "SHA-512", "SCEPStandard")
)
"""What GetCACaps may say (section 3.5.2)."""
Issued = tuple[tuple[bytes, ...], tuple[bytes, ...]]
"""Certificates and CRLs that came in a reply, as octets."""
Observer = Callable[[HttpResponse, str, Issued], None]


class Problem(Exception):
    """The server refused a correct request, or answered it with what no client can use: which, and why."""


@dataclass(frozen=True, slots=True)
class CaCertificates:
    """What GetCACert gives. ``recipient`` is who deciphers, ``issuer`` who issues (both DER); each of ``all`` may sign replies."""

    all: tuple[bytes, ...]
    recipient: bytes
    issuer: bytes


@dataclass(frozen=True)
class Answer:
    """The reply to one message. ``sent`` is what was sent, spoilt if it was; ``trusted`` are certificates that may have signed the reply."""

    response: HttpResponse
    sent: Draft
    trusted: tuple[bytes, ...]

    @cached_property
    def rep(self) -> CertRep | None:
        """The CertRep; None if the body is none."""
        try:
            return reply.read(self.response.body)
        except Malformed:
            return None

    @cached_property
    def wrong(self) -> str:
        """Why a client must not believe this reply; empty if it must not doubt it (sections 3.2.1.3, 3.2.1.5)."""
        if self.rep is None:
            return f"no CertRep: {self.said}"
        bad = self.rep.signed.wrong(self.trusted)
        if bad:
            return bad
        if self.rep.transaction_id != self.sent.transaction_id:
            return f"the transactionID is {self.rep.transaction_id!r}, not {self.sent.transaction_id!r}"
        if self.rep.recipient_nonce != self.sent.nonce:
            return "the recipientNonce is not the senderNonce of the request"
        if self.rep.message_type != draft.CERT_REP:
            return f"the messageType is {self.rep.message_type!r}"
        return "" if self.rep.status in reply.STATUSES.values() else f"the pkiStatus is {self.rep.status!r}"

    @property
    def status(self) -> str:
        """SUCCESS, FAILURE or PENDING, whether it can be believed or not; empty for what is no CertRep."""
        return self.rep.status if self.rep is not None else ""

    @cached_property
    def opened(self) -> Opened:
        """The envelope, decrypted. :raises Malformed: if there is none, or it is not for us."""
        if self.rep is None or not self.rep.signed.content:
            raise Malformed("the reply has no pkcsPKIEnvelope")
        if self.sent.password:
            found = password.open_envelope(self.rep.signed.content, self.sent.password.encode())
            return Opened(found.content, found.cipher, password.PWRI_KEK, structures.DATA, ours=True)
        return reply.open_envelope(self.rep.signed.content, self.sent.signer)

    @cached_property
    def inside(self) -> Degenerate:
        """What is in the envelope. :raises Malformed: if it is no certificates-only SignedData."""
        return reply.read_degenerate(self.opened.content)

    @property
    def issued(self) -> bytes:
        """The certificate for the key of the request, DER. :raises Malformed: if it is not there."""
        for one in self.inside.certificates:
            if applicants.public_octets(_certificate(one).public_key()) == self.sent.csr_key:
                return one
        raise Malformed("no certificate in the reply is for the key of the request")

    @property
    def carried(self) -> Issued:
        """Certificates and CRLs in the envelope; none if it cannot be read."""
        try:
            return self.inside.certificates, self.inside.crls
        except Malformed:
            return (), ()

    @property
    def said(self) -> str:
        """The reply in one line."""
        if self.rep is None:
            said = self.response.body[:160].decode("utf-8", "replace").strip()
            return f"HTTP {self.response.status} {self.response.media_type or 'without a type'} {said}"
        parts = (self.rep.status or "no pkiStatus", self.rep.fail_info, repr(self.rep.text[:160]) if self.rep.text else "")
        return " ".join(part for part in parts if part)


class Client:
    """One client of one server. ``observe`` is called with each reply, a note on it, and what was issued in it."""

    def __init__(self, transport: Transport, url: str, observe: Observer, identifier: str = "") -> None:
        self.transport = transport
        self.url = url
        self._observe = observe
        self._identifier = identifier
        self._known: CaCertificates | None = None

    # -- in the clear -------------------------------------------------------------------------------------------------

    def get(self, operation: str, *, path: str = "", query: str = "", method: str = "GET") -> HttpResponse:
        """An operation without a message (sections 3.5, 4.2, 4.7). :param path: behind the URL. :param query: after the operation."""
        response = self.transport.exchange(HttpRequest(method, f"{self.url}{path}?operation={operation}{query}"))
        self._observe(response, operation, (shown(response), ()) if operation == "GetCACert" else ((), ()))
        return response

    def capabilities(self) -> frozenset[str]:
        """The keywords of GetCACaps; none if the server gives none (section 3.5.2)."""
        return capabilities_in(self.get("GetCACaps"))

    def ca(self) -> CaCertificates:
        """The CA's certificates, fetched once. :raises Problem: if they are not to be had."""
        if self._known is None:
            query = f"&message={self._identifier}" if self._identifier else ""
            self._known = read_ca(self.get("GetCACert", query=query))
        return self._known

    # -- messages -----------------------------------------------------------------------------------------------------

    def enrollment(self, kind: str, signer: Signer, csr: bytes, key: bytes, transaction_id: str = "") -> Draft:
        """PKCSReq and RenewalReq (section 3.3.1). :param key: the SubjectPublicKeyInfo that the PKCS #10 asks for."""
        made = self.message(kind, csr, signer, transaction_id)
        made.csr_key = key
        return made

    def message(self, kind: str, content: bytes, signer: Signer, transaction_id: str = "") -> Draft:
        """A message of any type."""
        return Draft(self.url, kind, content, signer, self.ca().recipient, transaction_id or secrets.token_hex(16).upper())

    def query(self, kind: str, signer: Signer, certificate: bytes) -> Draft:
        """GetCert or GetCRL (section 3.3.4) for a certificate."""
        return self.message(kind, structures.issuer_and_serial(certificate), signer)

    def poll(self, sent: Draft) -> Draft:
        """CertPoll (section 3.3.3) for a request that was sent."""
        subject = x509.load_der_x509_csr(sent.content).subject.public_bytes()
        content = structures.pair(structures.subject_of(self.ca().issuer), subject)
        made = self.message(draft.CERT_POLL, content, sent.signer, sent.transaction_id)
        made.csr_key = sent.csr_key
        return made

    def send(self, message: Draft, mutation: Mutation | None = None) -> Answer:
        """Send a message, spoilt by ``mutation`` if there is one."""
        ready = message.copy() if mutation is None else mutation.of(message)
        answer = Answer(self.transport.exchange(ready.request()), ready, self.ca().all)
        self._observe(answer.response, f"messageType {ready.kind}: {answer.said}"[:200], answer.carried)
        return answer


def capabilities_in(response: HttpResponse) -> frozenset[str]:
    """The keywords in a reply to GetCACaps."""
    text = response.body.decode("ascii", "replace") if response.status == 200 else ""
    return frozenset(line.strip() for line in text.splitlines() if line.strip())


def shown(response: HttpResponse) -> tuple[bytes, ...]:
    """The certificates in a reply to GetCACert, as octets, whatever type it says it has; none if it cannot be read."""
    if response.status != 200:
        return ()
    try:
        return reply.read_degenerate(response.body).certificates
    except Malformed:
        return (response.body,) if response.media_type != CHAIN else ()


def read_ca(response: HttpResponse) -> CaCertificates:
    """What a reply to GetCACert holds. :raises Problem: if it holds nothing of use."""
    found = shown(response)
    try:
        parsed = {one: _certificate(one) for one in found}
        ends = reply.leaf(found)
    except Malformed as failure:
        raise Problem(f"GetCACert: {failure}") from None
    if not parsed:
        raise Problem(f"GetCACert: HTTP {response.status} {response.media_type}, without certificates")
    # Of several leaves, an RA has one certificate for encryption and one for signatures.
    usable = [one for one in (*ends, *found) if isinstance(parsed[one].public_key(), rsa.RSAPublicKey)]
    if not usable:
        raise Problem("GetCACert: no certificate has an RSA key, which section 3.1 encrypts for")
    recipient = next((one for one in usable if _deciphers(parsed[one])), usable[0])
    return CaCertificates(tuple(found), recipient, _issuer(recipient, parsed))


def _issuer(recipient: bytes, parsed: dict[bytes, x509.Certificate]) -> bytes:
    """The CA that issues: who answers, if it is a CA, else the one above it."""
    try:
        if parsed[recipient].extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return recipient
    except (x509.ExtensionNotFound, ValueError):
        pass
    above = [one for one in parsed if structures.subject_of(one) == structures.issuer_of(recipient)]
    return above[0] if above else recipient


def _deciphers(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_encipherment
    except (x509.ExtensionNotFound, ValueError):
        return True


def _certificate(octets: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(octets)
    except ValueError as error:
        raise Malformed(f"no certificate: {error}") from None
