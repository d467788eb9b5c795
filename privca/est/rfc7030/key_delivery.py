"""How a generated private key reaches its client (RFC 7030 sections 4.4.1 and 4.4.2): in clear inside TLS, or signed by the key generation
authority of the CA and encrypted to a key that the client names.

The client names a secret key (DecryptKeyIdentifier, RFC 4108 section 2.2.5) or a public one (AsymmetricDecryptKeyIdentifier): that of its
client certificate, by the certificate's subject key identifier, or one that the administrator has laid down. What algorithms it
understands it says in SMIMECapabilities (RFC 8551 section 2.5.2); none that it does not name is used to encrypt the key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from privca.base.refused import Reason, Refused
from privca.enrollment.vendors import load
from privca.est.rfc7030.call import Call
from privca.issuance.delegates import Purpose
from privca.pkix import algorithms, der
from privca.pkix.algorithms import Oaep
from privca.pkix.rfc5652 import enveloped_data, signing, wrapping
from privca.pkix.rfc5652.content import KEY_PACKAGE, SIGNED_DATA, unwrap
from privca.pkix.rfc5652.identifiers import Identifier, Named

DECRYPT_KEY_IDENTIFIER = "1.2.840.113549.1.9.16.2.37"
ASYMMETRIC_DECRYPT_KEY_IDENTIFIER = "1.2.840.113549.1.9.16.2.54"
SMIME_CAPABILITIES = "1.2.840.113549.1.9.15"

_SYMMETRIC, _ASYMMETRIC = "RFC 7030 section 4.4.1.1", "RFC 7030 section 4.4.1.2"
_CLAUSE = "RFC 7030 section 4.4.1"
_SEQUENCE = 0x30
_LONGEST_IDENTIFIER = 64
_CAPABILITIES = 64
_STRONGEST_FIRST = (32, 24, 16)

Delivery = Callable[[bytes], Awaitable[bytes]]
"""From a PrivateKeyInfo to the EnvelopedData around it, both DER."""


@der.sequence
class _Octets:
    value: bytes


@der.sequence
class _Capability:
    id: x509.ObjectIdentifier
    parameters: der.Null | der.TLV | None


@der.sequence
class _Capabilities:
    capabilities: list[_Capability]


async def plan(call: Call, attributes: Mapping[str, tuple[bytes, ...]]) -> Delivery | None:
    """How the key will be delivered; None: in clear. Everything that can be wrong with it is found before a key is made.

    :param attributes: of the CSR.
    :raises Refused: ``BAD_CSR``, ``UNAUTHORIZED`` where the profile gives no key in clear.
    """
    symmetric, asymmetric = attributes.get(DECRYPT_KEY_IDENTIFIER), attributes.get(ASYMMETRIC_DECRYPT_KEY_IDENTIFIER)
    if symmetric is None and asymmetric is None:
        if call.options.server_keys != "clear":
            raise Refused(
                Reason.UNAUTHORIZED,
                _CLAUSE,
                "this profile hands out no private key without encryption of its own",
                expected="DecryptKeyIdentifier or AsymmetricDecryptKeyIdentifier in the CSR",
            )
        return None
    if symmetric is not None and asymmetric is not None:
        raise _refuse(_CLAUSE, "the CSR names a secret key and a public key to encrypt to")
    capabilities = _capabilities(attributes.get(SMIME_CAPABILITIES))
    if symmetric is not None:
        recipient = await _for_secret_key(call, _identifier(symmetric, _SYMMETRIC), capabilities)
    else:
        recipient = await _for_public_key(call, _identifier(asymmetric or (), _ASYMMETRIC), capabilities)
    cipher = (
        "aes128" if algorithms.CBC["aes128"][0] in capabilities and algorithms.CBC["aes256"][0] not in capabilities else "aes256"
    )

    async def deliver(private: bytes) -> bytes:
        signed = await _signed(call, der.tlv(_SEQUENCE, private))
        _, content = unwrap(signed)
        return enveloped_data.encrypt(content, [recipient], call.core.entropy, cipher=cipher, content_kind=SIGNED_DATA)

    return deliver


def _refuse(clause: str, detail: str, *, expected: str | None = None, got: str | None = None) -> Refused:
    return Refused(Reason.BAD_CSR, clause, detail, expected=expected, got=got)


def _identifier(values: tuple[bytes, ...], clause: str) -> bytes:
    try:
        (value,) = values
        identifier = der.decode(_Octets, der.tlv(_SEQUENCE, value), clause=clause).value
    except (ValueError, Refused):
        raise _refuse(clause, "a key identifier is one OCTET STRING") from None
    if not 0 < len(identifier) <= _LONGEST_IDENTIFIER:
        raise _refuse(clause, "a key identifier has a wrong length", expected=f"1 to {_LONGEST_IDENTIFIER} octets")
    return identifier


def _capabilities(values: tuple[bytes, ...] | None) -> dict[str, bytes]:
    """The parameters (DER, empty if absent) of each algorithm by OID; those of a key agreement also give its key wrap."""
    clause = "RFC 8551 section 2.5.2"
    if values is None:
        raise _refuse(_CLAUSE, "the CSR names a key to encrypt to, and no SMIMECapabilities")
    try:
        (value,) = values
        read = der.decode(_Capabilities, der.tlv(_SEQUENCE, value), clause=clause).capabilities[:_CAPABILITIES]
    except (ValueError, Refused):
        raise _refuse(clause, "SMIMECapabilities is one SEQUENCE OF SMIMECapability") from None
    found: dict[str, bytes] = {}
    for one in read:
        parameters = der.encode(one.parameters) if isinstance(one.parameters, der.TLV) else b""
        found[one.id.dotted_string] = parameters
        if one.id.dotted_string in algorithms.AGREEMENTS and parameters:
            try:
                found.setdefault(algorithms.split(parameters, clause=clause)[0], b"")
            except Refused:
                raise _refuse(clause, "the parameters of a key agreement are its key wrap algorithm") from None
    return found


async def _for_secret_key(call: Call, identifier: bytes, capabilities: Mapping[str, bytes]) -> wrapping.Wrap:
    """KEKRecipientInfo (section 4.4.2, first case)."""
    key = await call.core.decryption_keys.secret_key(call.profile.id, identifier)
    if key is None:
        raise _refuse(_SYMMETRIC, "there is no secret key of this identifier", got=identifier.hex())
    needed = algorithms.AES_WRAP_OIDS[len(key)]
    if needed not in capabilities:
        raise _refuse("RFC 7030 section 4.4.2", "SMIMECapabilities lacks the key wrap for this key", expected=needed)
    return wrapping.pre_shared(identifier, key)


async def _for_public_key(call: Call, identifier: bytes, capabilities: Mapping[str, bytes]) -> wrapping.Wrap:
    """KeyTransRecipientInfo or KeyAgreeRecipientInfo (section 4.4.2, second and third case), by key identifier."""
    certificate = await _recipient(call, identifier)
    if certificate is None:
        raise _refuse(_ASYMMETRIC, "there is no public key of this identifier", got=identifier.hex())
    key = certificate.public_key()
    _check_usage(certificate, key)
    recipient = Identifier(key=identifier)
    if isinstance(key, rsa.RSAPublicKey):
        return wrapping.key_transport(key, recipient, _transport(capabilities))
    if isinstance(key, ec.EllipticCurvePublicKey):
        return wrapping.key_agreement(key, recipient, octets=_agreement(capabilities))
    raise _refuse(_ASYMMETRIC, "nothing can be encrypted to a key of this kind", expected="RSA or EC")


async def _recipient(call: Call, identifier: bytes) -> x509.Certificate | None:
    """The client certificate of the connection if it is meant, else what the administrator has laid down."""
    presented = call.request.peer.certificate
    if presented is not None and _is_meant(presented, identifier):
        return load(presented)
    found = await call.core.decryption_keys.recipient(call.profile.id, identifier)
    return None if found is None else load(found)


def _is_meant(presented: bytes, identifier: bytes) -> bool:
    try:
        return Named.read(presented).key_identifier == identifier
    except Refused:
        return False  # TLS accepts what we cannot read


def _check_usage(certificate: x509.Certificate, key: PublicKeyTypes) -> None:
    """The key's use has to be unrestricted, or to be this one."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not (usage.key_encipherment if isinstance(key, rsa.RSAPublicKey) else usage.key_agreement):
        raise _refuse(
            _ASYMMETRIC,
            "the key usage of the certificate does not admit that anything is encrypted to its key",
            expected="keyEncipherment" if isinstance(key, rsa.RSAPublicKey) else "keyAgreement",
        )


