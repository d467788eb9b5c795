"""Faults of what is encrypted in a request (RFC 8894 section 3.2.2)."""

from __future__ import annotations

from privca.faults.edits import instead, unchecked
from privca.faults.scep.naming import fault

FAULTS = (
    fault(
        "envelope.unreadable-bad-cert-id",
        "What cannot be opened is refused with badCertId",
        "3.2.1.4",
        instead("scep.rfc8894.envelope:unreadable", "Reason.MALFORMED", "Reason.UNKNOWN_CERTIFICATE"),
    ),
    fault(
        "envelope.any-recipient",
        "Whom a message is encrypted for is not looked at",
        "3.1",
        instead(
            "scep.rfc8894.parties:_recipient",
            "enveloped.recipient(party.named)",
            "next((one for one in enveloped.recipients if isinstance(one, KeyTransport)), None)",
        ),
    ),
    fault(
        "envelope.content-type-unchecked",
        "The contentType of what is encrypted may be any",
        "3.2.2",
        unchecked("scep.rfc8894.envelope:_decrypted", "the encrypted content is not data"),
    ),
    fault(
        "envelope.cleartext-accepted",
        "A PKCS #10 that nobody encrypted is accepted",
        "3.1",
        instead(
            "scep.rfc8894.enrollment:enroll",
            "await envelope.opened(",
            "rfc2986.parse(message.envelope) if addressed.enveloped is None else await envelope.opened(",
        ),
        instead("scep.rfc8894.cert_rep:success", "used = cipher if", "used = cipher or 'aes128' if"),
    ),
    fault(
        "envelope.cause-told",
        "The reply tells why an envelope could not be opened, which tells what is in it",
        "3.2.2",
        instead("scep.rfc8894.envelope:opened", "raise unreadable() from None", "raise"),
    ),
)
