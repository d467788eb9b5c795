"""Servers that are no responders and publish no CRL. Some sign as a CA does, so that a case gets as far as it can, and say the same of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from conformance.status.crl import MEDIA_TYPE
from conformance.status.ocsp import RESPONSE_TYPE
from conformance.stubs import COMMON, Answer, Stub, echo, fixed
from conformance.target import StatusTarget, Target
from conformance.transport import HttpRequest, HttpResponse

BASE = "http://stub.example.test"
_OCSP, _CRL = ("Content-Type", RESPONSE_TYPE), ("Content-Type", MEDIA_TYPE)
_DAY = timedelta(days=1)


class _Ca:
    """A CA of the examiner's own, whose certificates every stub has: without them nothing could be asked."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stub")])
        self._now = datetime.now(UTC).replace(microsecond=0)
        self.certificate = self._issue(self._key.public_key(), "stub", ca=True)
        self.good, self.revoked = (self._issue(self._key.public_key(), name, ca=False) for name in ("good", "revoked"))

    def _issue(self, key: ec.EllipticCurvePublicKey, name: str, *, ca: bool) -> x509.Certificate:
        builder = x509.CertificateBuilder(self._name, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
        builder = builder.serial_number(x509.random_serial_number()).add_extension(x509.BasicConstraints(ca, None), critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(f"{BASE}/ca.crl")], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
        return builder.not_valid_before(self._now - _DAY).not_valid_after(self._now + _DAY).sign(self._key, hashes.SHA256())

    def says_good(self, request: HttpRequest) -> bytes:
        """A signed answer that the certificate is good which is asked for, or another one if that cannot be read."""
        try:
            asked = ocsp.load_der_ocsp_request(request.body)
            named = (asked.issuer_name_hash, asked.issuer_key_hash, asked.serial_number, asked.hash_algorithm)
        except (ValueError, NotImplementedError):
            named = (bytes(20), bytes(20), self.good.serial_number, hashes.SHA1())  # noqa: S303 - names a key
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            *named[:3], named[3], ocsp.OCSPCertStatus.GOOD, self._now, self._now + _DAY, None, None
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self.certificate)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.DER)

    def empty_list(self) -> bytes:
        """A signed CRL on which nobody is."""
        builder = x509.CertificateRevocationListBuilder(self._name, self._now, self._now + _DAY)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(x509.CRLNumber(1), critical=False).add_extension(identifier, critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.DER)


@cache
def _ca() -> _Ca:
    return _Ca()


def _beside(make: Callable[[], Answer]) -> Callable[[], Answer]:
    """The CA's certificates at their URLs, and another stub everywhere else."""

    def made() -> Answer:
        rest, ca = make(), _ca()
        files = {"ca": ca.certificate, "good": ca.good, "revoked": ca.revoked}

        def answer(request: HttpRequest) -> HttpResponse:
            found = files.get(request.url.removeprefix(f"{BASE}/").removesuffix(".cer"))
            if found is None or not request.url.endswith(".cer"):
                return rest(request)
            return HttpResponse(200, (("Content-Type", "application/pkix-cert"),), found.public_bytes(Encoding.DER), request)

        return answer

    return made


def _all_good() -> Answer:
    """Every certificate is good, and nobody is on the CRL."""
    ca = _ca()

    def answer(request: HttpRequest) -> HttpResponse:
        if request.url.endswith(".crl"):
            return HttpResponse(200, (_CRL,), ca.empty_list(), request)
        return HttpResponse(200, (_OCSP,), ca.says_good(request), request)

    return answer


def _status(code: int) -> bytes:
    """An OCSPResponse without an answer."""
    return bytes((0x30, 0x03, 0x0A, 0x01, code))


_SIGNED_WELL = (
    "status.state.good",
    "status.request.sha-",
    "status.request.unknown-",
    "status.request.requestor-name",
    "status.request.acceptable",
    "status.request.weak-preferred",
    "status.delegate.authorized",
    "status.response.",
    "status.http.post",
    "status.http.get",
    "status.lightweight.basic",
    "status.lightweight.by-key",
    "status.lightweight.times",
    "status.lightweight.requestor-name",
    "status.lightweight.sparse",
    "status.lightweight.options",
    "status.crl.der",
    "status.crl.media-type",
    "status.crl.version",
    "status.crl.signature",
    "status.crl.algorithms",
    "status.crl.issuer",
    "status.crl.this-update",
    "status.crl.next-update",
    "status.crl.current",
    "status.crl.list-absent",
    "status.crl.number",
    "status.crl.authority-key",
)
"""What can be seen of an answer that is signed as it should be, and of an empty CRL."""

STUBS: tuple[Stub, ...] = (
    *(replace(one, make=_beside(one.make)) for one in COMMON),
    Stub("echo", _beside(echo(_OCSP))),
    Stub("garbage", _beside(fixed(200, b"\x30\x82\x01\x00" + bytes(range(256)), _OCSP))),
    Stub("successful-without-answer", _beside(fixed(200, _status(0), _OCSP))),
    Stub("refuses-all-malformed", _beside(fixed(200, _status(1), _OCSP))),
    Stub("refuses-all-internal", _beside(fixed(200, _status(2), _OCSP))),
    Stub("refuses-all-try-later", _beside(fixed(200, _status(3), _OCSP))),
    Stub("refuses-all-unauthorized", _beside(fixed(200, _status(6), _OCSP))),
    Stub("all-good", _beside(_all_good), _SIGNED_WELL),
)
TARGET = Target(
    name="stub",
    status=StatusTarget(
        ocsp=f"{BASE}/ocsp",
        crl=f"{BASE}/ca.crl",
        issuer=f"{BASE}/ca.cer",
        good=f"{BASE}/good.cer",
        revoked=f"{BASE}/revoked.cer",
        lightweight=True,
    ),
)
"""Where a stub is thought to be."""