def _transport(capabilities: Mapping[str, bytes]) -> Oaep | None:
    """RSAES-OAEP if the client names it, with the hashes that it names; None for RSAES-PKCS1-v1_5."""
    parameters = capabilities.get(algorithms.RSAES_OAEP)
    if parameters is not None:
        for hash_name in ("sha256", "sha384", "sha512"):
            oaep = Oaep(hash_name, hash_name)
            if algorithms.split(wrapping.oaep_identifier(oaep), clause=_CLAUSE)[1] == parameters:
                return oaep
        if parameters in (b"", b"\x30\x00"):
            return Oaep("sha1", "sha1")
    if algorithms.RSA_ENCRYPTION in capabilities:
        return None
    raise _refuse(
        "RFC 7030 section 4.4.2",
        "SMIMECapabilities has no key transport for this RSA key",
        expected="RSAES-OAEP with SHA-2 or its defaults, or rsaEncryption",
    )


def _agreement(capabilities: Mapping[str, bytes]) -> int:
    """Octets of the key-encryption key: those of the strongest key wrap that the client names."""
    for octets in _STRONGEST_FIRST:
        if algorithms.AES_WRAP_OIDS[octets] in capabilities:
            return octets
    raise _refuse("RFC 7030 section 4.4.2", "SMIMECapabilities has no key wrap for this EC key", expected="AES key wrap")


async def _signed(call: Call, key_package: bytes) -> bytes:
    """AsymmetricKeyPackage (RFC 5958 section 2) in SignedData by who made the key: the key generation authority of the CA."""
    delegate = await call.core.delegates.current(call.profile.profile.issuer, Purpose.KGA)
    keys = call.core.keys
    party = signing.SigningParty(
        Named.read(delegate.certificate).identifier(),
        delegate.hash_name,
        signing.signature_algorithm(delegate.public_key, delegate.hash_name),
        lambda message: keys.sign(delegate.reference, message, delegate.hash_name),
    )
    certificates = [delegate.certificate, *delegate.chain[:-1]]
    return await signing.sign(key_package, [party], content_type=KEY_PACKAGE, certificates=certificates)
