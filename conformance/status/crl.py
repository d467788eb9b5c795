"""CRLs (RFC 5280 section 5), read by pyasn1 with what tells one encoding from another: the types of times, the octets of names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from pyasn1.codec.der import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type.univ import Integer
from pyasn1_modules import rfc5280

from conformance import der
from conformance.status.ocsp import Extension, extensions
from conformance.status.strict import generalized_time, utc_time

MEDIA_TYPE = "application/pkix-crl"
"""RFC 2585 section 4.2."""
NUMBER, AUTHORITY_KEY, ISSUER_NAMES = "2.5.29.20", "2.5.29.35", "2.5.29.18"
DELTA, POINT, FRESHEST, AUTHORITY_ACCESS = "2.5.29.27", "2.5.29.28", "2.5.29.46", "1.3.6.1.5.5.7.1.1"
REASON, INVALIDITY, CERTIFICATE_ISSUER = "2.5.29.21", "2.5.29.24", "2.5.29.29"
REMOVE_FROM_CRL = 8
UNSPECIFIED = 0


class NotCrl(Exception):
    """Octets are no CRL, or an extension of it cannot be read: which, and why."""


@dataclass(frozen=True, slots=True)
class Time:
    """A Time as written. ``kind`` is utcTime or generalTime."""

    kind: str
    text: str

    @property
    def moment(self) -> datetime | None:
        """When that is; None if it is not written as RFC 5280 section 4.1.2.5 wants it."""
        return utc_time(self.text) if self.kind == "utcTime" else generalized_time(self.text)

    @property
    def right(self) -> bool:
        """Whether it is of the type that its year wants, and in the form that this type has (section 5.1.2.4)."""
        return self.moment is not None and (self.kind == "utcTime") == (self.moment.year < 2050)


@dataclass(frozen=True, slots=True)
class Entry:
    """A revoked certificate."""

    serial: int
    revoked: Time
    extensions: tuple[Extension, ...]

    @property
    def reason(self) -> int | None:
        """The reason code; None if it is absent. :raises NotCrl:"""
        value = value_of(self.extensions, REASON, rfc5280.CRLReason())
        return None if value is None else int(value)


@dataclass(frozen=True, slots=True)
class Crl:
    """A CertificateList. ``signed`` are the octets of TBSCertList, ``version`` None if absent, ``entries`` None if the list is absent."""

    octets: bytes
    signed: bytes
    version: int | None
    inner_algorithm: bytes
    outer_algorithm: bytes
    issuer: bytes
    this_update: Time
    next_update: Time | None
    entries: tuple[Entry, ...] | None
    extensions: tuple[Extension, ...]
    algorithm: str
    parameters: bytes
    signature: bytes

    def extension(self, oid: str) -> Extension | None:
        """The extension of that OID."""
        return next((one for one in self.extensions if one.oid == oid), None)

    def entry(self, serial: int) -> Entry | None:
        """The entry of the certificate with this serial number."""
        return next((one for one in self.entries or () if one.serial == serial), None)

    @property
    def number(self) -> int | None:
        """The CRL number, which may be one that is forbidden; None if it is absent. :raises NotCrl:"""
        value = value_of(self.extensions, NUMBER, Integer())
        return None if value is None else int(value)

    @property
    def base(self) -> int | None:
        """The number of the base of a delta CRL; None for a complete one. :raises NotCrl:"""
        value = value_of(self.extensions, DELTA, Integer())
        return None if value is None else int(value)

    @property
    def key_identifier(self) -> bytes | None:
        """The keyIdentifier of the authority key identifier; None if it is absent. :raises NotCrl:"""
        value = value_of(self.extensions, AUTHORITY_KEY, rfc5280.AuthorityKeyIdentifier())
        return bytes(value["keyIdentifier"]) if value is not None and value["keyIdentifier"].isValue else None

    @property
    def point(self) -> Point | None:
        """The issuing distribution point; None if it is absent. :raises NotCrl:"""
        carried = self.extension(POINT)
        value = value_of(self.extensions, POINT, rfc5280.IssuingDistributionPoint())
        if carried is None or value is None:
            return None
        named = value["distributionPoint"]
        names = named["fullName"] if named.isValue and named.getName() == "fullName" else ()
        return Point(
            carried.value,
            named.isValue,
            tuple(encoder.encode(one) for one in names),
            bool(value["onlyContainsUserCerts"]),
            bool(value["onlyContainsCACerts"]),
            value["onlySomeReasons"].isValue,
            bool(value["indirectCRL"]),
            bool(value["onlyContainsAttributeCerts"]),
        )

    @property
    def freshest(self) -> tuple[tuple[str, ...], bool] | None:
        """URLs of delta CRLs, and whether a point has fields that RFC 5280 section 5.2.6 forbids; None if the extension is absent."""
        value = value_of(self.extensions, FRESHEST, rfc5280.CRLDistributionPoints())
        if value is None:
            return None
        urls = [url for point in value for url in urls_of(point)]
        return tuple(urls), any(point["reasons"].isValue or point["cRLIssuer"].isValue for point in value)


@dataclass(frozen=True, slots=True)
class Point:
    """An issuing distribution point. ``octets`` is its DER, ``names`` each GeneralName of fullName, DER."""

    octets: bytes
    named: bool
    names: tuple[bytes, ...]
    user: bool
    ca: bool
    some_reasons: bool
    indirect: bool
    attribute: bool


def value_of(carried: tuple[Extension, ...], oid: str, kind: Any) -> Any:
    """The value of an extension, or None if it is absent. :raises NotCrl: if it cannot be read."""
    found = next((one for one in carried if one.oid == oid), None)
    if found is None:
        return None
    try:
        value, rest = decoder.decode(found.value, asn1Spec=kind)
    except PyAsn1Error as error:
        raise NotCrl(f"extension {oid}: {str(error)[:200]}") from None
    if rest:
        raise NotCrl(f"extension {oid}: {len(rest)} octets follow its value")
    return value


def urls_of(point: Any) -> list[str]:
    """The URLs of a DistributionPoint."""
    named = point["distributionPoint"]
    if not named.isValue or named.getName() != "fullName":
        return []
    return [str(one.getComponent()) for one in named["fullName"] if one.getName() == "uniformResourceIdentifier"]


@lru_cache(maxsize=8)
def crl(octets: bytes) -> Crl:
    """A CRL in DER. :raises NotCrl: for anything else, octets behind it included."""
    try:
        found, rest = decoder.decode(octets, asn1Spec=rfc5280.CertificateList())
        tree = der.decode(octets)
    except (PyAsn1Error, der.DerError) as error:
        raise NotCrl(f"no CertificateList: {str(error)[:200]}") from None
    if rest:
        raise NotCrl(f"{len(rest)} octets follow the CertificateList")
    tbs = found["tbsCertList"]
    listed = tbs["revokedCertificates"]
    parameters = found["signatureAlgorithm"]["parameters"]
    return Crl(
        octets,
        der.encode(tree.parts[0]),
        int(tbs["version"]) if tbs["version"].isValue else None,
        encoder.encode(tbs["signature"]),
        encoder.encode(found["signatureAlgorithm"]),
        encoder.encode(tbs["issuer"]),
        _time(tbs["thisUpdate"]),
        _time(tbs["nextUpdate"]) if tbs["nextUpdate"].isValue else None,
        tuple(_entry(one) for one in listed) if listed.isValue else None,
        extensions(tbs["crlExtensions"]),
        str(found["signatureAlgorithm"]["algorithm"]),
        bytes(parameters) if parameters.hasValue() else b"",
        found["signature"].asOctets(),
    )


def _entry(one: Any) -> Entry:
    return Entry(int(one["userCertificate"]), _time(one["revocationDate"]), extensions(one["crlEntryExtensions"]))


def _time(value: Any) -> Time:
    return Time(value.getName(), str(value.getComponent()))
