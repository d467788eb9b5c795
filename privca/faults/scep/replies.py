"""Faults of a CertRep SUCCESS (RFC 8894 sections 3.2, 3.3.2.1)."""

from __future__ import annotations

from privca.faults.edits import Edit, ending, instead
from privca.faults.scep.ca_certificates import ASSEMBLED
from privca.faults.scep.naming import fault

_OF_REPLY = "scep.rfc8894.attributes:of_reply"
_REPLY = "scep.rfc8894.cert_rep:_reply"
_SUCCESS = "scep.rfc8894.cert_rep:success"
_ISSUED = "scep.rfc8894.enrollment:issued"
_ONLY = "certificates_only(certificates, crls)"
_NONCE = "exchange.entropy.octets(NONCE_OCTETS)"
_ID = "attribute(TRANSACTION_ID, raw_transaction_id)"
FLIPPED = "result = type(result)(result.status, result.headers, result.body[:-1] + bytes([result.body[-1] ^ 1]))"
"""The last octet of a reply is that of its signature."""


def _cipher(name: str) -> Edit:
    return instead(_SUCCESS, "cipher=used", f"cipher={name!r}")


def _digest(name: str) -> Edit:
    return instead(_REPLY, "party.signers[digest]", f"party.signers[{name!r}]")


