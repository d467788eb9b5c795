"""Named faults: one wrong behaviour of this server each, for a lab that wants to know whether a client, or an examiner, notices.

A fault is a change of named steps in a second copy of a protocol's modules (:mod:`privca.faults.copies`); the copy that answers honest
profiles is never touched, and has no trace of faults in it. A profile chooses its faults (``faults = ["acme.nonce.accept-reused"]``), so a
misbehaving server is just another URL. Nothing here is random. Outside the lab this package is not imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from privca.faults.fault import Fault


@cache
def faults() -> Mapping[str, Fault]:
    """Every fault by its name."""
    from privca.faults import acme, cmp, est, pkix, scep, status

    return {fault.name: fault for area in (acme, cmp, est, pkix, scep, status) for fault in area.FAULTS}
