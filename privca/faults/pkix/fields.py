"""Faults of version, serial number, algorithms, validity and names (RFC 5280 section 4.1)."""

from __future__ import annotations

from privca.faults.edits import ending, instead
from privca.faults.pkix.naming import UNLINTED, fault, issued

_OTHER_ALGORITHM = "bytes.fromhex('300a06082a8648ce3d040303')"
_WITH_NULL = "bytes.fromhex('300c06082a8648ce3d0403020500')"
_CN, _O = "2.5.4.3", "2.5.4.10"

FAULTS = (
    issued("version.v1-with-extensions", "Certificates with extensions are of version 1", "4.1.2.1", "s.put(tbs, s.VERSION)"),
    issued(
        "unique-identifiers.issued",
        "Certificates have a unique identifier of the subject",
        "4.1.2.8",
        "s.put(tbs, s.KEY, s.fields(tbs)[s.KEY], s.der.tlv(0x82, bytes(2)))",
    ),
    issued(
        "serial.negative",
        "Serial numbers are negative",
        "4.1.2.2",
        "s.serial(tbs, bytes((0x80,)) + s.der.content(s.fields(tbs)[s.SERIAL])[1:])",
    ),
    issued("serial.zero", "The serial number is zero", "4.1.2.2", "s.serial(tbs, bytes(1))"),
    issued(
        "serial.too-long",
        "Serial numbers have 21 octets",
        "4.1.2.2",
        "s.serial(tbs, bytes((0x7f,)) + s.der.content(s.fields(tbs)[s.SERIAL]))",
    ),
    issued("serial.repeated", "All certificates have one serial number", "4.1.2.2", "s.serial(tbs, bytes((0x42,)) * 20)"),
    fault(
        "signature.algorithms-differ",
        "The algorithm beside what is signed is not the one within it",
        "4.1.1.2",
        instead("issuance.signing:sign_recorded", "signer.algorithm", _OTHER_ALGORITHM),
    ),
    fault(
        "signature.null-parameters",
        "The algorithm of an ECDSA signature has parameters",
        "1",
        UNLINTED,
        ending(
            "issuance.signing:prepare",
            f"from privca.faults.pkix import surgery as s\nresult = s.put(result, s.ALGORITHM, {_WITH_NULL})",
        ),
        instead("issuance.signing:sign_recorded", "signer.algorithm", _WITH_NULL),
    ),
    issued(
        "validity.generalized-before-2050",
        "Dates before 2050 are written as GeneralizedTime",
        "4.1.2.5",
        "s.spelled(tbs, s.NOT_AFTER, century=True)",
    ),
    issued("validity.without-seconds", "Times have no seconds", "4.1.2.5.1", "s.spelled(tbs, s.NOT_AFTER, seconds=False)"),
    issued(
        "validity.fraction",
        "Times have a fraction of a second",
        "4.1.2.5.2",
        "s.spelled(tbs, s.NOT_AFTER, fraction=b'.5', century=True)",
    ),
    issued(
        "validity.backwards", "Certificates end before they begin", "4.1.2.5", "s.time(tbs, s.NOT_AFTER, 0x17, b'000101000000Z')"
    ),
    issued("issuer.empty", "The issuer is empty", "4.1.2.4", "s.put(tbs, s.ISSUER, s.der.tlv(0x30))"),
    issued(
        "issuer.other-encoding",
        "The issuer is spelled in other string types than the CA's subject",
        "4.1.2.6",
        "s.respelled_issuer(tbs)",
    ),
    issued(
        "subject.empty-set",
        "The subject has an RDN without attributes",
        "4.1.2.6",
        "s.put(tbs, s.SUBJECT, s.der.tlv(0x30, s.der.tlv(0x31)))",
    ),
    issued("subject.teletex", "The subject is a TeletexString", "4.1.2.6", "s.common_name(tbs, 0x14, b'device')"),
    issued("subject.too-long", "A common name has 65 characters", "A.1", "s.common_name(tbs, 0x0c, b'x' * 65)"),
    issued("subject.at-sign-printable", "A PrintableString has an at sign", "B", "s.common_name(tbs, 0x13, b'a@example.test')"),
    issued(
        "subject.empty-names-not-critical",
        "The subject is empty, and the subjectAltName is not critical",
        "4.2.1.6",
        "s.marked(s.subject(tbs), s.NAMES, b'')",
        like="lab-acme",
    ),
    issued(
        "encoding.set-unsorted",
        "The attributes of an RDN are not in the order of DER",
        "4.1",
        f"s.subject(tbs, s.attribute('{_O}', 0x0c, b'organization'), s.attribute('{_CN}', 0x0c, b'a'))",
    ),
)
