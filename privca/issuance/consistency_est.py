"""Whether the options of an EST profile make sense: each fault as the key below ``est``, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

from privca.base.durations import duration
from privca.base.refused import Refused
from privca.issuance.profile import Profile
from privca.issuance.template import object_identifier
from privca.pkix import der
from privca.pkix.rfc5280.names import attribute

_PASSCODES = frozenset({"code", "otp"})
# It stands between quotation marks in header fields (RFC 9110 section 5.6.4), of which the shortest readers take 1 KiB in all.
_REALM = re.compile(r"[ !#-\[\]-~]{1,64}")
_DIGEST_LIFE = 24 * 3600


def est_faults(profile: Profile, *, lab: bool) -> Iterator[tuple[str, str]]:
    """What is wrong with the EST options of a profile. :param lab: whether what only a lab has may be there."""
    options = profile.est
    if options.channel_binding == "ignore" and not lab:
        yield "channel_binding", "'ignore' breaks RFC 7030 section 3.5 and exists only in a lab"
    if not _REALM.fullmatch(options.realm):
        yield "realm", "is 1 to 64 printable ASCII characters without quotation marks and backslashes"
    for key in ("http", "digest_algorithms"):
        if len(set(getattr(options, key))) != len(getattr(options, key)):
            yield key, "names something twice"
    if not options.http and _PASSCODES & set(profile.authentication):
        yield "http", "is empty, and codes and passcodes come by no other way"
    if "digest" in options.http and not options.digest_algorithms:
        yield "digest_algorithms", "is empty, but http has digest"
    if options.both and not ("certificate" in profile.authentication and _PASSCODES & set(profile.authentication)):
        yield "both", "needs 'certificate' and one of 'code' and 'otp' in authentication"
    for key in ("digest_nonce_life", "repeat"):
        try:
            seconds = duration(getattr(options, key)).total_seconds()
        except ValueError as error:
            yield key, str(error)
            continue
        if seconds < 0 or (key == "digest_nonce_life" and not 1 <= seconds <= _DIGEST_LIFE):
            yield key, f"{getattr(options, key)!r} is out of bounds"
    yield from _attributes(profile)
    yield from _template(profile)


def _attributes(profile: Profile) -> Iterator[tuple[str, str]]:
    options = profile.est
    for number, one in enumerate(options.csr_attributes):
        yield from _oid(f"csr_attributes[{number}].oid", one.oid)
        for value in one.values or ():
            yield from _der(f"csr_attributes[{number}].values", value)
    if options.csr_attributes_enforced and not options.csr_attributes and options.csr_template is None:
        yield "csr_attributes_enforced", "needs csr_attributes or csr_template"


def _template(profile: Profile) -> Iterator[tuple[str, str]]:
    template = profile.est.csr_template
    if template is None:
        return
    for number, one in enumerate(template.subject):
        try:
            attribute(one.type, one.value or ("XX" if one.type == "C" else "x"))
        except Refused as refused:
            yield f"csr_template.subject[{number}]", str(refused)
    if template.rsa_bits and (template.key != "RSA" or not 2048 <= template.rsa_bits <= 8192):
        yield "csr_template.rsa_bits", "is for key = 'RSA', and from 2048 to 8192"
    seen: set[str] = set()
    for number, extension in enumerate(template.extensions):
        here = f"csr_template.extensions[{number}]"
        yield from _oid(f"{here}.oid", extension.oid)
        if extension.value:
            yield from _der(f"{here}.value", extension.value)
        if extension.oid in seen:
            yield f"{here}.oid", "the extension is listed twice (RFC 9908 section 3.2)"
        seen.add(extension.oid)


def _oid(key: str, text: str) -> Iterator[tuple[str, str]]:
    try:
        object_identifier(text)
    except ValueError as error:
        yield key, str(error)


def _der(key: str, text: str) -> Iterator[tuple[str, str]]:
    try:
        octets = bytes.fromhex(text)
        found = der.children(der.tlv(0x30, octets), clause="X.690 section 8.1")
    except (Refused, ValueError) as error:
        yield key, str(error)
        return
    if len(found) != 1:
        yield key, "is one element in DER, in hex"
