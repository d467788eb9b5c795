"""Private keys that are made for others (port: :class:`privca.est.ports.KeyMaker`): handed out and kept nowhere."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from privca.keys.software import KINDS, Offload

_AT_ONCE = ("P-256", "P-384")


class KeysForOthers:
    """EC keys are made at once, in less than a millisecond; RSA keys, which take up to a second, through ``offload``."""

    def __init__(self, offload: Offload) -> None:
        self._offload = offload

    async def make(self, kind: str) -> bytes:
        """A new private key of a kind of :data:`privca.keys.software.KINDS`: PrivateKeyInfo (PKCS #8) as DER."""

        def make() -> bytes:
            return KINDS[kind]().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

        return make() if kind in _AT_ONCE else await self._offload(make)
