"""Faults of what is signed in a request (RFC 8894 section 3.2), and of its algorithms (section 2.9)."""

from __future__ import annotations

from privca.faults.edits import instead, unchecked
from privca.faults.fault import Fault
from privca.faults.scep.naming import fault

_VERIFIED = "scep.rfc8894.pki_message:verified"
_VERIFY = "verify(signer, signed.content_type, signed.content or b'', public_key, digests=options.digests)"
_READ = "scep.rfc8894.pki_message:read"
_TYPE = "scep.rfc8894.attributes:message_type"


def _refusing(name: str, title: str, when: str) -> Fault:
    refusal = f"raise Refused(Reason.BAD_SIGNATURE, 'RFC 5652 section 5', {title!r})"
    return fault(
        f"variants.{name}",
        title,
        "RFC 5652 section 5",
        instead(_VERIFIED, _VERIFY, f"if {when}:\n        {refusal}\n    {_VERIFY}"),
    )


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
        "message.unsigned-attributes-count",
        "Attributes that nobody signed count as if somebody had",
        "3.2.1",
        instead(
            _VERIFIED, "message_type(signer.attributes)", "message_type({**signer.unsigned_attributes, **signer.attributes})"
        ),
    ),
    fault(
        "message.first-value-counts",
        "Of several values of an attribute the first counts",
        "RFC 5652 section 5.3",
        instead("scep.rfc8894.attributes:_only", " and len(values) == 1", ""),
    ),
    fault(
        "message.several-signers",
        "Of several signers the first counts",
        "3",
        unchecked(_READ, "a message has one signer"),
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
    _refusing("rsa-encryption-alone", "A signature must be called rsaEncryption", "b'\\x01\\x01\\x0b' in signer.algorithm"),
    _refusing("parameters-demanded", "A digest without parameters is refused", "not signer.digest.endswith(b'\\x05\\x00')"),
    _refusing("first-certificate", "The signer's certificate must be the first", "len(signed.certificates) > 1"),
    _refusing("known-attributes-alone", "An attribute that is not known is refused", "len(signer.attributes) > 6"),
    _refusing("issuer-and-serial-alone", "A signer may not be named by a key identifier", "signer.identifier.key"),
    fault(
        "variants.der-alone",
        "BER of indefinite length is refused",
        "RFC 5652 section 2",
        instead("scep.rfc8894.transport:message_of", "if not octets:", "if not octets or octets[1:2] == b'\\x80':"),
    ),
    fault(
        "variants.recipient-by-issuer-and-serial",
        "A recipient may not be named by a key identifier",
        "RFC 5652 section 6.2.1",
        instead(
            "scep.rfc8894.parties:_recipient",
            "enveloped.recipient(party.named)",
            "None if any(one.identifier.key for one in enveloped.recipients) else enveloped.recipient(party.named)",
        ),
    ),
    fault(
        "variants.one-recipient",
        "A message must be for one recipient alone",
        "RFC 5652 section 6.1",
        instead("scep.rfc8894.parties:_recipient", "found = ", "found = None if len(enveloped.recipients) > 1 else "),
    ),
    fault(
        "variants.aes128-alone",
        "Of AES, 128 bits are accepted alone",
        "3.5.2",
        instead(
            "scep.rfc8894.envelope:check_cipher",
            "cipher not in profile.scep.ciphers",
            "cipher not in profile.scep.ciphers or cipher == 'aes256'",
        ),
    ),
)
