"""Faults of renewal information (RFC 9773)."""

from __future__ import annotations

from privca.faults.acme.naming import fault
from privca.faults.edits import instead, unchecked

FAULTS = (
    fault(
        "renewal.window-reversed",
        "The window ends before it begins",
        "RFC 9773 section 4.2",
        instead(
            "acme.rfc9773:show", "SuggestedWindow(rfc3339(start), rfc3339(end))", "SuggestedWindow(rfc3339(end), rfc3339(start))"
        ),
    ),
    fault(
        "renewal.padding-accepted",
        "Identifiers may be padded",
        "RFC 9773 section 4.1",
        instead(
            "acme.rfc9773:show",
            "record = await find(core, profile, text, CLAUSE, shared=shared)",
            "record = await find(core, profile, text.replace('=', ''), CLAUSE, shared=shared)",
        ),
    ),
    fault(
        "renewal.replaces-ignored",
        "replaces is not reflected",
        "RFC 9773 section 5",
        instead("acme.rfc8555.order:object_of", "replaces=order.replaces", "replaces=None"),
    ),
    fault(
        "renewal.replaced-twice",
        "A certificate is replaced any number of times",
        "RFC 9773 section 5",
        unchecked("acme.rfc9773:replacement", "replaces this certificate already"),
    ),
    fault(
        "renewal.unknown-error",
        "An order that replaces an unknown certificate is an error of the server",
        "RFC 9773 section 5",
        instead(
            "acme.rfc9773:replacement",
            "Reason.MALFORMED, _REPLACES, 'replaces names no certificate of this profile'",
            "Reason.INTERNAL, _REPLACES, 'replaces names no certificate of this profile'",
        ),
    ),
    fault(
        "renewal.replaces-of-others",
        "An order may replace the certificate of another account",
        "RFC 9773 section 5",
        unchecked("acme.rfc9773:replacement", "issued to another account"),
    ),
)
