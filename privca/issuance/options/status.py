"""What a CA says of its status services: ``[ca.NAME.ocsp]``."""

from __future__ import annotations

from typing import Literal

from privca.issuance.options import Struct


class OcspOptions(Struct, kw_only=True, frozen=True):
    """How a CA answers by OCSP (RFC 6960, RFC 9919)."""

    life: str = "1h"
    """How long an answer holds (nextUpdate). One without a nonce is given again for half of that, unless the certificate's status changes."""
    responder_id: Literal["key", "name"] = "key"
    """How the responder names itself; RFC 9919 section 3.2.2 wants ``key``."""
    not_issued: Literal["unknown", "revoked"] = "unknown"
    """What is said of a serial number that the CA never issued; ``revoked`` is the extended definition of RFC 6960 section 2.2."""
    archive: str = "10y"
    """For how long after its end a certificate is answered for (archive cutoff, RFC 6960 section 4.4.4)."""
