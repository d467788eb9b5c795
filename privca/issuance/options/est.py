"""Options of EST profiles."""

from __future__ import annotations

from privca.issuance.options import Struct


class EstOptions(Struct, kw_only=True, frozen=True):
    """Options of an EST profile (RFC 7030 and its companions)."""
