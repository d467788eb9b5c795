"""The CSR of an order (RFC 8555 section 7.4)."""

from __future__ import annotations

from cryptography.x509.oid import NameOID

from privca.acme.ports import Order
from privca.base.names import Name, dns_name, ip_name
from privca.base.refused import Reason, Refused
from privca.issuance.profile import Revisioned
from privca.pkix import rfc2986
from privca.pkix.rfc2986 import CertificationRequest


def read(der: bytes, profile: Revisioned) -> CertificationRequest:
    """A CSR. :raises Refused: ``BAD_CSR``, whatever is wrong with it."""
    try:
        return rfc2986.parse(der, tolerant=profile.profile.tolerant)
    except Refused as refused:
        raise about_csr(refused) from None


def about_csr(refused: Refused) -> Refused:
    """Section 6.7 keeps badPublicKey for the key of a JWS: what is wrong with the key of a CSR is badCSR."""
    if refused.reason is not Reason.BAD_PUBLIC_KEY:
        return refused
    return Refused(Reason.BAD_CSR, refused.clause, refused.detail, expected=refused.expected, got=refused.got)


def check(csr: CertificationRequest, order: Order) -> None:
    """Whether the CSR is for this order. :raises Refused: ``BAD_CSR``."""
    asked, ordered = _names(csr), frozenset(order.names)
    if asked != ordered:
        raise Refused(
            Reason.BAD_CSR,
            "RFC 8555 section 7.4",
            "the CSR asks for other identifiers than the order",
            expected=", ".join(sorted(name.value for name in ordered))[:300],
            got=", ".join(sorted(name.value for name in asked))[:300] or "none",
        )


def _names(csr: CertificationRequest) -> frozenset[Name]:
    """subjectAltName, and each commonName that is a DNS name or an IP address."""
    names = set(csr.names)
    for attribute in csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        for read_name in (dns_name, ip_name):
            try:
                names.add(read_name(str(attribute.value)))
            except Refused:
                continue
    return frozenset(names)
