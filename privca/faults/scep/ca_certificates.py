"""Faults of GetCACert and GetNextCACert (RFC 8894 sections 4.2 and 4.7)."""

from __future__ import annotations

from privca.faults.edits import ending, instead
from privca.faults.scep.naming import fault

_CURRENT = "scep.rfc8894.ca_certificates:current"
_FOLLOWING = "scep.rfc8894.ca_certificates:following"
ASSEMBLED = "__import__('privca.pkix.rfc5652.signed_data', fromlist=['assemble']).assemble"
"""How a fault reaches what makes any SignedData."""

FAULTS = (
    fault(
        "ca-cert.pem",
        "The CA certificates come as PEM",
        "4.2.1",
        ending(
            _CURRENT,
            "text = b'-----BEGIN CERTIFICATE-----\\n' + __import__('base64').encodebytes(result.body) + b'-----END CERTIFICATE-----\\n'\n"
            "result = type(result)(result.status, result.headers, text)",
        ),
    ),
    fault(
        "ca-cert.other-media-type",
        "The CA certificates come as application/pkcs7-mime",
        "4.2.1.2",
        instead(_CURRENT, "(('Content-Type', CHAIN),)", "(('Content-Type', 'application/pkcs7-mime'),)"),
    ),
    fault(
        "ca-cert.chain-as-certificate",
        "A chain is called one certificate",
        "4.2.1.2",
        instead(_CURRENT, "(('Content-Type', CHAIN),)", "(('Content-Type', CA_CERTIFICATE),)"),
    ),
    fault(
        "ca-cert.chain-with-content",
        "The certificates-only SignedData of a chain has a content",
        "3.4",
        instead(_CURRENT, "certificates_only(shown)", f"{ASSEMBLED}(b'content', certificates=shown)"),
    ),
    fault(
        "ca-cert.intermediate-alone",
        "An intermediate CA comes without the one above it",
        "2.2",
        instead(_CURRENT, "await parties.certificates(profile)", "(await parties.certificates(profile))[:1]"),
    ),
    fault(
        "ca-cert.certificate-sign-alone",
        "The CA certificate may sign certificates and CRLs, and nothing else",
        "2.1.2",
        ending(
            _CURRENT,
            "result = type(result)(result.status, result.headers, "
            "result.body.replace(b'\\x04\\x04\\x03\\x02\\x01\\xa6', b'\\x04\\x04\\x03\\x02\\x01\\x06'))",
        ),
    ),
    fault(
        "next-ca.signed-by-next",
        "The next CA certificate is vouched for by nobody but itself",
        "4.7.1",
        instead(_FOLLOWING, "_signer(now, keys)", "_signer(coming[0], keys)"),
    ),
    fault(
        "next-ca.not-signed",
        "The next CA certificate is signed by nobody",
        "4.7.1",
        instead(
            _FOLLOWING,
            "await sign(certificates_only(shown), [_signer(now, keys)], certificates=[now.generation.certificate])",
            "certificates_only(shown)",
        ),
    ),
    fault(
        "next-ca.other-media-type",
        "The next CA certificate comes as that of today",
        "4.7.1",
        instead(_FOLLOWING, "(('Content-Type', NEXT_CA_CERTIFICATE),)", "(('Content-Type', CA_CERTIFICATE),)"),
    ),
    fault(
        "next-ca.current-instead",
        "The next CA certificate is the one of today",
        "4.7.1",
        instead(_FOLLOWING, "coming[0].signer.number", "(await authorities.current(name)).signer.number"),
    ),
    fault(
        "next-ca.envelope-refused",
        "What is encrypted for the next CA certificate is not read",
        "5.1",
        instead(
            "scep.rfc8894.parties:Parties.meant",
            "ca_key.generation.role in _ANSWERING",
            "ca_key.generation.role is GenerationRole.PREVIOUS",
        ),
    ),
)
