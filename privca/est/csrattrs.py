"""The CSR attributes of a profile: what ``/csrattrs`` says, and whether a CSR follows it where the profile insists."""

from __future__ import annotations

from privca.base.refused import Refused
from privca.est import rfc8951, rfc9908
from privca.est.rfc8951 import Entry
from privca.issuance.profile import Revisioned
from privca.pkix.rfc2986 import CertificationRequest, Wishes


def entries(profile: Revisioned) -> list[Entry]:
    """Everything that the profile asks for: as it is configured, challengePassword where it demands a channel binding (RFC 7030 section
    3.5), the kind of key where there is only one (RFC 8951 section 4), and the template for clients that know it."""
    options = profile.profile.est
    found = configured(profile)
    if options.channel_binding == "required" and rfc8951.CHALLENGE not in found:
        found.insert(0, rfc8951.CHALLENGE)
    if len(profile.profile.keys) == 1 and not any(one.is_key for one in found):
        exact = profile.profile.rsa_minimum if profile.profile.rsa_minimum == profile.profile.rsa_maximum else 0
        key = rfc8951.key_entry(profile.profile.keys[0], exact)
        found += [] if key is None else [key]
    if options.csr_template is not None:
        found.append(rfc9908.entry(options.csr_template))
    return found


def configured(profile: Revisioned) -> list[Entry]:
    """What the administrator lists."""
    return [
        Entry(one.oid, None if one.values is None else tuple([bytes.fromhex(value) for value in one.values]))
        for one in profile.profile.est.csr_attributes
    ]


def check(profile: Revisioned, csr: Wishes | CertificationRequest, key: CertificationRequest | None) -> None:
    """Hold a CSR against them, if the profile says so. A client that knows the template follows it alone, one that does not, the list
    (RFC 9908 section 4).

    :param key: the same CSR where its key and signature count, None where they do not (``/serverkeygen``).
    :raises Refused: ``BAD_CSR``.
    """
    options = profile.profile.est
    if not options.csr_attributes_enforced:
        return
    listed = configured(profile)
    if options.csr_template is None:
        rfc8951.check(listed, csr, key)
        return
    try:
        rfc9908.check(options.csr_template, csr, key)
    except Refused:
        if not listed:
            raise
        rfc8951.check(listed, csr, key)
