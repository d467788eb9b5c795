"""The door into the CA (port: ``enrollment.door.Door``): who may ask for what; issuance decides what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography.x509.oid import NameOID

from privca.base.exchange import Exchange
from privca.base.names import Name, NameKind, dns_name
from privca.base.refused import Reason, Refused
from privca.enrollment import renewal
from privca.enrollment import rights as rights_of_clients
from privca.enrollment.approval import Approval
from privca.enrollment.authentication import no_valid_credential
from privca.enrollment.door import Chain, Identity, Issued, Pending, Submission
from privca.enrollment.ports import EnrollmentStore, WaitingRequest
from privca.issuance.authorities import Authorities
from privca.issuance.issue import Issuer, Request
from privca.issuance.ports import Certificate, Requested, RevocationReason, Spent
from privca.issuance.profile import Revisioned, RevocationRights
from privca.issuance.revocation import Revocation

_BY_CHALLENGE = frozenset({"account", "eab", "open"})
"""Authentication methods under which every name is proven by the protocol (ACME), and none is vouched for by the identity."""


class EnrollmentService:
    """Implements :class:`~privca.enrollment.door.Door`."""

    def __init__(self, store: EnrollmentStore, authorities: Authorities, issuer: Issuer, revocation: Revocation) -> None:
        self._store = store
        self._authorities = authorities
        self._issuer = issuer
        self._revocation = revocation
        self._approval = Approval(store)

    async def submit(self, exchange: Exchange, profile: Revisioned, submission: Submission) -> Issued | Pending:
        """Judge and answer a request; the same ``request_id`` finds the same certificate, whatever has changed since.

        :raises Refused: and nothing is left behind.
        """
        identity = submission.identity
        _check_method(profile, identity)
        if identity.method in _BY_CHALLENGE:
            return await self._issue(exchange, profile, submission)
        waits = await self._approval.find(profile, submission.request_id, exchange.now)
        if waits is not None:
            self._approval.check_asker(waits, identity)
            return await self._ask_again(exchange, profile, waits)
        if not profile.profile.approval_always and identity.method != "approval":
            return await self._issue(exchange, profile, submission)
        answered = await self._issuer.answered(profile.id, submission.request_id)
        if answered is not None:
            return self._issued(exchange, answered, identity.id)
        await self.check(exchange, profile, submission)
        return await self._approval.record(exchange, profile, submission)

    async def check(self, exchange: Exchange, profile: Revisioned, submission: Submission) -> None:
        """Judge a request without answering it. :raises Refused: as submit does."""
        _check_method(profile, submission.identity)
        await self._check_passcode(exchange, submission)
        renewal.check(profile, self._issuer.rules(profile), submission, exchange.now)
        await self._issuer.check(exchange, profile, _request(submission))

    async def resume(self, exchange: Exchange, profile: Revisioned, request_id: str) -> Issued | Pending:
        """Ask again for a request. :raises Refused: ``NOT_FOUND``, ``UNAUTHORIZED`` if it was rejected, and as submit does."""
        waits = await self._approval.find(profile, request_id, exchange.now)
        if waits is not None:
            return await self._ask_again(exchange, profile, waits)
        answered = await self._issuer.answered(profile.id, request_id)
        if answered is None:
            raise Refused(Reason.NOT_FOUND, "profile: authentication", "no such request was made, or its time is over")
        return self._issued(exchange, answered, answered.identity)

    async def find(self, profile_id: str, request_id: str) -> Certificate | None:
        """The certificate that answered a request, whatever its status now."""
        return await self._store.certificate_by_request(profile_id, request_id)

    async def certificate(self, serial: bytes) -> Certificate | None:
        """The record of a certificate."""
        return await self._store.certificate_by_serial(serial)

    async def certificates_by_key(self, spki_sha256: bytes) -> Sequence[Certificate]:
        """The records of all certificates for a key, the newest first."""
        return await self._store.certificates_by_key(spki_sha256)

    async def revoke(
        self,
        exchange: Exchange,
        certificate: Certificate,
        reason: RevocationReason,
        by: Identity,
        invalidity_date: datetime | None = None,
    ) -> Certificate:
        """Revoke, or put on hold. :raises Refused: ``ALREADY_REVOKED``, ``BAD_REVOCATION_REASON``, ``UNAUTHORIZED``."""
        rights = await self._rights(exchange, certificate, by)
        if rights is not None:
            rights_of_clients.check_revoke(rights, certificate, by, exchange.profile_id)
        rights_of_clients.check_reason(rights or _BY_ACME, reason, ra=by.ra)
        revoked = await self._revocation.revoke(certificate.serial, reason, by.id, exchange.now, invalidity_date=invalidity_date)
        held = reason is RevocationReason.CERTIFICATE_HOLD
        exchange.decided(
            "put on hold" if held else "revoked",
            "RFC 5280 section 5.3.1",
            serial=revoked.serial.hex(),
            reason=reason.name.lower(),
        )
        return revoked

    async def release(self, exchange: Exchange, certificate: Certificate, by: Identity) -> Certificate:
        """Release from hold. :raises Refused: ``WRONG_STATE``, ``UNAUTHORIZED``."""
        rights = await self._rights(exchange, certificate, by)
        current = await self._store.certificate_by_serial(certificate.serial) or certificate
        rights_of_clients.check_release(rights or _BY_ACME, current, by, exchange.profile_id)
        released = await self._revocation.release(certificate.serial, by.id)
        exchange.decided("released", "RFC 5280 section 5.3.1", serial=released.serial.hex())
        return released

    async def withdraw(self, exchange: Exchange, certificate: Certificate, reason: RevocationReason) -> Certificate:
        """Revoke what its protocol takes back. :raises Refused: ``ALREADY_REVOKED``."""
        by = f"protocol:{certificate.protocol}"
        revoked = await self._revocation.revoke(certificate.serial, reason, by, exchange.now)
        exchange.decided("withdrawn", "RFC 5280 section 5.3.1", serial=revoked.serial.hex(), reason=reason.name.lower())
        return revoked

    async def chains(self, certificate: Certificate) -> Sequence[Chain]:
        """The default chain first, then one for every other root that a cross certificate leads to."""
        return [Chain(path) for path in await self._authorities.chains(certificate.authority, certificate.generation)]

    def check_names(self, profile: Revisioned, names: Sequence[Name]) -> None:
        """Apply the profile's name policy before any work is done. :raises Refused: with one part per name that fails."""
        self._issuer.rules(profile).names.check(names)

    async def check_validity(
        self, exchange: Exchange, profile: Revisioned, not_before: datetime | None, not_after: datetime | None
    ) -> None:
        """Judge wishes for the validity before any work is done. :raises Refused: ``BAD_VALIDITY``, ``UNAVAILABLE``."""
        await self._issuer.window(profile, exchange.now, not_before, not_after)

    async def _ask_again(self, exchange: Exchange, profile: Revisioned, waits: WaitingRequest) -> Issued | Pending:
        """The answer to a request that a person decides about."""
        answered = await self._issuer.answered(profile.id, waits.request_id)
        if answered is not None:
            return self._issued(exchange, answered, waits.identity)
        submission = await self._approval.approved(waits)
        if submission is None:
            return self._approval.pending(exchange, profile)
        _check_method(profile, submission.identity)
        return await self._issue(exchange, profile, submission, approval=waits.id)

    async def _issue(self, exchange: Exchange, profile: Revisioned, submission: Submission, *, approval: str = "") -> Issued:
        """Judge and issue. :param approval: ID of the record by which a person has approved the request."""
        try:
            if submission.identity.method not in _BY_CHALLENGE:
                rules = self._issuer.rules(profile)
                renewal.check(profile, rules, submission, exchange.now, approved=bool(approval))
            certificate = await self._issuer.issue(exchange, profile, _request(submission, approval=approval))
        except (Refused, Spent) as refusal:
            # Looked for here and not before: the common request is new, and the store refuses a second record of it anyway.
            answered = await self._issuer.answered(profile.id, submission.request_id)
            if answered is None:
                if isinstance(refusal, Spent):
                    raise no_valid_credential() from None
                raise
            certificate = answered
        return self._issued(exchange, certificate, submission.identity.id)

    def _issued(self, exchange: Exchange, certificate: Certificate, identity: str) -> Issued:
        if certificate.identity != identity:
            raise Refused(Reason.UNAUTHORIZED, "profile: authentication", "this request was made by somebody else")
        exchange.decided("issued", "profile: template", serial=certificate.serial.hex(), issuer=certificate.authority)
        return Issued(certificate)

    async def _check_passcode(self, exchange: Exchange, submission: Submission) -> None:
        """Refuse a passcode that another request has spent, before any work is done; the record of the request holds it for good."""
        if submission.identity.passcode:
            passcode = await self._store.passcode(submission.identity.passcode)
            if passcode is None or (passcode.state(exchange.now) != "live" and passcode.request_id != submission.request_id):
                raise no_valid_credential()

    async def _rights(self, exchange: Exchange, certificate: Certificate, by: Identity) -> RevocationRights | None:
        """The rights over a certificate; None for who has proven by ACME's own rules that it is theirs (RFC 8555 section 7.6)."""
        if certificate.protocol == "acme" and by.id.startswith(("acme:", "acme-key:")):
            return None
        if by.passcode:
            passcode = await self._store.passcode(by.passcode)
            # Spent, it is good for one thing more: to take back what it was spent on (RFC 5272 section 6.11).
            obtained = passcode is not None and passcode.request_id == certificate.request_id
            if passcode is None or (passcode.state(exchange.now) != "live" and not obtained):
                raise no_valid_credential()
        profile = await self._store.profile(certificate.profile_id)
        # What no profile issued (CA certificates, delegates) no client revokes.
        return _NONE if profile is None else profile.profile.revocation


