"""Faults of CSR attributes (RFC 7030 section 4.5, RFC 8951 section 4, RFC 9908 section 3.2)."""

from __future__ import annotations

from privca.faults.edits import ending, instead
from privca.faults.est.naming import fault, with_body, with_status, with_type
from privca.faults.fault import Fault

_SHOW, _ENTRIES = "est.rfc7030.csrattrs:show", "est.csrattrs:entries"
_STRICT = "lab-est-strict"
_REQUEST = "next(one for one in result if one.oid == '1.2.840.113549.1.9.14')"


def _listing(name: str, title: str, statement: str) -> Fault:
    """A list that was changed. :param statement: has the list as ``result``, and the extension request in it as ``request``."""
    return fault(
        f"csrattrs.{name}",
        title,
        "RFC 9908 section 3.2",
        ending(_ENTRIES, f"request = {_REQUEST}\nothers = [one for one in result if one is not request]\nresult = {statement}"),
        like=_STRICT,
    )


FAULTS = (
    fault("csrattrs.status-201", "CSR attributes come with 201", "4.5.2", with_status(_SHOW, 201), like=_STRICT),
    fault(
        "csrattrs.media-type-wrong",
        "CSR attributes come as certificates would",
        "4.5.2",
        with_type(_SHOW, "application/pkcs7-mime"),
        like=_STRICT,
    ),
    fault(
        "csrattrs.raw-der",
        "CSR attributes are DER without base64",
        "RFC 8951 section 4",
        with_body(_SHOW, "__import__('binascii').a2b_base64(result.body)"),
        like=_STRICT,
    ),
    fault(
        "csrattrs.one-attribute-bare",
        "The first CSR attribute comes without a list around it",
        "RFC 8951 section 4",
        instead(
            _SHOW,
            "transfer.encode(rfc8951.encode(found))",
            "transfer.encode(rfc8951.oid(found[0].oid) if found[0].values is None else rfc8951.attribute(found[0].oid, found[0].values))",
        ),
        like=_STRICT,
    ),
    fault(
        "csrattrs.needs-authentication",
        "CSR attributes are for those who have a password",
        "4.5",
        instead(
            _SHOW,
            "found = csrattrs.entries(call.profile)",
            "found = csrattrs.entries(call.profile)\n    if 'authorization' not in call.request.headers:\n        return Response(401)",
        ),
        like=_STRICT,
    ),
    fault(
        "csrattrs.challenge-password-missing",
        "Linking is required, and the CSR attributes do not say so",
        "4.5.2",
        instead(_ENTRIES, "options.channel_binding == 'required'", "False"),
        like=_STRICT,
    ),
    _listing(
        "extension-by-itself",
        "An extension stands by its own OID",
        "[*result, Entry('2.5.29.15', (bytes.fromhex('03020388'),))]",
    ),
    _listing("two-extension-requests", "Extensions are requested by two attributes", "[*result, request]"),
    _listing(
        "two-extensions-values",
        "An extension request has two values",
        "[*others, Entry(request.oid, (*request.values, request.values[0][:-1] + b'\\x80'))]",
    ),
    _listing(
        "extension-twice",
        "An extension is requested twice",
        "[*others, Entry(request.oid, (bytes([48, 2 * request.values[0][1]]) + 2 * request.values[0][2:],))]",
    ),
    _listing("two-kinds-of-key", "Two kinds of key are asked for", "[*result, Entry('1.2.840.113549.1.1.1', ())]"),
    _listing(
        "curve-in-words",
        "A curve is named in words",
        "[Entry(one.oid, (b'\\x0c\\x05P-256',)) if one.is_key else one for one in result]",
    ),
)
