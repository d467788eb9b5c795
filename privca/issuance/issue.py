"""A request becomes a certificate: policy, template, TBS, lint, record, signature, record."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec

from privca.base.durations import duration
from privca.base.exchange import Exchange
from privca.base.names import Name, NameKind
from privca.base.refused import Reason, Refused
from privca.issuance import lint
from privca.issuance.approved import Approved
from privca.issuance.authorities import Authorities
from privca.issuance.ca_key import CaKey
from privca.issuance.name_policy import NamePolicy
from privca.issuance.policy import KeyPolicy, ValidityPolicy, Window
from privca.issuance.ports import Certificate, CertificateStatus, Conflict, IssuanceStore, Keys, Requested
from privca.issuance.profile import Revisioned
from privca.issuance.serials import serial_number
from privca.issuance.signing import prepare, record_and_sign, sign_recorded
from privca.issuance.template import CertificateTemplate
from privca.pkix.rfc5280.identifiers import key_identifier
from privca.pkix.rfc5280.names import attributes_of


class Request(msgspec.Struct, frozen=True):
    """What a certificate is asked for with, as facts. ``names`` are all names that it shall hold, in their order.

    ``identity`` is who asks, as the record will name it, ``method`` how they were admitted. ``not_before`` and ``not_after`` are wishes,
    ``asked`` is when they were accepted; None: now. ``spends`` and ``approval`` are what the record depends on
    (:meth:`~privca.issuance.ports.IssuanceStore.add_certificate`).
    """

    request_id: str
    identity: str
    csr: Requested
    names: tuple[Name, ...]
    not_before: datetime | None = None
    not_after: datetime | None = None
    asked: datetime | None = None
    method: str = ""
    spends: str = ""
    approval: str = ""


class ProfileRules:
    """Everything of one profile revision that is made once. :raises Refused, ValueError: for a profile that is not consistent."""

    def __init__(self, profile: Revisioned) -> None:
        self.names = NamePolicy(profile.profile.names, profile.template.names, required=profile.template.names_required)
        self._names_by = {
            method: NamePolicy(names, profile.template.names, required=profile.template.names_required)
            for method, names in profile.profile.names_by.items()
        }
        self.keys = KeyPolicy(profile.profile)
        self.validity = ValidityPolicy(profile.profile)
        self.template = CertificateTemplate(profile.template)
        self.longest = duration(profile.profile.validity)

    def names_for(self, method: str) -> NamePolicy:
        """The name policy for requests that were admitted by this method."""
        return self._names_by.get(method, self.names)  # type: ignore[call-overload,no-any-return]


class Issuer:
    """Issues certificates of any profile."""

    def __init__(self, store: IssuanceStore, keys: Keys, authorities: Authorities) -> None:
        self._store = store
        self._keys = keys
        self._authorities = authorities
        self._rules: dict[str, tuple[int, ProfileRules]] = {}

    def rules(self, profile: Revisioned) -> ProfileRules:
        """The rules of a profile revision, kept while it is the newest that was asked for."""
        known = self._rules.get(profile.id)
        if known is None or known[0] != profile.revision:
            known = self._rules[profile.id] = (profile.revision, ProfileRules(profile))
        return known[1]

    async def window(self, profile: Revisioned, now: datetime, not_before: datetime | None, not_after: datetime | None) -> Window:
        """The validity that a certificate of this profile would have. :raises Refused: ``BAD_VALIDITY``, ``UNAVAILABLE``."""
        ca_key = await self._authorities.current(profile.profile.issuer)
        return self.rules(profile).validity.window(now, ca_key.not_after, not_before, not_after)

    async def answered(self, profile_id: str, request_id: str) -> Certificate | None:
        """The signed certificate that answers a request, if there is one; one that was only prepared is signed now.

        :raises Refused: ``WRONG_STATE`` if it was revoked before it was signed.
        """
        record = await self._store.certificate_by_request(profile_id, request_id)
        if record is None or record.der is not None:
            return record
        if record.status is not CertificateStatus.PREPARED:
            raise Refused(Reason.WRONG_STATE, "RFC 5280 section 3.3", "the certificate was revoked before it was signed")
        ca_key = await self._authorities.generation(record.authority, record.generation)
        lint.check_recorded(record, ca_key.signer)
        return await sign_recorded(self._store, self._keys, record, ca_key.signer)

    async def check(self, exchange: Exchange, profile: Revisioned, request: Request) -> None:
        """Judge a request and leave it at that. :raises Refused: as policy and template do."""
        _approve(exchange, profile, self.rules(profile), request, await self._authorities.current(profile.profile.issuer))

    async def issue(self, exchange: Exchange, profile: Revisioned, request: Request) -> Certificate:
        """Judge a request and issue; the certificate that answers it already, if there is one.

        :raises Refused: as policy, template and lint do, and nothing is recorded.
        :raises Spent: if the passcode cannot be spent, and nothing is recorded.
        """
        ca_key = await self._authorities.current(profile.profile.issuer)
        rules = self.rules(profile)
        approved = _approve(exchange, profile, rules, request, ca_key)
        extensions = rules.template.extensions(
            ca_key.signer.facts_of(approved.serial),
            approved.kind,
            approved.key_identifier,
            approved.names,
            empty_subject=not approved.subject.rdns,
            must_staple=approved.must_staple,
        )
        tbs = prepare(approved, extensions, ca_key.signer)
        lint.check(tbs, approved, ca_key.signer)
        record = _record(exchange, profile, request, approved, ca_key, tbs)
        try:
            return await record_and_sign(
                self._store, self._keys, record, ca_key.signer, spends=request.spends, approval=request.approval
            )
        except Conflict:
            found = await self.answered(profile.id, request.request_id)
            if found is None:
                raise Refused(
                    Reason.UNAVAILABLE,
                    "RFC 5280 section 4.1.2.2",
                    "the serial number was taken, or a decision changed; try again",
                    retry_after=1,
                ) from None
            return found


def _approve(exchange: Exchange, profile: Revisioned, rules: ProfileRules, request: Request, ca_key: CaKey) -> Approved:
    csr = request.csr
    policy = rules.names_for(request.method)
    policy.check(request.names)
    kind = rules.keys.check(csr.public_key)
    subject = rules.template.subject(csr.subject, request.names)
    if subject.rdns:
        attributes = attributes_of(subject)
        policy.check_subject(attributes)
        _check_mail(attributes, request.names)
    elif not request.names:
        raise Refused(
            Reason.BAD_CSR, "RFC 5280 section 4.1.2.6", "the certificate would have neither a subject nor a subjectAltName"
        )
    return Approved(
        serial=serial_number(exchange.entropy),
        subject=subject,
        names=request.names,
        public_key=csr.public_key,
        spki=csr.spki,
        key_identifier=key_identifier(csr.spki),
        kind=kind,
        window=rules.validity.window(exchange.now, ca_key.not_after, request.not_before, request.not_after, request.asked),
        longest=rules.longest,
        template=profile.template,
        must_staple=rules.template.must_staple(csr.extensions),
    )


def _check_mail(subject: Sequence[tuple[str, str]], names: Sequence[Name]) -> None:
    """A mail address in the subject only repeats one of the subjectAltName, where names are judged and proven (RFC 5280 section 4.1.2.6)."""
    for attribute, value in subject:
        local, _, domain = value.rpartition("@")
        if attribute == "emailAddress" and Name(NameKind.EMAIL, f"{local}@{domain.lower()}") not in names:
            raise Refused(
                Reason.BAD_CSR,
                "RFC 5280 section 4.1.2.6",
                "the subject has a mail address that the subjectAltName does not have",
                got=repr(value[:80]),
            )


def _record(
    exchange: Exchange, profile: Revisioned, request: Request, approved: Approved, ca_key: CaKey, tbs: bytes
) -> Certificate:
    return Certificate(
        serial=approved.serial,
        authority=ca_key.signer.authority,
        generation=ca_key.signer.number,
        profile_id=profile.id,
        profile_revision=profile.revision,
        protocol=profile.profile.protocol,
        request_id=request.request_id,
        identity=request.identity,
        subject=approved.subject.rfc4514_string(),
        names=approved.names,
        spki_sha256=hashlib.sha256(approved.spki).digest(),
        not_before=approved.window.not_before,
        not_after=approved.window.not_after,
        tbs=tbs,
        der=None,
        status=CertificateStatus.PREPARED,
        recorded=exchange.now,
    )
