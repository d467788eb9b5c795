"""Faults of answers that come later (RFC 9810 section 5.3.22)."""

from __future__ import annotations

from privca.faults.cmp.naming import DELAYED, fault
from privca.faults.edits import instead, unchecked

_NOTHING = "if not asked:"

FAULTS = (
    fault(
        "polling.delivers-nothing",
        "What comes at last is a pkiConf",
        "5.3.22",
        instead("cmp.rfc9810.delay:deliver", "return reply", "return Reply(messages.Body.PKICONF, b'\\x05\\x00')"),
        profile=DELAYED,
    ),
    fault(
        "polling.any-id",
        "A pollReq may be about any certReqId",
        "5.3.22",
        unchecked("cmp.rfc9810.poll:poll", "no request of this transaction has this certReqId"),
        profile=DELAYED,
    ),
    fault(
        "polling.waiting-is-rejection",
        "Who has to wait is told that the request is rejected",
        "5.3.22",
        instead("cmp.rfc9810.error:waiting", "status.Status.WAITING", "status.Status.REJECTION"),
        profile=DELAYED,
    ),
    fault(
        "polling.waiting-is-acceptance",
        "Who has to wait is told that the request is accepted",
        "5.3.22",
        instead("cmp.rfc9810.certrep:CertResponse.waiting", "Status.WAITING", "Status.ACCEPTED"),
        profile=DELAYED,
    ),
    fault(
        "polling.by-anybody",
        "Whoever knows a transactionID and a nonce gets what waits",
        "5.3.22",
        unchecked("cmp.service:CmpService._check_header", "protected with other credentials"),
        profile=DELAYED,
    ),
    fault(
        "polling.nothing-to-wait-for",
        "Who polls for what was issued is asked to wait",
        "5.3.22",
        instead("cmp.rfc9810.poll:poll", _NOTHING, f"{_NOTHING}\n        return report(ids, 1)\n    {_NOTHING}"),
    ),
)
