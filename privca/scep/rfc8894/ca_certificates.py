"""GetCACert (RFC 8894 section 4.2) and GetNextCACert (section 4.7)."""

from __future__ import annotations

from privca.base.http import Response
from privca.base.refused import Reason, Refused
from privca.issuance.authorities import Authorities
from privca.issuance.ca_key import CaKey
from privca.issuance.ports import GenerationRole, Keys
from privca.issuance.profile import Revisioned
from privca.pkix.rfc5652.identifiers import Named
from privca.pkix.rfc5652.signed_data import certificates_only
from privca.pkix.rfc5652.signing import SigningParty, default_digest, sign, signature_algorithm
from privca.scep.rfc8894.parties import Parties

CA_CERTIFICATE = "application/x-x509-ca-cert"
CHAIN = "application/x-x509-ca-ra-cert"
NEXT_CA_CERTIFICATE = "application/x-x509-next-ca-cert"


async def current(profile: Revisioned, parties: Parties) -> Response:
    """The CA's certificate by itself if there is no other (section 4.2.1.1), else all as certificates-only SignedData (4.2.1.2)."""
    shown = await parties.certificates(profile)
    if len(shown) == 1:
        return Response(200, (("Content-Type", CA_CERTIFICATE),), shown[0])
    return Response(200, (("Content-Type", CHAIN),), certificates_only(shown))


async def following(profile: Revisioned, authorities: Authorities, keys: Keys) -> Response:
    """The certificates from the next rollover on, signed by the CA's current key. :raises Refused: ``NOT_FOUND`` while there is none."""
    name = profile.profile.issuer
    generations = await authorities.generations(name)
    coming = [key for key in generations if key.generation.role is GenerationRole.NEXT]
    if not coming:
        raise Refused(Reason.NOT_FOUND, "RFC 8894 section 4.7", "this CA has no next certificate: no rollover is near")
    chain = (await authorities.chains(name, coming[0].signer.number))[0]
    now = await authorities.current(name)
    shown = chain if profile.profile.scep.ca_chain else chain[:1]
    signed = await sign(certificates_only(shown), [_signer(now, keys)], certificates=[now.generation.certificate])
    return Response(200, (("Content-Type", NEXT_CA_CERTIFICATE),), signed)


def _signer(ca_key: CaKey, keys: Keys) -> SigningParty:
    signer = ca_key.signer
    digest = default_digest(signer.public_key, signer.hash_name)

    async def sign_by_ca(message: bytes) -> bytes:
        return await keys.sign(signer.reference, message, digest)

    identifier = Named.read(ca_key.generation.certificate).identifier()
    return SigningParty(identifier, digest, signature_algorithm(signer.public_key, digest), sign_by_ca)
