"""One PKIData from its octets to its outcome, and the messages inside it (RFC 5272 sections 3.2.1, 6.17 and 7).

First everything is judged that concerns the whole message: its form, its signature, who sent it, controls that are not known, proof of
possession of every request. Only then is anything done, each part by itself: what is refused leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from privca.base.refused import Reason, Refused
from privca.est.rfc5272 import certification, decipher, granting, linkage, message, retrieving, revoking, signer
from privca.est.rfc5272.authority import CURRENT, Authority
from privca.est.rfc5272.certification import Certification
from privca.est.rfc5272.decipher import ENVELOPES
from privca.est.rfc5272.message import Message
from privca.est.rfc5272.outcome import WHOLE, Outcome
from privca.est.rfc5272.party import Party, identify
from privca.est.rfc5272.pending import Waiting
from privca.est.rfc5272.signer import ByCertificate, ByWaiting, Signer, Unsigned
from privca.est.rfc7030.call import Call
from privca.pkix import der
from privca.pkix.rfc5272.controls import Controls
from privca.pkix.rfc5272.identifiers import REVOKE_REQUEST
from privca.pkix.rfc5272.modification import Modification
from privca.pkix.rfc5272.pki_data import OtherRequest, TaggedRequest
from privca.pkix.rfc5652 import signed_data
from privca.pkix.rfc5652.content import ENVELOPED_DATA, content_type, wrap
from privca.pkix.rfc5652.signed_data import SignedData

MAXIMUM_DEPTH = 3
"""Messages around a message: a client's inside those of two registration authorities."""
MAXIMUM_REQUESTS = 64
"""Certification requests in all messages of one body together: each costs a verification."""

_PROCESSING = "RFC 5272 section 3.2.1"
_REVOKE_REQUEST = der.oid(REVOKE_REQUEST)


@dataclass(slots=True)
class Budget:
    """What may still be read of one body."""

    requests: int = MAXIMUM_REQUESTS

    def take(self, count: int) -> None:
        """:raises Refused: ``TOO_LARGE``."""
        self.requests -= count
        if self.requests < 0:
            raise Refused(
                Reason.TOO_LARGE, _PROCESSING, "too many certification requests", expected=f"at most {MAXIMUM_REQUESTS}"
            )


class _Parts(Exception):
    """A refusal of the whole message that names its parts."""

    def __init__(self, bodies: tuple[int, ...], refused: Refused) -> None:
        super().__init__(bodies, refused)
        self.bodies = bodies
        self.refused = refused


@dataclass(frozen=True, slots=True)
class _Verified:
    """A message whose signature is verified, and the requests that were read for that. ``tokens`` are what its queries are about."""

    message: Message
    signer: Signer
    certifications: list[Certification]
    failed: dict[int, Refused]
    tokens: Mapping[int, Waiting | None]


async def process(call: Call, octets: bytes, authority: Authority, budget: Budget) -> Outcome:
    """What comes of a message; a refusal of the whole is an outcome like any other."""
    outcome = Outcome()
    try:
        await _process(call, await _verify(call, octets, budget, outcome), authority, budget, outcome)
    except Refused as refused:
        outcome.fail(WHOLE, refused)
    except _Parts as parts:
        outcome.fail(parts.bodies, parts.refused)
    if not outcome.statuses:
        outcome.succeed(0)
        outcome.informs = True
    return outcome


async def _verify(call: Call, octets: bytes, budget: Budget, outcome: Outcome) -> _Verified:
    """Open the message if it is encrypted, read it, verify its signature."""
    if content_type(octets) in ENVELOPES:
        return await _inside(call, await decipher.opened(call, octets), budget, outcome)
    signed = signed_data.parse(octets)
    if signed.content_type == ENVELOPED_DATA and signed.content is not None:
        await signer.verify_wrapper(call.core.door, signed)
        envelope = wrap(ENVELOPED_DATA, signed.content)
        return await _inside(call, await decipher.opened(call, envelope), budget, outcome)
    return await _read_and_verify(call, signed, budget, outcome)


async def _inside(call: Call, octets: bytes, budget: Budget, outcome: Outcome) -> _Verified:
    """What was in an envelope: until its signature is verified, nothing is said of it."""
    try:
        found = await _read_and_verify(call, signed_data.parse(octets), budget, outcome)
        if isinstance(found.signer, Unsigned):
            raise Refused(Reason.BAD_SIGNATURE, "RFC 5272 section 5", "what is inside is not signed")
    except Refused as refused:
        outcome.controls = Controls()
        raise decipher.unreadable(call, refused) from None
    outcome.informs = True
    if isinstance(found.signer, ByCertificate):
        outcome.recipient = decipher.recipient_of(found.signer.certificate)
    return found


async def _read_and_verify(call: Call, signed: SignedData, budget: Budget, outcome: Outcome) -> _Verified:
    found = _read_message(call, signed, outcome)
    budget.take(len(found.data.requests))
    # Each request costs the verification of its own signature: before it is known who asks, only what may have signed the message is read.
    certifications, failed = _read(signer.candidates(found))
    tokens = granting.tokens(call, found)
    spkis = [] if found.data.requests else [one.spki for one in tokens.values() if one is not None]
    return _Verified(found, await signer.verify(call.core.door, found, certifications, spkis), certifications, failed, tokens)


