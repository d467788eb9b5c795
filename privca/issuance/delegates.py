"""Delegates: certificates that a CA issues to itself for one purpose, each with a key of its own, made on first use and renewed by itself.

The CA's key signs certificates and CRLs; what is signed or deciphered for every request (OCSP, SCEP, CMP, CMC) is done by a delegate's
key, so that it may lie elsewhere, be of another kind, and be thrown away. A delegate belongs to one key of the CA: a rollover makes new
ones, and the old key's live on for what the old key issued.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from privca.base.clock import Clock
from privca.base.entropy import Entropy
from privca.base.refused import Reason, Refused
from privca.issuance import lint
from privca.issuance.approved import Approved
from privca.issuance.authorities import Authorities
from privca.issuance.ca_certificates import PROFILE_ID
from privca.issuance.ca_key import CaKey
from privca.issuance.policy import Window
from privca.issuance.ports import Certificate, CertificateStatus, Conflict, DelegateRecord, IssuanceStore, Keys
from privca.issuance.profile import ExtraExtension, Template
from privca.issuance.serials import serial_number
from privca.issuance.signing import prepare, sign_recorded
from privca.issuance.template import CertificateTemplate
from privca.pkix import signatures, weak
from privca.pkix.rfc5280.identifiers import key_identifier

_log = structlog.get_logger("privca.issuance")
_FRESH = timedelta(seconds=5)
"""How long a delegate is taken from memory: that another process made a new one, or that it was revoked, is noticed after that."""
_BACKDATE = timedelta(minutes=5)
_LONGEST_CN = 64  # RFC 5280 section A.1: ub-common-name
_CLAUSE = "RFC 5280 section 6.1.3"

Lock = Callable[[], AbstractAsyncContextManager[None]]
"""Makes a lock: who enters it while somebody is inside waits. In a process where nothing ever waits, there is nothing to lock."""


class Purpose(enum.StrEnum):
    """What a delegate is for."""

    OCSP = "ocsp"
    """Signs OCSP responses (RFC 6960 section 4.2.2.2)."""
    SCEP_RA = "scep-ra"
    """Signs and deciphers SCEP messages for a CA without an RSA key (RFC 8894 section 2.1.2): always RSA."""
    CMP = "cmp"
    """Signs CMP messages (RFC 9810 section 5.1.3.3)."""
    CMP_TRANSPORT = "cmp-transport"
    """Deciphers what a CMP client encrypts for the CA, by key transport (RFC 9810 section 5.3.19.1): always RSA."""
    CMP_AGREEMENT = "cmp-agreement"
    """The same by key agreement: always P-256."""
    CMC_TRANSPORT = "cmc-transport"
    """Deciphers what a CMC client encrypts for the CA (RFC 5272 section 5): always RSA, which RFC 5274 section 4.1 demands."""
    KGA = "kga"
    """Signs private keys that the CA generated (RFC 9483 section 4.1.6)."""
    CMC = "cmc"
    """Signs CMC responses (RFC 6402 section 2.10)."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """How the delegates of a purpose look. ``key``: the kind of key; empty: that of the CA. ``common_name`` is put behind that of the CA;
    empty: the subject is the CA's own."""

    template: Template
    life: timedelta
    common_name: str
    key: str = ""


def _template(key_usage: Sequence[str], extended: Sequence[str] = (), *, no_check: bool = False) -> Template:
    return Template(
        names=(),
        names_required=False,
        key_usage=tuple(key_usage),  # type: ignore[arg-type]
        extended_key_usage=tuple(extended),
        must_staple="never",
        # RFC 6960 section 4.2.2.2.1: id-pkix-ocsp-nocheck, NULL; what is never looked up needs no place to look.
        extensions=(ExtraExtension(oid="1.3.6.1.5.5.7.48.1.5", value="0500"),) if no_check else (),
        crl_url=not no_check,
        ocsp_url=not no_check,
    )


_RULES: dict[Purpose, _Rule] = {
    # Section 4.2.2.2.1: what cannot be revoked is short-lived, "one month" there.
    Purpose.OCSP: _Rule(_template(["digitalSignature"], ["OCSPSigning"], no_check=True), timedelta(days=30), "OCSP"),
    Purpose.SCEP_RA: _Rule(_template(["digitalSignature", "keyEncipherment"]), timedelta(days=365), "SCEP RA", "RSA-2048"),
    Purpose.CMP: _Rule(_template(["digitalSignature"], ["cmcCA"]), timedelta(days=90), "CMP"),
    Purpose.CMP_TRANSPORT: _Rule(_template(["keyEncipherment"]), timedelta(days=90), "CMP transport", "RSA-2048"),
    Purpose.CMP_AGREEMENT: _Rule(_template(["keyAgreement"]), timedelta(days=90), "CMP agreement", "P-256"),
    Purpose.CMC_TRANSPORT: _Rule(_template(["keyEncipherment"]), timedelta(days=90), "CMC transport", "RSA-2048"),
    Purpose.KGA: _Rule(_template(["digitalSignature"], ["cmKGA"]), timedelta(days=90), "KGA"),
    # RFC 6402 section 2.10: the certificate should have the same name as the CA's.
    Purpose.CMC: _Rule(_template(["digitalSignature"], ["cmcCA"]), timedelta(days=90), ""),
}
# A large key would cost every answer; what lives for weeks needs no more than RSA-2048.
_KIND_OF_CA = {"RSA-3072": "RSA-2048", "RSA-4096": "RSA-2048"}


