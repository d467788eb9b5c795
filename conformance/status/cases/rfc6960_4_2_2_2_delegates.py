"""RFC 6960 section 4.2.2.2: whoever signs is the CA, or has it from the CA in writing."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from conformance.case import case
from conformance.examination import Inconclusive, Unsupported
from conformance.status.lab import SKEW, StatusLab
from conformance.status.ocsp import NO_CHECK
from conformance.verdict import Level


def _signer(lab: StatusLab) -> x509.Certificate:
    found = lab.signer(lab.answer(lab.request(lab.good.serial)))
    if found is None:
        raise Inconclusive("nobody is there whose key has signed the answer")
    return found


def _delegate(lab: StatusLab) -> x509.Certificate:
    found = _signer(lab)
    if found == lab.issuer:
        raise Unsupported("the CA signs by itself")
    return found


@case(
    "status.delegate.authorized",
    covers=[
        "rfc6960:2.2#signer",
        "rfc6960:4.2.2.2#one-of",
        "rfc6960:2.6#issued-directly",
        "rfc6960:4.2.2.2#issued-directly",
        "rfc6960:4.2.2.2#same-key",
    ],
    kills=["status.delegate.other-ca"],
    needs=["ocsp"],
)
def authorized(lab: StatusLab) -> None:
    """The signer is the CA, or its certificate was issued directly by the CA, with the key by which the certificate was signed"""
    signer = _signer(lab)
    why = "" if signer == lab.issuer else _not_issued(signer, lab.issuer)
    for requirement in ("2.2#signer", "2.6#issued-directly", "4.2.2.2#issued-directly"):
        lab.check(
            not why, f"the certificate of {signer.subject.rfc4514_string()} is not by the CA: {why}", f"rfc6960:{requirement}"
        )
    if not why:
        lab.check(
            not _not_issued(lab.good.certificate, lab.issuer),
            "the certificate that was asked for is signed with another key",
            "rfc6960:4.2.2.2#same-key",
        )
    valid = signer.not_valid_before_utc - SKEW <= lab.now() <= signer.not_valid_after_utc
    lab.check(
        valid,
        f"the signer's certificate has expired, or is not valid yet: {signer.not_valid_after_utc}",
        "rfc6960:4.2.2.2#one-of",
    )


def _not_issued(certificate: x509.Certificate, issuer: x509.Certificate) -> str:
    """Why a certificate is not by this very key and name; empty if it is."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature) as failure:
        return f"{type(failure).__name__} {failure}".strip()
    return ""


@case("status.delegate.purpose", covers=["rfc6960:4.2.2.2#ocsp-signing"], kills=["status.delegate.no-purpose"], needs=["ocsp"])
def purpose(lab: StatusLab) -> None:
    """The certificate of a delegate has id-kp-OCSPSigning"""
    delegate = _delegate(lab)
    try:
        usages = list(delegate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        usages = []
    found = ", ".join(one.dotted_string for one in usages) or "none"
    lab.check(ExtendedKeyUsageOID.OCSP_SIGNING in usages, f"expected id-kp-OCSPSigning, got {found}")


@case(
    "status.delegate.no-check",
    covers=["rfc6960:4.2.2.2.1#nocheck-null", "rfc6960:4.2.2.2.1#nocheck-critical"],
    needs=["ocsp"],
    feature="ocsp-nocheck",
)
def no_check(lab: StatusLab) -> None:
    """The extension id-pkix-ocsp-nocheck is NULL, and not critical"""
    delegate = _delegate(lab)
    try:
        found = delegate.extensions.get_extension_for_oid(x509.ObjectIdentifier(NO_CHECK))
    except x509.ExtensionNotFound:
        raise Unsupported("the certificate of the delegate has no id-pkix-ocsp-nocheck") from None
    # cryptography's own parser takes nothing but NULL; the octets are what counts.
    lab.check(found.value.public_bytes() == b"\x05\x00", f"expected NULL, got {found.value.public_bytes().hex()}")
    lab.check(not found.critical, "the extension is critical", "rfc6960:4.2.2.2.1#nocheck-critical")


@case("status.certificate.responder-url", covers=["rfc6960:3.1#aia", "rfc6960:3.1#uri"], needs=["ocsp"])
def responder_url(lab: StatusLab) -> None:
    """Certificates tell where the responder is, by id-ad-ocsp with a URI"""
    try:
        found = lab.good.certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        found = x509.AuthorityInformationAccess([])
    places = [one.access_location for one in found if one.access_method == AuthorityInformationAccessOID.OCSP]
    # A CA has to be capable of it; that it does so in this very certificate is its choice.
    lab.check(places, "the certificate does not tell where its responder is", level=Level.MAY)
    lab.check(
        all(isinstance(one, x509.UniformResourceIdentifier) for one in places), "id-ad-ocsp without a URI", "rfc6960:3.1#uri"
    )
