"""Faults of protection, of requests and of replies (RFC 9810 section 5.1.3)."""

from __future__ import annotations

from privca.faults.cmp.naming import fault
from privca.faults.edits import instead, unchecked

_AUTHENTICATION = "cmp.protection.authentication:Authentication."
_VERIFIES = "hmac.compare_digest(mac.compute(self._derived.theirs(secret, mac), part), protection)"
_SIGNATURE = "signatures.verify(public_key, algorithm, message.protection or b'', message.protected_part())"
_ANYBODY = "Identity('code', 'code:lab')"
"""Whoever it is counts as who has the lab's code."""
_NO_SIGNER = "if not signer:"
_NOT_OURS = "if refused.reason is not Reason.UNAUTHENTICATED:"

FAULTS = (
    fault("protection.mac-unchecked", "Any MAC verifies", "5.1.3.1", instead(_AUTHENTICATION + "_verifies", _VERIFIES, "True")),
    fault(
        "protection.mac-prefix",
        "A MAC verifies as far as it goes",
        "5.1.3.1",
        instead(
            _AUTHENTICATION + "_verifies",
            _VERIFIES,
            "mac.compute(self._derived.theirs(secret, mac), part).startswith(protection)",
        ),
    ),
    fault(
        "protection.signature-unchecked",
        "Any signature verifies",
        "5.1.3.3",
        instead("cmp.protection.authentication:verify_signature", _SIGNATURE, "None"),
    ),
    fault(
        "protection.unknown-algorithm-accepted",
        "A signature by an algorithm that is not known verifies",
        "5.1.3.3",
        instead(
            "cmp.protection.authentication:verify_signature",
            _SIGNATURE,
            f"try:\n        {_SIGNATURE}\n    except Refused as refused:\n"
            "        if refused.reason is not Reason.BAD_SIGNATURE_ALGORITHM:\n            raise",
        ),
    ),
    fault(
        "protection.any-reference",
        "A reference that nobody has is that of the lab's code",
        "5.1.1",
        instead(
            _AUTHENTICATION + "_by_mac",
            "self._credentials.secrets(exchange, profile, reference or '')",
            "self._credentials.secrets(exchange, profile, 'lab')",
        ),
    ),
    fault(
        "protection.none-needed",
        "Requests need no protection",
        "4.2.1.2",
        instead(_AUTHENTICATION + "authenticate", "(message.protection is None) != (algorithm is None)", "False"),
        instead(
            _AUTHENTICATION + "_unprotected",
            "raise Refused(Reason.UNAUTHENTICATED, _CHECK, 'the message is not protected') from refused",
            f"identity = {_ANYBODY}",
        ),
    ),
    fault(
        "protection.signature-without-certificate",
        "A signature without a certificate to verify it with is taken",
        "5.1.3.3",
        instead(
            _AUTHENTICATION + "_by_signature",
            _NO_SIGNER,
            f"{_NO_SIGNER}\n        return Authenticated({_ANYBODY}, self.signing(profile))\n    {_NO_SIGNER}",
        ),
    ),
    fault(
        "protection.any-signer",
        "Whoever signs is known",
        "5.1.3.3",
        instead(
            _AUTHENTICATION + "_trusted",
            "return await self._credentials.certificate(exchange, profile, signer, others)",
            f"return {_ANYBODY}",
        ),
    ),
    fault(
        "protection.revoked-signer",
        "Who signs with a revoked certificate is known",
        "5.1.3.3",
        instead(
            _AUTHENTICATION + "_trusted",
            _NOT_OURS,
            f"if 'is revoked' in refused.detail and message.body is not Body.RR:\n            return {_ANYBODY}\n        {_NOT_OURS}",
        ),
    ),
    fault(
        "protection.sender-unchecked",
        "Sender and senderKID of a signed message may be any",
        "5.1.1",
        instead("cmp.protection.authentication:verify_signature", "_check_sender(certificate, message)", "None"),
    ),
    fault(
        "protection.few-iterations",
        "A password-based MAC of one iteration is taken",
        "RFC 4211 section 4.4",
        instead("cmp.protection.password:Limits.check", "self.minimum <= iterations", "0 < iterations"),
    ),
    fault(
        "protection.many-iterations",
        "Any number of iterations is taken, and counted to a thousand",
        "RFC 4211 section 4.4",
        instead(
            "cmp.protection.password:Limits.check", "self.minimum <= iterations <= self.maximum", "self.minimum <= iterations"
        ),
        instead("cmp.protection.password:PasswordMac.key", "range(self.iterations)", "range(min(self.iterations, 1000))"),
    ),
    fault(
        "protection.pbmac1-iterations",
        "PBMAC1 is computed with one iteration too many",
        "RFC 9481 section 6.1.2",
        instead(
            "cmp.protection.password:PasswordMac.key", "self.salt, self.iterations, self", "self.salt, self.iterations + 1, self"
        ),
    ),
    fault(
        "protection.other-credentials",
        "A transaction goes on under other credentials than it began with",
        "5.1.1",
        unchecked("cmp.service:CmpService._check_header", "protected with other credentials"),
    ),
    fault(
        "protection.replies-unprotected",
        "Replies have a protectionAlg, and no protection",
        "4.2.1.2",
        instead("cmp.service:CmpService._write", "await protector.protect(der.tlv(48, header, body))", "None"),
    ),
    fault(
        "protection.reply-mac-wrong",
        "The MAC of a reply is over its octets in reverse",
        "5.1.3",
        instead("cmp.protection.protector:MacProtector.protect", "part)", "part[::-1])"),
    ),
    fault(
        "protection.reply-mac-of-a-part",
        "The MAC of a reply leaves out its first octets",
        "5.1.3",
        instead("cmp.protection.protector:MacProtector.protect", "part)", "part[4:])"),
    ),
    fault(
        "protection.reply-signature-wrong",
        "The signature of a reply is over its octets in reverse",
        "5.1.3",
        instead("cmp.protection.protector:SigningProtector.protect", "part,", "part[::-1],"),
    ),
    fault(
        "protection.stranger-gets-mac",
        "The refusal of a wrong MAC is protected under the right secret",
        "RFC 9483 section 3.6.4",
        instead(
            _AUTHENTICATION + "_by_mac",
            "await self._credentials.failed(exchange, profile, reference or '')",
            "self._guessed = self._proven(profile, secrets[0], mac, Identity('code', '')).protector if secrets else None",
        ),
        instead(
            "cmp.service:CmpService.answer",
            "except Refused as refused:",
            "except Refused as refused:\n        protector = self._authentication.__dict__.pop('_guessed', None) or protector",
        ),
    ),
    fault(
        "protection.delegate-for-another-use",
        "Replies are signed by who was certified for something else",
        "4.5",
        instead("cmp.protection.protector:SigningProtector.prepare", "Purpose.CMP", "Purpose.KGA"),
    ),
    fault(
        "protection.fresh-parameters",
        "Each MAC of a transaction has parameters of its own",
        "5.1.3.1",
        instead("cmp.protection.protector:DerivedKeys.ours", "known = self._ours.pop(name, None)", "known = None"),
    ),
    fault(
        "protection.short-salt",
        "The salt of a MAC has four octets",
        "RFC 4211 section 4.4",
        instead("cmp.protection.password:PasswordMac.for_reply", "entropy.octets(_SALT_OCTETS)", "entropy.octets(4)"),
    ),
)
