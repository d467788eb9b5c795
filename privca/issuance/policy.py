"""What a profile allows of keys and validity. Everything is compiled once per profile revision; a judgement is a few comparisons."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from privca.base.clock import rfc3339
from privca.base.durations import duration
from privca.base.refused import Reason, Refused
from privca.issuance.profile import Profile
from privca.pkix import weak


class KeyPolicy:
    """Which kinds and sizes of keys a profile certifies (``keys``, ``rsa_minimum``, ``rsa_maximum``)."""

    def __init__(self, profile: Profile) -> None:
        self._kinds = frozenset(profile.keys)
        self._minimum = profile.rsa_minimum
        self._maximum = profile.rsa_maximum

    def check(self, public_key: PublicKeyTypes) -> str:
        """The kind of the key. Weakness is judged where the request is parsed, not here.

        :raises Refused: ``BAD_PUBLIC_KEY``.
        """
        kind = weak.kind(public_key)
        if kind not in self._kinds:
            raise Refused(
                Reason.BAD_PUBLIC_KEY,
                "profile: keys",
                "this profile does not certify keys of this kind",
                expected=" or ".join(sorted(self._kinds)),
                got=kind,
            )
        if kind == "RSA" and not self._minimum <= weak.bits(public_key) <= self._maximum:
            raise Refused(
                Reason.BAD_PUBLIC_KEY,
                "profile: rsa_minimum" if weak.bits(public_key) < self._minimum else "profile: rsa_maximum",
                "this profile does not certify RSA keys of this size",
                expected=f"{self._minimum} to {self._maximum} bits",
                got=f"{weak.bits(public_key)} bits",
            )
        return kind


class Window(msgspec.Struct, frozen=True):
    """From when until when a certificate is valid, both seconds included (RFC 5280 section 4.1.2.5)."""

    not_before: datetime
    not_after: datetime


class ValidityPolicy:
    """When certificates of a profile begin and end (``validity``, ``backdate``)."""

    def __init__(self, profile: Profile) -> None:
        self._validity = duration(profile.validity)
        self._backdate = duration(profile.backdate)

    def window(
        self,
        now: datetime,
        ca_not_after: datetime,
        not_before: datetime | None,
        not_after: datetime | None,
        asked: datetime | None = None,
    ) -> Window:
        """The validity for a request with these wishes. Without a wish for its end a certificate is cut at the end of its CA.

        :param asked: when the wishes were accepted, if that was earlier: a notBefore that was no backdating then is none now.
        :param ca_not_after: when the CA certificate ends: no certificate outlives it.
        :raises Refused: ``BAD_VALIDITY`` for a wish that is out of order or out of bounds, ``UNAVAILABLE`` if the CA has ended.
        """

        def refuse(clause: str, detail: str, expected: str, got: datetime) -> Refused:
            return Refused(Reason.BAD_VALIDITY, clause, detail, expected=expected, got=rfc3339(got))

        if ca_not_after <= now:
            raise Refused(Reason.UNAVAILABLE, "RFC 5280 section 6.1.3", "the CA certificate of this profile has expired")
        begin = now - self._backdate if not_before is None else not_before
        if not_before is None and not_after is not None:
            # Who asks for an end that is the whole validity away from now can have it: backdating is ours to leave out.
            begin = min(now, max(begin, not_after - self._validity))
        earliest, latest = (asked or now) - self._backdate, (asked or now) + self._validity
        if not_before is not None and not earliest <= not_before <= latest:
            raise refuse(
                "profile: backdate" if not_before < earliest else "profile: validity",
                "notBefore is too far from now",
                f"{rfc3339(earliest)} to {rfc3339(latest)}",
                not_before,
            )
        end = min(begin + self._validity - timedelta(seconds=1), ca_not_after) if not_after is None else not_after
        if end <= begin or end <= now:
            raise refuse(
                "RFC 5280 section 4.1.2.5",
                "notAfter is not after notBefore and now",
                f"later than {rfc3339(max(begin, now))}",
                end,
            )
        if end > ca_not_after:
            raise refuse(
                "RFC 5280 section 6.1.3",
                "notAfter is later than the end of the CA certificate",
                f"at most {rfc3339(ca_not_after)}",
                end,
            )
        if end - begin > self._validity:
            raise refuse(
                "profile: validity",
                "the validity is longer than this profile gives",
                f"notAfter at most {rfc3339(begin + self._validity)}",
                end,
            )
        return Window(begin, end)