async def _process(call: Call, verified: _Verified, authority: Authority, budget: Budget, outcome: Outcome) -> None:
    found, signed, tokens = verified.message, verified.signer, verified.tokens
    if isinstance(signed, Unsigned):
        await _unsigned(call, found, outcome)
        return
    if isinstance(signed, ByWaiting):
        _check_query_alone(found)
        _check_controls(found, authority, registration=False)
        await granting.query(call, tokens, None, signed, outcome)
        return
    party = await identify(call, found, signed, authority)
    own = authority.own(found.controls) if party.registration else authority
    _check_controls(found, own, registration=party.registration)
    known = {*(one.body for one in verified.certifications), *verified.failed}
    others, failed = _read([request for request in found.data.requests if request.body not in known])
    for body, here, modification in own.modifications():
        _check_references(found, modification, (body,) if here else WHOLE)
    await _certify(call, found, party, own, [*verified.certifications, *others], {**verified.failed, **failed}, outcome)
    await granting.query(call, tokens, party, signed, outcome)
    await revoking.revoke_all(call, found.controls, party.identity, outcome)
    await retrieving.retrieve(call, found.controls, party, outcome)
    await _batch(call, found, party, own, budget, outcome)


async def _unsigned(call: Call, found: Message, outcome: Outcome) -> None:
    """Section 6.11: nobody signs where the key is lost, and the shared secret takes the place of the signature."""
    revocations = found.controls.revocations
    if found.data.requests or not revocations or any(one.secret is None for one in revocations.values()):
        raise Refused(
            Reason.BAD_SIGNATURE,
            "RFC 5272 section 3.2",
            "the message is not signed",
            expected="a signature, or revocation requests with a shared secret alone",
        )
    _check_controls(found, Authority(), registration=False)
    await revoking.revoke_all(call, found.controls, None, outcome)


def _read_message(call: Call, signed: SignedData, outcome: Outcome) -> Message:
    """The shared secret of a revocation request is inside DER inside base64: with it, the whole body stays out of the transcript; also where
    what is around it cannot be read."""
    try:
        found = message.read(signed, outcome)
    except Refused:
        if _REVOKE_REQUEST in (signed.content or b""):
            call.exchange.conceal("body", call.request.body)
        raise
    if any(one.secret is not None for one in found.controls.revocations.values()):
        call.exchange.conceal("body", call.request.body)
    return found


def _check_query_alone(found: Message) -> None:
    """The key of a request that waits is nobody's identity: it asks for that request and for nothing else."""
    controls = found.controls
    if controls.revocations or controls.get_certs or controls.get_crls or controls.confirmations or controls.identity_proof:
        raise Refused(
            Reason.UNAUTHENTICATED,
            "RFC 5272 section 6.13",
            "the key of a request that waits asks for that request, and for nothing else",
        )


def _read(requests: Sequence[TaggedRequest]) -> tuple[list[Certification], dict[int, Refused]]:
    certifications, failed = [], {}
    for request in requests:
        try:
            certifications.append(certification.read(request))
        except Refused as refused:
            failed[request.body] = refused
    return certifications, failed


def _check_controls(found: Message, authority: Authority, *, registration: bool) -> None:
    """Section 3.2.1.1: the final server fails the whole message for a control that it does not know; and RFC 6402 section 2.12: also for
    what only a registration authority may say."""
    controls = found.controls
    unknown = tuple(body for body in controls.unknown if not authority.has_processed(body))
    if unknown:
        raise _Parts(
            unknown,
            Refused(
                Reason.MALFORMED, "RFC 5272 section 3.2.1.1", "a control that is not known, or does not belong into a request"
            ),
        )
    unsupported = tuple(body for body in controls.unsupported if not authority.has_processed(body))
    if unsupported:
        raise _Parts(
            unsupported,
            Refused(Reason.UNSUPPORTED_OPERATION, "RFC 5272 section 6.1.3", "a control that is not served here"),
        )
    if registration:
        _check_paths(found)
        return
    authoritative = [*controls.pop_witnesses, *controls.modifications, *controls.processed, *controls.identity_witnessed]
    authoritative += [] if controls.batch is None else [controls.batch[0]]
    if authoritative:
        raise _Parts(
            tuple(authoritative),
            Refused(
                Reason.UNAUTHORIZED,
                "RFC 6402 section 2.12",
                "only a message that a registration authority has signed may have such a control",
                expected="a certificate with the extended key usage cmcRA",
            ),
        )


