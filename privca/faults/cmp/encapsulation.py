"""Faults of protection by a KEM (RFC 9810 section 5.1.3.4)."""

from __future__ import annotations

from privca.faults.cmp.naming import fault
from privca.faults.edits import instead

_COMPUTE = "cmp.protection.kem:KemMac.compute"

FAULTS = (
    fault(
        "kem.mac-unchecked",
        "Any KEM-based MAC verifies",
        "5.1.3.4",
        instead(
            "cmp.protection.authentication:Authentication._by_kem",
            "hmac.compare_digest(computed, message.protection or b'')",
            "True",
        ),
    ),
    fault(
        "kem.other-static-string",
        "The key is made with another string",
        "5.1.3.4",
        instead(_COMPUTE, "free_text([_STATIC])", "free_text(['KEM'])"),
    ),
    fault("kem.key-too-short", "The key has an octet less", "5.1.3.4", instead(_COMPUTE, "self.length", "self.length - 1")),
    fault(
        "kem.ciphertext-reused",
        "A certificate gets the same ciphertext each time",
        "8.8",
        instead(
            "cmp.protection.kem:encapsulate",
            "key.encapsulate()",
            "encapsulate.__dict__.setdefault(certificate.hex(), key.encapsulate())",
        ),
    ),
)
