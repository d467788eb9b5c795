"""The OCSP responder of a CA (RFC 6960): the state of each certificate that is asked for, signed by the delegate of the key that issued it.

What is not certain is refused, never guessed. Answers to what many ask in the same words, one certificate and no nonce, are signed once
and given again (RFC 9919 section 3) until the record of the certificate changes, or half of their life is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from privca.base.durations import duration
from privca.base.exchange import Exchange
from privca.base.refused import Reason, Refused
from privca.issuance.authorities import Authorities
from privca.issuance.ca_key import CaKey
from privca.issuance.delegates import Delegate, Delegates, Purpose
from privca.issuance.options.status import OcspOptions
from privca.issuance.ports import CertificateState, CertificateStatus, IssuanceStore, Keys, RevocationReason
from privca.pkix import rfc6960
from privca.pkix.rfc5280.crl import invalidity_date_extension
from privca.pkix.rfc6960 import CertId, ResponseStatus

_KEPT = 8192
"""How many answers are kept at most, of about 1.2 KB each."""
_NEVER_ISSUED_AT = datetime.fromtimestamp(0, UTC)
_SERIAL_OCTETS = 20
_UNAUTHORIZED = "RFC 9919 section 3.2.3"

TABLE: Mapping[Reason, ResponseStatus] = MappingProxyType(
    {
        # Nothing of what enrollment refuses can happen here: if it does, it is a fault of ours.
        **dict.fromkeys(Reason, ResponseStatus.INTERNAL_ERROR),
        Reason.MALFORMED: ResponseStatus.MALFORMED_REQUEST,
        Reason.TOO_LARGE: ResponseStatus.MALFORMED_REQUEST,
        Reason.UNAUTHORIZED: ResponseStatus.UNAUTHORIZED,
        Reason.UNAVAILABLE: ResponseStatus.TRY_LATER,
        Reason.RATE_LIMITED: ResponseStatus.TRY_LATER,
    }
)
"""What the responder says for each reason (RFC 6960 section 2.3)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An OCSPResponse as DER with the times in it. ``refreshed`` is when another one takes its place; None for one with a nonce, which
    is good for nobody else."""

    der: bytes
    produced: datetime
    next_update: datetime
    refreshed: datetime | None


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer with what it rests on: the record's version, and who signed."""

    answer: Answer
    version: int
    signer: bytes

    def good(self, state: CertificateState | None, delegate: Delegate, now: datetime) -> bool:
        answer = self.answer
        return (
            state is not None
            and state.version == self.version
            and delegate.serial == self.signer
            and answer.refreshed is not None
            and answer.produced <= now < answer.refreshed
        )


