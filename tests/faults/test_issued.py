"""Faults of what is issued: the change that each makes to what is signed is noticed by the lints that say so, without a server."""

import ast

import pytest

from conformance.examination import Issued, Kind
from conformance.pkix.cases.lints import _judged
from conformance.pkix.lint import LINTS
from conformance.pkix.lints import load
from conformance.pkix.seen import Seen
from privca.faults import faults
from privca.faults.pkix import authorities
from privca.pkix import der
from tests.support.raw_certificate import (
    CA_KEY_ID,
    CN,
    ECDSA,
    KEY_ID,
    attribute,
    boolean,
    ca,
    certificate,
    extension,
    name,
    named_bits,
    octets,
    oid,
    seq,
    tlv,
    utc,
)

load()
CRL_URL, CA_URL = b"http://ca.example.test/crl/x.crl", b"http://ca.example.test/ca/x.cer"
LEAF = certificate(
    validity=(utc(), utc(b"260401000000Z")),
    subject=name(attribute(CN, "device")),
    extensions={
        "constraints": extension("2.5.29.19", seq(), critical=True),
        "usage": extension("2.5.29.15", named_bits(0), critical=True),
        "aki": extension("2.5.29.35", seq(tlv(0x80, CA_KEY_ID))),
        "crl": extension("2.5.29.31", seq(seq(tlv(0xA0, tlv(0xA0, tlv(0x86, CRL_URL)))))),
        "access": extension("1.3.6.1.5.5.7.1.1", seq(seq(oid("1.3.6.1.5.5.7.48.2"), tlv(0x86, CA_URL)))),
        "ski": extension("2.5.29.14", octets(KEY_ID)),
        "names": extension("2.5.29.17", seq(tlv(0x82, b"device.example.test"))),
    },
)
ISSUED = [one for one in faults().values() if one.name.startswith("pkix.") and not one.name.startswith("pkix.ca.")]
SIGNED = [one for one in ISSUED if any(edit.function == "issuance.signing:prepare" for edit in one.edits)]
OUTSIDE = {"pkix.signature.null-parameters", "pkix.publication.crl-nowhere", "pkix.publication.ca-certificate-nowhere"}
"""Noticed with what is beside or behind the certificate alone: the kill matrix shows them."""


def spoilt(fault, tbs):
    """What the fault makes of a TBSCertificate."""
    edit = next(edit for edit in fault.edits if edit.function == "issuance.signing:prepare")
    tree = ast.parse("def prepare(tbs):\n    return tbs")
    edit.change(tree)
    names = {}
    exec(compile(ast.fix_missing_locations(tree), "prepare", "exec"), names)
    return names["prepare"](tbs)


def found(things, lint):
    every = [*things, Issued(Kind.CERTIFICATE, ca())]
    return [fault for one in every for fault in _judged(lint, one, Seen(every)) or ()]


def whole(tbs):
    return Issued(Kind.CERTIFICATE, seq(tbs, ECDSA, tlv(0x03, b"\x00\x30\x00")))


TBS = der.children(LEAF, clause="")[0]


def test_the_honest_certificate_has_no_findings():
    assert [lint.id for lint in LINTS.values() if lint.kind is Kind.CERTIFICATE and found([whole(TBS)], lint)] == []


@pytest.mark.parametrize("fault", [one for one in SIGNED if one.name not in OUTSIDE], ids=lambda fault: fault.name)
def test_a_fault_of_what_is_signed_is_noticed_by_every_lint_that_says_so(fault):
    things = [whole(spoilt(fault, TBS))]
    if fault.name == "pkix.serial.repeated":
        things.append(whole(spoilt(fault, der.children(certificate(serial=b"\x55"), clause="")[0])))
    noticing = [lint for lint in LINTS.values() if fault.name in lint.kills]
    assert noticing
    assert [lint.id for lint in noticing if not found(things, lint)] == []


@pytest.mark.parametrize("name", sorted(OUTSIDE))
def test_the_others_change_what_they_say(name):
    assert spoilt(faults()[name], TBS) != TBS


@pytest.mark.parametrize("change", sorted(authorities.CHANGES))
def test_a_fault_of_a_ca_is_noticed_by_every_lint_that_says_so(change):
    honest = ca(constraints=extension("2.5.29.19", seq(boolean(True)), critical=True))
    thing = whole(authorities.CHANGES[change](der.children(honest, clause="")[0]))
    noticing = [lint for lint in LINTS.values() if f"pkix.ca.{change}" in lint.kills]
    assert noticing
    assert [lint.id for lint in noticing if not found([thing], lint)] == []


def test_a_change_that_does_not_fit_says_so():
    with pytest.raises(ValueError, match="no extension"):
        spoilt(faults()["pkix.authority-key.missing"], der.children(certificate(aki=None), clause="")[0])
