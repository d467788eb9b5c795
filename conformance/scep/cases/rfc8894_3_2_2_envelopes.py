"""RFC 8894 section 3.2.2: what is encrypted. What does not open, or holds what it should not, is refused without telling which."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from conformance.case import Case, register
from conformance.examination import NotApplicable
from conformance.scep import structures
from conformance.scep.applicants import name, rsa_key, self_signed
from conformance.scep.draft import Draft, Mutation
from conformance.scep.lab import BAD_TIME, FAIL_INFO, HTTP_500, REJECTED, ScepLab, negative
from conformance.scep.mutations import UNKNOWN_CIPHER, content, envelope, enveloped, flipped, recipe
from conformance.scep.structures import KeyTransRecipientInfo, decode, encode
from conformance.verdict import Level

ENCRYPTED = "rfc8894:3.2.2#encrypted-content"
UNREADABLE = {"badRequest", "badMessageCheck"}
"""The text has no failInfo of its own for what cannot be decrypted."""


def _recipient(change: Callable[[Any, Any], None]) -> Callable[[Any], None]:
    """Change the one recipient of an EnvelopedData. :param change: gets it and the EnvelopedData."""

    def spoil(data: Any) -> None:
        transport = decode(bytes(data["recipientInfos"][0]), KeyTransRecipientInfo(), "KeyTransRecipientInfo")
        change(transport, data)
        data["recipientInfos"][0] = encode(transport)

    return spoil


def _other_identifier(transport: Any, data: Any) -> None:
    transport["rid"] = self_signed(rsa_key(3), name("nobody")).identifier


def _for_somebody_else(draft: Draft) -> None:
    draft.recipient = self_signed(rsa_key(3), name("nobody")).certificate


def _public_key(draft: Draft) -> rsa.RSAPublicKey:
    key = x509.load_der_x509_certificate(draft.recipient).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def _with_key(change: Callable[[Draft], bytes]) -> Callable[[Draft], None]:
    """Put other octets in the place of the encrypted key."""

    def spoil(draft: Draft) -> None:
        octets = change(draft)

        def put(transport: Any, data: Any) -> None:
            transport["encryptedKey"] = octets

        draft.spoil_enveloped.append(_recipient(put))

    return spoil


def _last_block(data: Any) -> None:
    """The last block of the content changed: most likely wrong padding."""
    encrypted = data["encryptedContentInfo"]
    octets = bytes(encrypted["encryptedContent"])
    encrypted["encryptedContent"] = octets[:-17] + flipped(octets[-17:-16]) + flipped(octets[-16:])


def _first_block(data: Any) -> None:
    """The first block changed: the padding is right, and what is inside is no PKCS #10."""
    encrypted = data["encryptedContentInfo"]
    octets = bytes(encrypted["encryptedContent"])
    encrypted["encryptedContent"] = bytes(16) + octets[16:]


negative(
    "scep.envelope.for-somebody-else",
    "A message that is encrypted for another certificate is refused",
    covers=["rfc8894:3.1#key-transport"],
    mutation=Mutation("envelope.recipient.other", "RFC 8894 section 3.2.2", _for_somebody_else),
    fail_info=UNREADABLE,
    kills=["scep.envelope.unreadable-bad-cert-id"],
)
negative(
    "scep.envelope.names-somebody-else",
    "A message whose recipient is named as somebody else is refused, though its key could be decrypted",
    covers=["rfc8894:3.1#key-transport"],
    mutation=enveloped("recipient.named-otherwise", "RFC 5652 section 6.2.1", _recipient(_other_identifier)),
    fail_info=UNREADABLE,
    level=Level.MAY,
    kills=["scep.envelope.any-recipient"],
)
negative(
    "scep.envelope.content-type",
    "A message whose encrypted content is not data is refused",
    covers=["rfc8894:3.2.2#content-type"],
    mutation=enveloped(
        "contentType.signedData",
        "RFC 8894 section 3.2.2",
        lambda data: data["encryptedContentInfo"].__setitem__("contentType", structures.SIGNED_DATA),
    ),
    fail_info=UNREADABLE,
    level=Level.MAY,
    kills=["scep.envelope.content-type-unchecked"],
)
negative(
    "scep.envelope.no-request",
    "A PKCSReq whose content is no PKCS #10 is refused",
    covers=[ENCRYPTED],
    mutation=content("no-pkcs10", "RFC 8894 section 3.3.1", lambda octets: b"\x30\x03\x02\x01\x00"),
    fail_info=UNREADABLE,
    kills=["scep.envelope.unreadable-bad-cert-id"],
)
negative(
    "scep.envelope.no-cms",
    "A message whose content is no EnvelopedData is refused",
    covers=["rfc8894:3.2#content"],
    mutation=envelope("no-cms", "RFC 8894 section 3.2", lambda octets: b"no EnvelopedData"),
    fail_info=UNREADABLE,
    kills=["scep.envelope.unreadable-bad-cert-id"],
)


