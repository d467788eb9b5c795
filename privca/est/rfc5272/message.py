"""A full PKI request as it was sent: SignedData with PKIData in it (RFC 5272 section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass

from privca.base.refused import Reason, Refused
from privca.est.rfc5272.outcome import Outcome
from privca.pkix.rfc5272 import controls, pki_data
from privca.pkix.rfc5272.controls import Controls
from privca.pkix.rfc5272.identifiers import PKI_DATA
from privca.pkix.rfc5272.pki_data import PkiData
from privca.pkix.rfc5652.signed_data import SignedData

_CLAUSE = "RFC 5272 section 3.2"


@dataclass(frozen=True, slots=True)
class Message:
    """One layer, read and not yet verified. ``content`` are the octets of the PKIData that the signature is over."""

    signed: SignedData
    content: bytes
    data: PkiData
    controls: Controls


def read(signed: SignedData, outcome: Outcome) -> Message:
    """The message in a SignedData. What it says of transaction and nonces is put into ``outcome`` at once, so that a refusal can be told
    apart by who gets it.

    :raises Refused: ``MALFORMED``, ``TOO_LARGE``.
    """
    if signed.content_type != PKI_DATA.dotted_string or signed.content is None:
        raise Refused(
            Reason.MALFORMED,
            _CLAUSE,
            "the SignedData does not hold a PKIData",
            expected=PKI_DATA.dotted_string,
            got=signed.content_type[:80] if signed.content is not None else "no content",
        )
    data = pki_data.parse(signed.content)
    outcome.controls = controls.read(data.controls)
    return Message(signed, signed.content, data, outcome.controls)
