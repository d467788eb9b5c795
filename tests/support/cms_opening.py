"""A client that opens what was encrypted for its key, by the CMS package and its own copy of a key store."""

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from privca.base.entropy import SystemEntropy
from privca.issuance.ports import Oaep
from privca.keys.software import SoftwareKeys
from privca.pkix.rfc5652 import content, enveloped_data
from tests.support import cmp
from tests.support.issuance_lab import direct, run


class PrivateKey:
    """A client's key as the port that the CMS package opens with."""

    def __init__(self, key, directory):
        self.keys = SoftwareKeys(directory, direct)
        (directory / "client.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (directory / "client.pem").chmod(0o600)

    async def decrypt(self, ciphertext, oaep: Oaep | None = None):
        return await self.keys.decrypt("client", ciphertext, oaep)

    async def agree(self, peer):
        return await self.keys.agree("client", peer)

    async def decapsulate(self, ciphertext):
        return await self.keys.decapsulate("client", ciphertext)


def opened(lab, key, enveloped):
    """The content of an EnvelopedData (its raw element) for a key."""
    directory = lab.ca.directory / "client"
    directory.mkdir(mode=0o700, exist_ok=True)
    raw = b"\x30" + enveloped[1:]
    parsed = enveloped_data.parse(content.wrap("1.2.840.113549.1.7.3", raw))
    (recipient,) = parsed.recipients
    return run(enveloped_data.decrypt(parsed, recipient, PrivateKey(key, directory), cmp.spki(key), SystemEntropy()))
