"""What a status case gets: a client whose every message is recorded, certificates of known state, answers and CRLs that are read already."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509

from conformance.case import Case, register
from conformance.der import length
from conformance.examination import Examination, Inconclusive, Kind, Unsupported
from conformance.status import crl as crls
from conformance.status import ocsp
from conformance.status.certificates import SUPERSEDED, Certificates, Known, certificate_in, certificate_of
from conformance.status.client import Client
from conformance.status.crl import Crl
from conformance.status.ocsp import Basic, CertId, Extension, Issuer, NotOcsp, Response
from conformance.status.signatures import verifies
from conformance.target import StatusTarget
from conformance.transport import HttpResponse, Transport

SKEW = timedelta(minutes=2)
"""By how much the clocks of examiner and server may differ."""
MALFORMED = frozenset({"malformedRequest"})
ERRORS = frozenset(said for code, said in ocsp.STATUSES.items() if code)
ALWAYS_INTERNAL = "status.error.always-internal"
"""The fault that every case notices which asks why a request was refused."""


class Shared:
    """What the cases of one run share. Nobody revokes its certificates but those who made them."""

    def __init__(
        self,
        target: StatusTarget,
        transport: Transport,
        certificates: Certificates,
        now: Callable[[], datetime],
        wait: Callable[[float], None],
    ) -> None:
        self.target = target
        self.now = now
        self.wait = wait
        self.transport = transport
        self.certificates = certificates
        self.issuer: x509.Certificate | None = None


class StatusLab:
    """The bench of one case."""

    def __init__(self, shared: Shared, examination: Examination) -> None:
        self.shared = shared
        self.examination = examination
        self.client = Client(shared.transport, shared.target.ocsp, shared.target.reached, self._observe)
        self.check = examination.check
        self.require = examination.require
        self.now = shared.now

    def _observe(self, response: HttpResponse) -> None:
        self.examination.record(response)
        if response.status == 200 and response.body:
            kinds = {ocsp.RESPONSE_TYPE: Kind.OCSP_RESPONSE, crls.MEDIA_TYPE: Kind.CRL}
            if (kind := kinds.get(response.media_type)) is not None:
                self.examination.issued(response.body, kind=kind)

    # -- what is there ------------------------------------------------------------------------------------------------

    @property
    def issuer(self) -> x509.Certificate:
        """The certificate of the CA. :raises Inconclusive: if it is not to be had."""
        if self.shared.issuer is None:
            self.shared.issuer = self.certificate(self.shared.target.issuer)
        return self.shared.issuer

    def certificate(self, where: str) -> x509.Certificate:
        """A certificate by file name or URL. :raises Inconclusive: if it is not to be had."""
        if "://" not in where:
            return certificate_of(where)
        with self.examination.during("setup"):
            response = self.client.fetch(where)
        if response.status != 200:
            raise Inconclusive(f"{where}: {said(response)}")
        return certificate_in(response.body, where)

    def _given(self, where: str) -> x509.Certificate | None:
        return self.certificate(where) if where else None

    @property
    def good(self) -> Known:
        """A certificate that is good."""
        return self.shared.certificates.good(self.examination, lambda: self._given(self.shared.target.good))

    @property
    def revoked(self) -> Known:
        """One that is revoked."""
        return self.shared.certificates.revoked(self.examination, lambda: self._given(self.shared.target.revoked))

    def fresh(self, not_after: datetime | None = None) -> Known:
        """One of the case's own, good so far. :raises NotApplicable: if the run can have none issued."""
        return self.shared.certificates.fresh(self.examination, not_after)

    def revoke(self, known: Known, reason: int = SUPERSEDED) -> Known:
        """Have a certificate of the case's own revoked."""
        return self.shared.certificates.revoke(self.examination, known, reason)

    # -- OCSP ---------------------------------------------------------------------------------------------------------

    def cert_id(self, serial: int, hash_name: str = "sha1") -> CertId:
        """How a request names a certificate of the CA."""
        return CertId.of(Issuer.of(self.issuer), serial, hash_name)

    def request(self, *serials: int, nonce: bytes | None = None, **parts: Any) -> bytes:
        """A correct request for certificates of the CA; ``parts`` as :func:`conformance.status.ocsp.request` has them."""
        carried = [] if nonce is None else [ocsp.nonce_extension(nonce)]
        return ocsp.request([self.cert_id(serial) for serial in serials], carried=[*carried, *parts.pop("carried", ())], **parts)

    def read(self, response: HttpResponse) -> Response:
        """The OCSPResponse of a reply. :raises NotOcsp: if there is none."""
        if response.status != 200:
            raise NotOcsp(f"no OCSPResponse came: {said(response)}")
        return ocsp.response(response.body)

    def answered(self, response: HttpResponse) -> Basic:
        """The definitive answer of a reply. :raises NotOcsp: if there is none."""
        found = self.read(response)
        if found.status:
            raise NotOcsp(f"the request was answered with {found.said}")
        return found.basic()

    def answer(self, octets: bytes) -> Basic:
        """The definitive answer to a correct request, for cases that examine something else. :raises NotOcsp: (inconclusive) without one."""
        return self.answered(self.client.post(octets))

    def control(self) -> None:
        """Make sure that a correct request is answered, before a refusal is examined. :raises NotOcsp: (inconclusive) if it is not."""
        with self.examination.during("control before"):
            self.single(self.answer(self.request(self.good.serial)), self.good.serial)

    def wanted(self, response: HttpResponse, requirement: str | None = None) -> Basic:
        """The definitive answer, for cases that examine whether there is one: without it, the case ends with a finding."""
        found = None
        try:
            found, why = self.answered(response), ""
        except NotOcsp as failure:
            why = str(failure)
        self.require(found is not None, f"expected an answer: {why}", requirement)
        assert found is not None
        return found

    def single(self, basic: Basic, serial: int) -> ocsp.Single:
        """What is said of one certificate. :raises Inconclusive: if nothing is."""
        for one in basic.singles:
            if one.cert_id.serial == serial:
                return one
        raise Inconclusive("the answer says nothing of the certificate that was asked for")

    def candidates(self, basic: Basic) -> list[x509.Certificate]:
        """Whose key may have signed an answer: the CA, and whoever's certificate is in it."""
        return [self.issuer, *(certificate_in(one, "a certificate of the answer") for one in basic.certs or ())]

    def signer(self, basic: Basic) -> x509.Certificate | None:
        """The certificate by whose key the signature is right; None if there is none."""
        for one in self.candidates(basic):
            if verifies(Issuer.of(one).spki, basic.algorithm, basic.parameters, basic.signature, basic.signed):
                return one
        return None

    def refused(self, response: HttpResponse, errors: Collection[str], *, or_http: bool = False) -> None:
        """Check that a reply refuses with one of these OCSPResponseStatus; ``or_http``: an HTTP status 4xx will do, too."""
        try:
            found = self.read(response).said
        except NotOcsp as failure:
            found = str(failure)
        refused = found in errors or (or_http and 400 <= response.status < 500)
        self.check(refused, f"expected {' or '.join(sorted(errors))}, got {found}")

    # -- CRLs ---------------------------------------------------------------------------------------------------------

    def crl(self, url: str | None = None) -> Crl:
        """The CRL that a URL of a certificate or CRL leads to; the target's own without one.

        :raises NotCrl: (inconclusive) if there is none.
        """
        where = self.shared.target.crl if url is None else self.client.where(url)
        response = self.client.fetch(where)
        if response.status != 200:
            raise crls.NotCrl(f"{where}: {said(response)}")
        return crls.crl(response.body)

    def points(self, certificate: x509.Certificate) -> list[tuple[str, bytes]]:
        """The http URLs of a certificate's CRL distribution points, each with its GeneralName, DER."""
        try:
            found = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        except (x509.ExtensionNotFound, ValueError):
            return []
        names = [name for point in found for name in point.full_name or () if isinstance(name, x509.UniformResourceIdentifier)]
        return [(name.value, _uri(name.value)) for name in names if name.value.startswith("http://")]

    def every_crl(self) -> list[Crl]:
        """Every CRL that can be found: the target's, those of its certificate's and its CA's distribution points, and delta CRLs."""
        urls = [url for url, _ in [*self.points(self.good.certificate), *self.points(self.issuer)]]
        found = [self.crl(), *(self.crl(url) for url in dict.fromkeys(urls))]
        deltas = [url for one in found if one.freshest is not None for url in one.freshest[0]]
        return [*found, *(self.crl(url) for url in dict.fromkeys(deltas))]

    def delta(self, complete: Crl) -> Crl:
        """The delta CRL to a complete one. :raises Unsupported: if it points to none."""
        freshest = complete.freshest
        if freshest is None or not freshest[0]:
            raise Unsupported("the CRL has no freshest CRL extension")
        return self.crl(freshest[0][0])

    def part(self, known: Known) -> tuple[Crl, bytes]:
        """The CRL with an issuing distribution point that a certificate leads to, with the GeneralName that leads there.

        :raises Unsupported: if it leads to none.
        """
        for url, name in self.points(known.certificate):
            found = self.crl(url)
            if found.point is not None:
                return found, name
        raise Unsupported("the certificate leads to no CRL with an issuing distribution point")

    def signed_by_issuer(self, found: Crl) -> bool:
        """Whether the signature of a CRL is right, by the key of the CA."""
        return verifies(Issuer.of(self.issuer).spki, found.algorithm, found.parameters, found.signature, found.signed)

    # -- what is owed -------------------------------------------------------------------------------------------------

    def paired(
        self,
        control: Callable[[], bytes],
        mutation: Callable[[bytes], bytes],
        *,
        errors: Collection[str] = MALFORMED,
        requirement: str | None = None,
    ) -> HttpResponse:
        """Send control, spoilt control, control (:meth:`conformance.examination.Examination.paired`), by POST."""
        return self.examination.paired(
            lambda: self.client.post(control()),
            lambda: self.client.post(mutation(control())),
            denied=self.denied,
            judge=lambda reply: self.refused(reply, errors),
            requirement=requirement,
        )

    def denied(self, response: HttpResponse) -> str:
        """Why a reply gives no definitive answer; empty if it does."""
        try:
            self.answered(response)
        except NotOcsp as failure:
            return str(failure)
        return ""


