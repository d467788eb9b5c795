"""What a CMP case gets: drafts of correct requests, a client whose every message is recorded, and the paired control of a negative case."""

from __future__ import annotations

import hashlib
import itertools
import secrets
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from conformance.case import Case, register
from conformance.cmp import crmf, der
from conformance.cmp.client import Answer, Client, Refusal
from conformance.cmp.crmf import CertRequest
from conformance.cmp.message import (
    ANSWERS,
    GRANTS,
    IMPLICIT_CONFIRM,
    IMPLICITLY,
    Body,
    Draft,
    Reply,
    Response,
    information,
)
from conformance.cmp.mutations import Mutation
from conformance.cmp.protection import NotVerified, Pbm, Protection, Signer, verify
from conformance.examination import Examination, Inconclusive, NotApplicable
from conformance.target import CmpEndpoint, CmpTarget
from conformance.transport import HttpRequest, HttpResponse, Transport
from conformance.verdict import Level

ALWAYS_FAILURE = "cmp.error.always-system-failure"
"""The fault that every case notices which asks why a request was refused."""


@dataclass(frozen=True)
class Enrolled:
    """A certificate that was obtained, its key, and the exchange that gave it."""

    certificate: x509.Certificate
    key: Any
    answer: Answer
    chain: tuple[bytes, ...] = ()

    @property
    def reply(self) -> Reply:
        """The ip, cp or kup."""
        assert self.answer.reply is not None
        return self.answer.reply

    @property
    def signer(self) -> Signer:
        """Protects further messages with it."""
        return Signer(self.certificate, self.key, self.chain)


class Shared:
    """What the cases of one run share: the transport, the trust anchors, and certificates that no case changes.

    :param now: the time, for messageTime. ``wait`` lets seconds go by; a run waits for no server longer than its ``patience``.
    """

    def __init__(
        self, target: CmpTarget, transport: Transport, anchors: Sequence[x509.Certificate], now: Callable[[], datetime]
    ) -> None:
        self.target = target
        self.transport = transport
        self.anchors = tuple(anchors)
        self.now = now
        self.given: Signer | None = None
        self.device: Enrolled | None = None
        self.authority: Enrolled | None = None
        self.lightweight: Shared | None = None
        self.key: Any = None
        self.wait: Callable[[float], None] = time.sleep
        self.patience = timedelta(minutes=1)
        self._names = itertools.count(1)
        self._mark = secrets.token_hex(3)

    def name(self) -> str:
        """A common name that no case has used before, in this run or another."""
        return f"n{next(self._names)}-{self._mark}.conformance.test"


