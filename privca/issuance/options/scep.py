"""Options of SCEP profiles."""

from __future__ import annotations

from privca.issuance.options import Struct


class ScepOptions(Struct, kw_only=True, frozen=True):
    """Options of an SCEP profile (RFC 8894)."""
