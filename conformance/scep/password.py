"""PasswordRecipientInfo (RFC 5652 section 6.2.4, RFC 3211): how a client whose key cannot decipher is spoken to (RFC 8894 section 3.1)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from pyasn1.type import namedtype, univ
from pyasn1_modules import rfc5280, rfc8018

from conformance.scep import structures
from conformance.scep.algorithms import CIPHERS, cipher_name
from conformance.scep.structures import DATA, ENVELOPED_DATA, Malformed, algorithm, content_of, decode, encode, octet_string

PBKDF2, PWRI_KEK = "1.2.840.113549.1.5.12", "1.2.840.113549.1.9.16.3.9"
ITERATIONS = 10_000
_PRFS: dict[str, type[hashes.HashAlgorithm]] = {
    "1.2.840.113549.2.7": hashes.SHA1,
    "1.2.840.113549.2.9": hashes.SHA256,
    "1.2.840.113549.2.10": hashes.SHA384,
    "1.2.840.113549.2.11": hashes.SHA512,
}
_SHA256 = "1.2.840.113549.2.9"
_TAG, _BARE = 0xA3, 0x30
_SHORTEST = 4
"""Octets in front of a wrapped key: its length, and three to check it by."""
_MOST = 1_000_000
"""Iterations that are done for a reply."""


class PasswordRecipientInfo(univ.Sequence):  # type: ignore[misc]
    """Under its tag [3], which is put around it by hand."""

    componentType = namedtype.NamedTypes(  # noqa: N815
        namedtype.NamedType("version", univ.Integer()),
        namedtype.OptionalNamedType(
            "keyDerivationAlgorithm", rfc5280.AlgorithmIdentifier().subtype(implicitTag=structures.implicit(0))
        ),
        namedtype.NamedType("keyEncryptionAlgorithm", rfc5280.AlgorithmIdentifier()),
        namedtype.NamedType("encryptedKey", univ.OctetString()),
    )


@dataclass(frozen=True, slots=True)
class Opened:
    """What is in an envelope under a password. ``iterations`` are those of PBKDF2."""

    content: bytes
    cipher: str
    iterations: int


def enveloped_data(
    content: bytes, password: bytes, cipher: str = "aes128", *, iterations: int = ITERATIONS, claimed: int = 0
) -> Any:
    """An EnvelopedData under a password. :param claimed: iterations that are said, in place of those that were done."""
    way = CIPHERS[cipher]
    key, iv = way.fresh()
    salt, wrapping_iv = os.urandom(16), os.urandom(16)
    derivation = rfc8018.PBKDF2_params()
    derivation["salt"]["specified"] = salt
    derivation["iterationCount"] = claimed or iterations
    derivation["prf"]["algorithm"] = _SHA256
    derivation["prf"]["parameters"] = univ.Null("")
    info = PasswordRecipientInfo()
    info["version"] = 0
    info["keyDerivationAlgorithm"]["algorithm"] = PBKDF2
    info["keyDerivationAlgorithm"]["parameters"] = encode(derivation)
    info["keyEncryptionAlgorithm"] = algorithm(PWRI_KEK, encode(algorithm(CIPHERS["aes128"].oid, octet_string(wrapping_iv))))
    info["encryptedKey"] = wrap(key, _derived(password, salt, iterations, hashes.SHA256, CIPHERS["aes128"].key), wrapping_iv)
    made = structures.EnvelopedData()
    made["version"] = 3
    made["recipientInfos"].append(bytes([_TAG]) + encode(info)[1:])
    encrypted = made["encryptedContentInfo"]
    encrypted["contentType"] = DATA
    encrypted["contentEncryptionAlgorithm"] = algorithm(way.oid, octet_string(iv))
    encrypted["encryptedContent"] = way.encrypt(content, key, iv)
    return made


def open_envelope(octets: bytes, password: bytes) -> Opened:
    """Decrypt an envelope under a password. :raises Malformed: if it is none, or under another one."""
    enveloped = content_of(octets, ENVELOPED_DATA, structures.EnvelopedData(), "EnvelopedData")
    recipients = [bytes(one) for one in enveloped["recipientInfos"]]
    if len(recipients) != 1 or recipients[0][0] != _TAG:
        raise Malformed("the envelope is not for one recipient who has a password")
    info = decode(bytes([_BARE]) + recipients[0][1:], PasswordRecipientInfo(), "PasswordRecipientInfo")
    derivation, way = info["keyDerivationAlgorithm"], info["keyEncryptionAlgorithm"]
    if str(derivation["algorithm"]) != PBKDF2 or str(way["algorithm"]) != PWRI_KEK:
        raise Malformed(f"the key is derived by {derivation['algorithm']} and wrapped by {way['algorithm']}")
    parameters = decode(bytes(derivation["parameters"]), rfc8018.PBKDF2_params(), "PBKDF2-params")
    prf, iterations = _PRFS.get(str(parameters["prf"]["algorithm"])), int(parameters["iterationCount"])
    if prf is None or not 0 < iterations <= _MOST:
        raise Malformed(f"PBKDF2 with {parameters['prf']['algorithm']}, {iterations} iterations")
    inner = decode(bytes(way["parameters"]), rfc5280.AlgorithmIdentifier(), "AlgorithmIdentifier")
    wrapping = CIPHERS.get(cipher_name(str(inner["algorithm"])))
    encrypted = enveloped["encryptedContentInfo"]
    name = cipher_name(str(encrypted["contentEncryptionAlgorithm"]["algorithm"]))
    if wrapping is None or wrapping.block != 16 or name not in CIPHERS:
        raise Malformed(f"the key is wrapped by {inner['algorithm']}, the content encrypted by {name}")
    salt = bytes(parameters["salt"]["specified"])
    key = _unwrap(bytes(info["encryptedKey"]), _derived(password, salt, iterations, prf, wrapping.key), _iv(inner))
    iv = structures.value_of(bytes(encrypted["contentEncryptionAlgorithm"]["parameters"]))
    return Opened(CIPHERS[name].decrypt(bytes(encrypted["encryptedContent"]), key, iv), name, iterations)


def _iv(identifier: Any) -> bytes:
    iv = structures.value_of(bytes(identifier["parameters"]))
    if len(iv) != 16:
        raise Malformed("the IV of the wrapped key has a wrong length")
    return iv


def _derived(password: bytes, salt: bytes, iterations: int, prf: type[hashes.HashAlgorithm], octets: int) -> bytes:
    return PBKDF2HMAC(prf(), octets, salt, iterations).derive(password)


def wrap(key: bytes, wrapping: bytes, iv: bytes) -> bytes:
    """RFC 3211 section 2.3.1: a key with its length and check octets, encrypted twice with AES-CBC."""
    block = bytes([len(key), *(octet ^ 0xFF for octet in key[:3])]) + key
    block += os.urandom(-len(block) % 16)
    block += os.urandom(max(0, 32 - len(block)))
    first = _cbc(wrapping, iv).encryptor().update(block)
    return _cbc(wrapping, first[-16:]).encryptor().update(first)


def _unwrap(wrapped: bytes, wrapping: bytes, iv: bytes) -> bytes:
    """RFC 3211 section 2.3.2. :raises Malformed: if the check octets do not fit."""
    if len(wrapped) < 32 or len(wrapped) % 16:
        raise Malformed("the wrapped key has a wrong length")
    last = _cbc(wrapping, wrapped[-32:-16]).decryptor().update(wrapped[-16:])
    first = _cbc(wrapping, last).decryptor().update(wrapped)
    block = _cbc(wrapping, iv).decryptor().update(first)
    key = block[_SHORTEST : _SHORTEST + block[0]]
    if len(key) < 8 or len(key) != block[0] or any(a ^ b != 0xFF for a, b in zip(block[1:4], key[:3], strict=True)):
        raise Malformed("the key is not wrapped under this password")
    return key


def _cbc(key: bytes, iv: bytes) -> Cipher[modes.CBC]:
    return Cipher(AES(key), modes.CBC(iv))
