"""Who is it? Codes, passcodes and certificates (port: ``enrollment.credentials.Credentials``).

A code or passcode that does not verify is refused with one text, after the same look-ups, and never says what was wrong: unknown name,
wrong value, spent, expired, revoked, locked. The local log has the cause. That a name exists is no secret, its value is.

A passcode that was spent goes on authenticating for as long as it lives, or its request waits: EST clients repeat their request, and a
CMP transaction goes on, under the very secret that the request spent. The door grants it nothing but that request.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

import structlog
from cryptography import x509

from privca.base.clock import rfc3339
from privca.base.durations import duration
from privca.base.exchange import Exchange
from privca.base.refused import Reason, Refused
from privca.enrollment.credentials import Secret
from privca.enrollment.door import Identity
from privca.enrollment.ports import EnrollmentStore, Passcode
from privca.enrollment.vendors import VendorAnchors, load
from privca.issuance.ports import Certificate, CertificateStatus
from privca.issuance.profile import Revisioned
from privca.issuance.template import EXTENDED_KEY_USAGES

log = structlog.get_logger("privca.enrollment")
ANONYMOUS = "anonymous"
"""The identity of who presents nothing. It is nobody's: it may not revoke what it asked for."""
_CLAUSE = "profile: authentication"
_NOBODY = b"\0" * 32
"""Compared with where there is no secret, so that this costs the same; not printable, so never a code."""


def no_valid_credential() -> Refused:
    """The one refusal of whatever is wrong with a code or passcode."""
    return Refused(Reason.UNAUTHENTICATED, _CLAUSE, "no valid credential of this profile was presented")


class Authentication:
    """Implements :class:`~privca.enrollment.credentials.Credentials`."""

    def __init__(self, store: EnrollmentStore) -> None:
        self._store = store
        self._anchors: dict[str, tuple[int, VendorAnchors]] = {}

    async def password(self, exchange: Exchange, profile: Revisioned, reference: str | None, value: bytes) -> Identity:
        """The identity of a code or passcode that came in clear. :raises Refused: ``UNAUTHENTICATED``."""
        if reference is None:
            code = await self._store.code_by_value(profile.id, value)
        else:
            code = await self._store.code(profile.id, reference)
        # By a keyed hash of its value even where a name came with it: one that was spent may still ask for its request.
        passcode = await self._store.passcode_by_value(profile.id, value)
        right_code = _same(value, _NOBODY if code is None else code.value)
        right_passcode = _same(value, _NOBODY if passcode is None else passcode.value)
        methods = profile.profile.authentication
        if code is not None and right_code and "code" in methods:
            return Identity("code", f"code:{code.reference}")
        if passcode is None or not right_passcode or "otp" not in methods:
            cause = "unknown name or wrong value"
        elif reference not in (None, passcode.reference):
            cause = "passcode of another name"
        elif self._authenticates(profile, passcode, exchange.now):
            return _of(passcode)
        else:
            cause = f"passcode {passcode.id} is {passcode.state(exchange.now)}"
        await self._refused(exchange, profile, reference, cause)
        raise no_valid_credential()

    async def secrets(self, exchange: Exchange, profile: Revisioned, reference: str) -> Sequence[Secret]:
        """The secrets that belong to a reference: a code, and the passcode that was issued last if it still authenticates."""
        methods = profile.profile.authentication
        code = await self._store.code(profile.id, reference)
        passcode = await self._store.newest_passcode(profile.id, reference)
        found = []
        if code is not None and "code" in methods:
            found.append(Secret("", "code", reference, code.value))
        if passcode is not None and "otp" in methods and self._authenticates(profile, passcode, exchange.now):
            found.append(Secret(passcode.id, "otp", reference, passcode.value))
        if not found:
            state = "" if passcode is None else f", passcode {passcode.id} is {passcode.state(exchange.now)}"
            log.warning("no secret", exchange=exchange.id, profile=profile.id, reference=reference[:64], cause=f"no code{state}")
        return found

    async def proven(self, exchange: Exchange, profile: Revisioned, secret: Secret) -> Identity:
        """The identity of a client whose MAC or digest verified with ``secret``. :raises Refused: ``UNAUTHENTICATED`` if it no longer counts."""
        if secret.method == "code":
            code = await self._store.code(profile.id, secret.reference)
            if code is None or not _same(code.value, secret.value):
                raise no_valid_credential()
            return Identity("code", f"code:{secret.reference}")
        passcode = await self._store.passcode(secret.id)
        if passcode is None or not self._authenticates(profile, passcode, exchange.now):
            raise no_valid_credential()
        return _of(passcode)

    async def failed(self, exchange: Exchange, profile: Revisioned, reference: str) -> None:
        """Count that no secret of this reference verified what a client sent."""
        await self._refused(exchange, profile, reference, "no secret of this name verifies the message")

    async def certificate(
        self, exchange: Exchange, profile: Revisioned, certificate: bytes, others: Sequence[bytes] = ()
    ) -> Identity:
        """The identity of a client that proved possession of the key of ``certificate``. :raises Refused: ``UNAUTHENTICATED``."""
        if "certificate" not in profile.profile.authentication:
            raise Refused(Reason.UNAUTHENTICATED, _CLAUSE, "this profile does not admit by a certificate")
        presented = load(certificate)
        record = await self._own(presented, certificate)
        if record is None:
            return self._vendor(exchange, profile, presented, certificate, others)
        ra = record.authority == profile.profile.issuer and _is_ra(presented)
        if not ra and record.profile_id not in (profile.id, *profile.profile.certificate_profiles):
            raise _not_accepted("certificate_profiles", "certificates of its profile do not authenticate here")
        check_standing(record)
        if not record.not_before <= exchange.now <= record.not_after:
            raise _outside(record.not_before, record.not_after, exchange.now)
        return Identity("certificate", f"certificate:{record.serial.hex()}", certificate=record, ra=ra)

    async def anonymous(self, exchange: Exchange, profile: Revisioned) -> Identity:
        """The identity of a client that presented nothing, where ``approval`` admits it. :raises Refused: ``UNAUTHENTICATED``."""
        if "approval" not in profile.profile.authentication:
            raise no_valid_credential()
        return Identity("approval", ANONYMOUS)

    async def _own(self, presented: x509.Certificate, octets: bytes) -> Certificate | None:
        """The record of a certificate that is ours to the last octet: then its signature is, too."""
        if not 0 < presented.serial_number < 1 << 160:
            return None
        record = await self._store.certificate_by_serial(presented.serial_number.to_bytes(20, "big"))
        return record if record is not None and record.der == octets else None

    def _vendor(
        self, exchange: Exchange, profile: Revisioned, presented: x509.Certificate, octets: bytes, others: Sequence[bytes]
    ) -> Identity:
        if not profile.profile.vendor_anchors:
            raise _not_accepted("certificate_profiles", "the certificate is not one of this CA's")
        if not presented.not_valid_before_utc <= exchange.now <= presented.not_valid_after_utc:
            raise _outside(presented.not_valid_before_utc, presented.not_valid_after_utc, exchange.now)
        known = self._anchors.get(profile.id)
        if known is None or known[0] != profile.revision:
            known = self._anchors[profile.id] = (profile.revision, VendorAnchors(profile.profile.vendor_anchors))
        known[1].check(presented, others, exchange.now)
        return Identity("certificate", f"vendor:{hashlib.sha256(octets).hexdigest()}", vendor=octets)

    def _authenticates(self, profile: Revisioned, passcode: Passcode, now: datetime) -> bool:
        state = passcode.state(now)
        if state == "spent" and passcode.spent is not None:
            return now < max(passcode.expires, passcode.spent + duration(profile.profile.waiting.life))
        return state == "live"

    async def _refused(self, exchange: Exchange, profile: Revisioned, reference: str | None, cause: str) -> None:
        if reference is not None and "otp" in profile.profile.authentication:
            await self._store.count_failure(profile.id, reference)
        log.warning(
            "no valid credential", exchange=exchange.id, profile=profile.id, reference=(reference or "")[:64], cause=cause
        )


