"""Lints: what RFC 5280 demands of a thing that was issued, one requirement or two sentences of the same at a time.

A lint says what is wrong with one certificate, CRL or OCSP response (nothing: the rule holds), or that the rule does not concern it. Importing
a module of :mod:`conformance.pkix.lints` registers its lints; each becomes a case (:mod:`conformance.pkix.cases`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from conformance.examination import Kind

Found = Sequence[str] | None
"""What is wrong; None: the rule does not concern this one."""
Judge = Callable[[Any, Any], Found]
"""Judges a thing (``Certificate``, ``RevocationList``, or octets) among everything that was seen (:class:`~conformance.pkix.seen.Seen`)."""
J_ = TypeVar("J_", bound=Judge)

_KINDS = {"certificate": Kind.CERTIFICATE, "crl": Kind.CRL, "ocsp": Kind.OCSP_RESPONSE}


@dataclass(frozen=True, slots=True)
class Lint:
    """One lint. ``raw``: it judges the octets, whether or not they can be read."""

    id: str
    title: str
    covers: tuple[str, ...]
    judge: Judge
    kills: tuple[str, ...]
    raw: bool

    @property
    def kind(self) -> Kind:
        """What it judges."""
        return _KINDS[self.id.split(".")[1]]


LINTS: dict[str, Lint] = {}


def lint(name: str, *covers: str, kills: Sequence[str] = (), raw: bool = False) -> Callable[[J_], J_]:
    """Declare a function to be a lint. Its docstring is the title.

    :param name: without ``pkix.``: ``certificate.serial-positive``.
    :param covers: as ``4.1.2.2#positive`` of RFC 5280, or with the RFC in front.
    :param kills: the faults that it notices, without ``pkix.``.
    """

    def declare(judge: J_) -> J_:
        id = f"pkix.{name}"
        assert id not in LINTS, id
        title = " ".join((judge.__doc__ or "").split())
        full = tuple(one if ":" in one else f"rfc5280:{one}" for one in covers)
        LINTS[id] = Lint(id, title, full, judge, tuple(f"pkix.{one}" for one in kills), raw)
        return judge

    return declare
