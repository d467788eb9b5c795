"""Faults of rate limits (RFC 8555 section 6.6)."""

from __future__ import annotations

from privca.faults.acme.naming import fault
from privca.faults.edits import instead

LIMITED = "lab-acme-limited"

FAULTS = (
    fault(
        "limit.malformed",
        "Too many requests are malformed",
        "6.6",
        instead(
            "acme.rfc8555.problem:problem",
            "TABLE[refused.reason]",
            "{**TABLE, Reason.RATE_LIMITED: ('malformed', 429)}[refused.reason]",
        ),
        like=LIMITED,
    ),
    fault(
        "limit.without-retry-after",
        "Who makes too many requests is not told until when",
        "6.6",
        instead("acme.rfc8555.ratelimit:Limits.look", "retry_after=seconds", "retry_after=None"),
        like=LIMITED,
    ),
    fault(
        "limit.without-help",
        "Who makes too many requests is not told where to read about it",
        "6.6",
        instead("acme.rfc8555.ratelimit:Limits.look", "location=self._help", "location=None"),
        like=LIMITED,
    ),
)
