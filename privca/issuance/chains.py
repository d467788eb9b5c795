"""Certification paths from a CA key upwards (RFC 5280 section 6), found over all certificates of a CA and the CAs above it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from privca.issuance.ca_key import CaKey, issuer_key_identifier


@dataclass(frozen=True, slots=True)
class _Step:
    """A certificate of one key by another; they are the same for a root."""

    der: bytes
    signed_by: bytes
    not_after: datetime


class Chains:
    """The certificates of a line of CAs by the key that they certify, own certificates before cross certificates."""

    def __init__(self, line: Iterable[Sequence[CaKey]]) -> None:
        self._steps: dict[bytes, list[_Step]] = {}
        crossed: list[bytes] = []
        for keys in line:
            for key in keys:
                self._add(key.generation.certificate, key.certificate)
                crossed += [der for der in (key.generation.new_with_old, key.generation.old_with_new) if der is not None]
        for der in crossed:
            self._add(der, x509.load_der_x509_certificate(der))

    def _add(self, der: bytes, certificate: x509.Certificate) -> None:
        subject = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        step = _Step(der, issuer_key_identifier(certificate), certificate.not_valid_after_utc)
        self._steps.setdefault(subject, []).append(step)

    def above(self, key_identifier: bytes, now: datetime) -> list[tuple[bytes, ...]]:
        """One path for every root key that can be reached at ``now``, by the shortest way, the key's own root first.

        The default stays even after a certificate in it expired: there is nothing better to send.
        """
        found: dict[bytes, tuple[bytes, ...]] = {}
        for root, path in self._paths(key_identifier, (), frozenset()):
            current = all(step.not_after > now for step in path)
            if not found or (current and (root not in found or len(path) < len(found[root]))):
                found[root] = tuple(step.der for step in path)
        return list(found.values())

    def _paths(self, key: bytes, path: tuple[_Step, ...], seen: frozenset[bytes]) -> Iterable[tuple[bytes, tuple[_Step, ...]]]:
        for step in self._steps.get(key, ()):
            if step.signed_by == key:
                yield key, (*path, step)
            elif step.signed_by not in seen:
                yield from self._paths(step.signed_by, (*path, step), seen | {key})
