"""Certification requests (RFC 2986) with any attributes, and keys to make them with. Everything is DER."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyasn1.codec.der import decoder, encoder
from pyasn1.type import char, univ
from pyasn1_modules import rfc2986, rfc5280

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"  # noqa: S105 - an OID
CHANGE_SUBJECT_NAME = "1.3.6.1.5.5.7.7.36"
DECRYPT_KEY_IDENTIFIER = "1.2.840.113549.1.9.16.2.37"
ASYMMETRIC_DECRYPT_KEY_IDENTIFIER = "1.2.840.113549.1.9.16.2.54"
SMIME_CAPABILITIES = "1.2.840.113549.1.9.15"

KINDS = ("P-256", "P-384", "RSA-2048", "Ed25519")


def new_key(kind: str = "P-256") -> PrivateKey:
    """A key of one of :data:`KINDS`."""
    match kind:
        case "P-256":
            return ec.generate_private_key(ec.SECP256R1())
        case "P-384":
            return ec.generate_private_key(ec.SECP384R1())
        case "RSA-2048":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "Ed25519":
            return ed25519.Ed25519PrivateKey.generate()
    raise ValueError(f"no key for {kind!r}")


def spki(key: PrivateKey) -> bytes:
    """SubjectPublicKeyInfo of the public key."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def sign(key: PrivateKey, message: bytes) -> tuple[rfc5280.AlgorithmIdentifier, bytes]:
    """A signature with SHA-256 (Ed25519: as it is), and its algorithm."""
    algorithm = rfc5280.AlgorithmIdentifier()
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm["algorithm"] = "1.2.840.113549.1.1.11"
        algorithm["parameters"] = univ.Any(encoder.encode(univ.Null("")))
        return algorithm, key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm["algorithm"] = "1.2.840.10045.4.3.2"
        return algorithm, key.sign(message, ec.ECDSA(hashes.SHA256()))
    algorithm["algorithm"] = "1.3.101.112"
    return algorithm, key.sign(message)


def attribute(oid: str, *values: bytes) -> rfc2986.Attribute:
    """An Attribute with these values (DER)."""
    made = rfc2986.Attribute()
    made["type"] = oid
    for value in values:
        made["values"].append(univ.Any(value))
    return made


def challenge_password(value: str) -> rfc2986.Attribute:
    """RFC 2985 section 5.4.1: a PrintableString."""
    return attribute(CHALLENGE_PASSWORD, encoder.encode(char.PrintableString(value)))


def passwords(csr: bytes) -> list[rfc2986.Attribute]:
    """The challengePassword of a request, none or one: for another request over the same connection."""
    request, _ = decoder.decode(csr, asn1Spec=rfc2986.CertificationRequest())
    return [one for one in request["certificationRequestInfo"]["attributes"] if str(one["type"]) == CHALLENGE_PASSWORD]


def change_subject_name(subject: x509.Name, names: Sequence[str]) -> rfc2986.Attribute:
    """RFC 6402 section 2.8 with the tag of erratum 3943: Name and [1] GeneralNames."""
    alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names]).public_bytes()
    value = univ.Sequence()
    value.setComponentByPosition(0, univ.Any(subject.public_bytes()))
    value.setComponentByPosition(1, univ.Any(b"\xa1" + alternative[1:]))
    return attribute(CHANGE_SUBJECT_NAME, encoder.encode(value))


def key_identifier(oid: str, identifier: bytes) -> rfc2986.Attribute:
    """DecryptKeyIdentifier or AsymmetricDecryptKeyIdentifier (RFC 7030 sections 4.4.1.1 and 4.4.1.2)."""
    return attribute(oid, encoder.encode(univ.OctetString(identifier)))


def smime_capabilities(*algorithms: str) -> rfc2986.Attribute:
    """RFC 8551 section 2.5.2, without parameters."""
    listed = univ.SequenceOf(componentType=univ.Sequence())
    for oid in algorithms:
        one = univ.Sequence()
        one.setComponentByPosition(0, univ.ObjectIdentifier(oid))
        listed.append(one)
    return attribute(SMIME_CAPABILITIES, encoder.encode(listed))


def request(
    key: PrivateKey,
    subject: x509.Name,
    names: Sequence[str] = (),
    *,
    attributes: Iterable[rfc2986.Attribute] = (),
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    signer: PrivateKey | None = None,
) -> bytes:
    """A request with these DNS names.

    :param extensions: further ones, each with its criticality.
    :param signer: another key, for a signature that proves nothing.
    """
    asked = [(value, critical) for value, critical in extensions]
    if names:
        asked.insert(0, (x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False))
    info = rfc2986.CertificationRequestInfo()
    info["version"] = 0
    info["subject"] = decoder.decode(subject.public_bytes(), asn1Spec=rfc5280.Name())[0]
    info["subjectPKInfo"] = decoder.decode(spki(key), asn1Spec=rfc5280.SubjectPublicKeyInfo())[0]
    for one in (*((_extension_request(asked),) if asked else ()), *attributes):
        info["attributes"].append(one)
    if not len(info["attributes"]):
        info["attributes"].clear()
    made = rfc2986.CertificationRequest()
    made["certificationRequestInfo"] = info
    made["signatureAlgorithm"], signature = sign(signer or key, encoder.encode(info))
    made["signature"] = univ.BitString.fromOctetString(signature)
    return bytes(encoder.encode(made))


def _extension_request(extensions: Iterable[tuple[x509.ExtensionType, bool]]) -> rfc2986.Attribute:
    listed = rfc5280.Extensions()
    for value, critical in extensions:
        one = rfc5280.Extension()
        one["extnID"] = value.oid.dotted_string
        one["critical"] = critical
        one["extnValue"] = value.public_bytes()
        listed.append(one)
    return attribute(EXTENSION_REQUEST, encoder.encode(listed))


def badly_signed(csr: bytes) -> bytes:
    """The same request with the last octet of its signature changed."""
    return csr[:-1] + bytes([csr[-1] ^ 1])
