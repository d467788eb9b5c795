"""What a lint gets to see, and a way to fetch what certificates point to."""

from __future__ import annotations

from pathlib import Path

from conformance import tools
from conformance.der import DerError
from conformance.examination import Examination, Exchange, Issued, Kind, NotApplicable
from conformance.pkix.lints.publication import CA_ISSUERS, CA_REPOSITORY, crl_uris, locations
from conformance.pkix.reading import AUTHORITY_ACCESS, SUBJECT_ACCESS, URI, Certificate, RevocationList, text
from conformance.pkix.seen import Seen
from conformance.transport import HttpRequest, HttpResponse, Transport, Unreachable

MOST_FETCHED = 24
"""URLs that are fetched in one run: a CA with many parts of its CRL does not hold it up."""


def http_uris(certificate: Certificate) -> dict[str, Kind]:
    """The HTTP URIs of a certificate, and what is to be found there."""
    crls = dict.fromkeys(crl_uris(certificate), Kind.CRL)
    places = locations(certificate, AUTHORITY_ACCESS, CA_ISSUERS) + locations(certificate, SUBJECT_ACCESS, CA_REPOSITORY)
    found = {text(one): Kind.CERTIFICATE for one in places if one.identifier == URI} | crls
    return {uri: kind for uri, kind in found.items() if uri.lower().startswith("http://")}


class Library:
    """All that was issued in a run: what benches handed over, and what can be fetched from where those certificates point to."""

    def __init__(self, handed: list[Issued], transport: Transport) -> None:
        self._handed = handed
        self._transport = transport
        self._replies: dict[str, HttpResponse | Unreachable] = {}
        self._seen = Seen(())
        self._of = -1

    @property
    def seen(self) -> Seen:
        """Everything, as of now."""
        if self._of != len(self._handed):
            self._of = len(self._handed)
            fetched: list[Issued] = []
            for certificate in Seen(self._handed).certificates:
                for uri, kind in http_uris(certificate).items():
                    reply = self.fetch(uri)
                    if isinstance(reply, HttpResponse) and reply.status == 200 and _is(kind, reply.body):
                        fetched.append(Issued(kind, reply.body, Exchange("seen", reply)))
            self._seen = Seen([*self._handed, *fetched])
        return self._seen

    def fetch(self, uri: str) -> HttpResponse | Unreachable:
        """What is there; each URI is asked for once."""
        if uri not in self._replies:
            if len(self._replies) >= MOST_FETCHED:
                return Unreachable(f"{uri}: {MOST_FETCHED} URIs were fetched before it")
            try:
                self._replies[uri] = self._transport.exchange(HttpRequest("GET", uri))
            except Unreachable as failure:
                self._replies[uri] = failure
        return self._replies[uri]


def _is(kind: Kind, octets: bytes) -> bool:
    try:
        RevocationList.read(octets) if kind is Kind.CRL else Certificate.read(octets)
    except (DerError, IndexError):
        return False
    return True


class PkixLab:
    """The bench of one case."""

    def __init__(self, library: Library, examination: Examination, pkilint: Path | None) -> None:
        self.library = library
        self._pkilint = pkilint
        self.examination = examination
        self.check = examination.check

    @property
    def pkilint(self) -> Path:
        """The program that lints certificates. :raises NotApplicable: if it is not there."""
        if self._pkilint is None:
            raise NotApplicable(tools.PKILINT.missing)
        return self._pkilint
