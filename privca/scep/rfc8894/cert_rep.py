"""CertRep (RFC 8894 section 3.3.2): SUCCESS with what was asked for, encrypted for who asked; FAILURE and PENDING without any content.

A reply follows its request in digest and cipher, unless the profile says otherwise: a client that does not know better algorithms could
not read it (and devices have stopped working when a CA moved to better ones by itself).
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric import rsa

from privca.base.exchange import Exchange
from privca.base.http import Response
from privca.base.refused import Refused
from privca.issuance.profile import Profile
from privca.pkix import algorithms
from privca.pkix.rfc5652 import enveloped_data, wrapping
from privca.pkix.rfc5652.signed_data import certificates_only
from privca.pkix.rfc5652.signing import sign
from privca.scep.rfc8894 import attributes, failure
from privca.scep.rfc8894.attributes import NONCE_OCTETS, FailInfo, PkiStatus
from privca.scep.rfc8894.parties import Party
from privca.scep.rfc8894.pki_message import PkiMessage, Transaction
from privca.scep.rfc8894.transport import MESSAGE_MEDIA_TYPE, tolerates

_CLAUSE = "RFC 8894 section 3.3.2"


def can_receive(message: PkiMessage, password: bytes | None) -> bool:
    """Whether a reply can be encrypted for who sent this message: by the key of its certificate, or under a password."""
    return isinstance(message.public_key, rsa.RSAPublicKey) or bool(password)


async def success(
    exchange: Exchange,
    profile: Profile,
    party: Party,
    message: PkiMessage,
    cipher: str,
    *,
    certificates: Sequence[bytes] = (),
    crls: Sequence[bytes] = (),
    password: bytes | None = None,
) -> Response:
    """SUCCESS: certificates or CRLs, leaf first.

    :param cipher: that of the request. :param password: for a client whose key cannot decipher.
    :raises Refused: ``BAD_SIGNATURE_ALGORITHM`` if there is no way to encrypt for the client.
    """
    options = profile.scep
    if isinstance(message.public_key, rsa.RSAPublicKey):
        way = wrapping.key_transport(message.public_key, message.signer.identifier())
    elif password:
        way = wrapping.password(password, exchange.entropy, iterations=options.password_iterations)
    else:
        raise algorithms.unsupported(
            "RFC 8894 section 3.1",
            "a reply cannot be encrypted for this key, and there is no password to do it with",
            expected="RSA",
        )
    used = cipher if options.reply_cipher == "request" else options.reply_cipher
    content = enveloped_data.encrypt(certificates_only(certificates, crls), [way], exchange.entropy, cipher=used)
    return await _reply(exchange, profile, party, message.transaction, PkiStatus.SUCCESS, content)


async def pending(exchange: Exchange, profile: Profile, party: Party, transaction: Transaction) -> Response:
    """PENDING: a person decides; the client polls."""
    return await _reply(exchange, profile, party, transaction, PkiStatus.PENDING, None)


async def failed(exchange: Exchange, profile: Profile, party: Party, transaction: Transaction, refused: Refused) -> Response:
    """FAILURE, with failInfo and failInfoText."""
    return await _reply(
        exchange,
        profile,
        party,
        transaction,
        PkiStatus.FAILURE,
        None,
        failure.fail_info(refused),
        failure.text(refused),
    )


async def _reply(
    exchange: Exchange,
    profile: Profile,
    party: Party,
    transaction: Transaction,
    status: PkiStatus,
    content: bytes | None,
    fail_info: FailInfo | None = None,
    fail_info_text: str = "",
) -> Response:
    options = profile.scep
    digest = transaction.digest if options.reply_digest == "request" else options.reply_digest
    if digest not in options.digests:
        # What the client uses is refused, and so is not used by us either.
        digest = "sha256" if "sha256" in options.digests else options.digests[-1]
    if content is None and tolerates(profile, options.tolerances.empty_content):
        content = b""
    exchange.decision.facts["pkiStatus"] = status.name
    signed = await sign(
        content,
        [party.signers[digest]],
        attributes=attributes.of_reply(
            status,
            transaction.raw_id,
            transaction.nonce,
            exchange.entropy.octets(NONCE_OCTETS),
            fail_info,
            fail_info_text,
        ),
        certificates=[] if party.is_ca and not options.ca_in_reply else [party.named.der],
    )
    return Response(200, (("Content-Type", MESSAGE_MEDIA_TYPE),), signed)
