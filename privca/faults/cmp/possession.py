"""Faults of how possession of a private key is proven (RFC 9810 section 5.2.8, RFC 4211 section 4)."""

from __future__ import annotations

from privca.faults.cmp.naming import fault
from privca.faults.edits import instead, unchecked

_JUDGE = "cmp.rfc9810.pop:judge"
_CHALLENGE = "cmp.rfc9810.challenge:_challenge"

FAULTS = (
    fault(
        "pop.absent-accepted",
        "A public key needs no proof of possession",
        "4.3",
        instead(
            _JUDGE,
            "raise _refuse(_CLAUSE, 'the request has a public key and no proof of possession')",
            "return Proof.GIVEN",
        ),
    ),
    fault(
        "pop.signature-unchecked",
        "Any signature proves possession",
        "5.2.8.2",
        instead(_JUDGE, "message.check_signature(key, tolerant=tolerant)", "None"),
    ),
    fault(
        "pop.ra-verified-by-anybody",
        "Whoever says raVerified is believed",
        "RFC 4211 section 4",
        instead(_JUDGE, "not (call.sender.ra or call.nested)", "False"),
    ),
    fault(
        "pop.ra-verified-by-nobody",
        "No registration authority vouches for possession",
        "5.2.8.1",
        instead(_JUDGE, "not (call.sender.ra or call.nested)", "True"),
    ),
    fault(
        "pop.input-refused",
        "A poposkInput is refused",
        "5.2.8.2",
        instead(
            _JUDGE,
            "_check_input(call, proof)",
            "_check_input(call, proof)\n        if proof.input_key is not None:\n            raise _refuse(_CLAUSE, 'no poposkInput')",
        ),
    ),
    fault(
        "pop.input-sender-unchecked",
        "A poposkInput may name anybody as its sender",
        "RFC 4211 section 4.1",
        unchecked("cmp.rfc9810.pop:_check_input", "names another sender"),
    ),
    fault(
        "pop.password-mac-unchecked",
        "Any MAC in a poposkInput verifies",
        "RFC 4211 section 4.1",
        unchecked("cmp.rfc9810.pop:_check_input", "publicKeyMAC does not verify"),
    ),
    fault(
        "pop.any-key-decrypts",
        "A key that only signs needs no proof if it says that it decrypts",
        "5.2.8.2",
        instead(
            _JUDGE,
            "raise _refuse('RFC 9810 section 5.2.8.2', 'a key that only signs proves possession by a signature', got=weak.kind(key))",
            "return Proof.GIVEN",
        ),
    ),
    fault(
        "pop.encrypted-certificate-garbled",
        "What comes encrypted is no certificate",
        "8.2",
        instead("cmp.rfc9810.encrypted:certificate", "enveloped(octets, for_key", "enveloped(octets[::-1], for_key"),
    ),
    fault(
        "pop.recipient-unnamed",
        "The recipient of an encrypted certificate is not the certificate",
        "5.2.8.3.2",
        instead(
            "cmp.rfc9810.encrypted:certificate",
            "named.identifier()",
            "Identifier(issuer=b'0\\x00', serial=b'\\x02\\x01\\x00')",
        ),
    ),
    fault(
        "pop.encrypted-certificate-in-clear",
        "A certificate that should come encrypted comes in clear",
        "5.2.8.3.2",
        instead(
            "cmp.rfc9810.deliver:response",
            "outcome.encrypted or (asked is not None and asked.proof is Proof.ENCRYPTED_CERTIFICATE)",
            "False",
        ),
    ),
    fault(
        "pop.challenge-rid",
        "The recipient of a challenge is another certReqId",
        "5.2.8.3.3",
        instead(_CHALLENGE, "der.integer(part.id)", "der.integer(part.id + 5)"),
    ),
    fault(
        "pop.challenge-without-owf",
        "The first challenge does not say its one-way function",
        "F",
        instead("cmp.rfc9810.challenge:challenge", "first=not found", "first=False"),
    ),
    fault(
        "pop.challenge-cmp2000-enveloped",
        "A challenge of version cmp2000 comes in an EnvelopedData",
        "5.2.8.3.3",
        instead(_CHALLENGE, "call.message.header.pvno < 3", "False"),
    ),
    fault(
        "pop.challenge-unchecked",
        "Any answer to a challenge is right",
        "5.2.8.3.3",
        instead("cmp.rfc9810.popdecr:respond", "part.challenge and (not right)", "False"),
    ),
    fault(
        "pop.challenge-fixed",
        "Every challenge is about the same number",
        "F",
        instead("cmp.rfc9810.enroll:_part", "call.exchange.entropy.octets(challenge.NUMBER_OCTETS)", "b'the same number.'"),
    ),
    fault(
        "pop.central-key-missing",
        "A key that is made for a client stays here",
        "5.2.2",
        instead(
            "cmp.rfc9810.deliver:response",
            "CertResponse(outcome.id, granted.status, certificate.der, private_key=encrypted.encrypted_key(key))",
            "granted",
        ),
    ),
    fault(
        "pop.central-key-in-clear",
        "A key that is made for a client goes out in clear",
        "5.2.2",
        instead("cmp.rfc9810.deliver:response", "private_key=encrypted.encrypted_key(key)", "private_key=asked.private"),
    ),
)
