"""Who answers: the keys of a CA, or of registration authorities beside it, that sign and decipher SCEP messages (RFC 8894 sections 2.1.2, 2.2).

A CA answers for itself where its key is RSA and its certificate says keyEncipherment; else a delegate with an RSA key does, since clients
encrypt to RSA keys alone. After a rollover the former key still answers what is encrypted for it, and signs what it answers: a client
that has not heard of the new one must be able to verify that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from functools import partial

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from privca.base.refused import Reason, Refused
from privca.issuance.authorities import Authorities
from privca.issuance.ca_key import CaKey
from privca.issuance.delegates import Delegates, Purpose
from privca.issuance.ports import GenerationRole, Keys
from privca.issuance.profile import Revisioned
from privca.issuance.recipient_key import RecipientKey
from privca.pkix.rfc5652.enveloped_data import Enveloped
from privca.pkix.rfc5652.identifiers import Named
from privca.pkix.rfc5652.recipients import KeyTransport
from privca.pkix.rfc5652.signing import SigningParty, signature_algorithm

_ANSWERING = (GenerationRole.CURRENT, GenerationRole.PREVIOUS, GenerationRole.NEXT)


@dataclass(frozen=True, slots=True, eq=False)
class Party:
    """One key that answers. ``named`` is its certificate, ``issuer`` that of the CA key that it belongs to (its own, or one above it)."""

    named: Named
    issuer: bytes = field(repr=False)
    is_ca: bool
    generation: int
    octets: int
    """Length of its RSA modulus, and so of what is encrypted for it."""
    key: RecipientKey
    signers: dict[str, SigningParty] = field(repr=False)
    """It as a signer, by digest."""


class Parties:
    """The parties of all CAs that SCEP profiles issue by."""

    def __init__(self, authorities: Authorities, delegates: Delegates, keys: Keys) -> None:
        self._authorities = authorities
        self._delegates = delegates
        self._keys = keys
        self._made: dict[bytes, Party] = {}

    async def current(self, profile: Revisioned) -> Party:
        """Who answers for the key that the CA of this profile issues with."""
        ca_key = await self._authorities.current(profile.profile.issuer)
        return await self._of(profile, ca_key)

    async def meant(self, profile: Revisioned, enveloped: Enveloped) -> tuple[Party, KeyTransport] | None:
        """Whom a message is encrypted for, and the part that is for it; None if it is none of us."""
        current = await self.current(profile)
        found = _recipient(enveloped, current)
        if found is not None:
            return current, found
        issuer = profile.profile.issuer
        for ca_key in await self._authorities.generations(issuer):
            if ca_key.generation.role in _ANSWERING and self._answers_itself(profile, ca_key):
                party = self._made_for(ca_key)
                if (found := _recipient(enveloped, party)) is not None:
                    return party, found
        if current.is_ca:
            # Who asks for the delegates of this CA would make one.
            return None
        for delegate in await self._delegates.all(issuer, Purpose.SCEP_RA):
            party = self._party(delegate.certificate, delegate.chain[0], delegate.reference, delegate.generation)
            if (found := _recipient(enveloped, party)) is not None:
                return party, found
        return None

    async def _of(self, profile: Revisioned, ca_key: CaKey) -> Party:
        if self._answers_itself(profile, ca_key):
            return self._made_for(ca_key)
        delegate = await self._delegates.current(ca_key.signer.authority, Purpose.SCEP_RA, ca_key.signer.number)
        return self._party(delegate.certificate, ca_key.generation.certificate, delegate.reference, ca_key.signer.number)

    @staticmethod
    def _answers_itself(profile: Revisioned, ca_key: CaKey) -> bool:
        if profile.profile.scep.ra == "always" or not isinstance(ca_key.signer.public_key, rsa.RSAPublicKey):
            return False
        return ca_key.certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_encipherment

    def _made_for(self, ca_key: CaKey) -> Party:
        certificate = ca_key.generation.certificate
        return self._party(certificate, certificate, ca_key.signer.reference, ca_key.signer.number)

    def _party(self, certificate: bytes, issuer: bytes, reference: str, generation: int) -> Party:
        known = self._made.get(certificate)
        if known is not None:
            return known
        named = Named.read(certificate)
        public_key = x509.load_der_x509_certificate(certificate).public_key()
        if not isinstance(public_key, rsa.RSAPublicKey):
            raise Refused(Reason.INTERNAL, "RFC 8894 section 3.1", "who deciphers SCEP messages has an RSA key")
        identifier = named.identifier()
        algorithm = signature_algorithm(public_key, "sha256")
        signers = {
            digest: SigningParty(identifier, digest, algorithm, partial(self._sign, reference, digest))
            for digest in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
        }
        made = self._made[certificate] = Party(
            named=named,
            issuer=issuer,
            is_ca=certificate == issuer,
            generation=generation,
            octets=(public_key.key_size + 7) // 8,
            key=RecipientKey(self._keys, reference),
            signers=signers,
        )
        return made

    def _sign(self, reference: str, digest: str, message: bytes) -> Awaitable[bytes]:
        return self._keys.sign(reference, message, digest)

    async def certificates(self, profile: Revisioned) -> Sequence[bytes]:
        """What GetCACert shows: who answers, then the CA and what is above it, as far as the profile says."""
        party = await self.current(profile)
        chain = (await self._authorities.chains(profile.profile.issuer, party.generation))[0]
        shown = list(chain) if profile.profile.scep.ca_chain else [chain[0]]
        return shown if party.is_ca else [party.named.der, *shown]


def _recipient(enveloped: Enveloped, party: Party) -> KeyTransport | None:
    found = enveloped.recipient(party.named)
    return found if isinstance(found, KeyTransport) else None
