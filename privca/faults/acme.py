"""Faults of the ACME server, area by area."""

from __future__ import annotations

from privca.faults import Fault
from privca.faults.edits import Edit, ending, instead, replying, unchecked

_AUTHENTICATION = "acme.rfc8555.authentication"
_SERVICE = "acme.service:AcmeService"
_JWS = "jose.rfc7515:parse"


def _fault(name: str, title: str, section: str, *edits: Edit, like: str = "lab-acme") -> Fault:
    clause = f"RFC 8555 section {section}" if section[0].isdigit() else section
    return Fault(f"acme.{name}", title, clause, edits, like)


_NONCES = (
    _fault(
        "nonce.accept-reused",
        "A nonce is good any number of times",
        "6.5",
        unchecked("acme.rfc8555.nonce:Nonces.spend", "used before"),
    ),
    _fault(
        "nonce.accept-absent",
        "A request without a nonce is accepted",
        "6.5",
        instead(
            "acme.rfc8555.nonce:Nonces.spend",
            "raise Refused(Reason.BAD_NONCE, 'RFC 8555 section 6.5', 'the protected header has no nonce')",
            "return",
        ),
    ),
    _fault(
        "nonce.accept-unknown",
        "A nonce that was never given out is accepted",
        "6.5",
        instead(
            "acme.rfc8555.nonce:Nonces.spend",
            "raise Refused(Reason.BAD_NONCE, 'RFC 8555 section 6.5', 'this nonce was never issued here')",
            "return",
        ),
    ),
    _fault(
        "nonce.accept-malformed",
        "A nonce that is no base64url is accepted",
        "6.5.2",
        instead(
            "acme.rfc8555.nonce:Nonces.spend",
            "raise Refused(Reason.MALFORMED, 'RFC 8555 section 6.5.2', 'a nonce is base64url text')",
            "return",
        ),
    ),
    _fault(
        "nonce.absent-in-reply",
        "No reply to a POST brings a nonce",
        "6.5",
        instead(f"{_SERVICE}.handle", "request.method == 'POST' or ", ""),
    ),
    _fault(
        "nonce.absent-in-bad-nonce",
        "badNonce comes without a new nonce",
        "6.5",
        instead(f"{_SERVICE}.handle", "fresh = True", "fresh = refused.reason is not Reason.BAD_NONCE"),
    ),
    _fault(
        "nonce.padded",
        "Nonces have base64 padding",
        "6.5.1",
        ending("acme.rfc8555.nonce:Nonces.issue", "result = result + '='"),
        instead(
            "acme.rfc8555.nonce:Nonces.spend",
            "if nonce is None:",
            "nonce = nonce.rstrip('=') if isinstance(nonce, str) else nonce\n    if nonce is None:",
        ),
    ),
    _fault(
        "nonce.short",
        "Nonces are short enough to be guessed",
        "6.5.1",
        ending("acme.rfc8555.nonce:Nonces.issue", "result = result[-6:]"),
        instead(
            "acme.rfc8555.nonce:Nonces.spend",
            "raise Refused(Reason.BAD_NONCE, 'RFC 8555 section 6.5', 'this nonce was never issued here')",
            "return",
        ),
    ),
    _fault(
        "nonce.new-nonce-cacheable",
        "newNonce may be cached",
        "7.2",
        instead(f"{_SERVICE}._answer", "(('Cache-Control', 'no-store'),)", "()"),
    ),
    _fault(
        "nonce.new-nonce-without-nonce",
        "newNonce brings no nonce",
        "7.2",
        instead(f"{_SERVICE}.handle", " or request.tail == 'new-nonce'", ""),
    ),
    _fault(
        "nonce.new-nonce-get-refused",
        "GET of newNonce has a status of its own",
        "7.2",
        instead(f"{_SERVICE}._answer", "200 if request.method == 'HEAD' else 204", "200"),
    ),
)

