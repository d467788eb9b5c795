"""ir, cr and kur, and p10cr: requests for certificates (RFC 9810 sections 5.3.1 to 5.3.6; RFC 9483 section 4.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography import x509
from msgspec.structs import replace

from privca.base.durations import duration
from privca.base.refused import Reason, Refused
from privca.cmp import rfc9483
from privca.cmp.ports import Conflict, Part, PartState, Transaction
from privca.cmp.rfc9810 import archive, certrep, challenge, deliver, pop, profiles, renewal
from privca.cmp.rfc9810 import confirm as confirm_messages
from privca.cmp.rfc9810.call import Call, Reply
from privca.cmp.rfc9810.certrep import CertResponse
from privca.cmp.rfc9810.message import CONFIRM_WAIT_TIME, IMPLICIT_CONFIRM, Body, Information, generalized_time
from privca.cmp.rfc9810.pop import Proof
from privca.enrollment.door import Issued, Pending, Submission
from privca.issuance.ports import Certificate
from privca.issuance.profile import Revisioned
from privca.pkix import der, rfc2986, rfc4211

ANSWERS = {Body.IR: Body.IP, Body.CR: Body.CP, Body.KUR: Body.KUP, Body.P10CR: Body.CP, Body.CCR: Body.CCP}
P10CR_ID = -1
"""A PKCS #10 request has no certReqId (section 5.3.4)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, ready for the door, and how possession of its key is proven. ``private`` is the key that was made for it,
    ``archived`` the key that is to be archived (both PrivateKeyInfo, DER, or empty)."""

    id: int
    profile: Revisioned
    submission: Submission
    proof: Proof
    private: bytes = field(default=b"", repr=False)
    archived: bytes = field(default=b"", repr=False)
    place: str | None = None

    @property
    def profile_id(self) -> str:
        """Under which profile the request is recorded: its own, or none for the certificate of a CA."""
        return self.profile.id if self.place is None else self.place


@dataclass(slots=True)
class Outcome:
    """What came of one request."""

    id: int
    asked: Asked | None = None
    refused: Refused | None = None
    certificate: Certificate | None = None
    waiting: bool = False
    encrypted: bool = False
    modified: str = ""


async def enroll(call: Call) -> Reply:
    """Answer a request for certificates."""
    outcomes = [Outcome(id, asked=asked, refused=refused) for id, asked, refused in await _read(call)]
    if all(outcome.refused is not None for outcome in outcomes):
        return await answer(call, outcomes, confirm=False)
    without_confirmation = implicit(call)
    challenged = [o for o in outcomes if o.asked is not None and o.asked.proof is Proof.CHALLENGE]
    encrypted = any(o.asked is not None and o.asked.proof is Proof.ENCRYPTED_CERTIFICATE for o in outcomes)
    if encrypted:
        without_confirmation = False  # the confirmation is the proof (section 5.2.8.3.2)
    if not without_confirmation or challenged:
        # Before anything is issued: whatever happens now, the certificates are found and revoked if nobody confirms them.
        await begin(call, outcomes, implicit=without_confirmation)
    if challenged:
        return await challenge.challenge(call)
    await submit(call, outcomes)
    if without_confirmation and any(outcome.waiting for outcome in outcomes):
        await begin(call, outcomes, implicit=without_confirmation)
    return await answer(call, outcomes, confirm=not without_confirmation)


async def submit(call: Call, outcomes: Sequence[Outcome]) -> None:
    """Hand what was asked for to the door."""
    for outcome in outcomes:
        if outcome.refused is not None or outcome.asked is None:
            continue
        try:
            answered = await _submit(call, outcome)
        except Refused as refused:
            outcome.refused = refused
            continue
        if isinstance(answered, Issued):
            if outcome.asked.archived:
                # Before it is answered. Should this fail, the certificate is one that nobody confirms.
                await archive.keep(call, answered.certificate, outcome.asked.archived)
            outcome.certificate = answered.certificate
        else:
            assert isinstance(answered, Pending)
            outcome.waiting = True


async def _submit(call: Call, outcome: Outcome) -> Issued | Pending:
    """Submit a request; one whose wish for a validity cannot be granted gets the validity of the profile (grantedWithMods)."""
    asked = outcome.asked
    assert asked is not None
    door, submission = call.core.door, asked.submission
    try:
        return await door.submit(call.exchange, asked.profile, submission)
    except Refused as refused:
        if refused.reason is not Reason.BAD_VALIDITY:
            raise
        outcome.modified = f"the validity is that of the profile: {refused}"
        changed = replace(submission, not_before=None, not_after=None)
        return await door.submit(call.exchange, asked.profile, changed)


async def begin(call: Call, outcomes: Sequence[Outcome], *, implicit: bool) -> None:
    """Remember the transaction, in place of the postponed request that it answers, if there is one.

    :raises Refused: ``TRANSACTION_IN_USE`` if one of this ID goes on.
    """
    now = call.exchange.now
    known = call.transaction
    if known is not None and known.open and not known.request:
        raise in_use()
    asks = any(outcome.asked is not None and outcome.asked.proof is Proof.CHALLENGE for outcome in outcomes)
    parts = tuple(_part(call, outcome, asks=asks) for outcome in outcomes)
    transaction = Transaction(
        profile_id=call.profile.id,
        id=call.transaction_id,
        method=call.sender.method,
        identity=call.sender.id,
        credential=call.protector.credential,
        secret=call.secret,
        signer=call.signer,
        nonce=call.nonce,
        body=call.message.body,
        implicit=implicit,
        parts=parts,
        request=b"",
        ready=None,
        created=now,
        expires=now + _life(call, parts),
        version=0 if known is None else known.version,
    )
    try:
        call.transaction = await call.core.store.save_transaction(transaction)
    except Conflict:
        raise in_use() from None


def _life(call: Call, parts: Sequence[Part]) -> timedelta:
    """How long a transaction with these parts is remembered."""
    waits = any(part.state in (PartState.WAITING, PartState.CHALLENGED) for part in parts)
    return duration(call.options.transaction_life if waits else call.options.confirm_wait)


def in_use() -> Refused:
    """Another transaction of this ID goes on (section 5.1.1)."""
    return Refused(Reason.TRANSACTION_IN_USE, "RFC 9810 section 5.1.1", "a transaction with this transactionID is in progress")


def _part(call: Call, outcome: Outcome, *, asks: bool) -> Part:
    """:param asks: whether the transaction begins with challenges, so that nothing is issued before they are answered."""
    asked = outcome.asked
    if outcome.refused is not None or asked is None:
        return Part(outcome.id, call.profile.id, "", PartState.REJECTED)
    number, octets, state = b"", b"", PartState.WAITING if outcome.waiting else PartState.ISSUED
    if asks:
        state, octets = PartState.CHALLENGED, asked.submission.csr.der
    if asked.proof is Proof.CHALLENGE:
        number = call.exchange.entropy.octets(challenge.NUMBER_OCTETS)
    encrypted = asked.proof is Proof.ENCRYPTED_CERTIFICATE
    return Part(outcome.id, asked.profile_id, asked.submission.request_id, state, octets, number, encrypted)


async def answer(call: Call, outcomes: Sequence[Outcome], *, confirm: bool) -> Reply:
    """The CertRepMessage for these outcomes; the transaction is brought up to date with them."""
    kind = call.message.body if call.transaction is None else Body(call.transaction.body)
    responses, certificates = [], []
    for outcome in outcomes:
        if outcome.refused is None and outcome.certificate is not None:
            try:
                responses.append(await deliver.response(call, outcome))
            except Refused as refused:
                outcome.refused = refused
                await confirm_messages.revoke(call.core.door, call.exchange, outcome.certificate)
            else:
                certificates.append(outcome.certificate)
        if outcome.refused is not None:
            call.exchange.decided("refused", outcome.refused.clause, str(outcome.refused))
            responses.append(CertResponse.rejected(outcome.id, outcome.refused))
        elif outcome.waiting:
            responses.append(CertResponse.waiting(outcome.id))
    await _update(call, outcomes)
    extra, ca_pubs = await _chain(call, certificates)
    information: list[Information] = []
    if certificates:
        if confirm and call.transaction is not None:
            information.append(Information(CONFIRM_WAIT_TIME, generalized_time(call.transaction.expires)))
        elif not confirm:
            information.append(Information(IMPLICIT_CONFIRM, b"\x05\x00"))
    content = certrep.encode(responses, ca_pubs if kind is Body.IR else ())
    failed = all(outcome.refused is not None for outcome in outcomes)
    return Reply(ANSWERS[kind], content, tuple(information), extra, failed)


async def _update(call: Call, outcomes: Sequence[Outcome]) -> None:
    """Write down what did not come as it was foreseen when the transaction began: refusals, and decisions that a person has to make."""
    transaction = call.transaction
    if transaction is None:
        return
    states = {outcome.id: _state(outcome, transaction) for outcome in outcomes}
    parts = tuple(replace(part, state=states.get(part.id, part.state)) for part in transaction.parts)
    changed = replace(transaction, parts=parts, nonce=call.nonce)
    if parts != transaction.parts:
        # A certificate has as long to be confirmed as any other, however long it was waited for.
        changed = replace(changed, expires=call.exchange.now + _life(call, parts))
    if not changed.open and all(part.state is PartState.REJECTED for part in parts):
        await call.core.store.forget_transaction(transaction)
        call.transaction = None
    elif changed != transaction:
        call.transaction = await call.core.store.save_transaction(changed)


def _state(outcome: Outcome, transaction: Transaction) -> PartState:
    if outcome.refused is not None:
        return PartState.REJECTED
    if outcome.waiting:
        return PartState.WAITING
    return PartState.CONFIRMED if transaction.implicit else PartState.ISSUED


async def _chain(call: Call, certificates: Sequence[Certificate]) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """What leads from new certificates to the root (RFC 9483 section 4.1.1), and the root for caPubs, which only a shared secret
    protects well enough (RFC 9810 section 5.3.2)."""
    if not certificates:
        return (), ()
    (default, *_) = await call.core.door.chains(certificates[0])
    root = default.certificates[-1:]
    return default.certificates, root if call.options.ca_pubs and call.by_password else ()


def implicit(call: Call) -> bool:
    """Whether the client asks to go without a confirmation, and may."""
    return call.options.implicit_confirm and call.message.header.information(IMPLICIT_CONFIRM) is not None


async def _read(call: Call) -> list[tuple[int, Asked | None, Refused | None]]:
    """Every request of the message, judged as far as it can be without the CA. :raises Refused: for the message as a whole."""
    if call.message.body is Body.P10CR:
        chosen = await profiles.chosen(call, 1)
        return [_judged(P10CR_ID, await _attempt(_pkcs10(call, chosen[0])))]
    messages = rfc4211.parse(call.message.content)
    ids = [message.id for message in messages]
    if len(set(ids)) != len(ids):
        raise Refused(Reason.DUPLICATE_REQUEST, "RFC 4211 section 5", "a certReqId occurs more than once")
    if len(messages) > call.options.requests_maximum:
        raise Refused(
            Reason.TOO_LARGE,
            "profile: cmp.requests_maximum",
            "the message asks for too many certificates",
            expected=f"at most {call.options.requests_maximum}",
            got=str(len(messages)),
        )
    rfc9483.check_requests(call, ids)
    if not all(-1 <= id < 1 << 31 for id in ids):
        raise Refused(Reason.MALFORMED, "RFC 4211 section 5", "a certReqId is out of bounds")
    chosen = await profiles.chosen(call, len(messages))
    found = []
    for message, profile in zip(messages, chosen, strict=True):
        found.append(_judged(message.id, await _attempt(crmf(call, message, profile, call.message.body))))
    return found


def _judged(id: int, found: Asked | Refused) -> tuple[int, Asked | None, Refused | None]:
    return (id, None, found) if isinstance(found, Refused) else (id, found, None)


async def _attempt(work: object) -> Asked | Refused:
    try:
        return await work  # type: ignore[misc,no-any-return]
    except Refused as refused:
        return refused


async def crmf(call: Call, message: rfc4211.CertReqMsg, profile: Revisioned, body: Body) -> Asked:
    """A CertReqMsg as the door takes it. :param body: that of the message that it came in. :raises Refused:"""
    rfc9483.check_request(call, message)
    proof = pop.judge(call, message)
    template = message.template
    if template.version not in (None, 2):
        raise Refused(Reason.BAD_CSR, "RFC 4211 section 5", "the version of a certificate is 2, which means v3")
    await _check_issuer(call, profile, template)
    _check_policies(profile, template)
    source = archive.source(call, message, profile, made=proof is Proof.NONE_NEEDED)
    old = await renewal.old_certificate(call, message) if body is Body.KUR else None
    subject, extensions = renewal.completed(template, old)
    public_key, private, name = None, b"", request_id(call, message.id, message.der)
    if proof is Proof.NONE_NEEDED:
        public_key, private = await deliver.generated(call, message, profile)
        # A key is made anew each time, so that no other request may find its certificate.
        name = f"{message.id}-{call.exchange.entropy.octets(20).hex()}"
    archived = private if source is archive.Source.MADE else b""
    if source is archive.Source.GIVEN:
        archived = await archive.opened(call, message, profile)
    submission = Submission(
        request_id=name,
        identity=call.sender,
        csr=template.requested(message.der, public_key=public_key, subject=subject, extensions=extensions),
        renews=old,
        not_before=template.not_before,
        not_after=template.not_after,
    )
    return Asked(message.id, profile, submission, proof, private, archived)


async def _pkcs10(call: Call, profile: Revisioned) -> Asked:
    try:
        csr = rfc2986.parse(call.message.content, tolerant=profile.profile.tolerant)
    except Refused as refused:
        if refused.clause == "RFC 5280 section 4.1.1.2":
            raise Refused(Reason.BAD_POP, "RFC 2986 section 4.2", refused.detail) from None
        raise
    submission = Submission(request_id(call, P10CR_ID, call.message.content), call.sender, csr)
    return Asked(P10CR_ID, profile, submission, Proof.GIVEN)


def request_id(call: Call, id: int, octets: bytes) -> str:
    """The same request of the same transaction has the same name, so that it is answered by the same certificate."""
    digest = hashlib.sha256(call.transaction_id + call.sender.id.encode() + b"\0" + octets).hexdigest()[:40]
    return f"{id}-{digest}"


def _check_policies(profile: Revisioned, template: rfc4211.CertTemplate) -> None:
    """Who insists on certificate policies gets one of them, or nothing. :raises Refused: ``UNACCEPTED_POLICY``."""
    given = profile.template.policies
    for extension in template.extensions:
        if extension.id != x509.CertificatePolicies.oid or not extension.critical or not given:
            continue
        if not any(der.oid(x509.ObjectIdentifier(policy)) in extension.value for policy in given):
            raise Refused(
                Reason.UNACCEPTED_POLICY,
                "RFC 5280 section 4.2.1.4",
                "this profile certifies under none of the certificate policies that the request insists on",
                expected=", ".join(given),
            )


async def _check_issuer(call: Call, profile: Revisioned, template: rfc4211.CertTemplate) -> None:
    """A CA that the client names is the CA that it gets (RFC 4211 section 5)."""
    if template.issuer in (None, b"\x30\x00"):
        return
    if profile.profile.tolerant and call.signer and template.issuer == _issuer(call.signer):
        # Not a wish: OpenSSL puts there the issuer of the certificate that it signs with, as that of a vendor.
        return
    authority = await call.core.authorities.current(profile.profile.issuer)
    if template.issuer != authority.signer.subject_der:
        raise Refused(
            Reason.WRONG_AUTHORITY,
            "RFC 4211 section 5",
            "the template names another issuer than the CA of this profile",
            expected=authority.signer.subject.rfc4514_string(),
        )


def _issuer(certificate: bytes) -> bytes:
    return x509.load_der_x509_certificate(certificate).issuer.public_bytes()
