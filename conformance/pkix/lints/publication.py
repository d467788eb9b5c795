"""Where CRLs and certificates are to be had (RFC 5280 sections 4.2.1.13, 4.2.1.15, 4.2.2.1, 4.2.2.2 and 8)."""

from __future__ import annotations

from urllib.parse import urlsplit

from conformance.der import Value, encode
from conformance.pkix.lint import Found, lint
from conformance.pkix.reading import (
    AUTHORITY_ACCESS,
    DIRECTORY,
    DISTRIBUTION_POINTS,
    FRESHEST_CRL,
    MAIL,
    SUBJECT_ACCESS,
    URI,
    Certificate,
    bits,
    dotted,
    text,
)
from conformance.pkix.seen import Seen

CA_ISSUERS, CA_REPOSITORY, TIME_STAMPING = "1.3.6.1.5.5.7.48.2", "1.3.6.1.5.5.7.48.5", "1.3.6.1.5.5.7.48.3"
_NAME, _REASONS, _CRL_ISSUER = b"\xa0", b"\x81", b"\xa2"
_FULL, _RELATIVE = b"\xa0", b"\xa1"
_ALL_REASONS = frozenset(range(1, 9))
_FETCHED = ("http", "ldap")


def points(one: Certificate, oid: str = DISTRIBUTION_POINTS) -> list[dict[bytes, Value]]:
    """The distribution points, each as its fields by tag."""
    value = one.value(oid)
    return [{part.identifier: part for part in point.parts} for point in value.parts] if value is not None else []


def point_names(point: dict[bytes, Value]) -> list[Value]:
    """The general names of a distribution point."""
    return [name for full in (point[_NAME].parts if _NAME in point else ()) if full.identifier == _FULL for name in full.parts]


def locations(one: Certificate, oid: str, method: str = "") -> list[Value]:
    """Where authorityInfoAccess or subjectInfoAccess point to, by that method (empty: by any)."""
    value = one.value(oid)
    found = [access.parts for access in value.parts if len(access.parts) == 2] if value is not None else []
    return [location for kind, location in found if method in ("", dotted(kind.octets))]


def crl_uris(one: Certificate) -> list[str]:
    """The URIs of its CRL."""
    return [text(name) for point in points(one) for name in point_names(point) if name.identifier == URI]


def _scheme(uri: str) -> str:
    return uri.partition(":")[0].lower()


def _ldap_faults(uri: str, *, attributes: str) -> list[str]:
    """What an LDAP URI lacks (RFC 4516): the name of the entry, and which attribute is meant."""
    parts = urlsplit(uri)
    found = [] if parts.path.strip("/") else [f"{uri}: has no dn"]
    listed = parts.query.partition("?")[0].split(",")
    right = len(listed) == 1 if attributes == "one" else True
    return found if listed[0] and right else [*found, f"{uri}: has not the attribute that holds it"]


@lint("certificate.distribution-points-criticality", "4.2.1.13#non-critical", kills=("publication.critical-crl",))
def distribution_points_criticality(one: Certificate, seen: Seen) -> Found:
    """The cRLDistributionPoints are not critical"""
    return _not_critical(one, DISTRIBUTION_POINTS)


@lint("certificate.distribution-point-reasons", "4.2.1.13#not-reasons-alone")
def distribution_point_reasons(one: Certificate, seen: Seen) -> Found:
    """A distribution point is more than reasons"""
    found = points(one)
    return (
        ["it names neither a place nor a CRL issuer" for point in found if not {_NAME, _CRL_ISSUER} & point.keys()]
        if found
        else None
    )


