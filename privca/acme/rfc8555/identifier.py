"""Identifiers of requests (RFC 8555 sections 7.1.3, 7.1.4 and 9.7.7; RFC 8738)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from privca.acme.rfc8555.call import Call
from privca.base.names import Name, NameKind, dns_name, ip_name
from privca.base.refused import Reason, Refused


class Wanted(msgspec.Struct, frozen=True):
    """An identifier object."""

    type: str
    value: str


_READERS: dict[str, tuple[NameKind, Callable[[str], Name]]] = {"dns": (NameKind.DNS, dns_name), "ip": (NameKind.IP, ip_name)}


def names_of(call: Call, wanted: Sequence[Wanted], clause: str) -> tuple[Name, ...]:
    """The names that are asked for, in order, without duplicates; syntax, kind and the profile's name policy checked.

    :raises Refused: with one part for each identifier that fails (section 6.7.1).
    """
    maximum = call.profile.profile.names.maximum
    if not wanted:
        raise Refused(Reason.MALFORMED, clause, "identifiers is empty")
    if len(wanted) > maximum:
        raise Refused(
            Reason.REJECTED_IDENTIFIER,
            "profile: names.maximum",
            "too many identifiers",
            expected=f"at most {maximum}",
            got=str(len(wanted)),
        )
    names: dict[Name, None] = {}
    failures: list[Refused] = []
    for identifier in wanted:
        try:
            names[_name(identifier, call.profile.template.names)] = None
        except Refused as refused:
            failures.append(refused)
    if failures:
        raise together(failures, clause)
    found = tuple(names)
    call.core.door.check_names(call.profile, found)
    return found


def together(failures: Sequence[Refused], clause: str) -> Refused:
    """One refusal for several: of their reason if they share one, else ``COMPOUND``."""
    reasons = {failure.reason for failure in failures}
    reason = reasons.pop() if len(reasons) == 1 else Reason.COMPOUND
    detail = f"{len(failures)} of the identifiers are refused" if len(failures) > 1 else failures[0].detail
    return Refused(reason, failures[0].clause if len(failures) == 1 else clause, detail, parts=failures)


def _name(wanted: Wanted, kinds: Sequence[str]) -> Name:
    if wanted.type not in _READERS or wanted.type not in kinds:
        offered = " or ".join(kind for kind in _READERS if kind in kinds)
        raise Refused(
            Reason.UNSUPPORTED_IDENTIFIER,
            "RFC 8555 section 9.7.7",
            "this type of identifier is not certified here",
            expected=offered,
            got=repr(wanted.type[:40]),
            name=_as_given(wanted),
        )
    try:
        return _READERS[wanted.type][1](wanted.value)
    except Refused as refused:
        raise Refused(
            refused.reason, refused.clause, refused.detail, expected=refused.expected, got=refused.got, name=_as_given(wanted)
        ) from None


def _as_given(wanted: Wanted) -> Name | None:
    """What the client wrote, to tell it which identifier is meant; None for a type that no name can have."""
    kind = next((kind for kind in NameKind if kind.value == wanted.type), None)
    return None if kind is None else Name(kind, wanted.value[:300])
