"""Faults of extraCerts (RFC 9483 section 3.3): which certificates are there, in which order, and whom they make trusted."""

from __future__ import annotations

from privca.faults.cmp.rules import AUTHENTICATION, SERVICE, fault
from privca.faults.edits import instead

_CHAIN = "(*prepared.certificates, *reply.certificates)"

FAULTS = (
    fault(
        "extra-certs.missing",
        "Answers have no extraCerts",
        "3.3",
        instead(f"{SERVICE}._write", "encode(header, body, protection, certificates)", "encode(header, body, protection)"),
    ),
    fault(
        "extra-certs.signer-last",
        "The signer's certificate is the last of extraCerts",
        "3.3",
        instead(
            f"{SERVICE}._write",
            "encode(header, body, protection, certificates)",
            "encode(header, body, protection, certificates[::-1])",
        ),
    ),
    fault(
        "extra-certs.no-chain",
        "Nothing leads from the signer's certificate to the root",
        "3.3",
        instead(f"{SERVICE}._write", _CHAIN, "(*prepared.certificates[:1], *reply.certificates)"),
    ),
    fault(
        "extra-certs.no-issued-chain",
        "Nothing leads from a new certificate to the root",
        "3.3",
        instead(f"{SERVICE}._write", _CHAIN, "prepared.certificates"),
    ),
    fault(
        "extra-certs.order-matters",
        "A request whose signer does not stand first in extraCerts is refused",
        "3.3",
        instead(
            f"{AUTHENTICATION}:_signer",
            "first, *others = message.extra_certs or (b'',)",
            "first, others = ((message.extra_certs or (b'',))[0], ())",
        ),
    ),
    fault(
        "extra-certs.trusted",
        "Whatever signer stands in extraCerts is trusted",
        "3.3",
        instead(
            f"{AUTHENTICATION}:Authentication._trusted",
            "await self._credentials.certificate(exchange, profile, signer, others)",
            "Identity('certificate', 'certificate:1')",
        ),
    ),
)
