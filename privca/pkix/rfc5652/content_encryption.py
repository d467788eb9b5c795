"""Content encryption of CMS: AES and DES in CBC mode (RFC 3370 section 5.1, RFC 3565), AES-GCM (RFC 5084).

Single DES is done by triple DES with the same key three times, which is the same function and an algorithm that is still there.
"""

from __future__ import annotations

from typing import Annotated

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

from privca.base.entropy import Entropy
from privca.pkix import algorithms, der

_CLAUSE = "RFC 5652 section 6.1"
_OCTET_STRING, _SEQUENCE = 0x04, 0x30
_GCM_NONCE, _GCM_TAG = 12, 16
_CBC_NAMES = {oid: name for name, (oid, _, _) in algorithms.CBC.items()}
_GCM_NAMES = {oid: name for name, (oid, _) in algorithms.GCM.items()}


@der.sequence
class _GcmParameters:
    nonce: bytes
    tag_length: Annotated[int, der.Default(12)]


class Undecryptable(Exception):
    """Something does not decrypt. What, is nobody's business: it never leaves this package but as one refusal."""


def name_and_iv(algorithm: bytes) -> tuple[str, bytes]:
    """The cipher's name and its IV or nonce, from a contentEncryptionAlgorithm in DER.

    :raises Refused: ``BAD_SIGNATURE_ALGORITHM`` for one that is unknown, or whose parameters are not its own.
    """
    oid, parameters = algorithms.split(algorithm, clause=_CLAUSE)
    name = _CBC_NAMES.get(oid, "")
    if name:
        size = algorithms.CBC[name][2]
        if len(parameters) != size + 2 or parameters[0] != _OCTET_STRING or parameters[1] != size:
            raise algorithms.unsupported(
                _CLAUSE, "the IV of the content encryption has a wrong length", expected=f"{size} octets"
            )
        return name, parameters[2:]
    name = _GCM_NAMES.get(oid, "")
    if name:
        read = der.decode(_GcmParameters, parameters, clause="RFC 5084 section 3.2")
        if len(read.nonce) != _GCM_NONCE or read.tag_length not in (12, 13, 14, 15, 16):
            raise algorithms.unsupported("RFC 5084 section 3.2", "a nonce of 12 octets and a tag of 12 to 16 are accepted")
        return name, read.nonce
    raise algorithms.unsupported(_CLAUSE, "an unknown content encryption algorithm", got=oid)


def key_octets(name: str) -> int:
    """How long the key of a cipher is."""
    return algorithms.CBC[name][1] if name in algorithms.CBC else algorithms.GCM[name][1]


def encrypt_cbc(name: str, key: bytes, content: bytes, entropy: Entropy) -> tuple[bytes, bytes]:
    """The contentEncryptionAlgorithm as DER, and the content encrypted with padding (RFC 5652 section 6.3)."""
    oid, _, block = algorithms.CBC[name]
    iv = entropy.octets(block)
    encryptor = Cipher(_cipher(name, key), modes.CBC(iv)).encryptor()
    missing = block - len(content) % block
    encrypted = encryptor.update(content + bytes((missing,)) * missing) + encryptor.finalize()
    return algorithms.identifier(oid, der.tlv(_OCTET_STRING, iv)), encrypted


def decrypt_cbc(name: str, key: bytes, iv: bytes, encrypted: bytes) -> bytes:
    """The content. :raises Undecryptable: for wrong padding or length."""
    block = algorithms.CBC[name][2]
    if not encrypted or len(encrypted) % block:
        raise Undecryptable
    decryptor = Cipher(_cipher(name, key), modes.CBC(iv)).decryptor()
    padded = decryptor.update(encrypted) + decryptor.finalize()
    unpadder = PKCS7(block * 8).unpadder()
    try:
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise Undecryptable from None


def _cipher(name: str, key: bytes) -> AES | TripleDES:
    if name == "des":
        return TripleDES(key * 3)
    return TripleDES(key) if name == "3des" else AES(key)


def encrypt_gcm(name: str, key: bytes, content: bytes, attributes: bytes, entropy: Entropy) -> tuple[bytes, bytes, bytes]:
    """The contentEncryptionAlgorithm as DER, the encrypted content, and its tag. :param attributes: what is authenticated beside it."""
    nonce = entropy.octets(_GCM_NONCE)
    sealed = AESGCM(key).encrypt(nonce, content, attributes)
    parameters = der.tlv(_SEQUENCE, der.tlv(_OCTET_STRING, nonce), b"\x02\x01\x10")
    return algorithms.identifier(algorithms.GCM[name][0], parameters), sealed[:-_GCM_TAG], sealed[-_GCM_TAG:]


def decrypt_gcm(key: bytes, nonce: bytes, encrypted: bytes, tag: bytes, attributes: bytes) -> bytes:
    """The content. :raises Undecryptable: if the tag is not right."""
    try:
        if len(tag) == _GCM_TAG:
            return AESGCM(key).decrypt(nonce, encrypted + tag, attributes)
        decryptor = Cipher(AES(key), modes.GCM(nonce, tag, min_tag_length=12)).decryptor()
        decryptor.authenticate_additional_data(attributes)
        return decryptor.update(encrypted) + decryptor.finalize()
    except (InvalidTag, ValueError):
        raise Undecryptable from None
