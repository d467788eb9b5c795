"""Options of CMP profiles."""

from __future__ import annotations

from privca.issuance.options import Struct


class CmpOptions(Struct, kw_only=True, frozen=True):
    """Options of a CMP profile (RFC 9810 and its companions)."""
