"""CertRepMessage (RFC 9810 section 5.3.4): what is answered to requests for certificates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from privca.base.refused import Refused
from privca.cmp.rfc9810.status import Status, rejection, status_info
from privca.pkix import der


@dataclass(frozen=True, slots=True)
class CertResponse:
    """One answer. ``status`` is a PKIStatusInfo (DER). ``certificate`` is in clear, ``encrypted`` an EncryptedKey (DER) of it;
    ``private_key`` an EncryptedKey (DER) of the key that was generated for it."""

    id: int
    status: bytes
    certificate: bytes | None = None
    encrypted: bytes | None = None
    private_key: bytes | None = None

    @classmethod
    def rejected(cls, id: int, refused: Refused) -> CertResponse:
        """A refusal."""
        return cls(id, rejection(refused))

    @classmethod
    def waiting(cls, id: int) -> CertResponse:
        """A request that is not decided yet."""
        return cls(id, status_info(Status.WAITING, "the request waits for a decision; ask again with pollReq"))

    @classmethod
    def granted(cls, id: int, certificate: bytes, modified: str = "") -> CertResponse:
        """A certificate; ``modified`` says what differs from the request."""
        status = status_info(Status.GRANTED_WITH_MODS, modified) if modified else status_info(Status.ACCEPTED)
        return cls(id, status, certificate)

    def encode(self) -> bytes:
        """As DER."""
        pair = b""
        if self.certificate is not None or self.encrypted is not None:
            issued = der.tlv(161, self.encrypted) if self.encrypted is not None else der.tlv(160, self.certificate or b"")
            pair = key_pair(issued, self.private_key)
        return der.tlv(0x30, der.integer(self.id), self.status, pair)


def key_pair(certificate: bytes, private_key: bytes | None) -> bytes:
    """CertifiedKeyPair as DER, of CertOrEncCert and EncryptedKey (DER)."""
    return der.tlv(0x30, certificate, b"" if private_key is None else der.tlv(0xA0, private_key))


def encode(responses: Sequence[CertResponse], ca_pubs: Sequence[bytes] = ()) -> bytes:
    """CertRepMessage as DER. :param ca_pubs: certificates that the client may trust."""
    publics = der.tlv(0xA1, der.tlv(0x30, *ca_pubs)) if ca_pubs else b""
    return der.tlv(0x30, publics, der.tlv(0x30, *(response.encode() for response in responses)))
