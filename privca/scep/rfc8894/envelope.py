"""pkcsPKIEnvelope (RFC 8894 section 3.2.2): what a message says, encrypted for us, and what a reply says, encrypted for the client.

From the recipient's look-up to the end of parsing there is one failure with one text, the cause of which only the local log knows. What
fails early takes the steps that it would have taken: an envelope that is for nobody here is decrypted with a key made from nothing, and
a content that is no request costs the verification of one that is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from privca.base.exchange import Exchange
from privca.base.refused import Reason, Refused
from privca.enrollment.credentials import Credentials, Secret
from privca.issuance.profile import Profile, Revisioned
from privca.pkix import algorithms
from privca.pkix.rfc5652 import enveloped_data
from privca.pkix.rfc5652.content import DATA
from privca.pkix.rfc5652.enveloped_data import Enveloped
from privca.pkix.rfc5652.recipients import KeyTransport
from privca.scep.rfc8894.parties import Parties, Party
from privca.scep.rfc8894.pki_message import PkiMessage

log = structlog.get_logger("privca.scep")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope before it is opened. ``party`` is whom it is for, and who answers."""

    enveloped: Enveloped | None
    party: Party
    recipient: KeyTransport | None
    secret: Secret | None = field(repr=False)
    """The password of a password recipient, found beforehand; None where there is none."""

    @property
    def cipher(self) -> str:
        """The cipher of the request; empty if the envelope cannot be read."""
        return "" if self.enveloped is None else self.enveloped.cipher


def unreadable() -> Refused:
    """The one failure of whatever does not open or does not hold what it should."""
    return Refused(Reason.MALFORMED, "RFC 8894 section 3.2.2", "the pkcsPKIEnvelope cannot be opened and read")


async def addressed(
    exchange: Exchange, profile: Revisioned, parties: Parties, credentials: Credentials, message: PkiMessage
) -> Envelope:
    """Whom an envelope is for, and by what it will be opened.

    :raises Refused: ``BAD_SIGNATURE_ALGORITHM`` for a cipher that the profile does not accept: everybody can read which it is.
    """
    try:
        enveloped = enveloped_data.parse(message.envelope)
    except Refused as refused:
        if refused.reason is Reason.BAD_SIGNATURE_ALGORITHM:
            raise
        _note(exchange, refused)
        return Envelope(None, await parties.current(profile), None, None)
    check_cipher(profile.profile, enveloped.cipher)
    meant = await parties.meant(profile, enveloped)
    if meant is not None:
        return Envelope(enveloped, meant[0], meant[1], None)
    secret = None
    if profile.profile.scep.password_recipients and enveloped.password_recipient() is not None:
        secret = await password_of(exchange, profile, credentials, message.transaction.id)
    return Envelope(enveloped, await parties.current(profile), None, secret)


def check_cipher(profile: Profile, cipher: str) -> None:
    """Refuse a cipher that the profile does not list. :raises Refused: ``BAD_SIGNATURE_ALGORITHM``."""
    if cipher not in profile.scep.ciphers:
        raise algorithms.unsupported(
            "profile: scep.ciphers",
            "a content encryption that is not accepted here",
            expected=", ".join(profile.scep.ciphers),
            got=cipher,
        )


async def password_of(exchange: Exchange, profile: Revisioned, credentials: Credentials, transaction_id: str) -> Secret | None:
    """The one password that a transaction can be under: that of its ID, else the profile's code. Never are several tried."""
    for reference in (transaction_id, profile.profile.scep.password_reference):
        if reference:
            found = await credentials.secrets(exchange, profile, reference)
            if found:
                return found[-1]
    return None


async def opened(
    exchange: Exchange,
    profile: Revisioned,
    credentials: Credentials,
    envelope: Envelope,
    read: Callable[[bytes], T],
    decoy: Callable[[Refused], None],
) -> T:
    """What the content of an envelope is, as ``read`` reads it.

    :param decoy: costs what reading costs of a content that is well-formed and not right, unless the refusal says that this was done.
    :raises Refused: :func:`unreadable` alone, whatever happened.
    """
    try:
        return read(await _decrypted(exchange, profile.profile, envelope))
    except Refused as refused:
        _note(exchange, refused)
        decoy(refused)
        if envelope.secret is not None:
            await credentials.failed(exchange, profile, envelope.secret.reference)
        raise unreadable() from None


async def _decrypted(exchange: Exchange, profile: Profile, envelope: Envelope) -> bytes:
    party, enveloped, recipient = envelope.party, envelope.enveloped, envelope.recipient
    if enveloped is not None and recipient is None and profile.scep.password_recipients:
        password = enveloped.password_recipient()
        if password is not None:
            # Where no password belongs to the transaction, one that nobody knows makes the same work.
            value = envelope.secret.value if envelope.secret is not None else exchange.entropy.octets(20)
            return await enveloped_data.decrypt_by_password(
                enveloped, password, value, exchange.entropy, iterations=profile.scep.password_iterations
            )
    if enveloped is None:
        enveloped = Enveloped((), DATA, "aes128", bytes(16), bytes(1024))
    if recipient is None:
        # Not for us: the same work, on octets that nobody encrypted.
        nothing = b"\x00" + exchange.entropy.octets(party.octets - 1)
        algorithm = algorithms.identifier(algorithms.RSA_ENCRYPTION, algorithms.NULL)
        recipient = KeyTransport(party.named.identifier(), algorithm, nothing)
    content = await enveloped_data.decrypt(enveloped, recipient, party.key, party.named.spki, exchange.entropy)
    if envelope.recipient is None or envelope.enveloped is None:
        raise unreadable()
    if enveloped.content_type != DATA:
        raise Refused(Reason.MALFORMED, "RFC 8894 section 3.2.2", "the encrypted content is not data")
    return content


def _note(exchange: Exchange, refused: Refused) -> None:
    log.info("an envelope was not opened and read", exchange=exchange.id, cause=str(refused))
