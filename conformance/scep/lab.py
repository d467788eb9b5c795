"""What a SCEP case gets: a client whose every message is recorded, applicants, enrollments, and the paired control of a negative case."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509

from conformance.case import Case, register
from conformance.examination import Examination, Inconclusive, Kind, NotApplicable, Unsupported
from conformance.scep import applicants
from conformance.scep.applicants import Signer, rsa_key
from conformance.scep.client import Answer, Client, Issued, Problem
from conformance.scep.draft import CERT_POLL, GET_CERT, GET_CRL, PKCS_REQ, RENEWAL_REQ, Draft, Mutation
from conformance.scep.structures import Malformed
from conformance.target import ScepTarget
from conformance.transport import HttpResponse, Transport
from conformance.verdict import Level

STATUS, FAIL_INFO = "rfc8894:3.2.1.3#status", "rfc8894:3.3.2.2#fail-info"
REJECTED = (STATUS, FAIL_INFO)
"""What a refusal owes: to be a CertRep FAILURE, and to say why. Each negative case covers both."""
HTTP_500, BAD_TIME = "scep.failure.http-500", "scep.failure.always-bad-time"
"""The faults that every case notices which asks why a message was refused; the second, unless it is for its time."""


Decide = Callable[[str, str], None]
"""What a person does about a request: ``approve`` or ``reject``, and the subject of the request."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What came of an enrollment: the key with the certificate (DER) that was issued for it, and how it was asked for."""

    signer: Signer
    answer: Answer


class Shared:
    """What the cases of one run share: the transport, and one certificate that no case renews."""

    def __init__(self, target: ScepTarget, transport: Transport, decide: Decide | None = None) -> None:
        self.target = target
        self.transport = transport
        self.decide = decide
        self.enrolled: Enrolled | None = None
        self._names = itertools.count(1)
        self._keys = itertools.count(10)
        self._mark = secrets.token_hex(3)

    def name(self) -> str:
        """A name that no case has used before, in this run or another."""
        return f"n{next(self._names)}-{self._mark}.conformance.test"

    def key(self, number: int) -> applicants.PrivateKey:
        """The key of this number; a new one each time for a server that wants that."""
        return rsa_key(next(self._keys) if self.target.fresh_keys else number)


