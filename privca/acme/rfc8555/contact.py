"""Contact URLs of an account (RFC 8555 section 7.3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from privca.base.names import email_name
from privca.base.refused import Reason, Refused

_CLAUSE = "RFC 8555 section 7.3"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)


def check(contacts: Sequence[str], maximum: int) -> tuple[str, ...]:
    """The contacts as they may be stored.

    :raises Refused: ``UNSUPPORTED_CONTACT`` for a scheme other than mailto, ``INVALID_CONTACT`` for anything else that is wrong.
    """
    if len(contacts) > maximum:
        raise Refused(
            Reason.INVALID_CONTACT,
            "profile: acme.contacts_maximum",
            "too many contacts",
            expected=f"at most {maximum}",
            got=str(len(contacts)),
        )
    for contact in contacts:
        _check_one(contact)
    return tuple(contacts)


def _check_one(contact: str) -> None:
    match = _SCHEME.fullmatch(contact)
    if match is None:
        raise Refused(Reason.INVALID_CONTACT, _CLAUSE, "a contact is a URL", expected="mailto:", got=repr(contact[:80]))
    scheme, rest = match[1].lower(), match[2]
    if scheme != "mailto":
        raise Refused(
            Reason.UNSUPPORTED_CONTACT,
            _CLAUSE,
            "this kind of contact is not supported",
            expected="mailto:",
            got=f"{scheme[:40]}:",
        )
    if "?" in rest or "#" in rest:
        raise Refused(
            Reason.INVALID_CONTACT, _CLAUSE, "a mailto contact has no hfields (RFC 6068) and no fragment", got=repr(contact[:80])
        )
    address = unquote(rest)
    if "," in address:
        raise Refused(Reason.INVALID_CONTACT, _CLAUSE, "a mailto contact has one address", got=repr(contact[:80]))
    try:
        email_name(address)
    except Refused as refused:
        raise Refused(Reason.INVALID_CONTACT, _CLAUSE, f"not a mail address: {refused.detail}", got=repr(contact[:80])) from None