def _uri(url: str) -> bytes:
    """A GeneralName uniformResourceIdentifier, DER."""
    octets = url.encode("ascii")
    return b"\x86" + length(len(octets)) + octets


def said(response: HttpResponse) -> str:
    """A reply in one line."""
    return f"{response.status} {response.media_type or 'no type'} {response.body[:80]!r}"


def random_serial() -> int:
    """A serial number that no certificate has."""
    return int.from_bytes(b"\x40" + secrets.token_bytes(15), "big")


def negative(
    id: str,
    title: str,
    *,
    covers: Sequence[str],
    mutation: tuple[str, Callable[[bytes], bytes]],
    nonce: int | None = None,
    errors: Collection[str] = MALFORMED,
    kills: Sequence[str] = (),
    single: Iterable[Extension] = (),
    carried: Iterable[Extension] = (),
    feature: str = "",
) -> Case:
    """Declare a negative case of OCSP: a correct request for a good certificate, spoilt in one way, must be refused.

    :param mutation: its name, and what it makes of the request's octets.
    :param nonce: length of the nonce of the correct request, if it has one.
    """
    name, change = mutation

    def body(lab: StatusLab) -> None:
        def control() -> bytes:
            fresh = None if nonce is None else secrets.token_bytes(nonce)
            return lab.request(lab.good.serial, nonce=fresh, single=single, carried=carried)

        lab.good  # noqa: B018 - issued before the control is sent
        lab.paired(control, change, errors=errors)

    return register(
        Case(
            id,
            title,
            tuple(covers),
            body,
            (*kills, ALWAYS_INTERNAL) if ALWAYS_INTERNAL not in kills and errors == MALFORMED else tuple(kills),
            ("ocsp",),
            feature,
            negative=True,
            mutation=name,
        )
    )