class ScepLab:
    """The bench of one case."""

    def __init__(self, shared: Shared, examination: Examination) -> None:
        self.shared = shared
        self.examination = examination
        self.client = self._client(shared.target.url)
        self.check = examination.check
        self.require = examination.require

    def _client(self, url: str) -> Client:
        return Client(self.shared.transport, url, self._observe, self.shared.target.ca_identifier)

    def _observe(self, response: HttpResponse, note: str, issued: Issued) -> None:
        self.examination.record(self._without_secrets(response), note)
        self.examination.issued(*issued[0])
        self.examination.issued(*issued[1], kind=Kind.CRL)

    def _without_secrets(self, response: HttpResponse) -> HttpResponse:
        """An exchange as it may be kept: what was sent unencrypted on purpose has no challengePassword in it."""
        body = response.request.body
        for secret in (self.shared.target.code, self.shared.target.approval_code):
            if secret:
                body = body.replace(secret.encode(), b"*" * len(secret.encode()))
        return response if body == response.request.body else replace(response, request=replace(response.request, body=body))

    # -- what is there ------------------------------------------------------------------------------------------------

    def sure(self, step: Callable[[], Any]) -> Any:
        """Do something that has to work before anything can be examined. :raises Inconclusive: if it does not."""
        try:
            return step()
        except (Problem, Malformed, ValueError) as failure:
            raise Inconclusive(f"{type(failure).__name__}: {failure}"[:400]) from None

    def needs_capability(self, keyword: str) -> None:
        """A capability that a server may leave out. :raises Unsupported: if it does."""
        if keyword not in self.client.capabilities():
            raise Unsupported(f"GetCACaps does not have {keyword}")

    def pending_client(self) -> Client:
        """A client of the profile in which a person decides. :raises NotApplicable: if the target has none."""
        if not self.shared.target.approval_url:
            raise NotApplicable("the target has no approval_url, behind which requests wait for a person")
        return self._client(self.shared.target.approval_url)

    def decide(self, decision: str, sent: Draft) -> None:
        """Have a person approve or reject a request that waits. :raises NotApplicable: if the run has no such person."""
        if self.shared.decide is None:
            raise NotApplicable("the target has no command decide, by which a person decides")
        self.shared.decide(decision, x509.load_der_x509_csr(sent.content).subject.rfc4514_string())

    @property
    def unheard(self) -> bool:
        """Whether nobody listens on the way to the server: it is this machine, or TLS is spoken."""
        parts = urlsplit(self.shared.target.url)
        return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")

    @property
    def challenge(self) -> str | None:
        """The challengePassword; None if the target has none."""
        return self.shared.target.code or None

    def applicant(self, key: int = 0) -> Signer:
        """A key with the self-signed certificate of a first request, under a new name."""
        return applicants.self_signed(self.shared.key(key), applicants.name(self.shared.name()))

    def pkcs_req(
        self,
        *,
        client: Client | None = None,
        signer: Signer | None = None,
        key: applicants.PrivateKey | None = None,
        challenge: str | bool | None = True,
        names: Sequence[str] = (),
        kind: str = PKCS_REQ,
        transaction_id: str = "",
    ) -> Draft:
        """A correct request for a certificate. :param key: of the PKCS #10; None: the signer's. :param challenge: True: the target's."""
        signer = signer or self.applicant()
        key = key or signer.key
        subject = x509.load_der_x509_certificate(signer.certificate).subject
        secret = self.challenge if challenge is True else (challenge or None)
        csr = applicants.request(key, subject, names=names, challenge=secret)
        spki = applicants.public_octets(key.public_key())
        made: Draft = self.sure(lambda: (client or self.client).enrollment(kind, signer, csr, spki, transaction_id))
        return made

    def renewal(self, enrolled: Enrolled, *, key: int = 1, kind: str = RENEWAL_REQ, challenge: str | bool | None = None) -> Draft:
        """A correct request to renew a certificate, with a new key, signed by it (section 2.5)."""
        return self.pkcs_req(signer=enrolled.signer, key=self.shared.key(key), kind=kind, challenge=challenge)

    @property
    def enrolled(self) -> Enrolled:
        """A certificate that cases share; for what does not change it."""
        if self.shared.enrolled is None:
            self.shared.enrolled = self.enroll()
        return self.shared.enrolled

    def enroll(self) -> Enrolled:
        """A certificate of this case's own. :raises Inconclusive: if it is not to be had."""
        answer = self.granted(self.pkcs_req(), "setup")
        return Enrolled(Signer(answer.sent.signer.key, answer.issued), answer)

    # -- what is owed -------------------------------------------------------------------------------------------------

    def why_not(self, answer: Answer) -> str:
        """Why a reply does not grant what was asked for; empty if it does."""
        if answer.wrong:
            return answer.wrong
        if answer.sent.kind == CERT_POLL and answer.status == "PENDING":
            return ""
        if answer.status != "SUCCESS":
            return answer.said
        try:
            if answer.sent.kind == GET_CRL:
                return "" if answer.inside.crls else "the reply has no CRL"
            if answer.sent.kind == GET_CERT:
                return "" if answer.inside.certificates else "the reply has no certificate"
            return "" if answer.issued else "nothing was issued"
        except Malformed as failure:
            return str(failure)

    def granted(self, message: Draft, stage: str = "setup") -> Answer:
        """Send what must be granted for the case to make sense. :raises Inconclusive: if it is not."""
        with self.examination.during(stage):
            answer = self.client.send(message)
        why = self.why_not(answer)
        if why:
            raise Inconclusive(f"what is right was not granted: {why}"[:400])
        return answer

    def succeeded(self, answer: Answer, requirement: str | None = None) -> None:
        """Require that a reply grants what was asked for."""
        why = self.why_not(answer)
        self.require(not why, f"expected SUCCESS, got {why}", requirement)

    def refused(
        self,
        answer: Answer,
        fail_info: Collection[str],
        requirement: str | None = None,
        level: Level | None = None,
        *,
        or_pending: bool = False,
    ) -> bool:
        """Check that a reply refuses in CMS, with one of these failInfo.

        :param level: of the finding if the message was accepted; None: the requirement's.
        """
        wanted = f"FAILURE {' or '.join(fail_info)}"
        if or_pending and answer.status == "PENDING" and not answer.wrong:
            return self.check(True, "")
        if answer.status in ("SUCCESS", "PENDING"):
            return self.check(False, f"expected {wanted}, got {answer.said}", requirement, level)
        if not self.check(answer.status == "FAILURE", f"expected a CertRep with {wanted}, got {answer.said}", STATUS):
            return False
        if not self.check(not answer.wrong, f"the CertRep that refuses cannot be believed: {answer.wrong}", STATUS):
            return False
        said = answer.rep.fail_info if answer.rep is not None else ""
        return self.check(said in fail_info, f"expected {wanted}, got {answer.said}", FAIL_INFO)

    def paired(
        self,
        control: Callable[[], Draft],
        mutation: Mutation,
        *,
        fail_info: Collection[str] = ("badRequest",),
        requirement: str | None = None,
        level: Level | None = None,
        in_http: bool = False,
        or_pending: bool = False,
    ) -> Answer:
        """Control, spoilt control, control: the one way in which a negative case sends anything.

        :param in_http: there may be no transaction to answer to, so that an HTTP error of the client's will do.
        :param or_pending: a person may be left to decide.
        """
        answers: list[Answer] = []

        def send(change: Mutation | None = None) -> HttpResponse:
            answers.append(self.client.send(self.sure(control), change))
            return answers[-1].response

        def judge(reply: HttpResponse) -> None:
            spoilt = answers[-1]
            if in_http and spoilt.rep is None:
                said = f"expected a CertRep with FAILURE, or an HTTP error of the client's, got {spoilt.said}"
                self.check(400 <= reply.status < 500, said, STATUS, None if reply.status < 400 else Level.SHOULD)
            else:
                self.refused(spoilt, fail_info, requirement, level, or_pending=or_pending)

        self.examination.paired(
            send,
            lambda: send(mutation),
            denied=lambda reply: self.why_not(answers[-1]),
            judge=judge,
            requirement=requirement,
        )
        return answers[1]


