"""What is found where certificates point to (RFC 5280 sections 4.2.1.13, 4.2.2.1 and 4.2.2.2)."""

from __future__ import annotations

from collections.abc import Callable

from pyasn1.codec.ber import decoder
from pyasn1.error import PyAsn1Error
from pyasn1_modules import rfc5652

from conformance.case import case
from conformance.der import DerError
from conformance.examination import Inconclusive, NotApplicable
from conformance.pkix.lab import PkixLab
from conformance.pkix.lints.publication import CA_ISSUERS, CA_REPOSITORY, crl_uris, locations
from conformance.pkix.reading import AUTHORITY_ACCESS, SUBJECT_ACCESS, URI, Certificate, RevocationList, text
from conformance.transport import HttpResponse

_CRL, _CERTIFICATE, _CERTS_ONLY = "application/pkix-crl", "application/pkix-cert", "application/pkcs7-mime"


@case(
    "pkix.publication.crl",
    covers=["rfc5280:4.2.1.13#single-crl", "rfc5280:4.2.1.13#media-type"],
    kills=["pkix.publication.crl-nowhere"],
    looks_back=True,
)
def crl(lab: PkixLab) -> None:
    """Where a certificate points to for its CRL, there is one CRL in DER, of its media type"""
    for reply in _fetched(lab, crl_uris):
        said = f"{reply.request.url} gives {reply.status} {reply.media_type}"
        if lab.check(_reads(RevocationList.read, reply.body), f"{said}, and no CRL in DER"):
            lab.check(reply.media_type == _CRL, said, "rfc5280:4.2.1.13#media-type")


@case(
    "pkix.publication.ca-certificate",
    covers=["rfc5280:4.2.2.1#what-it-points-to", "rfc5280:4.2.2.1#media-type"],
    kills=["pkix.publication.ca-certificate-nowhere"],
    looks_back=True,
)
def ca_certificate(lab: PkixLab) -> None:
    """Where a certificate points to for its issuer's, there is one certificate in DER, or several in CMS, of their media type"""
    _certificates(lab, AUTHORITY_ACCESS, CA_ISSUERS, "rfc5280:4.2.2.1#media-type")


@case(
    "pkix.publication.repository",
    covers=["rfc5280:4.2.2.2#what-it-points-to", "rfc5280:4.2.2.2#media-type"],
    looks_back=True,
)
def repository(lab: PkixLab) -> None:
    """Where a CA points to as its repository, there is one certificate in DER, or several in CMS, of their media type"""
    _certificates(lab, SUBJECT_ACCESS, CA_REPOSITORY, "rfc5280:4.2.2.2#media-type")


def _certificates(lab: PkixLab, extension: str, method: str, media_type: str) -> None:
    def uris(one: Certificate) -> list[str]:
        return [text(place) for place in locations(one, extension, method) if place.identifier == URI]

    for reply in _fetched(lab, uris):
        said = f"{reply.request.url} gives {reply.status} {reply.media_type}"
        single = _reads(Certificate.read, reply.body)
        if lab.check(single or _is_certs_only(reply.body), f"{said}, and no certificate"):
            lab.check(reply.media_type == (_CERTIFICATE if single else _CERTS_ONLY), said, media_type)


def _fetched(lab: PkixLab, uris: Callable[[Certificate], list[str]]) -> list[HttpResponse]:
    """The replies from the places that the certificates name. :raises NotApplicable, Inconclusive: if there are none."""
    certificates = lab.library.seen.certificates
    named = dict.fromkeys(uri for one in certificates for uri in uris(one) if uri.lower().startswith("http://"))
    if not named:
        raise NotApplicable(f"none of the {len(certificates)} certificates that the run saw names a place in HTTP for it")
    replies = [lab.library.fetch(uri) for uri in named]
    answered = [reply for reply in replies if isinstance(reply, HttpResponse)]
    for reply in answered:
        lab.examination.record(reply)
    if not answered:
        raise Inconclusive("; ".join(map(str, replies))[:400])
    return answered


def _reads(read: Callable[[bytes], object], octets: bytes) -> bool:
    try:
        read(octets)
    except (DerError, IndexError):
        return False
    return True


def _is_certs_only(octets: bytes) -> bool:
    """A SignedData in BER or DER that has certificates and no signatures."""
    try:
        content, rest = decoder.decode(octets, asn1Spec=rfc5652.ContentInfo())
        signed, _ = decoder.decode(bytes(content["content"]), asn1Spec=rfc5652.SignedData())
    except PyAsn1Error:
        return False
    return not rest and content["contentType"] == rfc5652.id_signedData and len(signed["certificates"]) > 0
