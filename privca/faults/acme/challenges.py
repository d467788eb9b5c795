"""Faults of challenges (RFC 8555 section 8, RFC 8737, RFC 8738)."""

from __future__ import annotations

from privca.faults.acme.naming import fault
from privca.faults.edits import ending, instead, unchecked

FAULTS = (
    fault(
        "challenge.token-short",
        "Tokens are short",
        "8.3",
        instead(
            "acme.rfc8555.authorization:create",
            "Challenge(type, token(call.core.entropy), ChallengeStatus.PENDING)",
            "Challenge(type, token(call.core.entropy)[:8], ChallengeStatus.PENDING)",
        ),
    ),
    fault(
        "challenge.token-padded",
        "Tokens have padding",
        "8.3",
        instead(
            "acme.rfc8555.authorization:create",
            "Challenge(type, token(call.core.entropy), ChallengeStatus.PENDING)",
            "Challenge(type, token(call.core.entropy) + '==', ChallengeStatus.PENDING)",
        ),
    ),
    fault(
        "challenge.token-reused",
        "Every challenge has the same token",
        "8.3",
        instead(
            "acme.rfc8555.authorization:create",
            "Challenge(type, token(call.core.entropy), ChallengeStatus.PENDING)",
            "Challenge(type, 'A' * 43, ChallengeStatus.PENDING)",
        ),
    ),
    fault(
        "challenge.without-validated",
        "A valid challenge does not say when",
        "8",
        instead(
            "acme.rfc8555.authorization:challenge_object",
            "None if challenge.validated is None else rfc3339(challenge.validated)",
            "None",
        ),
    ),
    fault(
        "challenge.invalid-without-error",
        "An invalid challenge does not say why",
        "8",
        instead("acme.rfc8555.authorization:challenge_object", "together(challenge.errors) if failed else None", "None"),
    ),
    fault(
        "challenge.content-unchecked",
        "Any resource proves the name",
        "8.3",
        instead("acme.rfc8555.http01:judge", "observation.body.rstrip() != expected.encode('ascii')", "False"),
    ),
    fault(
        "challenge.white-space-counts",
        "White space after the key authorization counts",
        "8.3",
        instead("acme.rfc8555.http01:judge", "observation.body.rstrip()", "observation.body"),
    ),
    fault(
        "challenge.redirects-refused",
        "A resource that was redirected to does not count",
        "8.3",
        instead(
            "acme.rfc8555.http01:judge",
            "observation.status != 200",
            "observation.status != 200 or PREFIX not in (observation.url or '')",
        ),
    ),
    fault(
        "challenge.invalid-removed",
        "A challenge that failed is taken away",
        "7.5.1",
        ending(
            "acme.rfc8555.authorization:show",
            'if b\'"status":"invalid"\' in result.body:\n'
            "    import json as text\n"
            "    shown = text.loads(result.body)\n"
            "    shown['challenges'] = [one for one in shown['challenges'] if one['status'] != 'invalid']\n"
            "    result = type(result)(result.status, result.headers, text.dumps(shown).encode())",
        ),
    ),
    fault(
        "challenge.always-valid",
        "Every challenge counts as met",
        "8.3",
        instead("acme.rfc8555.http01:judge", "require_sight(observation, CLAUSE, name)", "return"),
    ),
    fault(
        "challenge.any-response",
        "A response that is no object is accepted",
        "7.5.1",
        instead("acme.rfc8555.challenge:respond", "decode(_response, call.payload, CLAUSE)", "None"),
    ),
    fault(
        "challenge.fields-refused",
        "A response with other fields is refused",
        "7.5.1",
        instead(
            "acme.rfc8555.challenge:respond",
            "decode(_response, call.payload, CLAUSE)",
            "decode(_response, call.payload if call.payload == b'{}' else b'[]', CLAUSE)",
        ),
    ),
    fault(
        "tls-alpn.case-sensitive",
        "Names in validation certificates are compared letter by letter",
        "RFC 8737 section 3",
        instead("acme.rfc8737:_check_name", "one.value.lower()", "one.value"),
    ),
    fault(
        "tls-alpn.critical-unchecked",
        "acmeIdentifier need not be critical",
        "RFC 8737 section 3",
        unchecked("acme.rfc8737:_check_digest", "is not critical"),
    ),
    fault(
        "tls-alpn.digest-unchecked",
        "Any digest proves the name",
        "RFC 8737 section 3",
        instead("acme.rfc8737:_check_digest", "value != _OCTET_STRING_32 + digest", "False"),
    ),
    fault(
        "tls-alpn.name-unchecked",
        "A certificate for any name proves the name",
        "RFC 8737 section 3",
        instead("acme.rfc8737:judge", "_check_name(extensions, observation, name)", "None"),
    ),
    fault(
        "tls-alpn.digest-not-needed",
        "A certificate without acmeIdentifier proves the name",
        "RFC 8737 section 3",
        instead(
            "acme.rfc8737:_check_digest",
            "raise mismatch(observation, CLAUSE, name, 'the certificate has no acmeIdentifier extension') from None",
            "return",
        ),
    ),
    fault(
        "tls-alpn.name-not-needed",
        "A certificate without subjectAltName proves the name",
        "RFC 8737 section 3",
        instead(
            "acme.rfc8737:_check_name",
            "raise mismatch(observation, clause, name, 'the certificate has no subjectAltName', expected=str(name)) from None",
            "return",
        ),
    ),
    fault(
        "tls-alpn.one-of-several-names",
        "The name may be one of several in the certificate",
        "RFC 8737 section 3",
        instead("acme.rfc8737:_check_name", "== [name.value] and len(names) == 1", ".count(name.value) > 0"),
    ),
    fault(
        "tls-alpn.without-sni",
        "The server asks for another name",
        "RFC 8737 section 3",
        instead("acme.rfc8737:plan", "else name.value", "else 'x.' + name.value"),
    ),
    fault(
        "ip.dns-01-offered",
        "dns-01 is offered for addresses",
        "RFC 8738 section 7",
        instead("acme.rfc8555.dns01:offered_for", "name.kind is NameKind.DNS and ", ""),
    ),
    fault(
        "ip.type-dns",
        "The authorization for an address is of type dns",
        "RFC 8738 section 3",
        instead("acme.rfc8555.order:identifier", "name.kind.value", "'dns'"),
    ),
    fault(
        "ip.sni-address",
        "SNI has the address itself",
        "RFC 8738 section 6",
        instead("acme.rfc8737:plan", "rfc8738.server_name(name) if name.kind is NameKind.IP else name.value", "name.value"),
    ),
)
