"""RFC 8894 section 3.2: what is signed. A message that is not whole, or says not what it is, is refused, and for its own reason.

Where the text binds who sends and does not tell the recipient to refuse, a server that accepts it all the same is noted, not failed.
"""

from __future__ import annotations

import datetime as dt
import os
from typing import Any

from conformance.scep import structures
from conformance.scep.applicants import name, rsa_key, self_signed
from conformance.scep.draft import (
    CERT_REP,
    CONTENT_TYPE,
    MESSAGE_TYPE,
    SENDER_NONCE,
    TRANSACTION_ID,
    Draft,
    Mutation,
    signer_info,
)
from conformance.scep.lab import FAIL_INFO, negative
from conformance.scep.mutations import (
    DIGEST_FLIPPED,
    NO_ATTRIBUTES,
    SIGNATURE_FLIPPED,
    UNKNOWN_DIGEST,
    attribute,
    csr_signed_with_md5,
    message,
    recipe,
    signed_by,
    signing_time,
)
from conformance.scep.structures import octet_string, printable
from conformance.verdict import Level

UNCHECKED = ["scep.message.signature-unchecked", "scep.failure.bad-message-check-as-bad-request"]
WEAK = ["rfc8894:2.9#no-des-md5", "rfc8894:7.5#no-des-md5"]
BAD_ALG = ["scep.failure.bad-alg-as-bad-request"]


negative(
    "scep.signature.flipped",
    "A message whose signature is wrong is refused",
    covers=["rfc8894:3.2.1#attributes"],
    mutation=SIGNATURE_FLIPPED,
    fail_info={"badMessageCheck"},
    kills=UNCHECKED,
)
negative(
    "scep.signature.other-key",
    "A message that is signed by another key than that of the certificate it names is refused",
    covers=["rfc8894:2.3#signing-key"],
    mutation=lambda lab: signed_by(lab.applicant(key=2)),
    fail_info={"badMessageCheck"},
    kills=UNCHECKED,
)
negative(
    "scep.signature.message-digest",
    "A message whose messageDigest is that of another content is refused",
    covers=["rfc8894:3.2.1#attributes"],
    mutation=DIGEST_FLIPPED,
    fail_info={"badMessageCheck"},
    kills=[*UNCHECKED, "scep.message.digest-unchecked"],
)


def _nonce_changed(draft: Draft) -> None:
    """Another senderNonce than was signed; a reply that copies it is to the message as it is sent."""
    was, draft.nonce = draft.nonce, os.urandom(16)
    draft.spoil_attributes.append(lambda attributes: attributes.update({SENDER_NONCE: [octet_string(was)]}))

    def change(data: Any) -> None:
        attributes = data["signerInfos"][0]["signedAttrs"]
        parts = [bytes(one) for one in attributes]
        attributes.clear()
        attributes.extend(part.replace(octet_string(was), octet_string(draft.nonce)) for part in parts)

    draft.spoil_signed.append(change)


negative(
    "scep.signature.attribute-changed",
    "A message with an attribute that was changed after it was signed is refused",
    covers=["rfc8894:3.2#signed-attributes"],
    mutation=Mutation("signed.senderNonce.changed", "RFC 5652 section 5.6", _nonce_changed),
    fail_info={"badMessageCheck"},
    kills=UNCHECKED,
)
negative(
    "scep.signature.certificate-absent",
    "A message without the certificate that verifies it is refused",
    covers=["rfc8894:2.3#signer-included"],
    mutation=recipe("certificates.none", "RFC 8894 section 2.3", certificates=()),
    fail_info={"badMessageCheck", "badRequest"},
)
negative(
    "scep.signature.other-certificate",
    "A message that brings another certificate than the one it names is refused",
    covers=["rfc8894:2.3#signer-included"],
    mutation=lambda lab: recipe("certificates.other", "RFC 8894 section 2.3", certificates=(lab.applicant(key=2).certificate,)),
    fail_info={"badMessageCheck", "badRequest"},
)

