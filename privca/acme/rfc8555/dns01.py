"""The DNS challenge (RFC 8555 section 8.4): a digest of the key authorization in a TXT record."""

from __future__ import annotations

import hashlib

from privca.acme.ports import DnsProbe, Observation
from privca.acme.rfc8555.keyauthorization import key_authorization, mismatch, require_sight
from privca.base.names import Name, NameKind
from privca.jose import rfc4648

TYPE = "dns-01"
CLAUSE = "RFC 8555 section 8.4"
LABEL = "_acme-challenge."
_NAME_MAXIMUM = 253


def offered_for(name: Name, wildcard: bool) -> bool:
    """For DNS names, wildcards too, that leave room for the label in front; never for IP addresses (RFC 8738 section 7)."""
    del wildcard  # Whoever controls the zone controls every name below.
    return name.kind is NameKind.DNS and len(LABEL) + len(name.value) <= _NAME_MAXIMUM


def plan(name: Name, profile_id: str, token: str, thumbprint: str) -> DnsProbe:
    """What to query; ``name`` is without ``*.``."""
    del token, thumbprint
    return DnsProbe(profile_id, name, LABEL + name.value)


def judge(observation: Observation, name: Name, token: str, thumbprint: str) -> None:
    """Look for the digest among the TXT records: one match suffices.

    :raises Refused: ``DNS``, ``INCORRECT_RESPONSE``.
    """
    require_sight(observation, CLAUSE, name)
    digest = hashlib.sha256(key_authorization(token, thumbprint).encode("ascii")).digest()
    expected = rfc4648.encode(digest)
    if expected.encode("ascii") in observation.texts:
        return
    if not observation.texts:
        raise mismatch(observation, CLAUSE, name, f"there is no TXT record at {LABEL}{name.value}", expected=expected)
    shown = ", ".join(ascii(text[:64].decode("latin-1")) for text in observation.texts[:5])
    raise mismatch(
        observation, CLAUSE, name, f"no TXT record at {LABEL}{name.value} has the digest", expected=expected, got=shown
    )
