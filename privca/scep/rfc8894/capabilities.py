"""GetCACaps (RFC 8894 section 3.5): what a profile can do, a keyword a line, in exactly the case that section 3.5.2 gives it.

Nothing protects this list, so nothing is accepted because it is listed here, or refused because it is not (section 7.5).
"""

from __future__ import annotations

from privca.base.http import Response
from privca.issuance.profile import Profile


def capabilities(profile: Profile) -> tuple[str, ...]:
    """The keywords of a profile."""
    options = profile.scep
    aes = "aes128" in options.ciphers
    offered = {
        "AES": aes,
        "DES3": "3des" in options.ciphers,
        "GetNextCACert": True,
        "POSTPKIOperation": True,
        "Renewal": "certificate" in profile.authentication,
        "SHA-1": "sha1" in options.digests,
        "SHA-256": "sha256" in options.digests,
        "SHA-512": "sha512" in options.digests,
        # Section 3.5.2: implies AES, POSTPKIOperation and SHA-256.
        "SCEPStandard": aes and "sha256" in options.digests,
    }
    return tuple(keyword for keyword, there in offered.items() if there)


def response(profile: Profile) -> Response:
    """The reply."""
    lines = "".join(f"{keyword}\n" for keyword in capabilities(profile))
    return Response(200, (("Content-Type", "text/plain"),), lines.encode("ascii"))
