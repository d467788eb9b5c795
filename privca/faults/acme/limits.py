"""Faults of rate limits and terms of service (RFC 8555 sections 6.6 and 7.3), which profiles have that a lab with faults makes for them."""

from __future__ import annotations

from privca.faults.acme.naming import fault
from privca.faults.edits import instead

LIMITED, TERMS = "lab-acme-limited", "lab-acme-terms"

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
    fault(
        "account.terms-ignored",
        "An account need not agree to the terms of service",
        "7.3",
        instead("acme.rfc8555.account:new", "options.terms_of_service and (not wanted.terms_of_service_agreed)", "False"),
        like=TERMS,
    ),
)
