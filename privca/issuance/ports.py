"""What the CA needs from the outside: a store that remembers, and keys that sign. The adapters are in ``store`` and ``keys``."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from cryptography import x509

from privca.base.names import Name
from privca.pkix.algorithms import Oaep
from privca.pkix.weak import CertifiedPublicKey


class Requested(Protocol):
    """What a certificate is asked for with, whatever the format: PKCS #10 (:mod:`privca.pkix.rfc2986`) or CRMF. Facts and wishes; the
    format has checked proof of possession and that the key is not weak, policy judges the rest."""

    @property
    def der(self) -> bytes:
        """The octets received."""

    @property
    def subject(self) -> x509.Name:
        """The subject asked for; empty if none is."""

    @property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo as the certificate will hold it."""

    @property
    def public_key(self) -> CertifiedPublicKey:
        """The same as a key."""

    @property
    def names(self) -> tuple[Name, ...]:
        """The subjectAltName in canonical form, in the order of the request, without duplicates."""

    @property
    def extensions(self) -> tuple[x509.Extension[x509.ExtensionType], ...]:
        """The extensions asked for, subjectAltName included."""


class GenerationRole(enum.StrEnum):
    """Which key of a CA this is. A CA has at most one of each role that issues; older ones stay as ``retired`` for status and chains."""

    PREVIOUS = "previous"
    CURRENT = "current"
    NEXT = "next"
    RETIRED = "retired"


class Generation(msgspec.Struct, frozen=True):
    """One key of a CA with its certificates.

    ``certificate`` is its own certificate (self-signed for a root, signed by the parent otherwise). ``new_with_old`` and
    ``old_with_new`` are the cross certificates of a rollover (RFC 4210 section 4.4), DER, or None. ``key`` is the reference that the
    key adapter understands. ``number`` counts from 1.
    """

    authority: str
    number: int
    role: GenerationRole
    key: str
    certificate: bytes
    new_with_old: bytes | None
    old_with_new: bytes | None
    created: datetime
    version: int = 0


class CertificateStatus(enum.StrEnum):
    """What the store knows of a certificate. ``expired`` is derived from the time, never stored."""

    PREPARED = "prepared"
    """Its TBS is recorded; it may or may not have been signed."""
    ISSUED = "issued"
    REVOKED = "revoked"
    HELD = "held"