@lint("certificate.distribution-point-issuer", "4.2.1.13#no-crl-issuer", kills=("publication.crl-issuer",))
def distribution_point_issuer(one: Certificate, seen: Seen) -> Found:
    """A distribution point does not name the issuer of the certificate as that of the CRL"""
    found = points(one)
    if not found:
        return None
    faults = []
    for point in found:
        named = [encode(name.parts[0]) for name in point[_CRL_ISSUER].parts if name.parts] if _CRL_ISSUER in point else []
        if encode(one.issuer) in named:
            faults.append("it does")
        elif not named and _NAME not in point:
            faults.append("it names no place")
    return faults


@lint("certificate.crl-issuer", "4.2.1.13#crl-issuer", "4.2.1.13#crl-issuer-name", "4.2.1.13#crl-issuer-encoding")
def crl_issuer(one: Certificate, seen: Seen) -> Found:
    """The CRL that is found at a distribution point is that of the certificate's issuer, or of the CRL issuer that is named, octet by octet"""
    faults, concerned = [], False
    for point in points(one):
        named = [encode(name.parts[0]) for name in point[_CRL_ISSUER].parts if name.parts] if _CRL_ISSUER in point else []
        for name in point_names(point):
            for crl in seen.crls_at(text(name)):
                concerned = True
                if encode(crl.issuer) not in (named or [encode(one.issuer)]):
                    faults.append(f"{crl} at {text(name)} has another issuer")
    return faults if concerned else None


@lint("certificate.crl-issuer-form", "4.2.1.13#crl-issuer-name")
def crl_issuer_form(one: Certificate, seen: Seen) -> Found:
    """The CRL issuer of a distribution point is a distinguished name and nothing else"""
    found = [name for point in points(one) if _CRL_ISSUER in point for name in point[_CRL_ISSUER].parts]
    return [f"it has the tag {name.identifier.hex()}" for name in found if name.identifier != DIRECTORY] if found else None


@lint("certificate.distribution-point-ldap", "4.2.1.13#ldap")
def distribution_point_ldap(one: Certificate, seen: Seen) -> Found:
    """An LDAP URI of a CRL names the entry and one attribute"""
    found = [uri for uri in crl_uris(one) if _scheme(uri) == "ldap"]
    return [fault for uri in found for fault in _ldap_faults(uri, attributes="one")] if found else None


@lint("certificate.distribution-point-scheme", "4.2.1.13#http-or-ldap", kills=("publication.ftp",))
def distribution_point_scheme(one: Certificate, seen: Seen) -> Found:
    """A distribution point has a URI of HTTP or LDAP"""
    found = [[text(name) for name in point_names(point) if name.identifier == URI] for point in points(one) if _NAME in point]
    return (
        [f"it has {uris or 'no URI'}" for uris in found if not any(_scheme(uri) in _FETCHED for uri in uris)] if found else None
    )


@lint("certificate.distribution-point-relative", "4.2.1.13#not-relative")
def distribution_point_relative(one: Certificate, seen: Seen) -> Found:
    """A distribution point is not named relatively to its CRL issuer"""
    found = [point for point in points(one) if _NAME in point]
    if not found:
        return None
    return ["it is" for point in found for name in point[_NAME].parts if name.identifier == _RELATIVE]


@lint("certificate.distribution-point-relative-to-one", "4.2.1.13#relative-to-one")
def distribution_point_relative_to_one(one: Certificate, seen: Seen) -> Found:
    """A distribution point that is named relatively has one CRL issuer"""
    found = [point for point in points(one) if _NAME in point and any(n.identifier == _RELATIVE for n in point[_NAME].parts)]
    if not found:
        return None
    counts = [len(point[_CRL_ISSUER].parts) if _CRL_ISSUER in point else 1 for point in found]
    return [f"it has {count}" for count in counts if count > 1]


@lint("certificate.distribution-points-reasons", "4.2.1.13#all-reasons-covered", kills=("publication.some-reasons",))
def distribution_points_reasons(one: Certificate, seen: Seen) -> Found:
    """At least one distribution point is for all reasons"""
    found = points(one)
    if not found:
        return None
    whole = any(_REASONS not in point or bits(point[_REASONS]) >= _ALL_REASONS for point in found)
    return [] if whole else ["every one is for some reasons"]


