"""Who asks (RFC 7030 sections 3.2.3, 3.3.2 and 3.7): a client certificate, HTTP credentials, or both where the profile wants both.

What a client presents in HTTP is verified, and a wrong credential is refused whatever else it presents. A client certificate counts where
no HTTP credential is presented, or where it is needed: to renew (section 4.2.2), and with ``both``.
"""

from __future__ import annotations

from msgspec.structs import replace

from privca.base.durations import duration
from privca.base.refused import Reason, Refused
from privca.enrollment.authentication import no_valid_credential
from privca.enrollment.door import Identity
from privca.est import rfc6750, rfc7616, rfc7617
from privca.est.rfc7030.call import Call
from privca.est.rfc7030.refusal import NothingPresented

_CLAUSE = "RFC 7030 section 3.2.3"
_PASSCODES = frozenset({"code", "otp"})


class StaleNonce(Refused):
    """A Digest answer to a nonce that has expired: the client need not ask its user again (RFC 7616 section 3.3)."""

    def __init__(self) -> None:
        super().__init__(Reason.UNAUTHENTICATED, "RFC 7616 section 3.3", "the nonce has expired; answer to the new one")


async def authenticate(call: Call, *, renews: bool = False) -> Identity:
    """Who asks for a certificate.

    :param renews: whether it is asked for in place of another one, which then has to be the client certificate of the connection.
    :raises Refused: ``UNAUTHENTICATED``, :class:`NothingPresented`, ``UNAUTHORIZED`` where a certificate is needed and none is there.
    """
    methods = frozenset(call.profile.profile.authentication)
    password = presents_password(call)
    presented = call.request.peer.certificate is not None
    both = call.options.both
    if renews or both:
        if not presented:
            raise _certificate_needed(renews)
        certified = await by_certificate(call)
        if renews and certified.certificate is None:
            raise Refused(
                Reason.UNAUTHORIZED, "RFC 7030 section 4.2.2", "the client certificate is not one of ours, which could be renewed"
            )
        if both and not password:
            raise NothingPresented
        known = await by_password(call) if password else None
        return replace(certified, passcode=known.passcode) if known is not None and both else certified
    if password:
        return await by_password(call)
    if presented and "certificate" in methods:
        return await by_certificate(call)
    if "approval" in methods:
        return await call.core.credentials.anonymous(call.exchange, call.profile)
    raise NothingPresented


def presents_password(call: Call) -> bool:
    """Whether the request has HTTP credentials that count: a profile without codes and passcodes does not look at them."""
    return "authorization" in call.request.headers and bool(_PASSCODES & set(call.profile.profile.authentication))


def challenges(call: Call, refused: Refused) -> list[str]:
    """What a refusal offers the client to prove who it is with; nothing where the profile has no codes or passcodes."""
    if refused.reason is not Reason.UNAUTHENTICATED or not _PASSCODES & set(call.profile.profile.authentication):
        return []
    options, found = call.options, []
    for scheme in options.http:
        if scheme == "basic":
            found.append(rfc7617.challenge(options.realm))
        elif scheme == "bearer":
            found.append(rfc6750.challenge(options.realm))
        else:
            nonce = call.core.nonces.issue(call.profile.id, call.now)
            stale = isinstance(refused, StaleNonce)
            found += rfc7616.challenges(options.realm, options.digest_algorithms, nonce, stale=stale)
    return found


def _certificate_needed(renews: bool) -> Refused:
    return Refused(
        Reason.UNAUTHORIZED,
        "RFC 7030 section 4.2.2" if renews else "profile: est.both",
        "a certificate is renewed by who presents it in TLS" if renews else "this profile asks for a client certificate, too",
        expected="a client certificate",
        got="none",
    )


async def by_certificate(call: Call) -> Identity:
    """Who the client certificate of the connection says it is, which has to be there. :raises Refused: ``UNAUTHENTICATED``."""
    peer = call.request.peer
    assert peer.certificate is not None
    others = () if peer.session is None else peer.session.chain()
    return await call.core.credentials.certificate(call.exchange, call.profile, peer.certificate, others)


async def by_password(call: Call) -> Identity:
    """Who the HTTP credentials say it is, which have to be there. :raises Refused: ``UNAUTHENTICATED``, ``MALFORMED``."""
    scheme, _, credentials = call.request.headers["authorization"].partition(" ")
    scheme, credentials = scheme.lower(), credentials.strip(" ")
    if scheme not in call.options.http:
        raise Refused(
            Reason.UNAUTHENTICATED,
            _CLAUSE,
            "an authentication scheme that is not offered",
            expected=" or ".join(call.options.http),
        )
    credentials_of = call.core.credentials
    if scheme == "digest":
        return await _by_digest(call, credentials)
    if scheme == "bearer":
        return await credentials_of.password(call.exchange, call.profile, None, rfc6750.read(credentials, call.options.bearer))
    user, password = rfc7617.read(credentials)
    # A client may leave the user empty if its password belongs to none.
    return await credentials_of.password(call.exchange, call.profile, user or None, password)


async def _by_digest(call: Call, credentials: str) -> Identity:
    options, core = call.options, call.core
    answer = rfc7616.read(credentials, options.digest_algorithms)
    target = f"{call.request.path}?{call.request.query}" if call.request.query else call.request.path
    if answer.uri not in (target, call.request.origin + target) or answer.realm != options.realm:
        raise Refused(
            Reason.UNAUTHENTICATED,
            "RFC 7616 section 3.4.6",
            "the Digest answer is for another resource or realm",
            expected=f"{target[:200]} in {options.realm}",
        )
    if not core.nonces.is_fresh(answer.nonce, call.profile.id, call.now, duration(options.digest_nonce_life)):
        raise StaleNonce
    for secret in await core.credentials.secrets(call.exchange, call.profile, answer.username):
        if rfc7616.verify(answer, secret.value, call.request.method):
            return await core.credentials.proven(call.exchange, call.profile, secret)
    await core.credentials.failed(call.exchange, call.profile, answer.username)
    raise no_valid_credential()
