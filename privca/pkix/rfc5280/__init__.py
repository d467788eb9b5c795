"""Certificates and CRLs (RFC 5280): names, key identifiers, what is to be signed, and the signed thing put together."""

from privca.pkix.rfc5280.crl import Revoked, crl_entries, crl_tbs, invalidity_date_extension
from privca.pkix.rfc5280.identifiers import authority_key_identifier, key_identifier, subject_key_identifier
from privca.pkix.rfc5280.names import (
    SHORT_NAMES,
    attribute,
    attributes_of,
    distinguished_name,
    general_name,
    name_of,
    names_of,
    subject_alternative_name,
)
from privca.pkix.rfc5280.tbs import assemble, certificate_tbs

__all__ = [
    "SHORT_NAMES",
    "Revoked",
    "assemble",
    "attribute",
    "attributes_of",
    "authority_key_identifier",
    "certificate_tbs",
    "crl_entries",
    "crl_tbs",
    "distinguished_name",
    "general_name",
    "invalidity_date_extension",
    "key_identifier",
    "name_of",
    "names_of",
    "subject_alternative_name",
    "subject_key_identifier",
]
