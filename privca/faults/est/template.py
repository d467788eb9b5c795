"""Faults of the template for a CSR (RFC 9908 section 3.4)."""

from __future__ import annotations

from privca.faults.edits import Edit, ending, instead
from privca.faults.est.naming import fault as named
from privca.faults.fault import Fault

_ENCODE, _KEY, _ATTRIBUTES = "est.rfc9908:encode", "est.rfc9908:_key", "est.rfc9908:_attributes"


def fault(name: str, title: str, *edits: Edit) -> Fault:
    """A fault of the profile that has a template."""
    return named(f"template.{name}", title, "RFC 9908 section 3.4", *edits, like="lab-est-strict")


FAULTS = (
    fault("version-2", "The version is 1", ending(_ENCODE, "result = result.replace(_VERSION, b'\\x02\\x01\\x01', 1)")),
    fault(
        "empty-subject",
        "A subject is there with nothing in it",
        instead(_ENCODE, "der.tlv(_SEQUENCE, *subject) if subject else b''", "der.tlv(_SEQUENCE)"),
    ),
    fault(
        "empty-value",
        "What the client fills in is an empty string",
        instead(
            _ENCODE,
            "_value(one.type, one.value) if one.value else b''",
            "_value(one.type, one.value) if one.value else b'\\x0c\\x00'",
        ),
    ),
    fault(
        "public-key-of-nobody",
        "An elliptic curve comes with a public key",
        ending(_KEY, "result = der.tlv(160, *der.children(result, clause=''), der.tlv(3, b'\\x00\\x04'))"),
    ),
    fault("key-without-algorithm", "A key is there without its algorithm", ending(_KEY, "result = der.tlv(160)")),
    fault(
        "rsa-placeholder-empty",
        "The size of an RSA key is an empty public key",
        ending(
            _KEY,
            "result = der.tlv(160, der.tlv(48, rfc8951.oid(rfc8951.RSA_ENCRYPTION), _NULL), der.tlv(3, b'\\x00'))",
        ),
    ),
    fault(
        "both-kinds-of-extensions",
        "Extensions are in two attributes",
        ending(
            _ATTRIBUTES,
            "result = [*result, rfc8951.attribute(EXTENSION_REQUEST.dotted_string, [bytes.fromhex('3010300e0603551d0f0101ff040403020388')])]",
        ),
    ),
    fault(
        "two-values",
        "The attribute for extensions has two values",
        instead(_ATTRIBUTES, "[sequence]", "[sequence, sequence[:-1] + b'\\x80']"),
    ),
    fault(
        "template-for-whole-extensions",
        "Extensions without blanks are in the attribute for those with blanks",
        instead(
            _ATTRIBUTES,
            "if not extensions:",
            "extensions = tuple(one for one in extensions if one.value)\n    if not extensions:",
        ),
        instead(
            _ATTRIBUTES, "EXTENSION_REQUEST.dotted_string if whole else EXTENSION_REQUEST_TEMPLATE", "EXTENSION_REQUEST_TEMPLATE"
        ),
    ),
)
