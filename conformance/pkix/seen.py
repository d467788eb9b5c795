"""Everything that a run saw the server issue, each thing once, with the message that it came in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property

from conformance.der import DerError, encode
from conformance.examination import Issued, Kind
from conformance.pkix.reading import Certificate, Extended, RevocationList
from conformance.pkix.responses import Response

Thing = Certificate | RevocationList | Response
_READ: dict[Kind, Callable[[bytes], Thing]] = {
    Kind.CERTIFICATE: Certificate.read,
    Kind.CRL: RevocationList.read,
    Kind.OCSP_RESPONSE: Response.read,
}


def _within(one: Issued) -> tuple[bytes, ...]:
    if one.kind is not Kind.OCSP_RESPONSE:
        return ()
    try:
        return Response.read(one.octets).certificates
    except (DerError, IndexError):
        return ()


class Seen:
    """What was issued. Things that are the same octet by octet count once; the first exchange that one came in is kept.

    The certificates that come within OCSP responses count like others.
    """

    def __init__(self, issued: Iterable[Issued]) -> None:
        listed = list(issued)
        listed += [Issued(Kind.CERTIFICATE, octets, one.exchange) for one in listed for octets in _within(one)]
        self.issued = list({(one.kind, one.octets): one for one in reversed(listed)}.values())[::-1]

    def of(self, kind: Kind) -> list[Issued]:
        """What is of that kind, readable or not."""
        return [one for one in self.issued if one.kind is kind]

    @cached_property
    def read(self) -> dict[Issued, Thing]:
        """What can be taken apart; what cannot is a matter of the lint of its encoding."""
        found = {}
        for one in self.issued:
            with suppress(DerError, IndexError):
                found[one] = _READ[one.kind](one.octets)
        return found

    @cached_property
    def responders(self) -> frozenset[bytes]:
        """The certificates that come first in an OCSP response: whoever signed it."""
        return frozenset(one.certificates[0] for one in self.read.values() if isinstance(one, Response) and one.certificates)

    @cached_property
    def certificates(self) -> list[Certificate]:
        """The certificates that can be read."""
        return [one for one in self.read.values() if isinstance(one, Certificate)]

    @cached_property
    def crls(self) -> list[RevocationList]:
        """The CRLs that can be read."""
        return [one for one in self.read.values() if isinstance(one, RevocationList)]

    def crls_at(self, url: str) -> list[RevocationList]:
        """The CRLs that came from that URL."""
        return [
            crl
            for one, crl in self.read.items()
            if isinstance(crl, RevocationList) and one.exchange is not None and one.exchange.response.request.url == url
        ]

    def issuers(self, one: Certificate | RevocationList) -> list[Certificate]:
        """The CA certificates whose subject is the issuer of that one, octet by octet."""
        wanted = encode(one.issuer)
        return [ca for ca in self.certificates if ca.is_ca and encode(ca.subject) == wanted]

    def by_key(self, one: Extended) -> list[Certificate]:
        """The CA certificates with the key that the authority key identifier of that one names."""
        key = one.authority_key
        return [ca for ca in self.certificates if key is not None and ca.is_ca and ca.subject_key == key]
