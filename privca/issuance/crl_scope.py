"""Which certificates a CRL speaks of (RFC 5280 section 5): all of a CA, one part of them, or what has changed since a base CRL."""

from __future__ import annotations

import re

import msgspec
from cryptography import x509

_PART = re.compile(r"p([1-9][0-9]{0,3})of([1-9][0-9]{0,3})")
_DELTA = "delta"
MAXIMUM_PARTS = 1024


class Scope(msgspec.Struct, frozen=True):
    """The scope of a CRL: part ``part`` (from 1) of ``parts``; one part is everything. ``delta``: only what has changed since a base.

    Its text stands in URLs, so it says all that it means: ``p3of8`` is the same certificates for ever, however many parts there are now.
    """

    part: int = 1
    parts: int = 1
    delta: bool = False

    def __str__(self) -> str:
        if self.delta:
            return _DELTA
        return f"p{self.part}of{self.parts}" if self.parts > 1 else ""

    def covers(self, serial: bytes) -> bool:
        """Whether a certificate with this serial number is in the scope."""
        return self.parts == 1 or part_of(serial, self.parts) == self.part


COMPLETE = Scope()
DELTA = Scope(delta=True)


def part_of(serial: bytes, parts: int) -> int:
    """The part, from 1, that a certificate belongs to. Serial numbers are random, so that parts are about equal."""
    return int.from_bytes(serial, "big") % parts + 1


def scope_of(serial: bytes, parts: int) -> Scope:
    """The scope whose CRL a certificate points to."""
    return Scope(part_of(serial, parts), parts) if parts > 1 else COMPLETE


def read_scope(text: str) -> Scope | None:
    """The scope that a text names, or None."""
    if text in ("", _DELTA):
        return DELTA if text else COMPLETE
    match = _PART.fullmatch(text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]) or int(match[2]) < 2:
        return None
    return Scope(int(match[1]), int(match[2]))


def issuing_distribution_point(url: str) -> x509.Extension[x509.ExtensionType]:
    """Section 5.2.5: critical, and the very name that the certificates of this part have as distribution point."""
    point = x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier(url)],
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    return x509.Extension(point.oid, True, point)


def delta_indicator(base: int) -> x509.Extension[x509.ExtensionType]:
    """Section 5.2.4: critical, with the number of the CRL that the changes count from."""
    return x509.Extension(x509.DeltaCRLIndicator.oid, True, x509.DeltaCRLIndicator(base))


def freshest(url: str) -> x509.Extension[x509.ExtensionType]:
    """Section 5.2.6: where the delta CRL to a complete one is."""
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
    return x509.Extension(x509.FreshestCRL.oid, False, x509.FreshestCRL([point]))