@lint("certificate.freshest-crl-criticality", "4.2.1.15#non-critical")
def freshest_crl_criticality(one: Certificate, seen: Seen) -> Found:
    """The freshestCRL is not critical"""
    return _not_critical(one, FRESHEST_CRL)


@lint("certificate.authority-access-criticality", "4.2.2.1#non-critical", kills=("publication.critical-access",))
def authority_access_criticality(one: Certificate, seen: Seen) -> Found:
    """The authorityInfoAccess is not critical"""
    return _not_critical(one, AUTHORITY_ACCESS)


@lint("certificate.subject-access-criticality", "4.2.2.2#non-critical")
def subject_access_criticality(one: Certificate, seen: Seen) -> Found:
    """The subjectInfoAccess is not critical"""
    return _not_critical(one, SUBJECT_ACCESS)


@lint("certificate.authority-access-ldap", "4.2.2.1#ldap")
def authority_access_ldap(one: Certificate, seen: Seen) -> Found:
    """An LDAP URI of the issuer's certificate names the entry and its attributes"""
    return _ldap(one, AUTHORITY_ACCESS)


@lint("certificate.subject-access-ldap", "4.2.2.2#ldap")
def subject_access_ldap(one: Certificate, seen: Seen) -> Found:
    """An LDAP URI of a repository names the entry and its attributes"""
    return _ldap(one, SUBJECT_ACCESS)


@lint("certificate.authority-access-scheme", "4.2.2.1#http-or-ldap")
def authority_access_scheme(one: Certificate, seen: Seen) -> Found:
    """The issuer's certificate is to be had by HTTP or LDAP"""
    return _one_scheme(locations(one, AUTHORITY_ACCESS, CA_ISSUERS))


@lint("certificate.subject-access-scheme", "4.2.2.2#http-or-ldap")
def subject_access_scheme(one: Certificate, seen: Seen) -> Found:
    """A repository is to be reached by HTTP or LDAP"""
    return _one_scheme(locations(one, SUBJECT_ACCESS, CA_REPOSITORY))


@lint("certificate.time-stamping", "4.2.2.2#time-stamping", "4.2.2.2#time-stamping-mail")
def time_stamping(one: Certificate, seen: Seen) -> Found:
    """A time stamping service is named by a URI or a mail address"""
    found = locations(one, SUBJECT_ACCESS, TIME_STAMPING)
    return [f"it has the tag {name.identifier.hex()}" for name in found if name.identifier not in (URI, MAIL)] if found else None


@lint("certificate.publication-https", "8#https", kills=("publication.https",))
def publication_https(one: Certificate, seen: Seen) -> Found:
    """What one needs to judge a certificate is not behind TLS, which would need to be judged first"""
    found = [text(name) for oid in (AUTHORITY_ACCESS, SUBJECT_ACCESS) for name in locations(one, oid) if name.identifier == URI]
    found += [text(n) for oid in (DISTRIBUTION_POINTS, FRESHEST_CRL) for point in points(one, oid) for n in point_names(point)]
    return [uri for uri in found if _scheme(uri) in ("https", "ldaps")] if found else None


def _ldap(one: Certificate, oid: str) -> Found:
    found = [text(name) for name in locations(one, oid) if name.identifier == URI and _scheme(text(name)) == "ldap"]
    return [fault for uri in found for fault in _ldap_faults(uri, attributes="several")] if found else None


def _one_scheme(found: list[Value]) -> Found:
    if not found:
        return None
    uris = [text(name) for name in found if name.identifier == URI]
    return [] if any(_scheme(uri) in _FETCHED for uri in uris) else [f"it is at {uris or 'no URI'} alone"]


def _not_critical(one: Certificate, oid: str) -> Found:
    found = one.extension(oid)
    return None if found is None else [f"extension {oid} is critical"] if found.critical else []