class OcspResponder:
    """Answers for all CAs."""

    def __init__(self, store: IssuanceStore, keys: Keys, authorities: Authorities, delegates: Delegates) -> None:
        self._store = store
        self._keys = keys
        self._authorities = authorities
        self._delegates = delegates
        self._issuers: dict[str, tuple[Sequence[CaKey], Mapping[tuple[str, bytes, bytes], CaKey]]] = {}
        self._kept: dict[tuple[str, bytes], _Kept] = {}

    async def answer(self, exchange: Exchange, authority: str, octets: bytes) -> Answer:
        """The signed answer to an OCSPRequest (DER) that was sent to a CA.

        :raises Refused: ``NOT_FOUND`` for a CA that is not there; else what :data:`TABLE` has a word for.
        """
        issuers = await self._issuers_of(authority)
        request = rfc6960.read_request(octets)
        asked = [(one, issuers.get((one.hash_name, one.issuer_name_hash, one.issuer_key_hash))) for one in request.certificates]
        ca_key = next((key for _, key in asked if key is not None), None)
        if ca_key is None:
            raise Refused(Reason.UNAUTHORIZED, _UNAUTHORIZED, "none of these certificates is by this CA", expected=authority)
        now = exchange.now
        if ca_key.not_after <= now:
            raise Refused(Reason.UNAUTHORIZED, _UNAUTHORIZED, "the certificate of the CA key has expired")
        # RFC 6960 section 4.2.2.2: who signs is authorized by the very key that issued.
        delegate = await self._delegates.current(authority, Purpose.OCSP, ca_key.signer.number)
        states = [None if key is None else await self._state(one, key) for one, key in asked]
        single = request.nonce is None and len(asked) == 1
        place = (authority, asked[0][0].encoded)
        if single and (kept := self._kept.get(place)) is not None and kept.good(states[0], delegate, now):
            exchange.decided("OCSP answer given again", "RFC 9919 section 3.2.1", authority=authority)
            return kept.answer
        options = self._authorities.configured(authority).ocsp
        answer = await self._signed(asked, states, request.nonce, delegate, options, now)
        if single and states[0] is not None:
            self._keep(place, _Kept(answer, states[0].version, delegate.serial))
        exchange.decided(
            "OCSP answer signed", "RFC 6960 section 2.2", authority=authority, certificates=", ".join(map(_told, asked, states))
        )
        return answer

    async def _issuers_of(self, authority: str) -> Mapping[tuple[str, bytes, bytes], CaKey]:
        """The keys of a CA by how a CertID may name them."""
        keys = await self._authorities.generations(authority)
        if not keys:
            raise Refused(Reason.NOT_FOUND, "RFC 9110 section 15.5.5", "this CA has no key yet")
        known = self._issuers.get(authority)
        if known is None or tuple(known[0]) != tuple(keys):
            index = {
                (name, *rfc6960.issuer_hashes(key.signer.subject_der, key.signer.spki, name)): key
                for key in keys
                for name in rfc6960.HASHES.values()
            }
            known = self._issuers[authority] = (keys, index)
        return known[1]

    async def _state(self, asked: CertId, ca_key: CaKey) -> CertificateState | None:
        """The state of a certificate that this key has issued; None if it has not."""
        if not 0 < asked.serial < 1 << 8 * _SERIAL_OCTETS:
            return None
        state = await self._store.certificate_state(asked.serial.to_bytes(_SERIAL_OCTETS, "big"))
        signer = ca_key.signer
        if state is None or (state.authority, state.generation) != (signer.authority, signer.number):
            return None
        # What is only prepared may never be signed; nobody has it yet.
        return None if state.status is CertificateStatus.PREPARED else state

    async def _signed(
        self,
        asked: Sequence[tuple[CertId, CaKey | None]],
        states: Sequence[CertificateState | None],
        nonce: bytes | None,
        delegate: Delegate,
        options: OcspOptions,
        now: datetime,
    ) -> Answer:
        archive = duration(options.archive)
        cutoff = now - archive
        next_update = min(now + duration(options.life), delegate.not_after)
        shared = (rfc6960.archive_cutoff(cutoff),) if archive else ()
        responses, extensions = [], []
        for (one, key), state in zip(asked, states, strict=True):
            if state is not None and state.not_after < cutoff and len(asked) == 1:
                raise Refused(Reason.UNAUTHORIZED, _UNAUTHORIZED, "the certificate has expired so long ago that it is forgotten")
            own: tuple[bytes, ...] = ()
            if key is None or (state is not None and state.not_after < cutoff):
                status = rfc6960.UNKNOWN
            elif state is None:
                status = rfc6960.UNKNOWN
                if options.not_issued == "revoked":
                    # RFC 6960 section 2.2: these very values, and no extension of CRL entries.
                    status = rfc6960.revoked(_NEVER_ISSUED_AT, RevocationReason.CERTIFICATE_HOLD)
                    extensions = [rfc6960.EXTENDED_REVOKE]
            elif state.revoked_at is None:
                status, own = rfc6960.GOOD, shared
            else:
                status, own = rfc6960.revoked(state.revoked_at, int(state.reason or 0)), shared
                if state.invalidity_date is not None:
                    own = (*own, invalidity_date_extension(state.invalidity_date))
            responses.append(rfc6960.single_response(one.encoded, status, now, next_update, own))
        if nonce is not None:
            extensions = [*extensions, rfc6960.nonce_extension(nonce)]
        named = (
            rfc6960.responder_by_key(delegate.spki)
            if options.responder_id == "key"
            else rfc6960.responder_by_name(delegate.subject)
        )
        data = rfc6960.response_data(named, now, responses, extensions)
        signature = await self._keys.sign(delegate.reference, data, delegate.hash_name)
        der = rfc6960.successful(data, delegate.algorithm, signature, [delegate.certificate])
        return Answer(der, now, next_update, None if nonce is not None else now + (next_update - now) / 2)

    def _keep(self, place: tuple[str, bytes], kept: _Kept) -> None:
        """Keep an answer; those that were made first go first."""
        self._kept.pop(place, None)
        while len(self._kept) >= _KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[place] = kept


def _told(asked: tuple[CertId, CaKey | None], state: CertificateState | None) -> str:
    """A certificate with its state, for the transcript."""
    return f"{asked[0].serial:x} {'unknown' if state is None else state.status.value}"
