"""Faults of delta CRLs and of CRLs that speak of a part of the certificates (RFC 5280 sections 5.2.4 to 5.2.6)."""

from __future__ import annotations

from privca.faults.edits import instead
from privca.faults.status.naming import crl

_BUILD, _CHANGES = "issuance.revocation_lists:RevocationLists._build", "issuance.revocation_lists:RevocationLists._changes"
_INDICATOR = "carried.append(delta_indicator(base.number))"
_FRESHEST, _POINT = "issuance.crl_scope:freshest", "issuance.crl_scope:issuing_distribution_point"
_DELTA_URL = "self._authorities.urls.crl(signer.authority, signer.number, DELTA)"

FAULTS = (
    crl("delta.indicator-missing", "Nothing tells that a delta CRL is one", "5.2.4", instead(_BUILD, _INDICATOR, "pass")),
    crl(
        "delta.indicator-not-critical",
        "The delta CRL indicator is not critical",
        "5.2.4",
        instead("issuance.crl_scope:delta_indicator", "x509.DeltaCRLIndicator.oid, True", "x509.DeltaCRLIndicator.oid, False"),
    ),
    crl(
        "delta.base-ahead",
        "The base of a delta CRL is itself",
        "5.2.4",
        instead(_BUILD, _INDICATOR, "carried.append(delta_indicator(number))"),
    ),
    crl(
        "delta.numbers-of-its-own",
        "Delta CRLs have a sequence of numbers of their own",
        "5.2.3",
        instead(_BUILD, "number=number", "number=number + (1 << 80 if scope.delta else 0)"),
    ),
    crl("delta.nothing-new", "Nobody is on the delta CRL", "5.2.4", instead(_CHANGES, "list(found.values())", "[]")),
    crl(
        "delta.other-reason",
        "Every reason on the delta CRL is keyCompromise",
        "5.2.3",
        instead(_CHANGES, "reason or RevocationReason.UNSPECIFIED", "RevocationReason.KEY_COMPROMISE"),
    ),
    crl(
        "delta.with-a-point",
        "The delta CRL has an issuing distribution point, and the complete one has none",
        "5.2.4",
        instead(_BUILD, _INDICATOR, f"carried.extend([delta_indicator(base.number), issuing_distribution_point({_DELTA_URL})])"),
    ),
    crl(
        "delta.freshest-too",
        "The delta CRL tells where a delta CRL is",
        "5.2.6",
        instead(_BUILD, _INDICATOR, f"carried.extend([delta_indicator(base.number), freshest({_DELTA_URL})])"),
    ),
    crl(
        "delta.freshest-critical",
        "Where the delta CRL is, is critical",
        "5.2.6",
        instead(_FRESHEST, "x509.FreshestCRL.oid, False", "x509.FreshestCRL.oid, True"),
    ),
    crl(
        "delta.freshest-with-reasons",
        "Where the delta CRL is, is told for one reason",
        "5.2.6",
        instead(_FRESHEST, "None, None, None", "None, frozenset({x509.ReasonFlags.key_compromise}), None"),
    ),
    crl(
        "point.not-critical",
        "The issuing distribution point is not critical",
        "5.2.5",
        instead(_POINT, "point.oid, True", "point.oid, False"),
    ),
    crl(
        "point.other-name",
        "The issuing distribution point has a name that no certificate has",
        "5.2.5",
        instead(_POINT, "x509.UniformResourceIdentifier(url)", "x509.UniformResourceIdentifier(url + '.old')"),
    ),
    crl("point.indirect", "The CRL is said to be indirect", "5.2.5", instead(_POINT, "indirect_crl=False", "indirect_crl=True")),
    crl(
        "point.attribute",
        "The CRL is said to be one of attribute certificates",
        "5.2.5",
        instead(_POINT, "only_contains_attribute_certs=False", "only_contains_attribute_certs=True"),
    ),
    crl(
        "point.empty",
        "The issuing distribution point is an empty sequence",
        "5.2.5",
        instead(_POINT, "True, point)", "True, x509.UnrecognizedExtension(point.oid, b'0\\x00'))"),
    ),
    crl(
        "point.other-part",
        "The CRL of a part has the certificates of the others",
        "5.2.5",
        instead("issuance.revocation_lists:RevocationLists._entries", "scope.covers(one.serial)", "not scope.covers(one.serial)"),
    ),
)