negative(
    "scep.attributes.none",
    "A message whose signer signed no attributes is refused",
    covers=["rfc8894:3.2#signed-attributes"],
    mutation=NO_ATTRIBUTES,
    in_http=True,
    kills=["scep.transport.errors-500"],
)
negative(
    "scep.attributes.transaction-id-absent",
    "A message without transactionID is refused",
    covers=["rfc8894:3.2.1#attributes"],
    mutation=attribute(TRANSACTION_ID, [], "transactionID.absent", "RFC 8894 section 3.2.1"),
    level=Level.MAY,
    in_http=True,
    kills=["scep.message.transaction-id-optional", "scep.transport.errors-500"],
)
negative(
    "scep.attributes.message-type-absent",
    "A message without messageType is refused",
    covers=["rfc8894:3.2.1.2#included"],
    mutation=attribute(MESSAGE_TYPE, [], "messageType.absent", "RFC 8894 section 3.2.1.2"),
    kills=["scep.message.type-absent-is-pkcs-req"],
)
negative(
    "scep.attributes.message-type-undefined",
    "A messageType that is not defined is treated as an error",
    covers=["rfc8894:3.2.1.2#undefined"],
    mutation=attribute(MESSAGE_TYPE, [printable("99")], "messageType.99", "RFC 8894 section 3.2.1.2"),
    kills=["scep.message.undefined-type-is-pkcs-req"],
)


def _moved(draft: Draft) -> None:
    """The messageType among the attributes that nobody signed."""
    value = printable(draft.kind)
    attribute(MESSAGE_TYPE, [], "", "").change(draft)

    def change(data: Any) -> None:
        data["signerInfos"][0]["unsignedAttrs"].append(structures.attribute(MESSAGE_TYPE, [value]))

    draft.spoil_signed.append(change)


negative(
    "scep.attributes.message-type-unsigned",
    "A messageType that nobody signed is none",
    covers=["rfc8894:3.2.1.2#included"],
    mutation=Mutation("attribute.messageType.unsigned", "RFC 8894 section 3.2.1", _moved),
    kills=["scep.message.unsigned-attributes-count"],
)
negative(
    "scep.attributes.transaction-id-twice",
    "A transactionID with two values is refused",
    covers=["rfc8894:3.2.1.1#transaction-id"],
    mutation=Mutation(
        "attribute.transactionID.twice",
        "RFC 5652 section 5.3",
        lambda draft: draft.spoil_attributes.append(
            lambda attributes: attributes.update(
                {TRANSACTION_ID: [printable(draft.transaction_id), printable(f"{draft.transaction_id}x")]}
            )
        ),
    ),
    level=Level.MAY,
    in_http=True,
    kills=["scep.message.first-value-counts", "scep.transport.errors-500"],
)


def _two_signers(draft: Draft) -> None:
    """Somebody else signs, too, and says something else of himself."""

    def change(data: Any) -> None:
        # DER sorts the two: the longer name stands last.
        other = self_signed(rsa_key(2), name("somebody else " * 4))
        attributes = draft.attributes(draft.last_envelope)
        data["certificates"].append(other.certificate)
        data["signerInfos"].append(signer_info(other, draft.digest, attributes))

    draft.spoil_signed.append(change)


negative(
    "scep.signature.two-signers",
    "A message with two signers is refused: section 3 has one, and who is meant would be anybody's choice",
    covers=["rfc8894:3.2#signed-attributes"],
    mutation=Mutation("signers.two", "RFC 8894 section 3", _two_signers),
    level=Level.MAY,
    in_http=True,
    kills=["scep.message.several-signers", "scep.transport.errors-500"],
)
negative(
    "scep.attributes.message-type-reserved",
    "The messageType 0, which is reserved, is treated as an error",
    covers=["rfc8894:3.2.1.2#undefined"],
    mutation=attribute(MESSAGE_TYPE, [printable("0")], "messageType.0", "RFC 8894 section 3.2.1.2"),
    kills=["scep.message.undefined-type-is-pkcs-req"],
)
negative(
    "scep.attributes.message-type-reply",
    "A CertRep is no request",
    covers=["rfc8894:3.2#content"],
    mutation=attribute(MESSAGE_TYPE, [printable(CERT_REP)], "messageType.3", "RFC 8894 section 3.2.1.2"),
    kills=["scep.message.cert-rep-is-pkcs-req"],
)


