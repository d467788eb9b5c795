"""Faults of linking identity and proof of possession (RFC 7030 section 3.5)."""

from __future__ import annotations

from privca.faults.edits import instead
from privca.faults.est.naming import fault

_CHECK = "est.rfc7030.linking:check"
_FAILED = (
    "'linking of identity and proof of possession failed: the challengePassword is not the channel binding of this connection', "
    "expected=f'{kind} in base64, or no challengePassword'"
)
_MISSING = (
    "'linking of identity and proof of possession is required: the CSR has no challengePassword', "
    "expected='the channel binding of this TLS connection, in base64'"
)

FAULTS = (
    fault("linking.unverified", "A channel binding is not verified", "3.5", instead(_CHECK, "demanded == 'ignore'", "True")),
    fault(
        "linking.unverified-in-renewal",
        "The channel binding of a renewal is not verified",
        "3.5",
        instead(
            "est.rfc7030.simplereenroll:reenroll",
            "linking.check(call, identity, csr.challenge_password)",
            "None",
        ),
    ),
    fault(
        "linking.refused",
        "The right channel binding is taken for a wrong one",
        "3.5",
        instead(_CHECK, "if not hmac.compare_digest", "if hmac.compare_digest"),
    ),
    fault(
        "linking.unexplained",
        "A wrong channel binding is a bad request, and nothing more is said",
        "3.5",
        instead(_CHECK, _FAILED, "'no'"),
    ),
    fault(
        "linking.demand-without-words",
        "A missing channel binding is a bad request, and nothing more is said",
        "3.5",
        instead(_CHECK, _MISSING, "'no'"),
        like="lab-est-strict",
    ),
)
