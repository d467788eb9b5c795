"""The usages that a client asks for (RFC 5272 section 3.1): a server may change an extension, but not into the opposite of what was meant.

What a certificate is for, its template says. A request for something else altogether, as for a key that agrees on keys where the template
has one that signs, is refused rather than answered with a certificate that its client cannot use as it means to.
"""

from __future__ import annotations

from cryptography import x509

from privca.base.refused import Reason, Refused
from privca.issuance.ports import Requested
from privca.issuance.profile import Revisioned
from privca.issuance.template import extended_key_usage_oid, fitting_key_usage
from privca.pkix import weak

_CLAUSE = "RFC 5272 section 3.1"
_ANY = x509.ObjectIdentifier("2.5.29.37.0")
_USAGES = {
    "digitalSignature": "digital_signature",
    "contentCommitment": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
}


def check(profile: Revisioned, requested: Requested) -> None:
    """Hold the usages that are asked for against those of the template. :raises Refused: ``UNACCEPTED_EXTENSION``."""
    template = profile.template
    for extension in requested.extensions:
        value = extension.value
        if isinstance(value, x509.KeyUsage):
            asked = {name for name, attribute in _USAGES.items() if getattr(value, attribute)}
            given = fitting_key_usage(template.key_usage, weak.kind(requested.public_key))
            if asked and given and not asked & given:
                raise _refuse("keyUsage", sorted(given), sorted(asked))
        elif isinstance(value, x509.ExtendedKeyUsage) and _ANY not in value:
            purposes = {extended_key_usage_oid(text) for text in template.extended_key_usage}
            if purposes and not purposes & {*value}:
                wanted = sorted(one.dotted_string for one in value)
                raise _refuse("extKeyUsage", sorted(one.dotted_string for one in purposes), wanted)


def _refuse(what: str, expected: list[str], got: list[str]) -> Refused:
    return Refused(
        Reason.UNACCEPTED_EXTENSION,
        _CLAUSE,
        f"the {what} that is asked for has nothing of what this profile certifies",
        expected=", ".join(expected)[:200],
        got=", ".join(got)[:200],
    )
