"""RFC 8894 sections 4.2 and 4.7: the CA's certificates of today, and those from the next rollover on."""

from __future__ import annotations

from cryptography import x509

from conformance.case import case
from conformance.examination import Unsupported
from conformance.scep import structures
from conformance.scep.client import CA_CERTIFICATE, CHAIN, shown
from conformance.scep.lab import ScepLab
from conformance.scep.mutations import recipe
from conformance.scep.reply import Degenerate, leaf, read_degenerate, read_signed
from conformance.scep.structures import Malformed

NEXT_CA_CERTIFICATE = "application/x-x509-next-ca-cert"


@case(
    "scep.ca-cert.served",
    covers=[
        "rfc8894:2.9#mandatory",
        "rfc8894:4.2.1.1#single",
        "rfc8894:4.2.1.1#content-type",
        "rfc8894:4.2.1.2#content-type",
    ],
    kills=["scep.ca-cert.pem", "scep.ca-cert.other-media-type", "scep.ca-cert.chain-as-certificate"],
)
def served(lab: ScepLab) -> None:
    """GetCACert gives one certificate, or several in a certificates-only message, each with the type that tells which."""
    reply = lab.client.get("GetCACert")
    lab.require(reply.status == 200, f"expected 200, got {reply.status} {reply.media_type}")
    if reply.media_type == CHAIN:
        lab.check(_degenerate(reply.body), f"{CHAIN} is no certificates-only SignedData", "rfc8894:4.2.1.2#content-type")
        return
    lab.check(
        reply.media_type == CA_CERTIFICATE,
        f"expected {CA_CERTIFICATE} or {CHAIN}, got {reply.media_type or 'no type'}",
        "rfc8894:4.2.1.1#content-type",
    )
    lab.check(_certificate(reply.body), "the body is not one certificate in DER", "rfc8894:4.2.1.1#single")


@case("scep.ca-cert.chain-empty-content", covers=["rfc8894:3.4#content-omitted"], kills=["scep.ca-cert.chain-with-content"])
def empty_content(lab: ScepLab) -> None:
    """The message that carries a chain has no content."""
    reply = lab.client.get("GetCACert")
    if reply.status == 200 and reply.media_type == CA_CERTIFICATE:
        raise Unsupported("there is one certificate, and no chain")
    read = _degenerate(reply.body) if reply.status == 200 else None
    lab.require(read, f"GetCACert gives no chain: {reply.status} {reply.media_type}")
    lab.check(read and read.empty, "the content of the certificates-only SignedData is there")


@case(
    "scep.ca-cert.chain-whole",
    covers=["rfc8894:4.2.1.2#chain", "rfc8894:2.2#chain-or-certificate"],
    kills=["scep.ca-cert.intermediate-alone"],
)
def whole(lab: ScepLab) -> None:
    """An intermediate CA comes with the certificates above it."""
    found = shown(lab.client.get("GetCACert"))
    lab.require(found and all(map(_certificate, found)), "GetCACert gives no certificates")
    subjects = {structures.subject_of(one) for one in found}
    missing = [one for one in found if structures.issuer_of(one) not in subjects]
    names = ", ".join(x509.load_der_x509_certificate(one).issuer.rfc4514_string() for one in missing)
    lab.check(not missing, f"these issuers are not among the certificates: {names}", "rfc8894:2.2#chain-or-certificate")
    lab.check(leaf(found) or len(found) == 1, "no certificate is a leaf of the others")


@case("scep.ca-cert.key-usage", covers=["rfc8894:2.1.2#key-usage"], kills=["scep.ca-cert.certificate-sign-alone"])
def key_usage(lab: ScepLab) -> None:
    """Who deciphers and signs messages has a certificate that says so: keyEncipherment and digitalSignature."""
    certificate = x509.load_der_x509_certificate(lab.client.ca().recipient)
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        lab.check(False, "the certificate has no keyUsage")
        return
    lab.check(usage.key_encipherment, "keyUsage does not have keyEncipherment")
    signer = lab.granted(lab.pkcs_req()).rep
    signing = [one for one in lab.client.ca().all if signer and structures.issuer_and_serial(one) == signer.signed.identifier]
    for one in signing:
        said = x509.load_der_x509_certificate(one).extensions.get_extension_for_class(x509.KeyUsage).value
        lab.check(said.digital_signature, "the keyUsage of who signs replies does not have digitalSignature")


