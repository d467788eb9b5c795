"""RFC 5280 section 6 for certificates of vendors: what leads to an anchor of the profile, and what does not."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from privca.base.names import dns_name
from privca.base.refused import Reason
from privca.enrollment.door import Identity, Issued
from privca.enrollment.vendors import DEPTH, MOST_OTHERS
from tests.support.devices import ask, device_profile, exchange, refusal, request
from tests.support.issuance_lab import NOW, IssuanceLab, run

DAY = timedelta(days=1)
KEY_USAGE_OF_NO_CA = x509.KeyUsage(True, False, False, False, False, False, False, False, False)


class Made:
    """A certificate of a vendor, and its key."""

    def __init__(
        self,
        cn: str,
        issuer: Made | None = None,
        *,
        ca: bool | None = None,
        days: tuple[int, int] = (-1, 3650),
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
        key: Any = None,
        signed_by: Any = None,
        path_length: int | None = None,
    ) -> None:
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Vendor"), x509.NameAttribute(NameOID.SERIAL_NUMBER, cn)]
        )
        builder = x509.CertificateBuilder(
            issuer.subject if issuer else self.subject,
            self.subject,
            self.key.public_key(),
            x509.random_serial_number(),
            NOW + days[0] * DAY,
            NOW + days[1] * DAY,
        )
        if ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca, path_length if ca else None), critical=True)
        for value, critical in extensions:
            builder = builder.add_extension(value, critical)
        self.certificate = builder.sign(signed_by or (issuer.key if issuer else self.key), hashes.SHA256())

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


ROOT = Made("root", ca=True)
MIDDLE = Made("middle", ROOT, ca=True)
DEVICE = Made("4711", MIDDLE)


def admitted(lab: IssuanceLab, device: bytes, *others: bytes, anchors: Sequence[str] = (ROOT.pem,)) -> Identity:
    profile = device_profile(lab, vendor_anchors=tuple(anchors))
    return run(lab.credentials.certificate(exchange(lab), profile, device, others))


def test_a_device_of_the_vendor_is_admitted(lab: IssuanceLab) -> None:
    identity = admitted(lab, DEVICE.der, MIDDLE.der)
    assert identity.method == "certificate"
    assert identity.id == f"vendor:{DEVICE.certificate.fingerprint(hashes.SHA256()).hex()}"
    assert (identity.vendor, identity.certificate, identity.ra) == (DEVICE.der, None, False)
    # In whatever order, with what does not belong to it, or below an anchor that is no root.
    unrelated = Made("unrelated", ca=True)
    assert admitted(lab, DEVICE.der, unrelated.der, ROOT.der, MIDDLE.der) == identity
    assert admitted(lab, DEVICE.der, anchors=[MIDDLE.pem]) == identity
    # As devices are made: for ever (RFC 5280 section 4.1.2.5).
    for_ever = Made("1", ROOT, days=(-1, (datetime(9999, 12, 31, tzinfo=UTC) - NOW).days))
    assert admitted(lab, for_ever.der).method == "certificate"


def below(*authorities: Made) -> tuple[bytes, ...]:
    """A device below the last of these, and the certificates that go with it."""
    return (Made("4711", authorities[-1]).der, *(one.der for one in authorities))


def constrained(kind: Any) -> Made:
    return Made("constrained", ROOT, ca=True, extensions=[(x509.NameConstraints([kind], None), True)])


def named(issuer: Made) -> bytes:
    return Made("4711", issuer, extensions=[(x509.SubjectAlternativeName([x509.DNSName("other.test")]), False)]).der


ELSEWHERE = constrained(x509.DNSName("vendor.test"))
PATHLESS = Made("pathless", ROOT, ca=True, path_length=0)
LINE = [ROOT]
for _depth in range(DEPTH + 1):
    LINE.append(Made(f"level {_depth}", LINE[-1], ca=True))

BAD = {
    "no way to the anchor": (DEVICE.der,),
    "another root of the same name": below(Made("root", ca=True)),
    "signed by another key": (Made("4711", MIDDLE, signed_by=ec.generate_private_key(ec.SECP256R1())).der, MIDDLE.der),
    "an intermediate that ended": below(Made("old", ROOT, ca=True, days=(-20, -1))),
    "an intermediate that is no CA": below(Made("device", ROOT, ca=False)),
    "an intermediate without basicConstraints": below(Made("device", ROOT)),
    "an intermediate that may not sign certificates": below(
        Made("device", ROOT, ca=True, extensions=[(KEY_USAGE_OF_NO_CA, True)])
    ),
    "too long a path": below(*LINE[1:]),
    "a path longer than a CA allows": below(PATHLESS, Made("below", PATHLESS, ca=True)),
    "a name that a CA may not certify": (named(ELSEWHERE), ELSEWHERE.der),
    "a constraint of a kind that is not understood": below(constrained(x509.DirectoryName(ROOT.subject))),
    "a critical extension that is not understood": (
        Made("4711", ROOT, extensions=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0"), True)]).der,
    ),
    "a CA": (MIDDLE.der,),
    "the anchor itself": (ROOT.der,),
    "self-signed": (Made("4711").der,),
    "no certificate among the others": (DEVICE.der, MIDDLE.der, b"\x30\x00"),
    "too many others": (DEVICE.der, MIDDLE.der, *(Made(f"{n}", ca=True).der for n in range(MOST_OTHERS))),
    "a weak key": (Made("4711", ROOT, key=rsa.generate_private_key(65537, 1024)).der,),
    "too large": (
        Made("4711", ROOT, extensions=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\0" * 20000), False)]).der,
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_lead_to_the_anchor_is_refused(lab: IssuanceLab, case: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refused = refusal(admitted, lab, *BAD[case])
    assert refused.reason is Reason.UNAUTHENTICATED
    assert refused.clause.startswith(("RFC 5280 section", "RFC 8017 section"))


@pytest.mark.parametrize(("days", "said"), [((-20, -1), "has expired"), ((1, 20), "not yet valid")])
def test_a_device_outside_its_time_is_refused(lab: IssuanceLab, days: tuple[int, int], said: str) -> None:
    assert said in refusal(admitted, lab, Made("4711", ROOT, days=days).der).detail


def test_a_vendor_is_nobody_to_a_profile_without_anchors(lab: IssuanceLab) -> None:
    refused = refusal(admitted, lab, DEVICE.der, MIDDLE.der, anchors=[])
    assert refused.clause == "profile: certificate_profiles"


def test_the_anchors_are_those_of_the_newest_revision(lab: IssuanceLab) -> None:
    profile = device_profile(lab, vendor_anchors=(ROOT.pem,))
    run(lab.credentials.certificate(exchange(lab), profile, DEVICE.der, [MIDDLE.der]))
    without = device_profile(lab, id=profile.id, vendor_anchors=(Made("another", ca=True).pem,))
    assert refusal(lambda: run(lab.credentials.certificate(exchange(lab), without, DEVICE.der, [MIDDLE.der])))


# -- what a vendor's device may ask for


def test_a_device_enrolls_for_what_its_vendor_certified(lab: IssuanceLab) -> None:
    profile = device_profile(lab, vendor_anchors=(ROOT.pem,))
    device = Made("4711", ROOT, extensions=[(x509.SubjectAlternativeName([x509.DNSName("d4711.vendor.test")]), False)])
    identity = run(lab.credentials.certificate(exchange(lab), profile, device.der))
    issued = ask(lab, profile, identity, request([dns_name("d4711.vendor.test")], serial="4711"))
    assert isinstance(issued, Issued)
    assert issued.certificate.subject == "2.5.4.5=4711"
    assert issued.certificate.identity == identity.id
    for wrong, reason in (
        (request([dns_name("d4712.vendor.test")], serial="4711"), Reason.REJECTED_IDENTIFIER),
        (request(serial="4712"), Reason.BAD_CSR),
        (request(cn="server.example.test", serial="4711"), Reason.BAD_CSR),
    ):
        assert refusal(ask, lab, profile, identity, wrong).reason is reason
    naming = device_profile(lab, id=profile.id, vendor_anchors=(ROOT.pem,), rename=True)
    assert isinstance(ask(lab, naming, identity, request([dns_name("any.example.test")], cn="any")), Issued)
