"""Faults of how requests are authenticated and read (RFC 8555 sections 6.1 to 6.4 and 7.1)."""

from __future__ import annotations

from privca.faults.acme.naming import fault
from privca.faults.edits import ending, instead, replying, unchecked

_AUTHENTICATION = "acme.rfc8555.authentication"
_SERVICE = "acme.service:AcmeService"
_JWS = "jose.rfc7515:parse"

FAULTS = (
    fault("jws.any-media-type", "Any Content-Type is accepted", "6.2", unchecked(f"{_AUTHENTICATION}:_open", "wrong media type")),
    fault(
        "jws.accept-jwk-and-kid",
        "jwk and kid may come together",
        "6.2",
        unchecked(f"{_AUTHENTICATION}:authenticate", "exclude each other"),
    ),
    fault(
        "jws.kid-in-new-account",
        "A registration may name its key by kid",
        "6.2",
        unchecked(f"{_AUTHENTICATION}:authenticate", "wrong key member"),
    ),
    fault(
        "jws.jwk-for-account",
        "A request of an account may name its key by jwk",
        "6.2",
        unchecked(f"{_AUTHENTICATION}:authenticate", "wrong key member"),
        instead(
            f"{_AUTHENTICATION}:authenticate",
            "key = rfc7517.parse_jwk(header['jwk'], weak.check)",
            "key = rfc7517.parse_jwk(header['jwk'], weak.check)\n"
            "        account = None if signer is not Signer.ACCOUNT else await core.store.account_by_thumbprint(profile.id, key.thumbprint)",
        ),
    ),
    fault(
        "jws.url-unchecked",
        "The url of the protected header is not compared",
        "6.4",
        unchecked(f"{_AUTHENTICATION}:authenticate", "not the URL of the request"),
    ),
    fault(
        "jws.skip-signature",
        "Signatures are not verified",
        "6.2",
        instead(f"{_AUTHENTICATION}:authenticate", "rfc7515.verify(signed.jws, key)", "None"),
    ),
    fault("jws.accept-unprotected-header", "An unprotected header is ignored", "6.2", unchecked(_JWS, "unprotected header")),
    fault("jws.accept-signatures", "A member 'signatures' is ignored", "6.2", unchecked(_JWS, "general serialization")),
    fault(
        "jws.accept-unencoded-payload",
        "b64 is ignored",
        "6.2",
        unchecked(_JWS, "unencoded payload"),
        unchecked(_JWS, "'crit' names extensions"),
        instead(
            _JWS,
            "payload=rfc4648.decode(payload, 'the payload')",
            "payload=b'' if 'b64' in header else rfc4648.decode(payload, 'the payload')",
        ),
    ),
    fault(
        "jws.accept-padding",
        "base64url may be padded",
        "6.1",
        instead("jose.rfc4648:decode", "_encode(octets) != spelled", "False"),
    ),
    fault(
        "jws.accept-mac",
        "The value of alg is not looked at",
        "6.2",
        instead("jose.rfc7515:_algorithm", "algorithm not in acceptable", "False"),
        instead("jose.rfc7515:verify", "kinds is None", "False"),
        instead("jose.rfc7515:verify", "key.kind not in kinds", "kinds is not None and key.kind not in kinds"),
        instead(
            "jose.rfc7515:verify",
            "rfc7518.verify(jws.algorithm, key.key, jws.signature, jws.signing_input)",
            "rfc7518.verify(jws.algorithm if kinds is not None else 'ES256', key.key, jws.signature, jws.signing_input)",
        ),
    ),
    fault(
        "jws.wrong-algorithm-error",
        "An unknown alg is malformed",
        "6.2",
        instead("jose.rfc7515:_unacceptable", "Reason.BAD_SIGNATURE_ALGORITHM", "Reason.MALFORMED"),
    ),
    fault(
        "jws.algorithms-not-listed",
        "badSignatureAlgorithm lists no algorithms",
        "6.2",
        instead(
            "acme.rfc8555.problem:problem", "ALGORITHMS if refused.reason is Reason.BAD_SIGNATURE_ALGORITHM else None", "None"
        ),
    ),
    fault(
        "jws.no-es256",
        "ES256 is not known",
        "6.2",
        instead("jose.rfc7515:_algorithm", "algorithm not in acceptable", "algorithm not in acceptable or algorithm == 'ES256'"),
    ),
    fault(
        "jws.no-eddsa",
        "EdDSA is not known",
        "6.2",
        instead("jose.rfc7515:_algorithm", "algorithm not in acceptable", "algorithm not in acceptable or algorithm == 'EdDSA'"),
    ),
    fault(
        "jws.refuse-pretty",
        "JSON with white space is refused",
        "RFC 8259 section 2",
        instead(
            _JWS,
            "value = rfc8259.load_object(body, 'the JWS')",
            "value = rfc8259.load_object(body if b'\\n' not in body else b'[]', 'the JWS')",
        ),
    ),
    fault(
        "jws.unauthorized-for-form",
        "Whatever is wrong with the form of a JWS is unauthorized",
        "6.2",
        instead("jose.rfc7515:_malformed", "Reason.MALFORMED", "Reason.UNAUTHORIZED"),
    ),
    fault(
        "jws.wrong-json-error",
        "What is no JSON is an error of the server",
        "6.7",
        instead(
            "jose.rfc8259:loads",
            "raise Refused(Reason.MALFORMED, 'RFC 8259 section 2'",
            "raise Refused(Reason.INTERNAL, 'RFC 8259 section 2'",
        ),
    ),
    fault(
        "jws.wrong-object-error",
        "What is no JSON object is an error of the server",
        "6.7",
        instead("jose.rfc8259:load_object", "Reason.MALFORMED", "Reason.INTERNAL"),
    ),
    fault(
        "jws.not-utf8-error",
        "What is no UTF-8 is an error of the server",
        "5",
        instead(
            "jose.rfc8259:loads",
            "raise Refused(Reason.MALFORMED, 'RFC 8259 section 8.1'",
            "raise Refused(Reason.INTERNAL, 'RFC 8259 section 8.1'",
        ),
    ),
    fault(
        "jws.algorithm-and-key-error",
        "An alg that does not go with the key is an error of the server",
        "6.2",
        instead(
            "jose.rfc7515:verify",
            "Reason.BAD_PUBLIC_KEY if 'jwk' in jws.protected else Reason.BAD_SIGNATURE_ALGORITHM",
            "Reason.INTERNAL",
        ),
    ),
    fault(
        "jws.signature-error",
        "A wrong signature is an error of the server",
        "6.2",
        instead("jose.rfc7518:verify", "Reason.BAD_SIGNATURE, 'RFC 7515 section 5.2'", "Reason.INTERNAL, 'RFC 7515 section 5.2'"),
    ),
    fault(
        "jws.unknown-account-error",
        "An unknown account is an error of the server",
        "6.2",
        instead(
            f"{_AUTHENTICATION}:authenticate",
            "Reason.UNKNOWN_ACCOUNT, 'RFC 8555 section 6.2', 'there is no such account'",
            "Reason.INTERNAL, 'RFC 8555 section 6.2', 'there is no such account'",
        ),
    ),
    fault(
        "account.accept-weak-key",
        "Weak account keys are accepted",
        "6.2",
        instead(
            f"{_AUTHENTICATION}:authenticate", "rfc7517.parse_jwk(header['jwk'], weak.check)", "rfc7517.parse_jwk(header['jwk'])"
        ),
        unchecked("jose.rfc7518:rsa_key", "wrong size"),
    ),
    fault(
        "http.accept-get",
        "GET reads what needs a signature",
        "6.3",
        instead(
            f"{_SERVICE}._answer",
            "name not in _BY_GET or request.method not in ('GET', 'HEAD')",
            "request.method not in ('GET', 'HEAD')",
        ),
    ),
    fault(
        "http.post-as-get-empty",
        "POST-as-GET of an order shows nothing of it",
        "6.3",
        ending("acme.rfc8555.order:show", "result = Response(200, (('Content-Type', 'application/json'),), b'{}')"),
        instead(
            "acme.rfc8555.order:show",
            "order = await load(call)",
            "from privca.base.http import Response\n    order = await load(call)",
        ),
    ),
    fault(
        "directory.get-refused",
        "The directory is not served to GET",
        "6.3",
        instead(f"{_SERVICE}._answer", "name not in _BY_GET or", "name != 'new-nonce' or"),
    ),
    fault(
        "directory.without-new-nonce",
        "The directory does not name newNonce",
        "7.1",
        replying("acme.rfc8555.directory:directory", '"newNonce"', '"otherNonce"'),
    ),
    fault(
        "directory.meta-no-object",
        "meta is no object",
        "7.1.1",
        replying("acme.rfc8555.directory:directory", '"meta":{', '"meta":[],"other":{'),
    ),
    fault(
        "directory.new-authz-promised",
        "The directory names a newAuthz that does not answer",
        "7.1.1",
        replying("acme.rfc8555.directory:directory", "/new-authz", "/new-authorization"),
    ),
    fault(
        "directory.without-cors",
        "No script of another origin may read anything",
        "6.1",
        instead(f"{_SERVICE}._dressed", "(*headers, *_CORS)", "headers"),
    ),
)
