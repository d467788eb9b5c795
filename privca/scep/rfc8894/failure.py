"""failInfo (RFC 8894 section 3.2.1.4): the one table from a reason to what a CertRep FAILURE says."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from privca.base.refused import Reason, Refused
from privca.scep.rfc8894.attributes import FailInfo

LONGEST_TEXT = 500
"""Characters of failInfoText: people read it on small displays."""

_ELSE = FailInfo.BAD_REQUEST
TABLE: Mapping[Reason, FailInfo] = MappingProxyType(
    {
        **dict.fromkeys(Reason, _ELSE),
        Reason.BAD_SIGNATURE: FailInfo.BAD_MESSAGE_CHECK,
        Reason.BAD_SIGNATURE_ALGORITHM: FailInfo.BAD_ALG,
        Reason.BAD_TIME: FailInfo.BAD_TIME,
        Reason.MISSING_TIME: FailInfo.BAD_TIME,
        Reason.NOT_FOUND: FailInfo.BAD_CERT_ID,
        Reason.UNKNOWN_CERTIFICATE: FailInfo.BAD_CERT_ID,
    }
)
"""Every reason that is not named is badRequest: "transaction not permitted or supported"."""


def fail_info(refused: Refused) -> FailInfo:
    """What a refusal is called on the wire."""
    return TABLE[refused.reason]


def text(refused: Refused) -> str:
    """failInfoText: the whole refusal, with its parts, for the developer of the client."""
    said = str(refused)
    if refused.parts:
        said = f"{said}: {'; '.join(str(part) for part in refused.parts)}"
    return said if len(said) <= LONGEST_TEXT else f"{said[: LONGEST_TEXT - 3]}..."