def _without_nonce(draft: Draft) -> None:
    draft.nonce = b""
    attribute(SENDER_NONCE, [], "senderNonce.absent", "RFC 8894 section 3.2.1.5").change(draft)


negative(
    "scep.attributes.sender-nonce-absent",
    "A message without senderNonce is refused",
    covers=["rfc8894:3.2.1.5#fresh-nonce"],
    mutation=Mutation("attribute.senderNonce.absent", "RFC 8894 section 3.2.1.5", _without_nonce),
    level=Level.MAY,
    kills=["scep.message.nonce-unchecked"],
)
negative(
    "scep.attributes.sender-nonce-short",
    "A senderNonce of 8 octets in place of 16 is refused",
    covers=["rfc8894:3.2.1.5#sixteen-octets"],
    mutation=recipe("attribute.senderNonce.short", "RFC 8894 section 3.2.1.5", nonce=b"8 octets"),
    level=Level.MAY,
    kills=["scep.message.nonce-unchecked"],
)


def _enveloped_type(draft: Draft) -> None:
    """The eContentType and the attribute that repeats it: envelopedData, which is what is in it."""
    kind = structures.ENVELOPED_DATA

    def change(data: Any) -> None:
        data["encapContentInfo"]["eContentType"] = kind

    draft.spoil_attributes.append(lambda attributes: attributes.update({CONTENT_TYPE: [structures.oid(kind)]}))
    draft.spoil_signed.append(change)


negative(
    "scep.content.econtent-type",
    "A message whose eContentType is not data is refused",
    covers=["rfc8894:3.2#econtent-type"],
    mutation=Mutation("signed.eContentType.envelopedData", "RFC 8894 section 3.2", _enveloped_type),
    level=Level.MAY,
    kills=["scep.message.econtent-type-unchecked"],
)
negative(
    "scep.message.trailing-octets",
    "A message with octets behind it is refused",
    covers=["rfc8894:3.2#content"],
    mutation=message("trailing-octets", "RFC 5652 section 3", lambda octets: octets + b"\x05\x00"),
    level=Level.MAY,
    in_http=True,
    kills=["scep.transport.trailing-octets", "scep.transport.errors-500"],
)

# -- algorithms: sections 2.9 and 3.2.1.4 ------------------------------------------------------------------------------

negative(
    "scep.algorithms.md5",
    "A message with MD5 is refused",
    covers=WEAK,
    mutation=recipe("digest.md5", "RFC 8894 section 2.9", digest="md5"),
    fail_info={"badAlg"},
    kills=["scep.algorithms.md5-accepted", *BAD_ALG],
)
negative(
    "scep.algorithms.single-des",
    "A message that is encrypted with single DES is refused",
    covers=WEAK,
    mutation=recipe("cipher.des", "RFC 8894 section 2.9", cipher="des"),
    fail_info={"badAlg"},
    kills=["scep.algorithms.des-accepted", *BAD_ALG],
)
negative(
    "scep.algorithms.request-signed-with-md5",
    "A PKCS #10 that is signed with MD5 is refused",
    covers=WEAK,
    mutation=Mutation("content.signature.md5", "RFC 8894 section 2.9", csr_signed_with_md5),
    fail_info={"badAlg", "badRequest"},
    kills=["scep.algorithms.request-md5-accepted"],
)
negative(
    "scep.algorithms.unknown-digest",
    "A digest algorithm that nobody knows is refused as such",
    covers=[FAIL_INFO],
    mutation=UNKNOWN_DIGEST,
    fail_info={"badAlg"},
    kills=BAD_ALG,
)

# -- time: section 3.2.1.4 ---------------------------------------------------------------------------------------------

for days, words in ((3650, "ten years ago"), (-3650, "in ten years")):
    negative(
        f"scep.time.{'past' if days > 0 else 'future'}",
        f"A message that says that it was signed {words} is refused with badTime, by a CA that is concerned about replays",
        covers=["rfc8894:3.2.1.4#bad-time"],
        mutation=signing_time(dt.timedelta(days=days)),
        fail_info={"badTime"},
        level=Level.MAY,
        kills=["scep.message.time-unchecked", "scep.failure.bad-time-as-bad-request"],
    )