def _next(lab: ScepLab) -> bytes:
    """The reply to GetNextCACert. :raises Unsupported: if there is none."""
    reply = lab.client.get("GetNextCACert")
    if reply.status != 200:
        raise Unsupported(f"GetNextCACert: HTTP {reply.status}: no rollover is near, or the CA has no such message")
    lab.check(
        reply.media_type == NEXT_CA_CERTIFICATE,
        f"expected {NEXT_CA_CERTIFICATE}, got {reply.media_type or 'no type'}",
        "rfc8894:4.7.1#content-type",
    )
    return reply.body


@case(
    "scep.next-ca.signed",
    covers=["rfc8894:4.7.1#signed", "rfc8894:4.7.1#content-type"],
    kills=["scep.next-ca.signed-by-next", "scep.next-ca.other-media-type", "scep.next-ca.not-signed"],
    feature="next-ca",
)
def next_signed(lab: ScepLab) -> None:
    """The next CA certificates are signed by the CA of today."""
    try:
        signed = read_signed(_next(lab))
    except Malformed as failure:
        lab.check(False, f"GetNextCACert: {failure}")
        return
    lab.require(signed.signers == 1, "nobody signed the reply to GetNextCACert")
    bad = signed.wrong(lab.client.ca().all)
    lab.check(not bad, f"not signed by the CA of today: {bad}")


@case(
    "scep.next-ca.certificates",
    covers=["rfc8894:4.7.1#new-certificates", "rfc8894:3.4#content-omitted", "rfc8894:4.7.1#content-type"],
    kills=["scep.next-ca.current-instead"],
    feature="next-ca",
)
def next_certificates(lab: ScepLab) -> None:
    """What is signed is a certificates-only message with a CA certificate that is not the one of today."""
    found = _coming(lab)
    lab.check(found.empty, "the content of the certificates-only SignedData is there", "rfc8894:3.4#content-omitted")
    new = [one for one in found.certificates if one not in lab.client.ca().all]
    lab.check(new, "every certificate in it is one of today")


@case(
    "scep.next-ca.enveloped-for-next",
    covers=["rfc8894:5.1#enveloped-for-next", "rfc8894:4.7.1#content-type"],
    kills=["scep.next-ca.envelope-refused"],
    feature="next-ca",
)
def enveloped_for_next(lab: ScepLab) -> None:
    """A request that is encrypted for the next CA certificate is answered, and the reply is signed by one of the two."""
    found = _coming(lab)
    new = [one for one in leaf(found.certificates) if one not in lab.client.ca().all]
    lab.require(new, "GetNextCACert has no new certificate that is a leaf")
    lab.granted(lab.pkcs_req(), "control before")
    answer = lab.client.send(lab.pkcs_req(), recipe("for-the-next", "RFC 8894 section 5.1", recipient=new[0]))
    lab.require(answer.status == "SUCCESS", f"expected SUCCESS, got {answer.said}")
    lab.check(answer.issued, "nothing was issued")


def _coming(lab: ScepLab) -> Degenerate:
    try:
        return read_degenerate(read_signed(_next(lab)).content or b"")
    except Malformed as failure:
        lab.require(False, f"GetNextCACert: {failure}", lab.examination.case.covers[0])
        raise


def _degenerate(octets: bytes) -> Degenerate | None:
    try:
        return read_degenerate(octets)
    except Malformed:
        return None


def _certificate(octets: bytes) -> bool:
    try:
        x509.load_der_x509_certificate(octets)
    except ValueError:
        return False
    return True