_BY_ACME = RevocationRights(hold=False)
_NONE = RevocationRights(owner=False, account=False, ra=False, hold=False)


def _check_method(profile: Revisioned, identity: Identity) -> None:
    if identity.method not in profile.profile.authentication:
        raise Refused(
            Reason.UNAUTHORIZED,
            "profile: authentication",
            "this profile does not accept this authentication method",
            expected=" or ".join(profile.profile.authentication),
            got=identity.method,
        )


def _request(submission: Submission, *, approval: str = "") -> Request:
    return Request(
        request_id=submission.request_id,
        identity=submission.identity.id,
        csr=submission.csr,
        names=_names(submission),
        not_before=submission.not_before,
        not_after=submission.not_after,
        asked=submission.asked,
        method=submission.identity.method,
        spends=submission.identity.passcode,
        approval=approval,
    )


def _names(submission: Submission) -> tuple[Name, ...]:
    """The names that the certificate is to hold: those of the request, each proven where the method wants that."""
    if submission.identity.method not in _BY_CHALLENGE:
        return submission.csr.names
    names = _names_of_csr(submission.csr)
    missing, surplus = submission.proven - set(names), set(names) - submission.proven
    if missing or surplus:
        raise Refused(
            Reason.BAD_CSR,
            "RFC 8555 section 7.4",
            "the CSR must ask for exactly the identifiers of the order",
            expected=_listed(submission.proven),
            got=_listed(names),
        )
    return names


def _names_of_csr(csr: Requested) -> tuple[Name, ...]:
    """SubjectAltName and common name together: a DNS name may stand in either or both (RFC 8555 section 7.4), an IP address in the
    subjectAltName (RFC 8738 section 3), and whatever else is in the common name must be in the subjectAltName too."""
    names = csr.names
    for attribute in csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        value = str(attribute.value)
        if any(name.value == value for name in names if name.kind is not NameKind.DNS):
            continue
        try:
            name = dns_name(value)
        except Refused as refused:
            raise Refused(
                Reason.BAD_CSR,
                "RFC 8555 section 7.4",
                "the common name of the CSR is not one of the order's identifiers",
                expected="a DNS name of the order, or no common name",
                got=refused.got,
            ) from None
        if name not in names:
            names = (*names, name)
    return names


def _listed(names: Sequence[Name] | frozenset[Name]) -> str:
    shown = sorted(name.value for name in names)
    return ", ".join(shown[:20]) + (", ..." if len(shown) > 20 else "") or "none"
