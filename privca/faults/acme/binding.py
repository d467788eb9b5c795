"""Faults of external account binding (RFC 8555 section 7.3.4)."""

from __future__ import annotations

from privca.faults.acme.naming import fault
from privca.faults.edits import instead, unchecked

FAULTS = (
    fault(
        "binding.not-asked",
        "A binding is announced and not asked for",
        "7.3.4",
        unchecked("acme.rfc8555.account:new", "need an external account binding"),
        like="lab-acme-eab",
    ),
    fault(
        "binding.not-reflected",
        "A verified binding is not reflected",
        "7.3.4",
        instead(
            "acme.rfc8555.account:new", "external_account=None if external is None else bound.decode()", "external_account=None"
        ),
        like="lab-acme-eab",
    ),
    fault(
        "binding.reflected-unverified",
        "A binding that nobody verified is reflected",
        "7.3.4",
        instead(
            "acme.rfc8555.account:new",
            "external_account=None if external is None else bound.decode()",
            "external_account=None if bound == b'null' else bound.decode()",
        ),
    ),
    fault(
        "binding.nonce-accepted",
        "A binding may have a nonce",
        "7.3.4",
        unchecked("acme.rfc8555.binding:verify", "no nonce"),
        like="lab-acme-eab",
    ),
    fault(
        "binding.url-unchecked",
        "The url of a binding is not compared",
        "7.3.4",
        unchecked("acme.rfc8555.binding:verify", "another url"),
        like="lab-acme-eab",
    ),
    fault(
        "binding.mac-unchecked",
        "The MAC of a binding is not verified",
        "7.3.4",
        instead("acme.rfc8555.binding:verify", "key is None or not rfc7515.verifies_mac(jws, key.key)", "key is None"),
        like="lab-acme-eab",
    ),
    fault(
        "binding.always-internal",
        "Every refusal of a binding is an error of the server",
        "6.7",
        instead("acme.rfc8555.problem:problem", "TABLE[refused.reason]", "('serverInternal', 500)"),
        like="lab-acme-eab",
    ),
    fault(
        "binding.payload-unchecked",
        "The key in a binding is not compared",
        "7.3.4",
        unchecked("acme.rfc8555.binding:verify", "for another key"),
        like="lab-acme-eab",
    ),
)
