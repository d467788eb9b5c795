"""What a CA says of its status services: ``[ca.NAME.ocsp]`` and ``[ca.NAME.crl]``."""

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


class CrlOptions(Struct, kw_only=True, frozen=True):
    """Which CRLs a CA publishes beside its complete one (RFC 5280 sections 5.2.4 to 5.2.6)."""

    partitions: int = 1
    """Into how many parts the certificates of a large CA are divided: each points to the list of its part alone."""
    former_partitions: tuple[int, ...] = ()
    """Numbers of partitions that certificates which are still valid were issued with."""
    delta: bool = False
    """Whether there is a delta CRL, which the complete one points to."""
    delta_life: str = "1d"
