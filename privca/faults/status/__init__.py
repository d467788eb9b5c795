"""Faults of OCSP and CRLs (RFC 6960, RFC 9654, RFC 9919, RFC 5280 section 5), a module for each area.

Both are asked of a CA, not of a profile: a fault has URLs of its own (:mod:`privca.faults.status.serving`).
"""

from privca.faults.status import errors, http, lightweight, lists, nonces, responses, scopes, states

FAULTS = (
    *states.FAULTS,
    *errors.FAULTS,
    *nonces.FAULTS,
    *responses.FAULTS,
    *http.FAULTS,
    *lightweight.FAULTS,
    *lists.FAULTS,
    *scopes.FAULTS,
)
