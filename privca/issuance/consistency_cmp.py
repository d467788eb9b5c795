"""Whether the options of a CMP profile make sense: each fault as the key below ``cmp``, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from privca.base.durations import duration
from privca.issuance.profile import Profile

_MAXIMUM_REQUESTS = 16
_MAXIMUM_ITERATIONS = 10_000_000
_DIGEST = re.compile("[0-9a-f]{64}")
_SECRETS = frozenset({"code", "otp"})


def cmp_faults(profile: Profile) -> Iterator[tuple[str, str]]:
    """What is wrong with the CMP options of a profile."""
    options = profile.cmp
    if not options.protection:
        yield "protection", "is empty, so that no message could be protected"
    if not options.requests:
        yield "requests", "is empty, so that nothing could be asked for"
    for key in ("protection", "requests", "delayed", "cert_profiles"):
        if len(set(getattr(options, key))) != len(getattr(options, key)):
            yield key, "names something twice"
    if not 1 <= options.iterations_minimum <= options.iterations <= options.iterations_maximum <= _MAXIMUM_ITERATIONS:
        yield "iterations", f"iterations_minimum, iterations and iterations_maximum rise from 1 to {_MAXIMUM_ITERATIONS}"
    if not 1 <= options.requests_maximum <= _MAXIMUM_REQUESTS:
        yield "requests_maximum", f"is 1 to {_MAXIMUM_REQUESTS}"
    if not 0 <= options.check_after <= 86400:
        yield "check_after", "is 0 to 86400 seconds"
    for key in ("message_time", "confirm_wait", "transaction_life"):
        text = getattr(options, key)
        if key == "message_time" and not text:
            continue
        try:
            seconds = duration(text).total_seconds()
        except ValueError as error:
            yield key, str(error)
            continue
        if seconds < 1:
            yield key, "is a second at least"
    for url in options.announce_to:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
            yield "announce_to", f"{url!r} is not the URL of a recipient, as 'http://repository.example.test/.well-known/cmp'"
    for request in options.delayed:
        if request not in options.requests:
            yield "delayed", f"{request!r} is not one of requests"
    if "krr" in options.requests and not options.archive:
        yield "requests", "has 'krr', and no key can be recovered: archive is off"
    if _SECRETS & set(profile.authentication) and not {"pbm", "pbmac1"} & set(options.protection):
        yield "protection", "has no MAC, by which alone codes and passcodes come"
    if "certificate" in profile.authentication and "signature" not in options.protection:
        yield "protection", "has no 'signature', and certificates are admitted"
    for digest in options.cross_certify:
        if not _DIGEST.fullmatch(digest):
            yield "cross_certify", f"{digest!r} is not a SHA-256 in hex"
    kind = "RSA" if options.central_key.startswith("RSA") else options.central_key
    if options.central_key_generation and kind not in profile.keys:
        yield "central_key", "is of a kind that is not in keys"