class RevocationReason(enum.IntEnum):
    """CRLReason of RFC 5280 section 5.3.1; 7 is unused there."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    CA_COMPROMISE = 2
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    CERTIFICATE_HOLD = 6
    REMOVE_FROM_CRL = 8
    PRIVILEGE_WITHDRAWN = 9
    AA_COMPROMISE = 10


class Certificate(msgspec.Struct, frozen=True):
    """The record of one certificate, from its prepared TBS on.

    ``request_id`` names the request that it answers, unique within the profile: a request that is submitted twice finds its
    certificate. ``serial`` is 20 octets big-endian. ``der`` is None until it is signed. ``spki_sha256`` finds certificates by key.
    ``identity`` tells who asked, as ``acme:ACCOUNT``. ``revoked_by`` tells who revoked.
    """

    serial: bytes
    authority: str
    generation: int
    profile_id: str
    profile_revision: int
    protocol: str
    request_id: str
    identity: str
    subject: str
    names: tuple[Name, ...]
    spki_sha256: bytes
    not_before: datetime
    not_after: datetime
    tbs: bytes
    der: bytes | None
    status: CertificateStatus
    recorded: datetime
    revoked_at: datetime | None = None
    reason: RevocationReason | None = None
    revoked_by: str = ""
    invalidity_date: datetime | None = None
    version: int = 0


class CertificateState(msgspec.Struct, frozen=True):
    """What OCSP needs of a record, and no more; ``version`` changes with every change of it."""

    authority: str
    generation: int
    status: CertificateStatus
    not_after: datetime
    revoked_at: datetime | None
    reason: RevocationReason | None
    invalidity_date: datetime | None
    version: int


class RevokedEntry(msgspec.Struct, frozen=True):
    """One line of a CRL."""

    serial: bytes
    revoked_at: datetime
    reason: RevocationReason
    invalidity_date: datetime | None


class RevokedPage(msgspec.Struct, frozen=True):
    """Some lines of a CRL, in no particular order, and where the following ones begin: None if there are none."""

    entries: Sequence[RevokedEntry]
    next: tuple[int, int] | None


class CrlRecord(msgspec.Struct, frozen=True):
    """A CRL that was signed, and whose number is never given again (RFC 5280 section 5.2.3)."""

    authority: str
    generation: int
    number: int
    this_update: datetime
    next_update: datetime
    der: bytes
    scope: str = ""
    """Which certificates it speaks of (:class:`privca.issuance.crl_scope.Scope` as text)."""
    count: int = 0
    """The count of revocations that it was made from, or a later one."""


class CrlMark(msgspec.Struct, frozen=True):
    """What a CRL says of itself, without its megabytes."""

    number: int
    this_update: datetime
    next_update: datetime
    count: int


class CrlBase(msgspec.Struct, frozen=True):
    """A complete CRL that delta CRLs count from (RFC 5280 section 5.2.4): it has all changes up to ``count``."""

    number: int
    this_update: datetime
    count: int


class RevocationChange(msgspec.Struct, frozen=True):
    """That the revocation of a certificate changed, as the ``count``-th change of its CA; the other fields tell how it is now:
    ``revoked_at`` is None if it is neither revoked nor on hold."""

    count: int
    serial: bytes
    revoked_at: datetime | None
    reason: RevocationReason | None
    invalidity_date: datetime | None


class DelegateRecord(msgspec.Struct, frozen=True):
    """A certificate that one key of a CA issued to the CA itself for a purpose. ``key`` is the reference of its private key; ``number``
    counts from 1 for each purpose of each key: the highest is the one in use."""

    authority: str
    generation: int
    purpose: str
    number: int
    key: str
    serial: bytes


class Conflict(Exception):
    """A record was changed by somebody else since it was read, or a unique key is taken: read again and decide again."""


class Spent(Exception):
    """A passcode cannot be spent: it was spent, revoked or locked, or has expired."""


class IssuanceStore(Protocol):
    """The CA's memory. Each call is one transaction; what it has returned from survives a kill -9."""

    async def generations(self, authority: str) -> Sequence[Generation]:
        """All generations of a CA, oldest first; empty if the CA is unknown."""

    async def save_generations(self, generations: Sequence[Generation]) -> None:
        """Insert (version 0) or update (by version) all of them in one transaction; each is stored with its version + 1. :raises Conflict:"""

    async def add_certificate(self, certificate: Certificate, *, spends: str = "", approval: str = "") -> None:
        """Record a prepared certificate (version 0; it is stored as version 1).

        :param spends: ID of the passcode that its request spends, in the same transaction.
        :param approval: ID of the waiting request that it answers, which must be approved in the same transaction.
        :raises Conflict: if serial, or profile and request ID, are taken, or the request is not approved (any longer).
        :raises Spent: if the passcode cannot be spent.
        """

    async def update_certificate(self, certificate: Certificate) -> None:
        """Replace the record by serial if its version is still ``certificate.version``, and add 1. :raises Conflict:"""

    async def certificate_by_serial(self, serial: bytes) -> Certificate | None:
        """The record of a serial number."""

    async def certificate_state(self, serial: bytes) -> CertificateState | None:
        """The state of the record of a serial number."""

    async def certificate_by_request(self, profile_id: str, request_id: str) -> Certificate | None:
        """The record of a request."""

    async def certificates_by_key(self, spki_sha256: bytes, limit: int = 16) -> Sequence[Certificate]:
        """Records by the SHA-256 of their SubjectPublicKeyInfo, the newest first."""

    async def delegates(self, authority: str, purpose: str) -> Sequence[DelegateRecord]:
        """The delegates of all keys of a CA for a purpose, by generation and number."""

    async def add_delegate(self, record: DelegateRecord, certificate: Certificate) -> None:
        """Record a delegate and its prepared certificate in one transaction. :raises Conflict: if its number is taken."""

    async def certificates(
        self, *, profile_id: str | None = None, after: bytes | None = None, limit: int = 100
    ) -> Sequence[Certificate]:
        """Records in order of recording, for listing."""

    async def revoked(self, authority: str, at: datetime, after: tuple[int, int] | None = None, limit: int = 1000) -> RevokedPage:
        """Revoked and held certificates by all keys of a CA that have not expired at ``at``, by pages: one call reads a bounded number.

        :param after: ``next`` of the page before.
        """

    async def revocation_count(self, authority: str) -> int:
        """A number that changes with every change of revocation of this CA: tells whether a CRL is stale."""

    async def revocation_changes(self, authority: str, after: int, limit: int) -> Sequence[RevocationChange]:
        """Changes of revocation behind the ``after``-th one, in their order."""

    async def newest_crl(self, authority: str, generation: int, scope: str = "") -> CrlRecord | None:
        """The CRL with the highest number by one key of a CA and of one scope."""

    async def newest_crl_mark(self, authority: str, generation: int | None = None, scope: str = "") -> CrlMark | None:
        """The mark of the CRL with the highest number by one key of a CA and of one scope; without a key, by any and of any."""

    async def crl_bases(self, authority: str, generation: int) -> Sequence[CrlBase]:
        """The CRLs by one key that delta CRLs may count from, oldest first."""

    async def add_crl(self, record: CrlRecord, *, bases_from: datetime | None = None) -> None:
        """Record a signed CRL before anybody sees it; older ones by its key and of its scope need not be kept.

        :param bases_from: if given, this CRL is a base for delta CRLs, bases that are older than that are forgotten, and so may be the
            changes that no base of the CA needs any longer.
        :raises Conflict: if the CA has given its number, or a higher one.
        """


