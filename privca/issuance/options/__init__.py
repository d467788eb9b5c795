"""What a profile says of its protocol alone: one module for each protocol."""

from __future__ import annotations

import msgspec


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the configuration: immutable, unknown keys refused."""
