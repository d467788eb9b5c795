"""What is sent encrypted: certificates, challenges and private keys (RFC 9810 section 5.2.2; RFC 9483 section 4.1.6)."""

from __future__ import annotations

from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, padding, rsa, x25519

from privca.base.entropy import Entropy
from privca.base.refused import Reason, Refused
from privca.cmp.rfc9810.call import Call
from privca.issuance.delegates import Delegate
from privca.issuance.ports import Keys
from privca.pkix import der, weak
from privca.pkix.rfc5652 import content, content_encryption, enveloped_data, signing, wrapping
from privca.pkix.rfc5652.identifiers import Identifier, Named
from privca.pkix.rfc5652.wrapping import Wrap

CIPHER = "aes256"
ASYMMETRIC_KEY_PACKAGE = "2.16.840.1.101.2.1.2.78.5"
_RSA_ENCRYPTION = der.tlv(0x30, der.oid(x509.ObjectIdentifier("1.2.840.113549.1.1.1")), b"\x05\x00")
_CLAUSE = "RFC 9810 section 5.2.2"


def for_key(key: weak.CertifiedPublicKey, identifier: Identifier) -> Wrap:
    """The way to encrypt for a key whose certificate is not there yet. :raises Refused: ``BAD_POP`` for a key that cannot decrypt."""
    if isinstance(key, rsa.RSAPublicKey):
        return wrapping.key_transport(key, identifier)
    if isinstance(key, ec.EllipticCurvePublicKey | x25519.X25519PublicKey):
        return wrapping.key_agreement(key, identifier)
    if isinstance(key, mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey):
        return wrapping.kem(key, identifier)
    raise Refused(Reason.BAD_POP, _CLAUSE, "nothing can be encrypted for a key of this kind", got=weak.kind(key))


def enveloped(octets: bytes, wrap: Wrap, entropy: Entropy, *, kind: str = content.DATA) -> bytes:
    """An EnvelopedData (DER, without ContentInfo) for one recipient."""
    return content.unwrap(enveloped_data.encrypt(octets, [wrap], entropy, cipher=CIPHER, content_kind=kind))[1]


def encrypted_value(octets: bytes, key: rsa.RSAPublicKey, entropy: Entropy) -> bytes:
    """The deprecated EncryptedValue (RFC 4211 section 2.1), which clients of version 2 read: RSA alone."""
    cek = entropy.octets(content_encryption.key_octets(CIPHER))
    algorithm, encrypted = content_encryption.encrypt_cbc(CIPHER, cek, octets, entropy)
    return der.tlv(
        0x30,
        b"\xa1" + algorithm[1:],
        der.tlv(0x82, b"\0", key.encrypt(cek, padding.PKCS1v15())),
        b"\xa3" + _RSA_ENCRYPTION[1:],
        der.tlv(0x03, b"\0", encrypted),
    )


def certificate(call: Call, octets: bytes) -> bytes:
    """EncryptedKey (DER) of a certificate, for the key in it (section 5.2.8.3.2)."""
    named = Named.read(octets)
    key = cast("weak.CertifiedPublicKey", x509.load_der_x509_certificate(octets).public_key())
    if call.message.header.pvno < 3 and isinstance(key, rsa.RSAPublicKey):
        return encrypted_value(octets, key, call.exchange.entropy)
    return encrypted_key(enveloped(octets, for_key(key, named.identifier()), call.exchange.entropy))


def encrypted_key(octets: bytes) -> bytes:
    """EncryptedKey (RFC 4211 section 2.1) of an EnvelopedData, both DER: [0] IMPLICIT."""
    return b"\xa0" + octets[1:]


def recipient(call: Call) -> Wrap:
    """How a private key is encrypted for who asked: under the shared secret, or for the certificate that signed (RFC 9483 section 4.1.6).

    :raises Refused: ``BAD_SIGNATURE_ALGORITHM`` for a key that cannot decrypt, or must not by its key usage.
    """
    if call.secret is not None and call.by_password:
        return wrapping.password(call.secret.value, call.exchange.entropy)
    if not call.signer:
        raise Refused(Reason.UNAUTHENTICATED, "RFC 9483 section 4.1.6", "a key is generated only for who is known")
    certificate = x509.load_der_x509_certificate(call.signer)
    key = certificate.public_key()
    needed = (
        "key_encipherment"
        if isinstance(key, rsa.RSAPublicKey | mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey)
        else "key_agreement"
    )
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    if usage is not None and not getattr(usage, needed):
        raise Refused(
            Reason.BAD_SIGNATURE_ALGORITHM,
            "RFC 9483 section 4.1.6.1" if needed == "key_encipherment" else "RFC 9483 section 4.1.6.2",
            "the certificate of the signer does not allow its key to decrypt",
            expected=needed,
        )
    return wrapping.for_certificate(Named.read(call.signer), by_key=True)


async def private_key(call: Call, octets: bytes, spki: bytes, kga: Delegate, keys: Keys, wrap: Wrap | None = None) -> bytes:
    """EnvelopedData (DER) of a private key: an AsymmetricKeyPackage in a SignedData by the key generation authority.

    :param octets: PrivateKeyInfo, :param spki: SubjectPublicKeyInfo, both DER. :param wrap: for whom, if not for who asked.
    """

    async def sign(message: bytes) -> bytes:
        return await keys.sign(kga.reference, message, kga.hash_name)

    digest = signing.default_digest(kga.public_key) if not kga.hash_name else kga.hash_name
    party = signing.SigningParty(Identifier(key=kga.key_identifier), digest, kga.algorithm, sign)
    package = der.tlv(0x30, _one_key(octets, spki))
    certificates = (kga.certificate, *kga.chain[:-1])
    signed = await signing.sign(package, [party], content_type=ASYMMETRIC_KEY_PACKAGE, certificates=certificates)
    _, signed_data = content.unwrap(signed)
    return enveloped(signed_data, recipient(call) if wrap is None else wrap, call.exchange.entropy, kind=content.SIGNED_DATA)


def _one_key(octets: bytes, spki: bytes) -> bytes:
    """OneAsymmetricKey version 2 (RFC 5958 section 2), with the public key."""
    _, algorithm, key, *_ = der.elements(octets, clause="RFC 5958 section 2")
    _, public = der.elements(spki, clause="RFC 5280 section 4.1")
    return der.tlv(0x30, b"\x02\x01\x01", algorithm, key, b"\x81" + public[1:])
