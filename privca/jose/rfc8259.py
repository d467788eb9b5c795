"""JSON (RFC 8259) read so that there is one meaning or none: UTF-8 without a BOM, no duplicate member names, no lone surrogates,
numbers within range, bounded size and depth."""

from __future__ import annotations

import json

import msgspec

from privca.base.refused import Reason, Refused

SIZE_MAXIMUM = 256 * 1024
"""Octets of the largest JSON text that is read: room for a JWS around a CSR with a post-quantum key and some hundred names."""
DEPTH_MAXIMUM = 16
"""Arrays and objects within each other. The deepest text of ACME has 5."""


class _Duplicate(ValueError):
    """A member name that came twice."""


def _unique(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) == len(pairs):
        return
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise _Duplicate(name)
        seen.add(name)


_read = msgspec.json.Decoder().decode
# msgspec takes the last of two members with the same name, json shows all of them: what msgspec has read is JSON to its last octet, so
# that json only looks for members that come twice.
_scan = json.JSONDecoder(object_pairs_hook=_unique).raw_decode


_STRINGS = frozenset({str})


def loads(octets: bytes, what: str) -> object:
    """The value of a JSON text: dict, list, str, int, float, bool or None.

    :param what: what the text is, for the refusal: ``the payload``.
    :raises Refused: ``MALFORMED`` or ``TOO_LARGE``, for whatever octets.
    """
    if len(octets) > SIZE_MAXIMUM:
        raise Refused(
            Reason.TOO_LARGE,
            "RFC 8259 section 9",
            f"{what} is too large",
            expected=f"up to {SIZE_MAXIMUM} octets",
            got=str(len(octets)),
        )
    try:
        value: object = _read(octets)
        if _is_flat(value, octets):
            return value
        _scan(octets.decode("utf-8").lstrip())
    except RecursionError:
        raise _too_deep(what) from None
    except _Duplicate as duplicate:
        raise Refused(
            Reason.MALFORMED, "RFC 7515 section 4", f"{what} has a member twice", got=ascii(str(duplicate)[:40])
        ) from None
    except (msgspec.MsgspecError, ValueError) as error:
        # Looked for here: msgspec tells it in other ways from one version to the next.
        if not _is_utf8(octets):
            raise Refused(Reason.MALFORMED, "RFC 8259 section 8.1", f"{what} is not UTF-8") from None
        raise Refused(Reason.MALFORMED, "RFC 8259 section 2", f"{what} is not JSON: {str(error)[:120]}") from None
    # Fewer brackets than levels allowed is the usual case, and needs no walk.
    if octets.count(b"{") + octets.count(b"[") > DEPTH_MAXIMUM and _deeper(value, DEPTH_MAXIMUM):
        raise _too_deep(what)
    return value


def _is_flat(value: object, octets: bytes) -> bool:
    """Whether a text is nothing but an object of strings, none of which has an escape: a JWS, and most protected headers.

    Then a member is four quotes, and what has four for each member that was kept has no second one of any name. That spares the second
    scan, 1 % of an ACME issuance.
    """
    return (
        type(value) is dict
        and octets.count(b'"') == 4 * len(value)
        and b"\\" not in octets
        and _STRINGS.issuperset(map(type, value.values()))
    )


def load_object(octets: bytes, what: str) -> dict[str, object]:
    """The members of a JSON text that is an object; refusals as :func:`loads`."""
    value = loads(octets, what)
    if type(value) is not dict:
        raise Refused(Reason.MALFORMED, "RFC 8259 section 4", f"{what} is not a JSON object")
    return value


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _deeper(value: object, maximum: int) -> bool:
    level: list[object] = [value]
    for _ in range(maximum):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _too_deep(what: str) -> Refused:
    return Refused(
        Reason.MALFORMED, "RFC 8259 section 9", f"{what} is nested too deeply", expected=f"up to {DEPTH_MAXIMUM} levels"
    )