class CmpLab:
    """The bench of one case."""

    def __init__(self, shared: Shared, examination: Examination) -> None:
        self.shared = shared
        self.examination = examination
        self.client = Client(shared.transport, self._observe, shared.now)
        self.url = shared.target.url
        self.check = examination.check
        self.require = examination.require

    def _observe(self, response: HttpResponse, again: Callable[[], HttpRequest] | None) -> None:
        self.examination.record(response, again=again)

    # -- who sends ----------------------------------------------------------------------------------------------------

    @property
    def mac(self) -> Pbm:
        """Protection by the shared secret. :raises NotApplicable: if the run has none."""
        return self.secret_of(self.shared.target)

    @staticmethod
    def secret_of(endpoint: CmpTarget | CmpEndpoint) -> Pbm:
        """Protection by the secret of an endpoint. :raises NotApplicable: if there is none."""
        if not endpoint.code:
            raise NotApplicable("the run was not given a secret (reference, code)")
        return Pbm(endpoint.reference, endpoint.code.encode())

    @property
    def protection(self) -> Protection:
        """Protection that the server accepts: by the secret, or by the certificate that the run was given."""
        if not self.shared.target.code and self.shared.given is not None:
            return self.shared.given
        return self.mac

    @property
    def device(self) -> Enrolled:
        """A certificate that cases share; for what does not change it."""
        if self.shared.device is None:
            self.shared.device = self.enroll()
        return self.shared.device

    @property
    def signer(self) -> Signer:
        """Protection by the certificate that cases share."""
        return self.device.signer

    @property
    def authority(self) -> Signer:
        """Protection by the certificate of a registration authority. :raises NotApplicable: if the run was given none."""
        ra = self.shared.target.ra
        if ra is None:
            raise NotApplicable("the run was not given an endpoint that makes a registration authority ([cmp.ra])")
        if self.shared.authority is None:
            self.shared.authority = self.enroll(endpoint=ra)
        return self.shared.authority.signer

    @property
    def delayed(self) -> CmpEndpoint:
        """An endpoint that lets every client wait. :raises NotApplicable: if the run was given none."""
        if self.shared.target.delayed is None:
            raise NotApplicable("the run was not given an endpoint that delays its answers ([cmp.delayed])")
        return self.shared.target.delayed

    # -- correct requests ---------------------------------------------------------------------------------------------

    @staticmethod
    def key() -> ec.EllipticCurvePrivateKey:
        """A new key, P-256."""
        return ec.generate_private_key(ec.SECP256R1())

    def request(self, **fields: Any) -> CertRequest:
        """A request for a certificate, for a new key (or the only one that the server certifies) and a new name."""
        return CertRequest(**{"key": self.shared.key or self.key(), "subject": crmf.common_name(self.shared.name()), **fields})

    def draft(
        self,
        body: Body,
        *requests: CertRequest,
        content: bytes = b"",
        protection: Protection | None = None,
        **fields: Any,
    ) -> Draft:
        """The first message of a new transaction."""
        made = Draft(body, self.protection if protection is None else protection, content, requests, **fields)
        return made if made.message_time is not None else made.at(self.shared.now())

    def ir(self, *requests: CertRequest, body: Body = Body.IR, protection: Protection | None = None, **fields: Any) -> Draft:
        """A request for a certificate, or for several; under a signature for the name of its certificate, as others are an RA's to ask for."""
        if not requests and isinstance(protection, Signer):
            requests = (self.request(subject=protection.certificate.subject.public_bytes()),)
        return self.draft(body, *(requests or (self.request(),)), protection=protection, **fields)

    def genm(self, *pieces: bytes, protection: Protection | None = None, **fields: Any) -> Draft:
        """A general message with these InfoTypeAndValue (DER)."""
        return self.draft(Body.GENM, content=der.sequence(*pieces), protection=protection, **fields)

    def rr(self, certificate: x509.Certificate, *, protection: Protection, extensions: Sequence[bytes] = ()) -> Draft:
        """A request to revoke a certificate. :param extensions: crlEntryDetails (Extension, DER)."""
        return self.revoking(rev_details(certificate, *extensions), protection=protection)

    def revoking(self, *details: bytes, protection: Protection | None = None) -> Draft:
        """A request to revoke what these RevDetails (DER) name."""
        return self.draft(Body.RR, content=der.sequence(*details), protection=protection)

    def next(self, answer: Answer, body: Body, *, content: bytes = b"", **fields: Any) -> Draft:
        """The message that goes on with the transaction of an answer."""
        draft, reply = answer.draft, answer.reply
        if reply is None:
            raise Refusal(str(answer))
        facts = {
            "pvno": draft.pvno,
            "transaction_id": reply.transaction_id if draft.transaction_id is None else draft.transaction_id,
            "recip_nonce": reply.sender_nonce,
            "content": content,
            "protection": draft.protection,
            **fields,
        }
        return self.draft(body, **facts)

    def confirmation(self, answer: Answer, *statuses: bytes, **fields: Any) -> Draft:
        """The certConf that accepts every certificate of an answer, or one with these CertStatus (DER)."""
        found = statuses or tuple(cert_status(one) for one in self.issued(answer))
        return self.next(answer, Body.CERTCONF, content=der.sequence(*found), **fields)

    @staticmethod
    def issued(answer: Answer) -> list[Response]:
        """The responses of an answer that have a certificate in clear."""
        reply = answer.reply
        if reply is None or reply.body not in GRANTS:
            return []
        return [one for one in reply.responses if one.certificate_der is not None]

    # -- exchanges ----------------------------------------------------------------------------------------------------

    def send(self, draft: Draft, mutation: Mutation | None = None, *, url: str = "") -> Answer:
        """Send a request, whatever comes of it."""
        answer = self.client.send(url or self.url, draft, mutation)
        self.examination.issued(*(one.certificate_der or b"" for one in self.issued(answer)))
        return answer

    def ask(self, draft: Draft, *, url: str = "") -> Answer:
        """Send a request that has to be granted. :raises Inconclusive: if it is not."""
        answer = self.send(draft, url=url)
        if why := self.denied(answer):
            raise Inconclusive(f"a correct {Body(draft.body).name.lower()} was not granted: {why}")
        return answer

    def sure(self, step: Callable[[], Any]) -> Any:
        """Do something that has to work before anything can be examined. :raises Inconclusive: if it does not."""
        try:
            return step()
        except (Refusal, der.Garbled) as failure:
            raise Inconclusive(f"{type(failure).__name__}: {failure}"[:400]) from None

    def denied(self, answer: Answer) -> str:
        """Why an answer does not grant what was asked for; empty if it does."""
        reply, draft = answer.reply, answer.draft
        if reply is None or answer.response.status != 200:
            return str(answer)
        wanted = ANSWERS.get(Body(draft.body))
        if reply.body is not wanted or any(status.status not in (0, 1) for status in reply.statuses):
            return str(reply)
        if wanted in GRANTS:
            return self._not_granted(answer)
        return ""

    def _not_granted(self, answer: Answer) -> str:
        assert answer.reply is not None
        responses = answer.reply.responses
        keys = {one.id: one.key for one in answer.draft.requests}
        if keys and {one.id for one in responses} != set(keys):
            return f"{answer.reply}: for the certReqIds {sorted(one.id for one in responses)}"
        for one in responses:
            certificate = one.certificate
            if certificate is None and one.encrypted is None:
                return f"{answer.reply}: no certificate"
            key = keys.get(one.id)
            if certificate is not None and key is not None and crmf.spki(key) != _spki(certificate):
                return f"{answer.reply}: a certificate for another key"
        return ""

    def unconfirmed(self, *, protection: Protection | None = None, **fields: Any) -> Answer:
        """The answer to an ir whose certificate waits to be confirmed. :raises Inconclusive: if there is none."""
        return self.ask(self.ir(protection=protection, **fields))

    def settle(self, answer: Answer) -> None:
        """Accept the certificates of an answer, if they wait for that."""
        if answer.reply is None or answer.reply.information(IMPLICIT_CONFIRM) is not None or not self.issued(answer):
            return
        self.ask(self.confirmation(answer))

    def enroll(
        self,
        *requests: CertRequest,
        body: Body = Body.IR,
        protection: Protection | None = None,
        endpoint: CmpEndpoint | None = None,
        **fields: Any,
    ) -> Enrolled:
        """A certificate of this case's own, confirmed. :raises Inconclusive: if it is not to be had."""
        if endpoint is not None and protection is None:
            protection = self.secret_of(endpoint)
        draft = self.ir(*requests, body=body, protection=protection, **fields)
        url = self.url if endpoint is None else endpoint.url
        answer = self.ask(draft, url=url)
        found = self.issued(answer)
        if not found or found[0].certificate is None:
            raise Inconclusive(f"no certificate in clear: {answer}")
        if answer.reply is not None and answer.reply.information(IMPLICIT_CONFIRM) is None:
            self.ask(self.confirmation(answer), url=url)
        certificates = () if answer.reply is None else answer.reply.extra_certs
        return Enrolled(found[0].certificate, draft.requests[0].key, answer, _chain(found[0].certificate, certificates))

    # -- what is owed -------------------------------------------------------------------------------------------------

    def verified(self, answer: Answer) -> str:
        """How the protection of a reply holds: ``mac`` or ``signature``. :raises NotVerified:"""
        if answer.reply is None:
            raise NotVerified(str(answer))
        protected = answer.reply.protected
        if protected is None:
            raise NotVerified("the reply is not protected")
        return verify(protected, answer.draft.protection, self.shared.anchors)

    def unverified(self, answer: Answer) -> str:
        """Why the protection of a reply does not hold; empty if it does."""
        try:
            self.verified(answer)
        except NotVerified as error:
            return str(error)
        return ""

    def refused(
        self,
        answer: Answer,
        failures: Collection[str],
        *,
        requirement: str | None = None,
        bound: bool = False,
        bare: bool = False,
        level: Level | None = None,
    ) -> bool:
        """Check that a request is refused, for one of these reasons (names of bits of failInfo).

        :param bound: the text names the bit: another one breaks the requirement; else that is information.
        :param bare: an HTTP status of 400 or more without a PKIMessage refuses, too.
        :param level: how bad it is if the request is granted, where the text binds the client alone; None: as bad as the requirement says.
        """
        wanted = " or ".join(failures)
        reply = answer.reply
        if reply is None:
            refuses = bare and answer.response.status in range(400, 500)
            return self.check(refuses, f"expected a refusal with {wanted}, got {answer}", requirement, level)
        if not self.check(reply.refused, f"expected a refusal with {wanted}, got {reply}", requirement, level):
            return False
        found = frozenset[str]().union(*(status.failures for status in reply.statuses))
        return self.check(found & set(failures), f"expected {wanted}, got {reply}", requirement, None if bound else Level.MAY)

    def withdrawn(self, enrolled: Enrolled, requirement: str | None = None) -> bool:
        """Check that a certificate is worth nothing any more: a message that is signed with it is refused."""
        answer = self.send(self.genm(asked(2), protection=enrolled.signer))
        reply = answer.reply
        refused = reply is not None and reply.refused
        return self.check(refused, f"a message under a certificate that should be revoked: {answer}", requirement)

    def paired(
        self,
        control: Callable[[], Draft],
        mutation: Mutation,
        *,
        failures: Collection[str],
        requirement: str | None = None,
        bound: bool = False,
        bare: bool = False,
        level: Level | None = None,
        url: str = "",
    ) -> Answer:
        """Send control, spoilt control, control (:meth:`conformance.examination.Examination.paired`); the answer to the spoilt one.

        Certificates of the controls are confirmed.
        """
        last: list[Answer] = []

        def sent(change: Mutation | None = None) -> HttpResponse:
            with self.examination.during("setup"):
                draft = self.sure(control)
            last.append(self.send(draft, change, url=url))
            return last[-1].response

        def denied(_: HttpResponse) -> str:
            why = self.denied(last[-1])
            if not why:
                with self.examination.during("setup"):
                    self.settle(last[-1])
            return why

        spoilt: list[Answer] = []

        def judge(_: HttpResponse) -> None:
            spoilt.append(last[-1])
            self.refused(last[-1], failures, requirement=requirement, bound=bound, bare=bare, level=level)

        self.examination.paired(sent, lambda: sent(mutation), denied=denied, judge=judge, requirement=requirement)
        return spoilt[0]


