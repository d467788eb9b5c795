"""The status service of a lab CA, asked as HTTP requests are, and OCSP read by cryptography's own parser."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from privca.base.http import Peer, Request, Response
from privca.issuance.ports import Certificate
from privca.issuance.profile import CertificateAuthority
from privca.status.service import StatusService
from tests.support.issuance_lab import TWO_TIERS, IssuanceLab, run

ORIGIN = "http://pki.example.test"


class StatusLab(IssuanceLab):
    """An :class:`IssuanceLab` with ``/crl``, ``/ca`` and ``/ocsp``."""

    def __init__(self, directory: Path, config: Mapping[str, CertificateAuthority] = TWO_TIERS) -> None:
        super().__init__(directory, config)
        self.status = StatusService(self.authorities, self.lists, self.responder)

    def ask(self, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> Response:
        """The reply to a request for a path without its first slash; header names with underscores."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(method, f"/{path}", path, "", fields, body, Peer("192.0.2.1"), ORIGIN)
        self.last = self.exchange()
        return run(self.status.handle(self.last, request))

    def post(self, octets: bytes, ca: str = "issuing") -> Response:
        """The reply to an OCSP request by POST."""
        return self.ask(f"ocsp/{ca}", "POST", octets, content_type="application/ocsp-request")

    def get(self, octets: bytes, ca: str = "issuing", **headers: str) -> Response:
        """The same by GET."""
        return self.ask(f"ocsp/{ca}/{quote(base64.b64encode(octets), safe='')}", **headers)

    def key(self, ca: str = "issuing", number: int = 1) -> x509.Certificate:
        """The certificate of a CA key."""
        return run(self.authorities.generation(ca, number)).certificate


def certid(
    serial: int, issuer: x509.Certificate, algorithm: hashes.HashAlgorithm | None = None, nonce: bytes | None = None
) -> bytes:
    """An OCSP request for one certificate, by cryptography."""
    made = algorithm or hashes.SHA256()
    ski = x509.SubjectKeyIdentifier.from_public_key(issuer.public_key())
    name, key = hashes.Hash(made), hashes.Hash(made)
    name.update(issuer.subject.public_bytes())
    builder = ocsp.OCSPRequestBuilder()
    if isinstance(made, hashes.SHA1):
        hashed = ski.digest
    else:
        public_key = issuer.public_key()
        assert isinstance(public_key, ec.EllipticCurvePublicKey)
        key.update(public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
        hashed = key.finalize()
    builder = builder.add_certificate_by_hash(name.finalize(), hashed, serial, made)
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def about(certificate: Certificate, issuer: x509.Certificate, **options: bytes) -> bytes:
    """An OCSP request for a certificate that was issued."""
    return certid(int.from_bytes(certificate.serial), issuer, **options)  # type: ignore[arg-type]


def read(reply: Response) -> ocsp.OCSPResponse:
    """What an OCSP reply says."""
    assert (reply.status, reply.header("Content-Type")) == (200, "application/ocsp-response")
    return ocsp.load_der_ocsp_response(reply.body)


def verified(found: ocsp.OCSPResponse, issuer: x509.Certificate) -> x509.Certificate:
    """The responder's certificate, once signature and authorization (RFC 6960 section 4.2.2.2) are right."""
    (responder,) = found.certificates
    responder.verify_directly_issued_by(issuer)
    usages: Sequence[x509.ObjectIdentifier] = list(responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert usages == [x509.ExtendedKeyUsageOID.OCSP_SIGNING]
    public_key = responder.public_key()
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    public_key.verify(found.signature, found.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))
    return responder
