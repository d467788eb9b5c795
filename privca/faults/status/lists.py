"""Faults of CRLs: fields, entries and the extensions that each has (RFC 5280 sections 5.1 to 5.3)."""

from __future__ import annotations

from privca.faults.edits import instead
from privca.faults.status.naming import crl

_TBS, _ENTRIES = "pkix.rfc5280.crl:crl_tbs", "pkix.rfc5280.crl:crl_entries"
_EXTENSIONS = "pkix.rfc5280.crl:_entry_extensions"
_BUILD, _PAGES = "issuance.revocation_lists:RevocationLists._build", "issuance.revocation_lists:RevocationLists._entries"
_NUMBER = "x509.Extension(x509.CRLNumber.oid, False, x509.CRLNumber(number))"
_AUTHORITY = "x509.Extension(x509.AuthorityKeyIdentifier.oid, False, authority_key_identifier)"
_ASSEMBLE = "assemble(tbs, signer.algorithm, signature)"
_LONG = (
    "(lambda rest: b'0\\x84' + len(rest).to_bytes(4, 'big') + rest)((lambda der: der[2 + (der[1] & 127) * (der[1] >> 7):])(%s))"
)

FAULTS = (
    crl("crl.version-1", "The version is left out, as in version 1", "5.1.2.1", instead(_TBS, "_VERSION_2, ", "")),
    crl("crl.long-length", "A length has an octet too many", "5.1.1.3", instead(_BUILD, _ASSEMBLE, _LONG % _ASSEMBLE)),
    crl(
        "crl.signature-wrong",
        "Something else is signed",
        "5.1.1.3",
        instead(_BUILD, "signer.reference, tbs,", "signer.reference, tbs + b' ',"),
    ),
    crl(
        "crl.algorithm-differs",
        "Another algorithm stands beside the signature than within",
        "5.1.1.2",
        instead(_BUILD, "assemble(tbs, signer.algorithm", "assemble(tbs, bytes.fromhex('300a06082a8648ce3d040303')"),
    ),
    crl("crl.issuer-empty", "The issuer has an empty name", "5.1.2.3", instead(_TBS, "issuer.public_bytes()", "b'0\\x00'")),
    crl(
        "crl.issuer-encoded-otherwise",
        "The common name of the issuer is a PrintableString, which it is not in certificates",
        "5.1.2.3",
        instead(
            _TBS,
            "issuer.public_bytes()",
            "issuer.public_bytes().replace(b'\\x06\\x03U\\x04\\x03\\x0c', b'\\x06\\x03U\\x04\\x03\\x13')",
        ),
    ),
    crl(
        "crl.generalized-time",
        "Every time is GeneralizedTime",
        "5.1.2.4",
        instead("pkix.rfc5280.crl:_time", "at.year < 2050", "False"),
    ),
    crl(
        "crl.this-update-ahead",
        "The date of issue is that of the next CRL",
        "5.1.2.4",
        instead(_TBS, "_time(this_update)", "_time(next_update)"),
    ),
    crl("crl.next-update-missing", "There is no nextUpdate", "5.1.2.5", instead(_TBS, "_time(next_update), ", "")),
    crl(
        "crl.stale",
        "Every CRL has ended when it is issued",
        "5.1.2.5",
        instead(_TBS, "_time(next_update)", "_time(this_update - (next_update - this_update))"),
    ),
    crl(
        "crl.next-update-sooner",
        "Each CRL ends sooner than the one before",
        "5.1.2.5",
        instead(_BUILD, "next_update=now + life", "next_update=now + life / number"),
    ),
    crl(
        "crl.empty-list",
        "The list of nobody is there, and empty",
        "5.1.2.6",
        instead(_TBS, "der.tlv(_SEQUENCE, listed) if listed else b''", "der.tlv(_SEQUENCE, listed)"),
    ),
    crl("crl.revoked-forgotten", "Nobody is on the CRL", "5.1.2.6", instead(_PAGES, "crl_entries(covered)", "crl_entries(())")),
    crl(
        "crl.expired-removed",
        "What has expired is on no CRL any longer",
        "3.3",
        instead(_BUILD, "min(now, before.this_update)", "now"),
    ),
    crl("crl.number-missing", "There is no CRL number", "5.2.3", instead(_TBS, f"{_NUMBER}, ", "")),
    crl(
        "crl.number-critical",
        "The CRL number is critical",
        "5.2.3",
        instead(_TBS, "x509.CRLNumber.oid, False", "x509.CRLNumber.oid, True"),
    ),
    crl(
        "crl.number-negative",
        "The CRL number is negative",
        "5.2.3",
        instead(_TBS, "x509.CRLNumber(number)", "x509.UnrecognizedExtension(x509.CRLNumber.oid, b'\\x02\\x01\\xff')"),
    ),
    crl(
        "crl.number-stands-still",
        "Every CRL has the number 1",
        "5.2.3",
        instead(_TBS, "x509.CRLNumber(number)", "x509.CRLNumber(1)"),
    ),
    crl(
        "crl.number-falls",
        "Each CRL has a lower number than the one before",
        "5.2.3",
        instead(_TBS, "x509.CRLNumber(number)", "x509.CRLNumber((1 << 100) - number)"),
    ),
    crl("crl.authority-key-missing", "There is no authority key identifier", "5.2.1", instead(_TBS, f"{_AUTHORITY}, ", "")),
    crl(
        "crl.authority-key-other",
        "The authority key identifier is that of another key",
        "5.2.1",
        instead(_TBS, "False, authority_key_identifier", "False, x509.AuthorityKeyIdentifier(bytes(20), None, None)"),
    ),
    crl("entry.reason-lost", "No entry has a reason", "5.3", instead(_ENTRIES, "int(item.reason)", "0")),
    crl("entry.reason-other", "Every reason is keyCompromise", "5.3", instead(_ENTRIES, "int(item.reason)", "1")),
    crl("entry.removed-in-complete", "Every reason is removeFromCRL", "5.3.1", instead(_ENTRIES, "int(item.reason)", "8")),
    crl(
        "entry.unspecified-written",
        "The reason unspecified is written",
        "5.3.1",
        instead("pkix.rfc5280.crl:_rest_of_entry", "reason != _UNSPECIFIED or invalidity_date is not None", "True"),
        instead(_EXTENSIONS, "reason != _UNSPECIFIED", "True"),
    ),
    crl(
        "entry.reason-critical",
        "The reason is a critical extension",
        "5.3.1",
        instead(_EXTENSIONS, "_REASON_CODE, ", "_REASON_CODE, b'\\x01\\x01\\xff', "),
    ),
    crl(
        "entry.date-early",
        "Everything was revoked a year before",
        "5.3.2",
        instead(_ENTRIES, "item.revoked_at", "item.revoked_at.replace(year=item.revoked_at.year - 1, day=1)"),
    ),
)
