"""Faults of what is signed in a request (RFC 8894 section 3.2), and of its algorithms (section 2.9)."""

from __future__ import annotations

from privca.faults.edits import instead, unchecked
from privca.faults.scep.naming import fault

_VERIFIED = "scep.rfc8894.pki_message:verified"
_VERIFY = "verify(signer, signed.content_type, signed.content or b'', public_key, digests=options.digests)"
_TYPE = "scep.rfc8894.attributes:message_type"

FAULTS = (
    fault(
        "message.signature-unchecked",
        "The signature of a message is not verified",
        "3.2.1.4",
        instead(_VERIFIED, _VERIFY, "None"),
    ),
    fault(
        "message.digest-unchecked",
        "The messageDigest is not compared with the content",
        "RFC 5652 section 11.2",
        instead(
            _VERIFIED,
            _VERIFY,
            "from dataclasses import replace\n"
            "    from privca.pkix import der\n"
            "    from privca.pkix.rfc5652 import signing\n"
            "    right = der.tlv(4, signing.digest(transaction.digest, signed.content or b''))\n"
            "    signer = replace(signer, attributes={**signer.attributes, signing.MESSAGE_DIGEST: (right,)})\n"
            f"    {_VERIFY}",
        ),
    ),
    fault(
        "message.transaction-id-optional",
        "A message without transactionID is given one",
        "3.2.1",
        instead(
            "scep.rfc8894.attributes:transaction_id",
            "text_of(attributes, TRANSACTION_ID)",
            "text_of(attributes, TRANSACTION_ID) or 'none'",
        ),
        instead(
            "scep.rfc8894.attributes:raw_transaction_id",
            "attributes[TRANSACTION_ID][0]",
            "attributes.get(TRANSACTION_ID, (b'\\x13\\x04none',))[0]",
        ),
    ),
    fault(
        "message.type-absent-is-pkcs-req",
        "A message without messageType is taken for a PKCSReq",
        "3.2.1.2",
        instead(_TYPE, "text_of(attributes, MESSAGE_TYPE)", "text_of(attributes, MESSAGE_TYPE) or '19'"),
    ),
    fault(
        "message.undefined-type-is-pkcs-req",
        "A messageType that is not defined is taken for a PKCSReq",
        "3.2.1.2",
        instead(_TYPE, "except ValueError:\n        kind = None", "except ValueError:\n        kind = MessageType.PKCS_REQ"),
    ),
    fault(
        "message.cert-rep-is-pkcs-req",
        "A CertRep is taken for a PKCSReq",
        "3.2.1.2",
        instead(
            _TYPE,
            "if kind is None or kind is MessageType.CERT_REP:",
            "kind = MessageType.PKCS_REQ if kind is MessageType.CERT_REP else kind\n    if kind is None:",
        ),
    ),
    fault(
        "message.nonce-unchecked",
        "A message may lack a senderNonce, or have a short one",
        "3.2.1.5",
        instead(_VERIFIED, "_check_nonce(profile, transaction.nonce)", "None"),
    ),
    fault(
        "message.econtent-type-unchecked",
        "The eContentType of a message may be any",
        "3.2",
        unchecked(_VERIFIED, "the eContentType is data"),
    ),
    fault(
        "message.time-unchecked",
        "A message may have been signed at any time",
        "3.2.1.4",
        instead(_VERIFIED, "if options.signing_time:", "if False:"),
    ),
    fault(
        "algorithms.md5-accepted",
        "MD5 is accepted",
        "2.9",
        instead(_VERIFIED, "digests=options.digests", "digests=(*options.digests, 'md5')"),
    ),
    fault(
        "algorithms.des-accepted",
        "Single DES is accepted",
        "2.9",
        unchecked("scep.rfc8894.envelope:check_cipher", "a content encryption that is not accepted here"),
    ),
    fault(
        "algorithms.request-md5-accepted",
        "A PKCS #10 may be signed with MD5",
        "2.9",
        instead(
            "scep.rfc8894.enrollment:enroll", "old=profile.profile.scep.digests", "old=(*profile.profile.scep.digests, 'md5')"
        ),
    ),
)