_REQUESTS = (
    _fault(
        "jws.any-media-type", "Any Content-Type is accepted", "6.2", unchecked(f"{_AUTHENTICATION}:_open", "wrong media type")
    ),
    _fault(
        "jws.accept-jwk-and-kid",
        "jwk and kid may come together",
        "6.2",
        unchecked(f"{_AUTHENTICATION}:authenticate", "exclude each other"),
    ),
    _fault(
        "jws.kid-in-new-account",
        "A registration may name its key by kid",
        "6.2",
        unchecked(f"{_AUTHENTICATION}:authenticate", "wrong key member"),
    ),
    _fault(
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
    _fault(
        "jws.url-unchecked",
        "The url of the protected header is not compared",
        "6.4",
        unchecked(f"{_AUTHENTICATION}:authenticate", "not the URL of the request"),
    ),
    _fault(
        "jws.skip-signature",
        "Signatures are not verified",
        "6.2",
        instead(f"{_AUTHENTICATION}:authenticate", "rfc7515.verify(signed.jws, key)", "None"),
    ),
    _fault("jws.accept-unprotected-header", "An unprotected header is ignored", "6.2", unchecked(_JWS, "unprotected header")),
    _fault("jws.accept-signatures", "A member 'signatures' is ignored", "6.2", unchecked(_JWS, "general serialization")),
    _fault(
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
    _fault(
        "jws.accept-padding",
        "base64url may be padded",
        "6.1",
        instead("jose.rfc4648:decode", "_encode(octets) != spelled", "False"),
    ),
    _fault(
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
    _fault(
        "jws.wrong-algorithm-error",
        "An unknown alg is malformed",
        "6.2",
        instead("jose.rfc7515:_unacceptable", "Reason.BAD_SIGNATURE_ALGORITHM", "Reason.MALFORMED"),
    ),
    _fault(
        "jws.algorithms-not-listed",
        "badSignatureAlgorithm lists no algorithms",
        "6.2",
        instead(
            "acme.rfc8555.problem:problem", "ALGORITHMS if refused.reason is Reason.BAD_SIGNATURE_ALGORITHM else None", "None"
        ),
    ),
    _fault(
        "jws.no-es256",
        "ES256 is not known",
        "6.2",
        instead("jose.rfc7515:_algorithm", "algorithm not in acceptable", "algorithm not in acceptable or algorithm == 'ES256'"),
    ),
    _fault(
        "jws.no-eddsa",
        "EdDSA is not known",
        "6.2",
        instead("jose.rfc7515:_algorithm", "algorithm not in acceptable", "algorithm not in acceptable or algorithm == 'EdDSA'"),
    ),
    _fault(
        "jws.refuse-pretty",
        "JSON with white space is refused",
        "RFC 8259 section 2",
        instead(
            _JWS,
            "value = rfc8259.load_object(body, 'the JWS')",
            "value = rfc8259.load_object(body if b'\\n' not in body else b'[]', 'the JWS')",
        ),
    ),
    _fault(
        "jws.unauthorized-for-form",
        "Whatever is wrong with the form of a JWS is unauthorized",
        "6.2",
        instead("jose.rfc7515:_malformed", "Reason.MALFORMED", "Reason.UNAUTHORIZED"),
    ),
    _fault(
        "jws.wrong-json-error",
        "What is no JSON is an error of the server",
        "6.7",
        instead(
            "jose.rfc8259:loads",
            "raise Refused(Reason.MALFORMED, 'RFC 8259 section 2'",
            "raise Refused(Reason.INTERNAL, 'RFC 8259 section 2'",
        ),
    ),
    _fault(
        "jws.wrong-object-error",
        "What is no JSON object is an error of the server",
        "6.7",
        instead("jose.rfc8259:load_object", "Reason.MALFORMED", "Reason.INTERNAL"),
    ),
    _fault(
        "jws.not-utf8-error",
        "What is no UTF-8 is an error of the server",
        "5",
        instead(
            "jose.rfc8259:loads",
            "raise Refused(Reason.MALFORMED, 'RFC 8259 section 8.1'",
            "raise Refused(Reason.INTERNAL, 'RFC 8259 section 8.1'",
        ),
    ),
    _fault(
        "jws.algorithm-and-key-error",
        "An alg that does not go with the key is an error of the server",
        "6.2",
        instead(
            "jose.rfc7515:verify",
            "Reason.BAD_PUBLIC_KEY if 'jwk' in jws.protected else Reason.BAD_SIGNATURE_ALGORITHM",
            "Reason.INTERNAL",
        ),
    ),
    _fault(
        "jws.signature-error",
        "A wrong signature is an error of the server",
        "6.2",
        instead("jose.rfc7518:verify", "Reason.BAD_SIGNATURE, 'RFC 7515 section 5.2'", "Reason.INTERNAL, 'RFC 7515 section 5.2'"),
    ),
    _fault(
        "jws.unknown-account-error",
        "An unknown account is an error of the server",
        "6.2",
        instead(
            f"{_AUTHENTICATION}:authenticate",
            "Reason.UNKNOWN_ACCOUNT, 'RFC 8555 section 6.2', 'there is no such account'",
            "Reason.INTERNAL, 'RFC 8555 section 6.2', 'there is no such account'",
        ),
    ),
    _fault(
        "account.accept-weak-key",
        "Weak account keys are accepted",
        "6.2",
        instead(
            f"{_AUTHENTICATION}:authenticate", "rfc7517.parse_jwk(header['jwk'], weak.check)", "rfc7517.parse_jwk(header['jwk'])"
        ),
        unchecked("jose.rfc7518:rsa_key", "wrong size"),
    ),
    _fault(
        "http.accept-get",
        "GET reads what needs a signature",
        "6.3",
        instead(
            f"{_SERVICE}._answer",
            "name not in _BY_GET or request.method not in ('GET', 'HEAD')",
            "request.method not in ('GET', 'HEAD')",
        ),
    ),
    _fault(
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
    _fault(
        "directory.get-refused",
        "The directory is not served to GET",
        "6.3",
        instead(f"{_SERVICE}._answer", "name not in _BY_GET or", "name != 'new-nonce' or"),
    ),
    _fault(
        "directory.without-new-nonce",
        "The directory does not name newNonce",
        "7.1",
        replying("acme.rfc8555.directory:directory", '"newNonce"', '"otherNonce"'),
    ),
    _fault(
        "directory.meta-no-object",
        "meta is no object",
        "7.1.1",
        replying("acme.rfc8555.directory:directory", '"meta":{', '"meta":[],"other":{'),
    ),
    _fault(
        "directory.new-authz-promised",
        "The directory names a newAuthz that does not answer",
        "7.1.1",
        replying("acme.rfc8555.directory:directory", "/new-authz", "/new-authorization"),
    ),
)

_ERRORS = (
    _fault(
        "problem.wrong-media-type",
        "Errors are sent as application/json",
        "6.7",
        ending(
            "acme.rfc8555.problem:response",
            "rest = [one for one in result.headers if one[0] != 'Content-Type']\n"
            "result = type(result)(result.status, (('Content-Type', 'application/json'), *rest), result.body)",
        ),
    ),
    _fault(
        "problem.unregistered-type",
        "Errors have a type that is not registered",
        "6.7",
        replying("acme.rfc8555.problem:response", "error:malformed", "error:bad"),
    ),
    _fault(
        "problem.identifier-on-top",
        "A problem document has an identifier at its top",
        "6.7.1",
        ending(
            "acme.rfc8555.problem:response",
            'result = type(result)(result.status, result.headers, b\'{"identifier":{"type":"dns","value":"a.test"},\' + result.body[1:])',
        ),
    ),
    _fault(
        "problem.always-internal",
        "Every refusal is an error of the server",
        "6.7",
        instead("acme.rfc8555.problem:problem", "TABLE[refused.reason]", "('serverInternal', 500)"),
    ),
)

_ACCOUNTS = (
    _fault(
        "account.existing-created-again",
        "A known key gets 201",
        "7.3.1",
        instead("acme.rfc8555.account:new", "return answer(200, found, ", "return answer(201, found, "),
    ),
    _fault(
        "account.existing-overwritten",
        "newAccount with a known key changes its contacts",
        "7.3.1",
        instead(
            "acme.rfc8555.account:new",
            "check_active(found)",
            "check_active(found)\n"
            "        given = decode(_new_account, call.payload, 'RFC 8555 section 7.3')\n"
            "        if given.contact:\n"
            "            found = replace(found, contact=tuple(given.contact))\n"
            "            await call.core.store.commit(found)",
        ),
    ),
    _fault(
        "account.only-existing-ignored",
        "onlyReturnExisting makes an account",
        "7.3",
        unchecked("acme.rfc8555.account:new", "has no account"),
    ),
    _fault(
        "account.fields-reflected",
        "Fields that nobody knows are reflected",
        "7.3",
        ending(
            "acme.rfc8555.account:new",
            'result = type(result)(result.status, result.headers, result.body[:-1] + b\',"nickname":"x"}\')',
        ),
    ),
    _fault(
        "account.orders-taken-over",
        "orders is what the client says",
        "7.3",
        ending(
            "acme.rfc8555.account:new",
            "import re\n"
            'other = re.sub(rb\'"orders":"[^"]*"\', b\'"orders":"https://example.test/mine"\', result.body)\n'
            "result = type(result)(result.status, result.headers, other)",
        ),
    ),
    _fault(
        "account.mailto-refused",
        "mailto is not supported",
        "7.3",
        instead("acme.rfc8555.contact:_check_one", "!= 'mailto'", "!= 'sip'"),
    ),
    _fault(
        "account.any-contact",
        "Contacts are not looked at",
        "7.3",
        instead("acme.rfc8555.contact:check", "_check_one(contact)", "None"),
    ),
    _fault(
        "account.update-lost",
        "An update of contacts is not kept",
        "7.3.2",
        instead(
            "acme.rfc8555.account:update",
            "contact=contact.check(wanted.contact, call.options.contacts_maximum)",
            "contact=account.contact or contact.check(wanted.contact, call.options.contacts_maximum)",
        ),
    ),
    _fault(
        "account.update-of-others",
        "An account updates another one",
        "7.3.6",
        unchecked(f"{_AUTHENTICATION}:authenticate", "not the URL of the request"),
        unchecked("acme.rfc8555.account:_own", "not the account that signed"),
    ),
    _fault(
        "account.status-settable",
        "An update with another status deactivates",
        "7.3.2",
        instead("acme.rfc8555.account:update", "wanted.status == AccountStatus.DEACTIVATED.value", "wanted.status is not None"),
    ),
    _fault(
        "account.deactivated-lives",
        "A deactivated account goes on",
        "7.3.6",
        unchecked(f"{_AUTHENTICATION}:check_active", "the account is "),
    ),
    _fault(
        "account.orders-empty",
        "The list of orders is always empty",
        "7.1.2.1",
        instead("acme.rfc8555.account:orders", "OrdersList(listed)", "OrdersList([])"),
    ),
)

_KEY_CHANGE = (
    _fault(
        "key-change.inner-nonce-accepted",
        "The inner JWS may have a nonce",
        "7.3.5",
        unchecked("acme.rfc8555.keychange:change", "has no nonce"),
    ),
    _fault(
        "key-change.inner-url-unchecked",
        "The inner url is not compared",
        "7.3.5",
        unchecked("acme.rfc8555.keychange:change", "different urls"),
    ),
    _fault(
        "key-change.inner-jwk-error",
        "An inner JWS without jwk is an error of the server",
        "7.3.5",
        instead(
            "acme.rfc8555.keychange:change",
            "Reason.MALFORMED, CLAUSE, 'the inner JWS has the new key in jwk, and no kid'",
            "Reason.INTERNAL, CLAUSE, 'the inner JWS has the new key in jwk, and no kid'",
        ),
    ),
    _fault(
        "key-change.inner-signature-unchecked",
        "The inner signature is not verified",
        "7.3.5",
        instead("acme.rfc8555.keychange:change", "rfc7515.verify(inner, new_key)", "None"),
    ),
    _fault(
        "key-change.account-unchecked",
        "The inner account is not compared",
        "7.3.5",
        unchecked("acme.rfc8555.keychange:change", "account is not the URL"),
    ),
    _fault(
        "key-change.old-key-unchecked",
        "oldKey is not compared",
        "7.3.5",
        unchecked("acme.rfc8555.keychange:change", "oldKey is not"),
    ),
    _fault(
        "key-change.old-key-lives",
        "The key is not changed",
        "7.3.5",
        instead("acme.rfc8555.keychange:change", "await call.core.store.commit(changed)", "None"),
    ),
    _fault(
        "key-change.key-in-use-forgotten",
        "A key that has an account is a conflict that names no account",
        "7.3.5",
        instead("acme.rfc8555.keychange:change", "location=call.urls.account(holder.id)", "location=None"),
    ),
)

_BINDING = (
    _fault(
        "binding.not-asked",
        "A binding is announced and not asked for",
        "7.3.4",
        unchecked("acme.rfc8555.account:new", "need an external account binding"),
        like="lab-acme-eab",
    ),
    _fault(
        "binding.not-reflected",
        "A verified binding is not reflected",
        "7.3.4",
        instead(
            "acme.rfc8555.account:new", "external_account=None if external is None else bound.decode()", "external_account=None"
        ),
        like="lab-acme-eab",
    ),
    _fault(
        "binding.reflected-unverified",
        "A binding that nobody verified is reflected",
        "7.3.4",
        instead(
            "acme.rfc8555.account:new",
            "external_account=None if external is None else bound.decode()",
            "external_account=None if bound == b'null' else bound.decode()",
        ),
    ),
    _fault(
        "binding.nonce-accepted",
        "A binding may have a nonce",
        "7.3.4",
        unchecked("acme.rfc8555.binding:verify", "no nonce"),
        like="lab-acme-eab",
    ),
    _fault(
        "binding.url-unchecked",
        "The url of a binding is not compared",
        "7.3.4",
        unchecked("acme.rfc8555.binding:verify", "another url"),
        like="lab-acme-eab",
    ),
    _fault(
        "binding.mac-unchecked",
        "The MAC of a binding is not verified",
        "7.3.4",
        instead("acme.rfc8555.binding:verify", "key is None or not rfc7515.verifies_mac(jws, key.key)", "key is None"),
        like="lab-acme-eab",
    ),
    _fault(
        "binding.always-internal",
        "Every refusal of a binding is an error of the server",
        "6.7",
        instead("acme.rfc8555.problem:problem", "TABLE[refused.reason]", "('serverInternal', 500)"),
        like="lab-acme-eab",
    ),
    _fault(
        "binding.payload-unchecked",
        "The key in a binding is not compared",
        "7.3.4",
        unchecked("acme.rfc8555.binding:verify", "for another key"),
        like="lab-acme-eab",
    ),
)

_ORDERS = (
    _fault(
        "order.shown-to-others",
        "Orders are shown to every account",
        "6.3",
        unchecked("acme.rfc8555.order:load", "another account"),
    ),
    _fault(
        "order.without-expires",
        "Orders do not say when they expire",
        "7.1.3",
        replying("acme.rfc8555.order:answer", '"expires"', '"ends"'),
    ),
    _fault(
        "order.authorizations-change",
        "The authorizations of an order are others each time",
        "7.1.3",
        replying("acme.rfc8555.order:show", "/authz/", "/authz/x"),
    ),
    _fault(
        "order.name-error",
        "A name that cannot be certified is an error of the server",
        "7.1.4",
        instead(
            "acme.rfc8555.identifier:names_of", "raise together(failures, clause)", "raise Refused(Reason.INTERNAL, clause, 'no')"
        ),
    ),
    _fault(
        "authorization.wildcard-unmarked",
        "The authorization for a wildcard is not marked",
        "7.1.3",
        instead("acme.rfc8555.authorization:object_of", "wildcard=authorization.wildcard", "wildcard=False"),
    ),
    _fault(
        "authorization.wildcard-shown",
        "The authorization for a wildcard has the wildcard",
        "7.1.3",
        ending(
            "acme.rfc8555.authorization:show",
            "if b'\"wildcard\":true' in result.body:\n"
            '    other = result.body.replace(b\'"value":"\', b\'"value":"*.\')\n'
            "    result = type(result)(result.status, result.headers, other)",
        ),
    ),
    _fault(
        "authorization.always-wildcard",
        "Every authorization is marked as wildcard",
        "7.1.4",
        instead("acme.rfc8555.authorization:object_of", "wildcard=authorization.wildcard", "wildcard=True"),
    ),
    _fault(
        "authorization.without-expires",
        "Authorizations do not say until when",
        "7.1.4",
        replying("acme.rfc8555.authorization:show", '"expires"', '"ends"'),
    ),
    _fault(
        "authorization.of-others",
        "An account deactivates authorizations of others",
        "7.5.2",
        unchecked("acme.rfc8555.authorization:load", "another account"),
    ),
    _fault(
        "authorization.deactivated-counts",
        "A deactivated authorization stays valid",
        "7.5.2",
        instead("acme.rfc8555.authorization:update", "await call.core.store.commit(authorization)", "None"),
    ),
    _fault(
        "authorization.new-authz-valid",
        "newAuthz gives authorizations that are valid",
        "7.4.1",
        replying("acme.rfc8555.newauthz:new", '"pending"', '"valid"'),
    ),
    _fault(
        "authorization.wildcard-accepted",
        "newAuthz takes wildcards",
        "7.1.4",
        unchecked("acme.rfc8555.newauthz:new", "wildcard cannot"),
    ),
    _fault(
        "finalize.not-ready-accepted",
        "An order that is not ready is finalized",
        "7.4",
        unchecked("acme.rfc8555.finalize:finalize", "not ready"),
    ),
    _fault(
        "finalize.bad-csr-invalidates",
        "A bad CSR makes the order invalid",
        "7.4",
        instead(
            "acme.rfc8555.finalize:finalize",
            "csrs.check(csr, found)",
            "try:\n"
            "        csrs.check(csr, found)\n"
            "    except Refused as refused:\n"
            "        await call.core.store.commit(replace(found, error='{}'))\n"
            "        raise",
        ),
    ),
    _fault(
        "finalize.wrong-csr-error",
        "A CSR that cannot be parsed is an error of the server",
        "7.4",
        instead(
            "acme.rfc8555.csr:read",
            "raise about_csr(refused) from None",
            "raise Refused(Reason.INTERNAL, refused.clause, 'no') from None",
        ),
    ),
    _fault(
        "finalize.wrong-names-error",
        "A CSR for other names is an error of the server",
        "7.4",
        instead("acme.rfc8555.csr:check", "Reason.BAD_CSR", "Reason.INTERNAL"),
    ),
    _fault(
        "finalize.account-key-accepted",
        "An account key is certified",
        "11.1",
        instead("acme.rfc8555.finalize:finalize", "await _check_key(call, csr)", "None"),
    ),
    _fault(
        "certificate.text-around",
        "A certificate file has text around its certificates",
        "9.1",
        ending(
            "acme.rfc8555.certificate:show", "result = type(result)(result.status, result.headers, b'subject=a\\n' + result.body)"
        ),
    ),
    _fault(
        "certificate.chain-reversed",
        "The issuer comes first",
        "9.1",
        instead(
            "acme.rfc8555.certificate:show",
            "_pem(record.der) + ''.join((pem_of_authority(der) for der in issuers))",
            "''.join((pem_of_authority(der) for der in issuers)) + _pem(record.der)",
        ),
    ),
)

_CHALLENGES = (
    _fault(
        "challenge.token-short",
        "Tokens are short",
        "8.3",
        instead(
            "acme.rfc8555.authorization:create",
            "Challenge(type, token(call.core.entropy), ChallengeStatus.PENDING)",
            "Challenge(type, token(call.core.entropy)[:8], ChallengeStatus.PENDING)",
        ),
    ),
    _fault(
        "challenge.token-padded",
        "Tokens have padding",
        "8.3",
        instead(
            "acme.rfc8555.authorization:create",
            "Challenge(type, token(call.core.entropy), ChallengeStatus.PENDING)",
            "Challenge(type, token(call.core.entropy) + '==', ChallengeStatus.PENDING)",
        ),
    ),
    _fault(
        "challenge.token-reused",
        "Every challenge has the same token",
        "8.3",
        instead(
            "acme.rfc8555.authorization:create",
            "Challenge(type, token(call.core.entropy), ChallengeStatus.PENDING)",
            "Challenge(type, 'A' * 43, ChallengeStatus.PENDING)",
        ),
    ),
    _fault(
        "challenge.without-validated",
        "A valid challenge does not say when",
        "8",
        instead(
            "acme.rfc8555.authorization:challenge_object",
            "None if challenge.validated is None else rfc3339(challenge.validated)",
            "None",
        ),
    ),
    _fault(
        "challenge.invalid-without-error",
        "An invalid challenge does not say why",
        "8",
        instead("acme.rfc8555.authorization:challenge_object", "together(challenge.errors) if failed else None", "None"),
    ),
    _fault(
        "challenge.content-unchecked",
        "Any resource proves the name",
        "8.3",
        instead("acme.rfc8555.http01:judge", "observation.body.rstrip() != expected.encode('ascii')", "False"),
    ),
    _fault(
        "challenge.always-valid",
        "Every challenge counts as met",
        "8.3",
        instead("acme.rfc8555.http01:judge", "require_sight(observation, CLAUSE, name)", "return"),
    ),
    _fault(
        "challenge.any-response",
        "A response that is no object is accepted",
        "7.5.1",
        instead("acme.rfc8555.challenge:respond", "decode(_response, call.payload, CLAUSE)", "None"),
    ),
    _fault(
        "challenge.fields-refused",
        "A response with other fields is refused",
        "7.5.1",
        instead(
            "acme.rfc8555.challenge:respond",
            "decode(_response, call.payload, CLAUSE)",
            "decode(_response, call.payload if call.payload == b'{}' else b'[]', CLAUSE)",
        ),
    ),
    _fault(
        "tls-alpn.case-sensitive",
        "Names in validation certificates are compared letter by letter",
        "RFC 8737 section 3",
        instead("acme.rfc8737:_check_name", "one.value.lower()", "one.value"),
    ),
    _fault(
        "tls-alpn.critical-unchecked",
        "acmeIdentifier need not be critical",
        "RFC 8737 section 3",
        unchecked("acme.rfc8737:_check_digest", "is not critical"),
    ),
    _fault(
        "tls-alpn.digest-unchecked",
        "Any digest proves the name",
        "RFC 8737 section 3",
        instead("acme.rfc8737:_check_digest", "value != _OCTET_STRING_32 + digest", "False"),
    ),
    _fault(
        "tls-alpn.name-unchecked",
        "A certificate for any name proves the name",
        "RFC 8737 section 3",
        instead("acme.rfc8737:judge", "_check_name(extensions, observation, name)", "None"),
    ),
    _fault(
        "tls-alpn.without-sni",
        "The server asks for another name",
        "RFC 8737 section 3",
        instead("acme.rfc8737:plan", "else name.value", "else 'x.' + name.value"),
    ),
    _fault(
        "ip.dns-01-offered",
        "dns-01 is offered for addresses",
        "RFC 8738 section 7",
        instead("acme.rfc8555.dns01:offered_for", "name.kind is NameKind.DNS and ", ""),
    ),
    _fault(
        "ip.type-dns",
        "The authorization for an address is of type dns",
        "RFC 8738 section 3",
        instead("acme.rfc8555.order:identifier", "name.kind.value", "'dns'"),
    ),
    _fault(
        "ip.sni-address",
        "SNI has the address itself",
        "RFC 8738 section 6",
        instead("acme.rfc8737:plan", "rfc8738.server_name(name) if name.kind is NameKind.IP else name.value", "name.value"),
    ),
)

_REVOCATION = (
    _fault(
        "revocation.by-anybody",
        "Every account revokes every certificate",
        "7.6",
        instead(
            "acme.rfc8555.revocation:revoke", "call.signer is not None and (not await _may(call, call.signer, record))", "False"
        ),
    ),
    _fault(
        "revocation.authorized-account-refused",
        "Only the account that a certificate was issued to revokes it",
        "7.6",
        instead(
            "acme.rfc8555.revocation:_may",
            "bool(asked) and asked <= {(a.name, a.wildcard) for a in held if usable(a, call.now)}",
            "False",
        ),
    ),
    _fault(
        "revocation.account-refused",
        "No account revokes",
        "7.6",
        instead("acme.rfc8555.revocation:_may", "record.identity == f'acme:{account.id}'", "False"),
        instead(
            "acme.rfc8555.revocation:_may",
            "bool(asked) and asked <= {(a.name, a.wildcard) for a in held if usable(a, call.now)}",
            "False",
        ),
    ),
    _fault(
        "revocation.key-refused",
        "The key of a certificate does not revoke it",
        "7.6",
        instead("acme.rfc8555.revocation:revoke", "key != call.key.key", "True"),
    ),
    _fault(
        "revocation.any-reason",
        "Reason codes are not looked at",
        "7.6",
        instead("acme.rfc8555.revocation:_reason", "code not in ALLOWED", "False"),
        instead("acme.rfc8555.revocation:_reason", "RevocationReason(code)", "RevocationReason.UNSPECIFIED"),
    ),
    _fault(
        "revocation.forgotten",
        "Nothing is revoked",
        "7.6",
        instead(
            "acme.rfc8555.revocation:revoke",
            "done = await call.core.door.revoke(call.exchange, record, _reason(wanted.reason), _identity(call))",
            "done = record\n    _reason(wanted.reason)",
        ),
    ),
)

_RENEWAL = (
    _fault(
        "renewal.window-reversed",
        "The window ends before it begins",
        "RFC 9773 section 4.2",
        instead(
            "acme.rfc9773:show", "SuggestedWindow(rfc3339(start), rfc3339(end))", "SuggestedWindow(rfc3339(end), rfc3339(start))"
        ),
    ),
    _fault(
        "renewal.padding-accepted",
        "Identifiers may be padded",
        "RFC 9773 section 4.1",
        instead(
            "acme.rfc9773:show",
            "record = await find(core, profile, text, CLAUSE, shared=shared)",
            "record = await find(core, profile, text.replace('=', ''), CLAUSE, shared=shared)",
        ),
    ),
    _fault(
        "renewal.replaces-ignored",
        "replaces is not reflected",
        "RFC 9773 section 5",
        instead("acme.rfc8555.order:object_of", "replaces=order.replaces", "replaces=None"),
    ),
    _fault(
        "renewal.replaced-twice",
        "A certificate is replaced any number of times",
        "RFC 9773 section 5",
        unchecked("acme.rfc9773:replacement", "replaces this certificate already"),
    ),
)

FAULTS: tuple[Fault, ...] = (
    *_NONCES,
    *_REQUESTS,
    *_ERRORS,
    *_ACCOUNTS,
    *_KEY_CHANGE,
    *_BINDING,
    *_ORDERS,
    *_CHALLENGES,
    *_REVOCATION,
    *_RENEWAL,
)