class Keys(Protocol):
    """Private keys by reference. The keys themselves never come out.

    Whatever is wrong with a ciphertext or a peer's key is one refusal, ``MALFORMED`` by ``keys: decipherment``, which tells nothing.
    """

    async def generate(self, reference: str, kind: str) -> bytes:
        """Make a key of a kind of ``CertificateAuthority.key``, P-521, X25519, ML-KEM-768 or ML-KEM-1024 under a new reference; its
        SubjectPublicKeyInfo as DER."""

    async def public_key(self, reference: str) -> bytes:
        """SubjectPublicKeyInfo as DER."""

    def sign(self, reference: str, message: bytes, hash_name: str) -> Awaitable[bytes]:
        """Sign ``message``: ECDSA or RSA PKCS#1 v1.5 with ``hash_name`` (sha256, sha384, sha512; RSA also md5, sha1 and sha224);
        Ed25519 and ML-DSA ignore it."""

    def decrypt(self, reference: str, ciphertext: bytes, oaep: Oaep | None = None) -> Awaitable[bytes]:
        """Decrypt with an RSA key: RSAES-OAEP, or without its parameters RSAES-PKCS1-v1_5, where a padding that is wrong gives octets
        that nobody can foresee (implicit rejection) and no refusal: who asked has to notice by what they decipher.

        :raises Refused: ``MALFORMED``.
        """

    def agree(self, reference: str, peer: bytes) -> Awaitable[bytes]:
        """The secret shared with a peer's public key (SubjectPublicKeyInfo, DER) on the same curve: ECDH or X25519, no key derivation.

        :raises Refused: ``MALFORMED``.
        """

    def decapsulate(self, reference: str, ciphertext: bytes) -> Awaitable[bytes]:
        """The shared secret of an ML-KEM ciphertext. :raises Refused: ``MALFORMED``."""