FAULTS = (
    fault("reply.without-status", "A reply has no pkiStatus", "3.2.1.3", instead(_OF_REPLY, "_STATUS[status], ", "")),
    fault("reply.signature-wrong", "The signature of a SUCCESS is wrong", "3.2", ending(_SUCCESS, FLIPPED)),
    fault(
        "reply.message-digest-wrong",
        "What is signed is not what is sent",
        "RFC 5652 section 11.2",
        instead(_REPLY, "await sign(content, ", "await sign(bytes(len(content)) if content else content, "),
        instead(
            _REPLY,
            "(('Content-Type', MESSAGE_MEDIA_TYPE),), signed)",
            "(('Content-Type', MESSAGE_MEDIA_TYPE),), signed.replace(bytes(len(content)), content) if content else signed)",
        ),
    ),
    fault(
        "reply.transaction-id-of-its-own",
        "A reply has a transactionID of its own",
        "3.2.1.1",
        instead(_OF_REPLY, _ID, "attribute(TRANSACTION_ID, b'\\x13\\x05other')"),
    ),
    fault("reply.transaction-id-absent", "A reply has no transactionID", "3.2.1", instead(_OF_REPLY, f"{_ID}, ", "")),
    fault(
        "reply.message-type-of-request",
        "A reply has the messageType of a PKCSReq",
        "3.2.1.2",
        instead(_OF_REPLY, "_CERT_REP", "_printable(MESSAGE_TYPE, '19')"),
    ),
    fault("reply.message-type-absent", "A reply has no messageType", "3.2.1.2", instead(_OF_REPLY, "_CERT_REP, ", "")),
    fault(
        "reply.recipient-nonce-absent",
        "A reply has no recipientNonce",
        "3.2.1.5",
        instead(_OF_REPLY, "if recipient_nonce:", "if False:"),
    ),
    fault(
        "reply.recipient-nonce-fresh",
        "The recipientNonce of a reply is not the client's",
        "3.2.1.5",
        instead(_OF_REPLY, "der.tlv(_OCTET_STRING, recipient_nonce)", "der.tlv(_OCTET_STRING, fresh_nonce)"),
    ),
    fault(
        "reply.sender-nonce-absent",
        "A reply has no senderNonce",
        "3.2.1.5",
        instead(_OF_REPLY, ", attribute(SENDER_NONCE, der.tlv(_OCTET_STRING, fresh_nonce))", ""),
    ),
    fault(
        "reply.sender-nonce-echoed",
        "The senderNonce of a reply is the client's",
        "3.2.1.5",
        instead(_REPLY, _NONCE, "transaction.nonce"),
    ),
    fault(
        "reply.sender-nonce-constant",
        "The senderNonce of every reply is the same",
        "3.2.1.5",
        instead(_REPLY, _NONCE, "bytes(NONCE_OCTETS)"),
    ),
    fault(
        "reply.sender-nonce-short",
        "The senderNonce of a reply has 8 octets",
        "3.2.1.5",
        instead(_REPLY, _NONCE, "exchange.entropy.octets(8)"),
    ),
    fault(
        "reply.status-as-integer",
        "pkiStatus is an INTEGER",
        "3.2.1",
        instead(_OF_REPLY, "_STATUS[status]", "attribute(PKI_STATUS, bytes((2, 1, int(status))))"),
    ),
    fault(
        "reply.econtent-type-enveloped",
        "The eContentType of a reply is envelopedData",
        "3.2",
        instead(
            _REPLY, "attributes=attributes.of_reply(", "content_type='1.2.840.113549.1.7.3', attributes=attributes.of_reply("
        ),
    ),
    fault(
        "reply.in-the-clear",
        "A reply is not encrypted",
        "3.1",
        instead(_SUCCESS, f"enveloped_data.encrypt({_ONLY}, [way], exchange.entropy, cipher=used)", _ONLY),
    ),
    fault(
        "reply.names-other-recipient",
        "A reply names its own signer as the one whom it is encrypted for",
        "2.3",
        instead(_SUCCESS, "message.signer.identifier()", "party.named.identifier()"),
    ),
    fault(
        "reply.content-no-cms",
        "What is encrypted in a reply is a bare certificate",
        "3.3.2.1",
        instead(_SUCCESS, _ONLY, "(*certificates, *crls)[0]"),
    ),
    fault(
        "reply.envelope-content-type-signed",
        "The contentType of what is encrypted is signedData, as it is",
        "3.2.2",
        instead(_SUCCESS, "cipher=used", "cipher=used, content_kind='1.2.840.113549.1.7.2'"),
    ),
    fault(
        "reply.certificates-with-content",
        "The certificates-only SignedData of a reply has a content",
        "3.4",
        instead(_SUCCESS, _ONLY, f"{ASSEMBLED}(b'content', certificates=certificates, crls=crls)"),
    ),
    fault(
        "reply.without-issued",
        "A reply has the CA's certificate alone",
        "3.3.2.1",
        instead(_ISSUED, "certificates=[certificate.der, *above]", "certificates=[*above]"),
    ),
    fault(
        "reply.with-other-leaf",
        "A reply has the client's self-signed certificate, too",
        "3.3.2.1",
        instead(_ISSUED, "[certificate.der, *above]", "[certificate.der, message.signer.der, *above]"),
    ),
    fault("reply.single-des", "A reply is encrypted with single DES, whatever the client does", "2.9", _cipher("des")),
    fault("reply.aes256", "A reply is encrypted with AES256-CBC, whatever the client does", "3.5.2", _cipher("aes256")),
    fault("reply.md5", "A reply is signed with MD5, whatever the client does", "2.9", _digest("md5")),
    fault("reply.sha1", "A reply is signed with SHA-1, whatever the client does", "3.5.2", _digest("sha1")),
    fault(
        "password.reply-in-the-clear",
        "A reply for a key that cannot decipher is not encrypted at all",
        "3.1",
        instead(
            _SUCCESS,
            f"enveloped_data.encrypt({_ONLY}, [way], exchange.entropy, cipher=used)",
            f"{_ONLY} if password else enveloped_data.encrypt({_ONLY}, [way], exchange.entropy, cipher=used)",
        ),
    ),
    fault(
        "password.reply-under-transaction-id",
        "A reply for a key that cannot decipher is encrypted under its transactionID, which everybody sees",
        "3.1",
        instead(_SUCCESS, "wrapping.password(password,", "wrapping.password(message.transaction.id.encode(),"),
    ),
    fault(
        "password.one-iteration",
        "A reply under a password has one iteration of PBKDF2",
        "RFC 8018 section 4.2",
        instead(_SUCCESS, "iterations=options.password_iterations", "iterations=1"),
    ),
    fault(
        "reply.other-media-type",
        "A reply comes as application/octet-stream",
        "4.3.1",
        instead(_REPLY, "(('Content-Type', MESSAGE_MEDIA_TYPE),)", "(('Content-Type', 'application/octet-stream'),)"),
    ),
)
