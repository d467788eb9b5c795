"""Who asks: the identity behind a message (RFC 5272 sections 3.2, 6.2 and 6.3, RFC 7030 section 3.2.3).

What CMC proves counts like what EST asks for: a signature by a certified key is a client certificate, an identity proof is a code or
passcode. A profile that wants both wants both of one and the same message, and nothing that is wrong is overlooked because something
else is right.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from privca.base.refused import Reason, Refused
from privca.enrollment.credentials import Secret
from privca.enrollment.door import Identity
from privca.est.rfc5272.authority import Authority
from privca.est.rfc5272.message import Message
from privca.est.rfc5272.signer import ByCertificate, ByRequest
from privca.est.rfc7030 import authentication
from privca.est.rfc7030.call import Call
from privca.pkix.rfc5272.proofs import identity_secret

_PROOF = "RFC 5272 section 6.2.1"


@dataclass(frozen=True, slots=True)
class Party:
    """Who asks, and by what.

    ``in_message`` tells that the message proves it, not the connection that it came by. ``secret`` is the shared secret of its identity
    proof. ``certificate`` (DER) is the one whose names its requests repeat; None where names come from elsewhere. ``registration`` tells
    that the message is signed by a registration authority.
    """

    identity: Identity
    signer: ByCertificate | ByRequest
    in_message: bool
    secret: bytes | None = field(default=None, repr=False)
    certificate: bytes | None = field(default=None, repr=False)
    registration: bool = False


async def identify(call: Call, message: Message, signer: ByCertificate | ByRequest, authority: Authority) -> Party:
    """Who has sent a message that ``signer`` signed.

    :param authority: registration authorities around it; what the connection proves is theirs then.
    :raises Refused: ``UNAUTHENTICATED``, ``UNAUTHORIZED``; ``BAD_SIGNATURE_ALGORITHM``, ``MALFORMED`` for an identity proof.
    """
    secret = await _proof(call, message, authority)
    known = None if secret is None else await call.core.credentials.proven(call.exchange, call.profile, secret)
    shared = None if secret is None else secret.value
    outermost = authority.identity is None
    if outermost and authentication.presents_password(call):
        # A wrong password is refused whatever else is right; a right one counts where the message has no proof of its own.
        password = await authentication.by_password(call)
        known = known or password
    if isinstance(signer, ByCertificate):
        certified = await call.core.credentials.certificate(
            call.exchange, call.profile, signer.certificate, message.signed.certificates
        )
        identity = _with_both(call, certified, known)
        certificate = None if identity.ra else signer.certificate
        return Party(identity, signer, True, shared, certificate, identity.ra)
    if not outermost:
        return _vouched(call, message, signer, authority, known, shared)
    if secret is None:
        identity = await authentication.authenticate(call)
        return Party(identity, signer, False, None, _names_of(call, identity))
    assert known is not None
    if not call.options.both:
        return Party(known, signer, True, shared)
    if call.request.peer.certificate is None:
        raise _both_needed("a client certificate")
    identity = _with_both(call, await authentication.by_certificate(call), known)
    return Party(identity, signer, True, shared, _names_of(call, identity))


def _vouched(
    call: Call, message: Message, signer: ByRequest, authority: Authority, known: Identity | None, shared: bytes | None
) -> Party:
    """A message inside that of a registration authority, which the key of a request signed."""
    assert authority.identity is not None
    proof = None if message.controls.identity_proof is None else message.controls.identity_proof[0]
    if authority.has_identity(proof):
        return Party(authority.identity, signer, True)
    if known is None:
        raise Refused(
            Reason.UNAUTHENTICATED,
            "RFC 6402 section 2.5",
            "a message inside that of a registration authority proves no identity, and the registration authority does not vouch for it",
        )
    if call.options.both:
        raise _both_needed("a client certificate")
    return Party(known, signer, True, shared)


async def _proof(call: Call, message: Message, authority: Authority) -> Secret | None:
    """The secret that the identity proof of a message was made with; None without one, or where a registration authority has verified it."""
    controls = message.controls
    if controls.identity_proof is None:
        return None
    body, proof = controls.identity_proof
    if authority.has_identity(body):
        return None
    if proof.sha1 and not call.options.cmc_sha1:
        raise Refused(Reason.BAD_SIGNATURE_ALGORITHM, "profile: est.cmc_sha1", "an identity proof with SHA-1")
    if not message.data.requests:
        # It would be the same for ever, and whoever has seen it could use it.
        raise Refused(Reason.UNAUTHENTICATED, _PROOF, "an identity proof covers certification requests, and there are none")
    if controls.identification is None:
        raise Refused(Reason.UNAUTHENTICATED, "RFC 5272 section 6.2.3", "an identity proof comes with an identification here")
    reference = controls.identification
    for secret in await call.core.credentials.secrets(call.exchange, call.profile, reference):
        if proof.verifies(message.data.request_sequence, identity_secret(secret.value, reference)):
            return secret
    await call.core.credentials.failed(call.exchange, call.profile, reference)
    raise Refused(Reason.UNAUTHENTICATED, _PROOF, "the identity proof does not verify")


def _with_both(call: Call, certified: Identity, known: Identity | None) -> Identity:
    if not call.options.both:
        return certified
    if known is None:
        raise _both_needed("a code or passcode")
    return replace(certified, passcode=known.passcode)


def _both_needed(what: str) -> Refused:
    return Refused(
        Reason.UNAUTHENTICATED,
        "profile: est.both",
        "this profile asks for a client certificate and a code or passcode",
        expected=what,
        got="none",
    )


def _names_of(call: Call, identity: Identity) -> bytes | None:
    """The client certificate of the connection, if it is what tells who asks and not a registration authority's."""
    return call.request.peer.certificate if identity.method == "certificate" and not identity.ra else None