def _in_the_clear(lab: ScepLab) -> Mutation:
    if lab.challenge is not None and not lab.unheard:
        raise NotApplicable("who listens on the way to this URL would learn the challengePassword")
    return Mutation(
        "envelope.in-the-clear",
        "RFC 8894 section 3.1",
        lambda draft: draft.spoil_envelope.append(lambda octets: draft.content),
    )


negative(
    "scep.envelope.in-the-clear",
    "A PKCS #10 that is signed and not encrypted is refused: its challengePassword is there for everybody",
    covers=["rfc8894:3.1#no-cleartext"],
    mutation=_in_the_clear,
    fail_info=UNREADABLE,
    kills=["scep.envelope.cleartext-accepted"],
)
negative(
    "scep.algorithms.unknown-cipher",
    "A content encryption that nobody knows is refused as such",
    covers=[FAIL_INFO],
    mutation=UNKNOWN_CIPHER,
    fail_info={"badAlg"},
    kills=["scep.failure.bad-alg-as-bad-request"],
)

# -- no oracle ---------------------------------------------------------------------------------------------------------

BROKEN: tuple[Mutation, ...] = (
    Mutation("key.no-pkcs1", "RFC 8017 section 7.2.2", _with_key(lambda draft: b"\x00" + os.urandom(255))),
    Mutation(
        "key.too-short",
        "RFC 8017 section 7.2.2",
        _with_key(lambda draft: _public_key(draft).encrypt(b"8 octets", padding.PKCS1v15())),
    ),
    Mutation(
        "key.other",
        "RFC 5652 section 6.4",
        _with_key(lambda draft: _public_key(draft).encrypt(os.urandom(16), padding.PKCS1v15())),
    ),
    enveloped("padding.wrong", "RFC 5652 section 6.3", _last_block),
    enveloped("content.first-block", "RFC 8894 section 3.2.2", _first_block),
    Mutation("recipient.other", "RFC 8894 section 3.2.2", _for_somebody_else),
    recipe("content.empty", "RFC 8894 section 3.2.2", content=b""),
)


def _oracle(lab: ScepLab) -> None:
    seen: dict[str, list[str]] = {}
    for mutation in BROKEN:
        answer = lab.paired(lab.pkcs_req, mutation, fail_info=UNREADABLE)
        seen.setdefault(answer.said, []).append(mutation.name)
    told = "; ".join(f"{', '.join(names)}: {said}"[:160] for said, names in seen.items())
    # No sentence of the text forbids an oracle, so that one is a warning here, and the reader's to weigh.
    lab.check(len(seen) == 1, f"what cannot be read is answered in {len(seen)} ways: {told}", FAIL_INFO, Level.SHOULD)


register(
    Case(
        "scep.envelope.no-oracle",
        "Whatever is wrong with what is encrypted, the answer is the same: else who records a message can have it decrypted",
        REJECTED,
        _oracle,
        ("scep.envelope.cause-told", HTTP_500, BAD_TIME),
        negative=True,
        mutation=", ".join(one.name for one in BROKEN),
    )
)
