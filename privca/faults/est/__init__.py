"""Faults of EST (RFC 7030, 8951 and 9908), a module for each area."""

from __future__ import annotations

from privca.faults.est import (
    authentication,
    cacerts,
    csrattrs,
    enrollment,
    errors,
    fullcmc,
    linking,
    reenrollment,
    requests,
    serverkeygen,
    template,
)
from privca.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *cacerts.FAULTS,
    *authentication.FAULTS,
    *requests.FAULTS,
    *enrollment.FAULTS,
    *reenrollment.FAULTS,
    *errors.FAULTS,
    *linking.FAULTS,
    *fullcmc.FAULTS,
    *serverkeygen.FAULTS,
    *csrattrs.FAULTS,
    *template.FAULTS,
)