def _check_paths(found: Message) -> None:
    """Every change that a registration authority asks for leads to requests: to those in its own message here, to others there."""
    inside = frozenset(() if found.controls.batch is None else found.controls.batch[1])
    contents = {content.body for content in found.data.contents}
    if not inside <= contents:
        assert found.controls.batch is not None
        raise _Parts(
            (found.controls.batch[0],),
            Refused(Reason.MALFORMED, "RFC 5272 section 6.17", "a batch names a message that is not in cmsSequence"),
        )
    for body, modification in found.controls.modifications.items():
        if modification.data != CURRENT and modification.data[0] not in inside:
            raise _Parts(
                (body,),
                Refused(Reason.MALFORMED, "RFC 5272 section 6.5.1", "a change of requests in a message that is not there"),
            )


def _check_references(found: Message, modification: Modification, bodies: tuple[int, ...]) -> None:
    """Section 6.5.1: a change is of requests that are there."""
    missing = {*modification.requests} - {request.body for request in found.data.requests}
    if missing:
        raise _Parts(
            bodies,
            Refused(
                Reason.MALFORMED,
                "RFC 5272 section 6.5.1",
                "a registration authority wants to change a request that is not there",
                got=", ".join(map(str, sorted(missing)))[:80],
            ),
        )


async def _certify(
    call: Call,
    found: Message,
    party: Party,
    authority: Authority,
    certifications: list[Certification],
    failed: dict[int, Refused],
    outcome: Outcome,
) -> None:
    """Every request: all of them judged for proof of possession first, then each granted or refused by itself."""
    for one in certifications:
        try:
            _check_possession(call, found, party, authority, one)
            linkage.check(call, party, found, one)
        except Refused as refused:
            failed[one.body] = refused
    for body, refusal in failed.items():
        outcome.fail((body,), refusal)
    stop = _stopping(found, failed)
    if stop is None and party.identity.passcode and len(found.data.requests) > 1:
        stop = Refused(Reason.UNAUTHENTICATED, "profile: authentication", "a passcode is for one certification request")
    for one in certifications:
        if one.body in failed:
            continue
        if stop is not None:
            outcome.fail((one.body,), stop)
            continue
        try:
            await granting.grant(call, party, one, authority, outcome)
        except Refused as refused:
            outcome.fail((one.body,), refused)


def _stopping(found: Message, failed: dict[int, Refused]) -> Refused | None:
    """What keeps the other requests of a message from being processed: one of a format that is not served (section 3.2.1), or one
    without its proof of possession (section 6.7)."""
    if any(isinstance(request, OtherRequest) for request in found.data.requests):
        return Refused(
            Reason.MALFORMED, _PROCESSING, "not processed: another request of the message is of a format that is not served"
        )
    if any(granting.lacks_possession(refused) for refused in failed.values()):
        return Refused(
            Reason.BAD_POP, "RFC 5272 section 6.7", "not processed: another request of the message lacks its proof of possession"
        )
    return None


def _check_possession(call: Call, found: Message, party: Party, authority: Authority, one: Certification) -> None:
    if one.proven:
        return
    vouched = authority.has_possession(one.body) or (one.claimed and party.registration)
    if vouched and call.options.cmc_ra_possession:
        return
    if one.deciphers and not vouched:
        _check_deciphers(call, found, party, one)
        return
    raise Refused(
        Reason.BAD_POP,
        "RFC 5272 section 6.8",
        "the request has no proof of possession by a signature",
        expected="a signature with its own key"
        + (", or the word of a registration authority" if call.options.cmc_ra_possession else ""),
        got="raVerified" if one.claimed else "none",
    )


def _check_deciphers(call: Call, found: Message, party: Party, one: Certification) -> None:
    """Section 6.7: an answer that is right, or a challenge. :raises Refused: ``BAD_POP``; :class:`failures.PopRequired`."""
    challenges = call.core.pop_challenges
    answers = [answer for answer in found.controls.decrypted_pops.values() if answer.request == one.body]
    if not answers:
        raise challenges.challenge(call.profile.id, party.identity, one, call.now, call.exchange.entropy)
    if not all(challenges.verify(call.profile.id, party.identity, one, answer, call.now) for answer in answers):
        raise Refused(Reason.BAD_POP, "RFC 5272 section 6.7", "the answer to the challenge is wrong, or too late")


async def _batch(call: Call, found: Message, party: Party, authority: Authority, budget: Budget, outcome: Outcome) -> None:
    """Section 6.17: each message inside has a response of its own, and its errors stay there."""
    if found.controls.batch is None:
        return
    body, members = found.controls.batch
    if len(set(members)) != len(members):
        outcome.fail((body,), Refused(Reason.MALFORMED, "RFC 5272 section 6.17", "a batch names a message twice"))
        return
    if authority.depth + 1 > MAXIMUM_DEPTH - 1:
        outcome.fail(
            (body,),
            Refused(
                Reason.TOO_LARGE,
                "RFC 5272 section 7",
                "messages are nested too deep",
                expected=f"at most {MAXIMUM_DEPTH} of them",
            ),
        )
        return
    contents = {content.body: content.der for content in found.data.contents}
    for member in members:
        inside = await process(call, contents[member], authority.inside(member, party.identity), budget)
        outcome.inside.append((member, inside))
    outcome.informs = True
    outcome.succeed(body)