def _spki(certificate: x509.Certificate) -> bytes:
    return crmf.spki(_Public(certificate))


@dataclass(frozen=True)
class _Public:
    certificate: x509.Certificate

    def public_key(self) -> Any:
        """The certificate's key, as a private key gives it."""
        return self.certificate.public_key()


def _chain(certificate: x509.Certificate, others: Sequence[bytes]) -> tuple[bytes, ...]:
    """Those of extraCerts that lead on from a certificate, without self-signed ones."""
    found: list[bytes] = []
    issuer = certificate.issuer
    for octets in others:
        try:
            one = x509.load_der_x509_certificate(octets)
        except ValueError:
            continue
        if one.subject == issuer and one.subject != one.issuer:
            found.append(octets)
            issuer = one.issuer
    return tuple(found)


_OWN_HASH = {"1.3.101.112": "sha512", "1.3.101.113": "shake256"}


def certificate_hash(certificate: bytes, name: str = "") -> bytes:
    """The certHash of a certificate (DER): by the hash of its signature (RFC 9810 section 5.3.18, RFC 9481 section 3.3), or by another."""
    if not name:
        parsed = x509.load_der_x509_certificate(certificate)
        own = _OWN_HASH.get(parsed.signature_algorithm_oid.dotted_string)
        algorithm = parsed.signature_hash_algorithm
        name = own or ("sha512" if algorithm is None else algorithm.name)
    if name == "shake256":
        return hashlib.shake_256(certificate).digest(64)
    return hashlib.new(name, certificate).digest()


