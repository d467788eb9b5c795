"""RFC 5280 section 5.2: the extensions of a CRL."""

from __future__ import annotations

from cryptography import x509
from pyasn1_modules import rfc5280

from conformance.case import case
from conformance.examination import Inconclusive, Unsupported
from conformance.status import crl as crls
from conformance.status.lab import StatusLab

_CA_ISSUERS = "1.3.6.1.5.5.7.48.2"
_OCTETS = 20


@case(
    "status.crl.number",
    covers=["rfc5280:5.2.3#included", "rfc5280:5.2.3#length", "rfc5280:5.2#required", "rfc5280:5#profile"],
    kills=["status.crl.number-missing", "status.crl.number-critical", "status.crl.number-negative"],
    needs=["crl"],
)
def number(lab: StatusLab) -> None:
    """Every CRL has a number, which is not negative, has at most 20 octets, and is not critical"""
    for found in lab.every_crl():
        carried = found.extension(crls.NUMBER)
        if not lab.check(carried is not None, "there is no CRL number"):
            continue
        assert carried is not None
        value = found.number
        assert value is not None
        lab.check(not carried.critical, "the CRL number is critical")
        lab.check(value >= 0, f"the CRL number is {value}")
        lab.check(value.bit_length() < 8 * _OCTETS, f"the CRL number has {value.bit_length()} bits", "rfc5280:5.2.3#length")


@case(
    "status.crl.number-grows",
    covers=["rfc5280:5.2.3#monotone", "rfc5280:5.2.3#unique", "rfc5280:5.2.3#differs"],
    kills=["status.crl.number-stands-still", "status.crl.number-falls"],
    needs=["crl"],
)
def number_grows(lab: StatusLab) -> None:
    """A later CRL has a higher number"""
    before = lab.crl()
    lab.revoke(lab.fresh())
    after = lab.crl()
    first, second = before.number, after.number
    if first is None or second is None:
        raise Inconclusive("there is no CRL number")
    if before.octets == after.octets:
        raise Inconclusive("no new CRL was issued when a certificate was revoked")
    lab.check(second >= first, f"{first}, and then {second}")
    for requirement in ("rfc5280:5.2.3#unique", "rfc5280:5.2.3#differs"):
        lab.check(second != first, f"two CRLs have the number {first}", requirement)


@case(
    "status.crl.authority-key",
    covers=["rfc5280:5.2.1#key-identifier", "rfc5280:5.2#required", "rfc5280:5#profile"],
    kills=["status.crl.authority-key-missing", "status.crl.authority-key-other"],
    needs=["crl"],
)
def authority_key(lab: StatusLab) -> None:
    """The authority key identifier names the key of the CA by its subject key identifier"""
    for found in lab.every_crl():
        lab.check(found.key_identifier is not None, "there is no key identifier of the authority")
    try:
        expected = lab.issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        raise Inconclusive("the certificate of the CA has no subject key identifier") from None
    said = lab.crl().key_identifier
    lab.check(said == expected, f"expected {expected.hex()}, got {'nothing' if said is None else said.hex()}")


@case("status.crl.issuer-names", covers=["rfc5280:5.2.2#critical"], needs=["crl"], feature="issuer-alternative-name")
def issuer_names(lab: StatusLab) -> None:
    """Further names of the issuer are not critical"""
    found = [carried for one in lab.every_crl() if (carried := one.extension(crls.ISSUER_NAMES)) is not None]
    if not found:
        raise Unsupported("no CRL has an issuer alternative name")
    for carried in found:
        lab.check(not carried.critical, "the issuer alternative name is critical")


@case(
    "status.crl.authority-access",
    covers=[
        "rfc5280:5.2.7#critical",
        "rfc5280:5.2.7#ca-issuers",
        "rfc5280:5.2.7#others",
        "rfc5280:5.2.7#http",
        "rfc5280:5.2.7#points-to",
        "rfc5280:5.2.7#media-type",
    ],
    needs=["crl"],
    feature="crl-aia",
)
def authority_access(lab: StatusLab) -> None:
    """Authority information access of a CRL tells where the certificate of its issuer is, and nothing else"""
    found = lab.crl()
    carried = found.extension(crls.AUTHORITY_ACCESS)
    if carried is None:
        raise Unsupported("the CRL has no authority information access")
    value = crls.value_of(found.extensions, crls.AUTHORITY_ACCESS, rfc5280.AuthorityInfoAccessSyntax())
    lab.check(not carried.critical, "the extension is critical")
    methods = [str(one["accessMethod"]) for one in value]
    lab.check(_CA_ISSUERS in methods, "there is no id-ad-caIssuers", "rfc5280:5.2.7#ca-issuers")
    lab.check(set(methods) == {_CA_ISSUERS}, f"other methods: {', '.join(methods)}", "rfc5280:5.2.7#others")
    urls = [
        str(one["accessLocation"].getComponent())
        for one in value
        if one["accessLocation"].getName() == "uniformResourceIdentifier"
    ]
    lab.check([url for url in urls if url.startswith(("http:", "ldap:"))], "no HTTP or LDAP URL", "rfc5280:5.2.7#http")
    for url in (one for one in urls if one.startswith("http:")):
        response = lab.client.fetch(lab.client.where(url))
        kinds = ("application/pkix-cert", "application/pkcs7-mime")
        lab.check(response.status == 200 and response.body[:1] == b"\x30", f"{url}: no DER", "rfc5280:5.2.7#points-to")
        lab.check(response.media_type in kinds, f"{url}: {response.media_type or 'no type'}", "rfc5280:5.2.7#media-type")
