"""Faults of how a JWS is read (RFC 7515)."""

from __future__ import annotations

from privca.faults.acme.naming import fault
from privca.faults.edits import instead, unchecked

_JWS = "jose.rfc7515:parse"
_LOADS = "jose.rfc8259:loads"
_READ = "value: object = _read(octets)"

FAULTS = (
    fault(
        "jws.accept-crit",
        "crit is not looked at",
        "RFC 7515 section 4.1.11",
        unchecked(_JWS, "'crit' names extensions"),
    ),
    fault(
        "jws.merge-unprotected-header",
        "What is in the unprotected header counts as if it were protected",
        "RFC 7515 section 6",
        unchecked(_JWS, "unprotected header"),
        instead(_JWS, "if 'b64' in header:", "header = {**value.get('header', {}), **header}\n    if 'b64' in header:"),
    ),
    fault(
        "jws.first-of-two",
        "Of two members of the same name the first counts",
        "RFC 7515 section 4",
        instead(
            _LOADS,
            _READ,
            "value: object = json.loads(octets, object_pairs_hook=lambda pairs: dict(reversed(pairs)))\n        return value",
        ),
    ),
    fault(
        "jws.accept-trailing",
        "JSON may go on after its end",
        "RFC 7515 section 10.12",
        instead(_LOADS, _READ, "value: object = json.JSONDecoder().raw_decode(octets.decode('utf-8').lstrip())[0]"),
    ),
    fault(
        "jws.refuse-escapes",
        "A name with an escape is refused",
        "RFC 7515 section 5.3",
        instead(_LOADS, _READ, "value: object = _read(octets.replace(b'\\\\u', b'\\\\x'))"),
    ),
    fault(
        "jws.parameters-refused",
        "Header parameters that ACME does not use are refused",
        "RFC 7515 section 4",
        instead(_JWS, "if 'crit' in header:", "if header.keys() - {'alg', 'nonce', 'url', 'kid', 'jwk'}:"),
    ),
    fault(
        "jws.members-refused",
        "Members of the JWS object that nobody knows are refused",
        "RFC 7515 section 7.2.1",
        instead(_JWS, "if 'header' in value:", "if value.keys() - {'protected', 'payload', 'signature'}:"),
    ),
    fault(
        "jws.any-digest",
        "The digest that an RSA signature names counts, whatever alg says",
        "RFC 7515 section 10.6",
        instead(
            "jose.rfc7518:verify",
            "key.verify(signature, message, _PKCS1, _SHA256)",
            "try:\n"
            "                key.verify(signature, message, _PKCS1, hashes.SHA512())\n"
            "            except InvalidSignature:\n"
            "                key.verify(signature, message, _PKCS1, _SHA256)",
        ),
    ),
    fault(
        "jws.any-alphabet",
        "base64url may have the letters of base64",
        "RFC 7515 section 2",
        instead("jose.rfc4648:decode", "_encode(octets) != spelled", "_encode(octets) != spelled.translate(_TO_URL_SAFE)"),
    ),
    fault(
        "jws.names-any-case",
        "The letters of a header parameter's name may have any case",
        "RFC 7515 section 5.3",
        instead(
            _JWS,
            "if 'b64' in header:",
            "header = {name.lower(): given for name, given in header.items()}\n    if 'b64' in header:",
        ),
    ),
    fault(
        "jws.kid-any-case",
        "The letters of a kid may have any case",
        "RFC 7515 section 4.1.4",
        instead(
            "acme.rfc8555.authentication:authenticate",
            "account = await core.store.account(signed.profile.id, signed.account_id)",
            "known = authenticate.__dict__.setdefault('known', {})\n"
            "        account = await core.store.account(signed.profile.id, known.get(signed.account_id.lower(), signed.account_id))\n"
            "        known[signed.account_id.lower()] = signed.account_id if account is None else account.id",
        ),
    ),
)