def cert_status(
    response: Response, *, id: int | None = None, digest: bytes | None = None, info: bytes = b"", hash_alg: bytes = b""
) -> bytes:
    """CertStatus (DER) that accepts a certificate; with other fields if they are given. :param info: PKIStatusInfo (DER)."""
    value = certificate_hash(response.certificate_der or b"") if digest is None else digest
    number = der.integer(response.id if id is None else id)
    return der.sequence(der.octets(value), number, info, der.tlv(0xA0, hash_alg) if hash_alg else b"")


def rev_details(
    certificate: x509.Certificate, *extensions: bytes, serial: int | None = None, issuer: bytes | None = None
) -> bytes:
    """RevDetails (DER) of a certificate, or with another serial number or issuer (Name, DER).

    :param extensions: crlEntryDetails (Extension, DER).
    """
    number = der.integer(certificate.serial_number if serial is None else serial)
    name = der.tlv(0xA3, certificate.issuer.public_bytes() if issuer is None else issuer)
    return der.sequence(der.sequence(b"\x81" + number[1:], name), der.sequence(*extensions) if extensions else b"")


def status_info(status: int, failure: int | None = None) -> bytes:
    """PKIStatusInfo (DER). :param failure: the number of a bit of failInfo."""
    bits = b""
    if failure is not None:
        value = bytearray(failure // 8 + 1)
        value[-1] = 0x80 >> failure % 8
        bits = der.tlv(0x03, bytes((7 - failure % 8,)), bytes(value))
    return der.sequence(der.integer(status), bits)


def implicitly(draft: Draft) -> Draft:
    """The same, asking to go without a confirmation."""
    return replace(draft, information=(*draft.information, IMPLICITLY))


def asked(number: int, value: bytes = b"") -> bytes:
    """InfoTypeAndValue (DER) of a number below id-it."""
    return information(f"1.3.6.1.5.5.7.4.{number}", value)


def negative(
    id: str,
    title: str,
    *,
    covers: Sequence[str],
    control: Callable[[CmpLab], Draft],
    mutation: Mutation | Callable[[CmpLab], Mutation],
    failures: Collection[str],
    bound: bool = False,
    bare: bool = False,
    level: Level | None = None,
    kills: Sequence[str] = (),
    needs: Sequence[str] = (),
    feature: str = "",
) -> Case:
    """Declare a negative case: ``control`` drafts a correct request each time, ``mutation`` spoils it in one way.

    What else there is says how the spoilt one has to be refused (:meth:`CmpLab.refused`).
    """

    def body(lab: CmpLab) -> None:
        change = mutation if isinstance(mutation, Mutation) else lab.sure(lambda: mutation(lab))
        lab.paired(lambda: control(lab), change, failures=failures, bound=bound, bare=bare, level=level)

    name = mutation.name if isinstance(mutation, Mutation) else "made for the request"
    kills = (*kills, ALWAYS_FAILURE)
    return register(Case(id, title, tuple(covers), body, tuple(kills), tuple(needs), feature, negative=True, mutation=name))
