"""Looks for a certificate in the CRL that it points to."""

from __future__ import annotations

import urllib.request
from collections.abc import Sequence

from cryptography import x509

from interop.results import Check


def crl_url(certificate: x509.Certificate) -> str | None:
    """The first HTTP URL of cRLDistributionPoints (RFC 5280 section 4.2.1.13)."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return None
    names = [name.value for point in points for name in point.full_name or ()]
    return next((name for name in names if isinstance(name, str) and name.startswith("http://")), None)


def in_crl(certificate: x509.Certificate, chain: Sequence[x509.Certificate], reason: str) -> list[Check]:
    """Fetch the CRL; its issuer's signature, the entry, and the reason (RFC 5280 section 5.3.1: unspecified is left out)."""
    url = crl_url(certificate)
    if url is None:
        return [Check("certificate points to a CRL", False)]
    try:
        with urllib.request.urlopen(url, timeout=20) as reply:  # noqa: S310 - an http:// URL, checked above
            crl = x509.load_der_x509_crl(reply.read())
    except (OSError, ValueError) as error:
        return [Check("CRL can be fetched", False, f"{url}: {error}")]
    issuer = next((one for one in chain if one.subject == certificate.issuer), None)
    public_key = issuer.public_key() if issuer is not None else None
    signed = public_key is not None and crl.is_signature_valid(public_key)  # type: ignore[arg-type]  # an issuer's key can always sign
    checks = [Check("CRL is signed by the issuer", signed, url)]
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is None:
        return [*checks, Check("CRL lists it as revoked", False, f"{len(crl)} entries")]
    try:
        said = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except x509.ExtensionNotFound:
        said = "unspecified"
    return [*checks, Check("CRL lists it as revoked", said == reason, said)]