def check_standing(record: Certificate) -> None:
    """Refuse a certificate of ours that is revoked or on hold. :raises Refused: ``UNAUTHENTICATED``."""
    if record.status is not CertificateStatus.ISSUED:
        said = {CertificateStatus.REVOKED: "is revoked", CertificateStatus.HELD: "is on hold"}
        raise Refused(
            Reason.UNAUTHENTICATED, "RFC 5280 section 6.1.3", f"the certificate {said.get(record.status, 'was never issued')}"
        )


def _same(one: bytes, other: bytes) -> bool:
    """In a time that tells nothing of the octets, nor of how many they are."""
    return hmac.compare_digest(hashlib.sha256(one).digest(), hashlib.sha256(other).digest())


def _of(passcode: Passcode) -> Identity:
    return Identity("otp", f"otp:{passcode.reference}", passcode=passcode.id)


def _is_ra(certificate: x509.Certificate) -> bool:
    """Whether it has the extended key usage cmcRA (RFC 6402 section 2.10): templates alone give it, never a request."""
    usages = [one.value for one in certificate.extensions if isinstance(one.value, x509.ExtendedKeyUsage)]
    return any(EXTENDED_KEY_USAGES["cmcRA"] in usage for usage in usages)


def _not_accepted(key: str, detail: str) -> Refused:
    return Refused(Reason.UNAUTHENTICATED, f"profile: {key}", detail)


def _outside(not_before: datetime, not_after: datetime, now: datetime) -> Refused:
    return Refused(
        Reason.UNAUTHENTICATED,
        "RFC 5280 section 6.1.3",
        "the certificate is not yet valid" if now < not_before else "the certificate has expired",
        expected=f"a time from {rfc3339(not_before)} to {rfc3339(not_after)}",
        got=rfc3339(now),
    )