def negative(
    id: str,
    title: str,
    *,
    covers: Sequence[str],
    mutation: Mutation | Callable[[ScepLab], Mutation],
    control: Callable[[ScepLab], Draft] = ScepLab.pkcs_req,
    fail_info: Collection[str] = ("badRequest",),
    level: Level | None = None,
    in_http: bool = False,
    or_pending: bool = False,
    kills: Sequence[str] = (),
    feature: str = "",
) -> Case:
    """Declare a negative case: ``control`` drafts a correct message each time, ``mutation`` spoils it in one way.

    :param level: of the finding if the spoilt message is accepted, where the text binds the client and does not tell the server to refuse.
    """

    def body(lab: ScepLab) -> None:
        change = mutation if isinstance(mutation, Mutation) else mutation(lab)
        lab.paired(lambda: control(lab), change, fail_info=fail_info, level=level, in_http=in_http, or_pending=or_pending)

    name = mutation.name if isinstance(mutation, Mutation) else "made for the message"
    covered = tuple(dict.fromkeys((*covers, *REJECTED)))
    also = () if in_http else (HTTP_500,) if "badTime" in fail_info else (HTTP_500, BAD_TIME)
    return register(Case(id, title, covered, body, (*kills, *also), (), feature, negative=True, mutation=name))
