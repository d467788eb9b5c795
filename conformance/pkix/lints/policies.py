"""Certificate policies, and what a CA may map or demand of them (RFC 5280 sections 4.2.1.4, 4.2.1.5, 4.2.1.11 and 4.2.1.14; RFC 6818 section 3)."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator

from conformance.der import Value
from conformance.pkix.lint import Found, lint
from conformance.pkix.reading import (
    INHIBIT_ANY_POLICY,
    POLICIES,
    POLICY_CONSTRAINTS,
    POLICY_MAPPINGS,
    SEQUENCE,
    Certificate,
    dotted,
    text,
)
from conformance.pkix.seen import Seen

_ANY = "2.5.29.32.0"
_CPS, _USER_NOTICE = "1.3.6.1.5.5.7.2.1", "1.3.6.1.5.5.7.2.2"
_UTF8, _BMP = b"\x0c", b"\x1e"


def _policies(one: Certificate) -> list[tuple[str, list[tuple[str, Value]]]]:
    """Each policy with its qualifiers, as type and value."""
    value = one.value(POLICIES)
    found = []
    for policy in value.parts if value is not None else ():
        qualifiers = policy.parts[1].parts if len(policy.parts) > 1 else ()
        found.append((dotted(policy.parts[0].octets), [(dotted(q.parts[0].octets), q.parts[1]) for q in qualifiers]))
    return found


def _notices(one: Certificate) -> Iterator[Value]:
    for _, qualifiers in _policies(one):
        yield from (value for kind, value in qualifiers if kind == _USER_NOTICE)


def _texts(one: Certificate) -> list[Value]:
    """Every explicitText."""
    return [part for notice in _notices(one) for part in notice.parts if part.identifier != SEQUENCE]


@lint("certificate.policy-once", "4.2.1.4#once")
def policy_once(one: Certificate, seen: Seen) -> Found:
    """No policy comes twice"""
    found = _policies(one)
    if not found:
        return None
    return [f"{oid} comes {times} times" for oid, times in Counter(oid for oid, _ in found).items() if times > 1]


@lint("certificate.any-policy-qualifiers", "4.2.1.4#any-qualifiers")
def any_policy_qualifiers(one: Certificate, seen: Seen) -> Found:
    """The policy anyPolicy has no other qualifiers than a CPS pointer and a user notice"""
    found = [qualifiers for oid, qualifiers in _policies(one) if oid == _ANY and qualifiers]
    if not found:
        return None
    return [f"anyPolicy has {kind}" for qualifiers in found for kind, _ in qualifiers if kind not in (_CPS, _USER_NOTICE)]


@lint("certificate.notice-reference", "4.2.1.4#notice-reference")
def notice_reference(one: Certificate, seen: Seen) -> Found:
    """A user notice refers to nothing"""
    found = list(_notices(one))
    if not found:
        return None
    return ["there is a noticeRef" for notice in found for part in notice.parts if part.identifier == SEQUENCE]


@lint("certificate.explicit-text", "4.2.1.4#utf-8")
def explicit_text(one: Certificate, seen: Seen) -> Found:
    """An explicitText is a UTF8String"""
    found = _texts(one)
    return [f"it has the tag {value.identifier.hex()}" for value in found if value.identifier != _UTF8] if found else None


@lint("certificate.explicit-text-controls", "4.2.1.4#control-characters")
def explicit_text_controls(one: Certificate, seen: Seen) -> Found:
    """An explicitText has no control characters"""
    found = [text(value) for value in _texts(one)]
    return [f"{said!r} has" for said in found if any(unicodedata.category(letter) == "Cc" for letter in said)] if found else None


@lint("certificate.explicit-text-normal", "4.2.1.4#nfc")
def explicit_text_normal(one: Certificate, seen: Seen) -> Found:
    """An explicitText is in normalization form C"""
    found = [text(value) for value in _texts(one) if value.identifier in (_UTF8, _BMP)]
    return [f"{said!r} is not" for said in found if not unicodedata.is_normalized("NFC", said)] if found else None


def _mappings(one: Certificate) -> list[tuple[str, str]]:
    value = one.value(POLICY_MAPPINGS)
    pairs = value.parts if value is not None else ()
    return [(dotted(pair.parts[0].octets), dotted(pair.parts[1].octets)) for pair in pairs]


@lint("certificate.mapping-asserted", "4.2.1.5#asserted")
def mapping_asserted(one: Certificate, seen: Seen) -> Found:
    """A policy that is mapped is one of the certificate's"""
    mappings, policies = _mappings(one), [oid for oid, _ in _policies(one)]
    return [f"{mine} is not" for mine, _ in mappings if mine not in policies] if mappings else None


@lint("certificate.mapping-any", "4.2.1.5#any")
def mapping_any(one: Certificate, seen: Seen) -> Found:
    """The policy anyPolicy is mapped neither from nor to"""
    mappings = _mappings(one)
    return ["anyPolicy is mapped" for pair in mappings if _ANY in pair] if mappings else None


@lint("certificate.mapping-criticality", "4.2.1.5#critical")
def mapping_criticality(one: Certificate, seen: Seen) -> Found:
    """The policyMappings are critical"""
    return _critical(one, POLICY_MAPPINGS)


@lint("certificate.policy-constraints", "4.2.1.11#not-empty", "4.2.1.11#either")
def policy_constraints(one: Certificate, seen: Seen) -> Found:
    """The policyConstraints demand something or inhibit something"""
    value = one.value(POLICY_CONSTRAINTS)
    return None if value is None else [] if value.parts else ["they are empty"]


@lint("certificate.policy-constraints-criticality", "4.2.1.11#critical")
def policy_constraints_criticality(one: Certificate, seen: Seen) -> Found:
    """The policyConstraints are critical"""
    return _critical(one, POLICY_CONSTRAINTS)


@lint("certificate.inhibit-any-policy-criticality", "4.2.1.14#critical")
def inhibit_any_policy_criticality(one: Certificate, seen: Seen) -> Found:
    """The inhibitAnyPolicy is critical"""
    return _critical(one, INHIBIT_ANY_POLICY)


def _critical(one: Certificate, oid: str) -> Found:
    found = one.extension(oid)
    return None if found is None else [] if found.critical else [f"extension {oid} is not critical"]
