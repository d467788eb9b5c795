"""Key-encryption keys and what is wrapped under them: AES key wrap (RFC 3394), the password's way (RFC 3370 sections 4.3 and 4.4), and the
derivations of RFC 5753, RFC 8418 and RFC 9629. Sender and recipient compute the same here.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from privca.base.entropy import Entropy
from privca.pkix import algorithms, der
from privca.pkix.rfc5652.content_encryption import Undecryptable, name_and_iv

_SEQUENCE, _OCTET_STRING, _INTEGER, _EXPLICIT_0, _EXPLICIT_2 = 0x30, 0x04, 0x02, 0xA0, 0xA2
_SALT_MINIMUM = 8
_SALT_MAXIMUM = 256


@der.sequence
class _Pbkdf2:
    salt: bytes
    iterations: int
    key_octets: int | None
    prf: der.Null | der.TLV | None


def wrap_octets(algorithm: bytes, *, clause: str) -> int:
    """How long a key an AES key wrap AlgorithmIdentifier (DER) takes. :raises Refused: ``BAD_SIGNATURE_ALGORITHM`` for anything else."""
    oid, _ = algorithms.split(algorithm, clause=clause)
    if oid not in algorithms.AES_WRAP:
        raise algorithms.unsupported(clause, "an unknown key wrap algorithm", expected="AES key wrap", got=oid)
    return algorithms.AES_WRAP[oid]


def wrap(kek: bytes, key: bytes) -> bytes:
    """A key wrapped under another (RFC 3394)."""
    return aes_key_wrap(kek, key)


def unwrap(kek: bytes, wrapped: bytes) -> bytes:
    """What was wrapped. :raises Undecryptable:"""
    try:
        return aes_key_unwrap(kek, wrapped)
    except (InvalidUnwrap, ValueError):
        raise Undecryptable from None


def agreed(scheme: str, secret: bytes, wrap_algorithm: bytes, octets: int, ukm: bytes | None) -> bytes:
    """The key-encryption key of a key agreement (RFC 5753 section 7.2, RFC 8418 section 2).

    :param scheme: OID of :data:`privca.pkix.algorithms.AGREEMENTS`. :param secret: what both keys agree on.
    :param wrap_algorithm: AlgorithmIdentifier of the key wrap, DER. :param octets: length of the key in octets.
    """
    function, hash_name = algorithms.AGREEMENTS[scheme]
    shared_info = der.tlv(
        _SEQUENCE,
        wrap_algorithm,
        b"" if ukm is None else der.tlv(_EXPLICIT_0, der.tlv(_OCTET_STRING, ukm)),
        der.tlv(_EXPLICIT_2, der.tlv(_OCTET_STRING, (octets * 8).to_bytes(4, "big"))),
    )
    if function == "hkdf":
        return HKDF(algorithms.HASHES[hash_name], octets, salt=ukm, info=shared_info).derive(secret)
    return X963KDF(algorithms.HASHES[hash_name], octets, sharedinfo=shared_info).derive(secret)


def encapsulated(hash_name: str, secret: bytes, wrap_algorithm: bytes, octets: int, ukm: bytes | None) -> bytes:
    """The key-encryption key of an encapsulated secret (RFC 9629 section 5), by HKDF without salt."""
    info = der.tlv(
        _SEQUENCE,
        wrap_algorithm,
        der.tlv(_INTEGER, octets.to_bytes(1, "big")),
        b"" if ukm is None else der.tlv(_EXPLICIT_0, der.tlv(_OCTET_STRING, ukm)),
    )
    return HKDF(algorithms.HASHES[hash_name], octets, salt=None, info=info).derive(secret)


def derived(derivation: bytes, password: bytes, octets: int, *, maximum: int) -> bytes:
    """The key-encryption key of a password by PBKDF2 (RFC 8018 section 5.2).

    :param derivation: keyDerivationAlgorithm, DER. :param maximum: how many iterations are done for anybody.
    :raises Refused: ``BAD_SIGNATURE_ALGORITHM`` for another function, or parameters out of bounds.
    """
    clause = "RFC 3370 section 4.4.1"
    oid, parameters = algorithms.split(derivation, clause=clause)
    if oid != algorithms.PBKDF2:
        raise algorithms.unsupported(clause, "an unknown key derivation", expected="PBKDF2", got=oid)
    read = der.decode(_Pbkdf2, parameters, clause="RFC 8018 section A.2")
    if not 1 <= read.iterations <= maximum:
        raise algorithms.unsupported(
            clause, "a number of iterations that is not accepted here", expected=f"1 to {maximum}", got=str(read.iterations)[:20]
        )
    if read.key_octets not in (None, octets) or not _SALT_MINIMUM <= len(read.salt) <= _SALT_MAXIMUM:
        raise algorithms.unsupported(clause, "a salt or key length that is not accepted here")
    hash_name: str | None = "sha1"  # RFC 8018 section A.2: the default
    if isinstance(read.prf, der.TLV):
        prf, _ = algorithms.split(der.encode(read.prf), clause=clause)
        hash_name = algorithms.HMACS.get(prf)
    if hash_name is None:
        raise algorithms.unsupported(clause, "an unknown pseudorandom function")
    return PBKDF2HMAC(algorithms.HASHES[hash_name], octets, read.salt, read.iterations).derive(password)


def pbkdf2(hash_name: str, salt: bytes, iterations: int) -> bytes:
    """A keyDerivationAlgorithm as DER."""
    prf = next(oid for oid, name in algorithms.HMACS.items() if name == hash_name)
    number = iterations.to_bytes(iterations.bit_length() // 8 + 1, "big")
    parameters = der.tlv(
        _SEQUENCE,
        der.tlv(_OCTET_STRING, salt),
        der.tlv(_INTEGER, number),
        algorithms.identifier(prf, algorithms.NULL),
    )
    return algorithms.identifier(algorithms.PBKDF2, parameters)


def password_cipher(algorithm: bytes) -> tuple[str, bytes]:
    """The cipher and IV in id-alg-PWRI-KEK (RFC 3370 section 4.3.1).

    :param algorithm: keyEncryptionAlgorithm, DER. :raises Refused: ``BAD_SIGNATURE_ALGORITHM`` for anything but AES or triple DES.
    """
    clause = "RFC 3370 section 4.3.1"
    oid, parameters = algorithms.split(algorithm, clause=clause)
    if oid != algorithms.PWRI_KEK:
        raise algorithms.unsupported(clause, "an unknown key encryption for passwords", expected="id-alg-PWRI-KEK", got=oid)
    name, iv = name_and_iv(parameters)
    if not name.startswith("aes") or name in algorithms.GCM:
        raise algorithms.unsupported(clause, "a cipher that is not accepted under a password", expected="AES-CBC", got=name)
    return name, iv


def password_wrap(kek: bytes, iv: bytes, key: bytes, entropy: Entropy) -> bytes:
    """A key wrapped under a password's key: length, check octets and padding, encrypted twice so that every octet depends on every other."""
    block = len(iv)
    formatted = bytes((len(key),)) + bytes(octet ^ 0xFF for octet in key[:3]) + key
    size = max(2 * block, -(-len(formatted) // block) * block)
    formatted += entropy.octets(size - len(formatted))
    first = _cbc(kek, iv, formatted, encrypt=True)
    return _cbc(kek, first[-block:], first, encrypt=True)


def password_unwrap(kek: bytes, iv: bytes, wrapped: bytes) -> bytes:
    """What was wrapped under a password's key. :raises Undecryptable:"""
    block = len(iv)
    if len(wrapped) % block or not 2 * block <= len(wrapped) <= 256:
        raise Undecryptable
    # The second pass began with the last block of the first, which is found by decrypting the last block of the second.
    last = _cbc(kek, wrapped[-2 * block : -block], wrapped[-block:], encrypt=False)
    first = _cbc(kek, last, wrapped[:-block], encrypt=False) + last
    formatted = _cbc(kek, iv, first, encrypt=False)
    length, check, key = formatted[0], formatted[1:4], formatted[4 : 4 + formatted[0]]
    if len(key) != length or length < 3 or any(a ^ b != 0xFF for a, b in zip(check, key, strict=False)):
        raise Undecryptable
    return key


def _cbc(key: bytes, iv: bytes, octets: bytes, *, encrypt: bool) -> bytes:
    cipher = Cipher(AES(key), modes.CBC(iv))
    work = cipher.encryptor() if encrypt else cipher.decryptor()
    return work.update(octets) + work.finalize()
