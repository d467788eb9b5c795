"""RFC 8894 sections 3.3.4, 4.5 and 4.6: GetCert and GetCRL."""

from __future__ import annotations

import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from conformance.case import case
from conformance.examination import Unsupported
from conformance.scep import structures
from conformance.scep.applicants import name
from conformance.scep.client import Answer
from conformance.scep.draft import GET_CERT, GET_CRL, Draft
from conformance.scep.lab import STATUS, ScepLab, negative
from conformance.scep.mutations import content
from conformance.scep.reply import leaf
from conformance.scep.structures import Malformed
from conformance.verdict import Level

NOBODYS = structures.integer(0x7D11223344556677889900AABBCCDDEEFF001122)
"""A serial number that no certificate has."""
CRL = "rfc8894:3.3.2.1#crl"


def _own(lab: ScepLab, kind: str) -> Draft:
    """A correct query of a client about its own certificate."""
    enrolled = lab.enrolled
    return lab.client.query(kind, enrolled.signer, enrolled.signer.certificate)


def _answered(lab: ScepLab, kind: str) -> Answer:
    """The reply to it: SUCCESS. :raises Unsupported: if the server does not do that."""
    answer = lab.client.send(_own(lab, kind))
    if lab.examination.case.id in ("scep.get-cert.own", "scep.get-crl.current"):
        # Which is to say so in CMS; the others rest on these.
        lab.require(answer.rep is not None and not answer.wrong, f"expected a CertRep, got {answer.said} {answer.wrong}", STATUS)
    if answer.rep is None or (answer.status == "FAILURE" and answer.rep.fail_info == "badRequest"):
        raise Unsupported(f"messageType {kind}: {answer.said}")
    lab.require(answer.status == "SUCCESS", f"expected SUCCESS, got {answer.said}")
    return answer


@case(
    "scep.get-cert.own",
    covers=["rfc8894:3.3.2.1#requested", STATUS, "rfc8894:3.3.2.1#requested-leaf", "rfc8894:4.5.1#granted-or-rejected"],
    kills=["scep.get-cert.other-certificate", "scep.get-cert.twice", "scep.get-cert.bad-cert-id"],
    feature="get-cert",
)
def own(lab: ScepLab) -> None:
    """A client that asks for its own certificate gets it, as the leaf of what comes."""
    answer = _answered(lab, GET_CERT)
    wanted = lab.enrolled.signer.certificate
    lab.require(wanted in answer.inside.certificates, "the certificate that was asked for is not there")
    found = leaf(answer.inside.certificates)
    lab.check(found == [wanted], f"{len(found)} certificates certify no other one", "rfc8894:3.3.2.1#requested-leaf")


@case(
    "scep.get-cert.of-another",
    covers=["rfc8894:2.6#own-certificate", STATUS, "rfc8894:3.3.2.1#requested"],
    kills=["scep.get-cert.for-anybody"],
    feature="get-cert",
)
def of_another(lab: ScepLab) -> None:
    """Who has no certificate of the CA does not get those of others: the message is there for clients to fetch their own."""
    _answered(lab, GET_CERT)
    stranger = lab.client.query(GET_CERT, lab.applicant(key=2), lab.enrolled.signer.certificate)
    answer = lab.client.send(stranger)
    lab.require(answer.rep is not None and not answer.wrong, f"expected a CertRep, got {answer.said}", STATUS)
    lab.check(answer.status == "FAILURE", f"expected FAILURE, got {answer.said}", level=Level.MAY)


@case(
    "scep.get-crl.current",
    covers=[CRL, STATUS, "rfc8894:2.7#crl-alone", "rfc8894:4.6.1#most-recent", "rfc8894:3.4#content-omitted"],
    kills=["scep.get-crl.without-crl", "scep.get-crl.with-certificates", "scep.get-crl.bad-cert-id"],
    feature="get-crl",
)
def current(lab: ScepLab) -> None:
    """GetCRL brings the CRL of the certificate's CA, one that is current, and nothing else."""
    answer = _answered(lab, GET_CRL)
    lab.require(answer.inside.crls, "the crls field is empty")
    lab.check(len(answer.inside.crls) == 1, f"{len(answer.inside.crls)} CRLs", "rfc8894:4.6.1#most-recent")
    lab.check(not answer.inside.certificates, "there are certificates beside the CRL", "rfc8894:2.7#crl-alone")
    lab.check(answer.inside.empty, "the content of the certificates-only SignedData is there", "rfc8894:3.4#content-omitted")
    try:
        crl = x509.load_der_x509_crl(answer.inside.crls[0])
        issuer = x509.load_der_x509_certificate(lab.client.ca().issuer)
        key = issuer.public_key()
    except (ValueError, Malformed) as failure:
        lab.check(False, f"the CRL cannot be read: {failure}")
        return
    lab.check(crl.issuer == issuer.subject, f"the CRL is of {crl.issuer.rfc4514_string()}")
    assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    lab.check(crl.is_signature_valid(key), "the signature of the CRL does not verify")
    until = crl.next_update_utc
    fresh = until is None or until > dt.datetime.now(dt.UTC)
    lab.check(fresh, f"the CRL has been due for another one since {until}", "rfc8894:4.6.1#most-recent")


def _serial(octets: bytes) -> bytes:
    return structures.pair(structures.elements(octets)[0], NOBODYS)


def _issuer(octets: bytes) -> bytes:
    return structures.pair(name("another CA").public_bytes(), structures.elements(octets)[1])


for kind, area, what, requirement in (
    (GET_CERT, "get-cert", "GetCert", "rfc8894:4.5.1#granted-or-rejected"),
    (GET_CRL, "get-crl", "GetCRL", CRL),
):

    def _control(lab: ScepLab, kind: str = kind) -> Draft:
        _answered(lab, kind)
        return _own(lab, kind)

    negative(
        f"scep.{area}.unknown-serial",
        f"{what} for a serial number that no certificate has is refused with badCertId",
        covers=[requirement],
        control=_control,
        mutation=content("serialNumber.unknown", "RFC 8894 section 3.2.1.4", _serial),
        fail_info={"badCertId"},
        level=Level.MAY if kind == GET_CRL else None,
        kills=["scep.failure.bad-cert-id-as-bad-request", f"scep.{area}.any-serial"],
        feature=area,
    )
    negative(
        f"scep.{area}.other-issuer",
        f"{what} for a certificate of another CA is refused with badCertId",
        covers=[requirement],
        control=_control,
        mutation=content("issuer.other", "RFC 8894 section 3.2.1.4", _issuer),
        fail_info={"badCertId"},
        level=Level.MAY if kind == GET_CRL else None,
        kills=["scep.failure.bad-cert-id-as-bad-request", "scep.queries.issuer-unchecked"],
        feature=area,
    )
