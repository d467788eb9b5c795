"""Faults of GetCACaps (RFC 8894 section 3.5)."""

from __future__ import annotations

from privca.faults.edits import Edit, ending, instead
from privca.faults.scep.naming import fault

_RESPONSE = "scep.rfc8894.capabilities:response"
_LIST = "scep.rfc8894.capabilities:capabilities"


def _refusing_cipher(name: str) -> Edit:
    check = "cipher not in profile.scep.ciphers"
    return instead("scep.rfc8894.envelope:check_cipher", check, f"{check} or cipher == {name!r}")


def _refusing_digest(name: str) -> Edit:
    return instead(
        "scep.rfc8894.pki_message:verified", "digests=options.digests", f"digests=[d for d in options.digests if d != {name!r}]"
    )


FAULTS = (
    fault(
        "caps.refused",
        "GetCACaps is not known",
        "3.5",
        instead("scep.service:ScepService._inquiry", "name == 'GetCACaps'", "name == 'GetCapabilities'"),
    ),
    fault(
        "caps.comma-separated",
        "Capabilities stand in one line",
        "3.5.2",
        instead(_RESPONSE, "''.join((f'{keyword}\\n' for keyword in capabilities(profile)))", "', '.join(capabilities(profile))"),
    ),
    fault(
        "caps.other-media-type",
        "Capabilities come as application/octet-stream",
        "3.5.2",
        instead(_RESPONSE, "'text/plain'", "'application/octet-stream'"),
    ),
    fault(
        "caps.lower-case",
        "Capabilities are written in lower case",
        "3.5.2",
        ending(_LIST, "result = tuple(keyword.lower() for keyword in result)"),
    ),
    fault(
        "caps.unregistered",
        "A capability is listed that nobody registered",
        "6",
        ending(_LIST, "result = (*result, 'Teleportation')"),
    ),
    fault("caps.des3-not-kept", "DES3 is listed, and triple DES refused", "3.5.2", _refusing_cipher("3des")),
    fault("caps.sha-1-not-kept", "SHA-1 is listed and refused", "3.5.2", _refusing_digest("sha1")),
    fault("caps.sha-512-not-kept", "SHA-512 is listed and refused", "3.5.2", _refusing_digest("sha512")),
    fault("algorithms.aes128-refused", "AES128-CBC is refused", "2.9", _refusing_cipher("aes128")),
    fault("algorithms.sha256-refused", "SHA-256 is refused", "2.9", _refusing_digest("sha256")),
)