@dataclass(frozen=True, slots=True, eq=False)
class Delegate:
    """A key that acts for one key of a CA, with its certificate.

    ``certificate`` is DER; ``chain`` leads from the CA key's own certificate to the root, which is included last. ``reference`` is for
    the key adapter, ``algorithm`` the AlgorithmIdentifier (DER) of what it signs with ``hash_name``. ``spki`` is DER.
    """

    authority: str
    generation: int
    purpose: Purpose
    reference: str
    certificate: bytes
    chain: tuple[bytes, ...]
    subject: x509.Name
    serial: bytes
    public_key: weak.SigningPublicKey
    spki: bytes
    key_identifier: bytes
    hash_name: str
    algorithm: bytes
    not_before: datetime
    not_after: datetime
    renewed_from: datetime
    """From then on another one takes its place."""


class Delegates:
    """The delegates of all CAs.

    :param lock: keeps the requests of this process from making one delegate twice; between processes the store does.
    """

    def __init__(
        self,
        store: IssuanceStore,
        keys: Keys,
        authorities: Authorities,
        clock: Clock,
        entropy: Entropy,
        lock: Lock = nullcontext,
    ) -> None:
        self._store = store
        self._keys = keys
        self._authorities = authorities
        self._clock = clock
        self._entropy = entropy
        self._lock = lock
        self._templates = {purpose: CertificateTemplate(rule.template) for purpose, rule in _RULES.items()}
        self._known: dict[tuple[str, int, Purpose], tuple[datetime, Delegate]] = {}
        self._locks: dict[tuple[str, int, Purpose], AbstractAsyncContextManager[None]] = {}
        self._read: dict[tuple[str, bytes], Delegate] = {}

    async def current(self, authority: str, purpose: Purpose, generation: int | None = None) -> Delegate:
        """The delegate that acts now for the current key of a CA, or for the key of that number. It is made if there is none, if the one
        there is has lived two thirds of its life, and if it was revoked.

        :raises Refused: ``NOT_FOUND`` for a CA or key that is not there, ``UNAVAILABLE`` if the CA's certificate has expired.
        """
        authorities = self._authorities
        ca_key = await (authorities.current(authority) if generation is None else authorities.generation(authority, generation))
        now, place = self._clock.now(), (authority, ca_key.signer.number, purpose)
        if (known := self._fresh(place, now)) is not None:
            return known
        lock = self._locks.get(place)
        if lock is None:
            lock = self._locks[place] = self._lock()
        async with lock:
            if (known := self._fresh(place, now)) is not None:
                return known  # Somebody looked while we waited.
            found = await self._find(ca_key, purpose, now)
            self._known[place] = (now, found)
            return found

    async def all(self, authority: str, purpose: Purpose) -> Sequence[Delegate]:
        """Every delegate of a CA for this purpose that has neither expired nor been revoked, of all its keys, the current one first.

        Who has an older one's certificate may still encrypt for it. :raises Refused: as :meth:`current` does.
        """
        found = [await self.current(authority, purpose)]
        now = self._clock.now()
        for record in reversed(await self._store.delegates(authority, purpose)):
            certificate = await self._store.certificate_by_serial(record.serial)
            if certificate is None or not _stands(certificate, now) or record.serial == found[0].serial:
                continue
            found.append(await self._delegate(record, purpose, certificate))
        return found

    def _fresh(self, place: tuple[str, int, Purpose], now: datetime) -> Delegate | None:
        known = self._known.get(place)
        if known is not None and known[0] <= now < known[0] + _FRESH and now < known[1].renewed_from:
            return known[1]
        return None

    async def _find(self, ca_key: CaKey, purpose: Purpose, now: datetime) -> Delegate:
        """The newest delegate of the store if it is good for some time yet, else a new one."""
        while True:
            signer = ca_key.signer
            records = [
                one
                for one in await self._store.delegates(signer.authority, purpose)
                if one.generation == signer.number  # a few: two in a life, of which there is one at a time
            ]
            newest: Delegate | None = None
            if records:
                certificate = await self._store.certificate_by_serial(records[-1].serial)
                if certificate is not None and certificate.status is CertificateStatus.PREPARED:
                    # Who recorded it has not signed it, or not yet: the first signature that is recorded counts.
                    lint.check_recorded(certificate, signer)
                    certificate = await sign_recorded(self._store, self._keys, certificate, signer)
                if certificate is not None and _stands(certificate, now):
                    newest = await self._delegate(records[-1], purpose, certificate)
                    if now < newest.renewed_from:
                        return newest
            try:
                return await self._make(ca_key, purpose, records[-1].number + 1 if records else 1, now)
            except Conflict:
                continue  # Another process was faster: its delegate counts, our key is never used.
            except Refused as refused:
                if newest is None:
                    raise
                _log.error("a delegate could not be renewed; the old one stays", purpose=purpose.value, reason=str(refused))
                return newest

    async def _make(self, ca_key: CaKey, purpose: Purpose, number: int, now: datetime) -> Delegate:
        """:raises Conflict: if somebody else has made the delegate of this number."""
        if ca_key.not_after <= now:
            raise Refused(Reason.UNAVAILABLE, _CLAUSE, "the certificate of this CA has expired", got=ca_key.signer.authority)
        rule, signer = _RULES[purpose], ca_key.signer
        kind = self._authorities.configured(signer.authority).key
        reference = f"{signer.authority}-{signer.number}-{purpose.value}-{self._entropy.octets(6).hex()}"
        spki = await self._keys.generate(reference, rule.key or _KIND_OF_CA.get(kind, kind))
        public_key = cast("weak.SigningPublicKey", serialization.load_der_public_key(spki))
        begin = max(now - _BACKDATE, ca_key.certificate.not_valid_before_utc)
        approved = Approved(
            serial=serial_number(self._entropy),
            subject=_subject(signer.subject, rule.common_name),
            names=(),
            public_key=public_key,
            spki=spki,
            key_identifier=key_identifier(spki),
            kind=weak.kind(public_key),
            window=Window(begin, min(now + rule.life, ca_key.not_after)),
            longest=rule.life + _BACKDATE,
            template=rule.template,
        )
        extensions = self._templates[purpose].extensions(
            signer.facts_of(approved.serial), approved.kind, approved.key_identifier, (), empty_subject=False, must_staple=False
        )
        tbs = prepare(approved, extensions, signer)
        lint.check(tbs, approved, signer)
        certificate = Certificate(
            serial=approved.serial,
            authority=signer.authority,
            generation=signer.number,
            profile_id=PROFILE_ID,
            profile_revision=0,
            protocol="",
            request_id=f"{reference}:{purpose.value}",
            identity=f"ca:{signer.authority}",
            subject=approved.subject.rfc4514_string(),
            names=(),
            spki_sha256=hashlib.sha256(spki).digest(),
            not_before=approved.window.not_before,
            not_after=approved.window.not_after,
            tbs=tbs,
            der=None,
            status=CertificateStatus.PREPARED,
            recorded=now,
        )
        record = DelegateRecord(signer.authority, signer.number, purpose.value, number, reference, approved.serial)
        await self._store.add_delegate(record, certificate)
        return await self._delegate(
            record, purpose, await sign_recorded(self._store, self._keys, replace(certificate, version=1), signer)
        )

    async def _delegate(self, record: DelegateRecord, purpose: Purpose, certificate: Certificate) -> Delegate:
        """Read once for each certificate and chain."""
        assert certificate.der is not None
        chain = (await self._authorities.chains(record.authority, record.generation))[0]
        known = self._read.get((record.authority, record.serial))
        if known is not None and known.chain == chain:
            return known
        parsed = x509.load_der_x509_certificate(certificate.der)
        public_key = cast("weak.SigningPublicKey", parsed.public_key())
        spki = parsed.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        ca_key = await self._authorities.generation(record.authority, record.generation)
        hash_name = self._authorities.configured(record.authority).signature_hash
        life = certificate.not_after - certificate.not_before
        # Another one would not live longer than a CA that ends.
        ends_with_ca = certificate.not_after >= ca_key.not_after
        made = Delegate(
            authority=record.authority,
            generation=record.generation,
            purpose=purpose,
            reference=record.key,
            certificate=certificate.der,
            chain=chain,
            subject=parsed.subject,
            serial=certificate.serial,
            public_key=public_key,
            spki=spki,
            key_identifier=key_identifier(spki),
            hash_name=hash_name,
            algorithm=signatures.algorithm(public_key, hash_name),
            not_before=certificate.not_before,
            not_after=certificate.not_after,
            renewed_from=certificate.not_after if ends_with_ca else certificate.not_after - life / 3,
        )
        self._read[record.authority, record.serial] = made
        return made


def _stands(certificate: Certificate, now: datetime) -> bool:
    return certificate.status is CertificateStatus.ISSUED and certificate.not_after > now


def _subject(ca: x509.Name, suffix: str) -> x509.Name:
    """The CA's subject with ``suffix`` behind its last common name, as far as there is room for both."""
    if not suffix:
        return ca
    attributes = list(ca)
    at = next((at for at in reversed(range(len(attributes))) if attributes[at].oid == NameOID.COMMON_NAME), len(attributes))
    found = str(attributes[at].value) if at < len(attributes) else ""
    octets = found.encode()[: _LONGEST_CN - len(suffix) - 1]
    name = f"{octets.decode(errors='ignore')} {suffix}".strip()
    return x509.Name([*attributes[:at], x509.NameAttribute(NameOID.COMMON_NAME, name), *attributes[at + 1 :]])
