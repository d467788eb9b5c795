"""A security check without a test that fails when the check is removed does not exist: here each check is removed, and its trap must notice."""

import importlib.util
import inspect
import sys
from pathlib import Path

import pytest

from tests.support.taking_out import NOTICED, instead, refusing, take_out


class Traps:
    """The trap modules beside this one, by name."""

    def __getattr__(self, name):
        path = Path(__file__).with_name(f"test_{name}.py")
        known = f"traps_{name}"
        if known not in sys.modules:
            spec = importlib.util.spec_from_file_location(known, path)
            sys.modules[known] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[known])
        return sys.modules[known]


T = Traps()


def trap(module, test, *arguments):
    """A test of another module, as a function of the lab."""
    return lambda lab: getattr(getattr(T, module), f"test_{test}")(lab, *arguments)


def account_request(name):
    return trap("jws", "a_spoilt_request_of_an_account_is_refused", name)


def registration(name):
    return trap("jws", "a_spoilt_registration_is_refused", name)


def bad_key(name):
    return trap("jws", "a_bad_account_key_is_refused", *next(b for b in T.jws.BAD_KEYS if b[0].name == name))


def key_change(name):
    return trap("key_change", "a_spoilt_inner_jws_is_refused", *next(b for b in T.key_change.INNER if b[0].name == name))


def external(name):
    def trap(lab):
        bound = inspect.unwrap(T.external_account.bound)(lab)
        T.external_account.test_a_spoilt_binding_is_refused(
            bound, *next(b for b in T.external_account.INNER if b[0].name == name)
        )

    return trap


def bad_name(case):
    return trap("order", "an_identifier_that_cannot_be_certified_is_refused", case)


def bad_csr(case):
    return trap("finalize", "a_bad_csr_leaves_the_order_ready", case)


def revoking(test, *arguments):
    """A trap of revocation, with a certificate to revoke."""

    def trap(lab):
        issued = inspect.unwrap(T.revocation.issued)(lab)
        getattr(T.revocation, test)(*[lab if a is lab_ else issued if a is issued_ else a for a in arguments])

    return trap


def tls(case):
    return trap("challenges", "tls_alpn_01_is_exactly_that_certificate", case)


def http(case):
    return trap("challenges", "http_01_is_the_key_authorization_and_nothing_else", case)


def validity(**days):
    """An order with these dates, as days from now."""
    return trap(
        "order",
        "a_validity_that_cannot_be_is_refused_at_the_order",
        lambda lab: {name: T.order.rfc3339(lab, days=count) for name, count in days.items()},
    )


def owner():
    return trap("account", "nobody_sees_or_touches_the_things_of_another_account")


def caa(case):
    def trap(lab):
        T.challenges.test_caa_is_obeyed(inspect.unwrap(T.challenges.caa)(lab), case)

    return trap


lab_, issued_ = object(), object()


def signature_unchecked(function, verify):
    return instead(function, verify, "None")


CHECKS = {
    # -- the JWS and the request around it
    "media type": (
        [refusing("acme.rfc8555.authentication:_open", "wrong media type")],
        account_request("http.Content-Type=application/json"),
    ),
    "jwk and kid": (
        [refusing("acme.rfc8555.authentication:authenticate", "exclude each other")],
        account_request("protected.jwk+kid"),
    ),
    "key member of the resource": (
        [refusing("acme.rfc8555.authentication:authenticate", "wrong key member")],
        trap("jws", "kid_where_a_key_must_sign_is_refused"),
    ),
    "url": (
        [refusing("acme.rfc8555.authentication:authenticate", "not the URL of the request")],
        account_request("protected.url.other"),
    ),
    "url, sent elsewhere": (
        [refusing("acme.rfc8555.authentication:authenticate", "not the URL of the request")],
        trap("jws", "a_request_cannot_be_sent_to_another_url_than_it_was_signed_for"),
    ),
    "url without query": (
        [
            instead(
                "acme.rfc8555.authentication:authenticate",
                "header.get('url') != url(request)",
                "str(header.get('url')).partition('?')[0] != url(request)",
            )
        ],
        trap("jws", "the_url_is_compared_as_a_string", "?x=1"),
    ),
    "unknown account": (
        [refusing("acme.rfc8555.authentication:authenticate", "there is no such account")],
        trap("jws", "kid_that_names_no_account", "never-made"),
    ),
    "signature": (
        [signature_unchecked("acme.rfc8555.authentication:authenticate", "rfc7515.verify(signed.jws, key)")],
        account_request("envelope.signature.flipped"),
    ),
    "signature of a registration": (
        [signature_unchecked("acme.rfc8555.authentication:authenticate", "rfc7515.verify(signed.jws, key)")],
        trap("jws", "an_account_of_another_key_cannot_be_impersonated_by_its_key_in_jwk"),
    ),
    "signature of another account": (
        [signature_unchecked("acme.rfc8555.authentication:authenticate", "rfc7515.verify(signed.jws, key)")],
        trap("jws", "kid_of_another_account_does_not_verify"),
    ),
    "active account": (
        [refusing("acme.rfc8555.authentication:check_active", "the account is ")],
        trap("account", "a_deactivated_account_is_refused_everywhere"),
    ),
    "unprotected header": ([refusing("jose.rfc7515:parse", "unprotected header")], account_request("envelope.header.present")),
    "general serialization": (
        [refusing("jose.rfc7515:parse", "general serialization")],
        account_request("envelope.signatures.too"),
    ),
    "crit": ([refusing("jose.rfc7515:parse", "'crit' names extensions")], account_request("protected.crit.unknown")),
    "alg is known": (
        [
            instead("jose.rfc7515:_algorithm", "algorithm not in acceptable", "False"),
            instead("jose.rfc7515:verify", "SIGNATURES.get(jws.algorithm)", "frozenset({key.kind})"),
        ],
        account_request("protected.alg='HS256'"),
    ),
    "alg goes with the key": (
        [refusing("jose.rfc7515:verify", "does not go with")],
        account_request("protected.alg.other-curve"),
    ),
    "width of a signature": ([refusing("jose.rfc7518:verify", "full width")], account_request("envelope.signature.too-long")),
    "one spelling of base64url": (
        [instead("jose.rfc4648:decode", "_encode(octets) != spelled", "False")],
        account_request("envelope.signature.loose-bits"),
    ),
    "padding": (
        [instead("jose.rfc4648:decode", "_encode(octets) != spelled", "False")],
        account_request("envelope.signature.padded"),
    ),
    "members once": (
        [instead("jose.rfc8259:loads", "_scan(octets.decode('utf-8').lstrip())", "octets.decode('utf-8')")],
        account_request("protected.member-twice"),
    ),
    "a JSON object": ([refusing("jose.rfc8259:load_object", "is not a JSON object")], account_request("http.array")),
    # -- keys
    "private members": ([refusing("jose.rfc7517:parse_jwk", "members of a private key")], bad_key("jwk.private")),
    "width of a coordinate": (
        [
            refusing("jose.rfc7518:ec_key", "full width of the curve"),
            instead("jose.rfc7518:ec_key", "point += value", "point += value.rjust(width, b'\\x00')"),
        ],
        bad_key("jwk.x.short"),
    ),
    "size of an RSA key": (
        [
            refusing("jose.rfc7518:rsa_key", "wrong size"),
            instead("acme.rfc8555.authentication:authenticate", "header['jwk'], weak.check", "header['jwk']"),
        ],
        bad_key("key.rsa-1024"),
    ),
    "RSA exponent": (
        [
            refusing("jose.rfc7518:rsa_key", "odd, exponent"),
            instead("acme.rfc8555.authentication:authenticate", "header['jwk'], weak.check", "header['jwk']"),
        ],
        trap("jws", "an_rsa_key_with_exponent_one_is_refused"),
    ),
    # -- nonces
    "nonce is there": (
        [
            instead(
                "acme.rfc8555.nonce:Nonces.spend",
                "raise Refused(Reason.BAD_NONCE, 'RFC 8555 section 6.5', 'the protected header has no nonce')",
                "return",
            )
        ],
        account_request("protected.nonce.absent"),
    ),
    "nonce was issued": (
        [instead("acme.rfc8555.nonce:Nonces.spend", "if hmac.compare_digest(mac, self._mac(scope, body))", "if True")],
        trap("nonce", "a_nonce_cannot_be_made_by_changing_one"),
    ),
    "nonce is base64url": (
        [refusing("acme.rfc8555.nonce:Nonces.spend", "base64url")],
        account_request("protected.nonce.not-base64url"),
    ),
    "nonce is spent": ([refusing("acme.rfc8555.nonce:Nonces.spend", "used before")], trap("nonce", "a_nonce_is_good_once")),
    "nonce is spent, in a process that serves alone": (
        [instead("acme.rfc8555.nonce:SpentHere.spend", "if bits[octet] & bit", "if False")],
        trap("nonce", "a_nonce_is_good_once_in_a_process_that_serves_alone"),
    ),
    "the nonces of a process that serves alone are its own": (
        [
            instead(
                "acme.service:AcmeService.__init__",
                "Nonces(entropy.octets(32), store, SpentHere())",
                "Nonces(b'k', store, SpentHere())",
            )
        ],
        trap("nonce", "a_nonce_of_a_process_that_serves_alone_is_good_in_no_other"),
    ),
    "nonce is spent by a replay": (
        [refusing("acme.rfc8555.nonce:Nonces.spend", "used before")],
        trap("nonce", "the_very_same_request_is_refused_the_second_time"),
    ),
    # -- HTTP
    "plain GET": (
        [instead("acme.service:AcmeService._answer", "name not in _BY_GET or", "")],
        trap("http", "every_resource_refuses_plain_get"),
    ),
    "payload of POST-as-GET": (
        [
            instead(
                "acme.service:AcmeService._signed",
                "route.write if call.payload else route.read",
                "route.write if call.payload not in (b'', b'{}') else route.read",
            )
        ],
        trap("jws", "post_as_get_with_an_empty_object_is_refused"),
    ),
    # -- accounts
    "own account": (
        [refusing("acme.rfc8555.account:_own", "not the account that signed")],
        owner(),
    ),
    "terms": ([refusing("acme.rfc8555.account:new", "not agreed to")], trap("account", "terms_must_be_agreed_to")),
    "only existing": ([refusing("acme.rfc8555.account:new", "has no account")], trap("account", "only_return_existing")),
    "scheme of a contact": (
        [refusing("acme.rfc8555.contact:_check_one", "kind of contact")],
        trap("account", "a_contact_that_cannot_be_used_is_refused", "tel:+12025551212", "unsupportedContact"),
    ),
    "hfields": (
        [
            refusing("acme.rfc8555.contact:_check_one", "hfields"),
            instead("acme.rfc8555.contact:_check_one", "unquote(rest)", "unquote(rest).partition('?')[0]"),
        ],
        trap("account", "a_contact_that_cannot_be_used_is_refused", "mailto:admin@example.test?subject=x", "invalidContact"),
    ),
    "one address": (
        [
            refusing("acme.rfc8555.contact:_check_one", "has one address"),
            instead("acme.rfc8555.contact:_check_one", "unquote(rest)", "unquote(rest).partition(',')[0]"),
        ],
        trap(
            "account",
            "a_contact_that_cannot_be_used_is_refused",
            "mailto:admin@example.test,other@example.test",
            "invalidContact",
        ),
    ),
    # -- key change
    "inner: jwk": ([refusing("acme.rfc8555.keychange:change", "no kid")], key_change("kid.too")),
    "inner: no nonce": ([refusing("acme.rfc8555.keychange:change", "has no nonce")], key_change("nonce.present")),
    "inner: signature": (
        [instead("acme.rfc8555.keychange:change", "rfc7515.verify(inner, new_key)", "None")],
        key_change("signature.other-key"),
    ),
    "inner: url": ([refusing("acme.rfc8555.keychange:change", "different urls")], key_change("url.other")),
    "inner: account": ([refusing("acme.rfc8555.keychange:change", "account is not the URL")], key_change("account.other")),
    "inner: oldKey": ([refusing("acme.rfc8555.keychange:change", "oldKey is not")], key_change("oldKey.other")),
    "inner: strong key": (
        [
            instead("acme.rfc8555.keychange:change", "header['jwk'], weak.check", "header['jwk']"),
            refusing("jose.rfc7518:rsa_key", "wrong size"),
        ],
        key_change("key.rsa-1024"),
    ),
    "key in use": (
        [instead("acme.rfc8555.keychange:change", "location=call.urls.account(holder.id)", "location=None")],
        trap("key_change", "a_key_that_has_an_account_is_a_conflict"),
    ),
    # -- external account binding
    "binding: asked for": (
        [refusing("acme.rfc8555.account:new", "need an external account binding")],
        lambda lab: T.external_account.test_a_missing_binding_is_refused(inspect.unwrap(T.external_account.bound)(lab)),
    ),
    "binding: no nonce": ([refusing("acme.rfc8555.binding:verify", "no nonce")], external("nonce.present")),
    "binding: url": ([refusing("acme.rfc8555.binding:verify", "another url")], external("url.other")),
    "binding: MAC": (
        [instead("acme.rfc8555.binding:verify", "key is None or not rfc7515.verifies_mac(jws, key.key)", "key is None")],
        external("envelope.signature.flipped"),
    ),
    "binding: MAC of another key": (
        [instead("acme.rfc8555.binding:verify", "key is None or not rfc7515.verifies_mac(jws, key.key)", "key is None")],
        external("signature.other-mac-key"),
    ),
    "binding: key of the request": (
        [refusing("acme.rfc8555.binding:verify", "for another key")],
        external("payload.other-account-key"),
    ),
    "binding: once": (
        [refusing("acme.rfc8555.binding:verify", "bound another account")],
        trap("external_account", "a_key_binds_one_account"),
    ),
    # -- names
    "name: an address is no DNS name": (
        [refusing("base.names:dns_name", "not a DNS name")],
        bad_name("dns that is an IPv4 address"),
    ),
    "name: labels": ([refusing("base.names:dns_name", "a label has 1 to 63")], bad_name("hyphens at the ends")),
    "name: long label": ([refusing("base.names:dns_name", "a label has 1 to 63")], bad_name("label of 70 octets")),
    "name: underscore": ([refusing("base.names:dns_name", "a label has 1 to 63")], bad_name("underscore")),
    "name: canonical address": ([refusing("base.names:ip_name", "canonical form")], bad_name("ip in capitals")),
    "name: type": (
        [instead("acme.rfc8555.identifier:_name", "wanted.type not in _READERS or wanted.type not in kinds", "False")],
        bad_name("type unknown"),
    ),
    "name: policy": (
        [instead("enrollment.service:EnrollmentService.check_names", "self._issuer.rules(profile).names.check(names)", "None")],
        trap("order", "each_identifier_that_is_rejected_is_named", ("a.forbidden.test", "b.forbidden.test")),
    ),
    "name: excluded": (
        [refusing("issuance.name_policy:NamePolicy._judge", "excluded")],
        trap("order", "each_identifier_that_is_rejected_is_named", ("a.forbidden.test", "b.forbidden.test")),
    ),
    "wildcard in advance": (
        [refusing("acme.rfc8555.newauthz:new", "wildcard cannot")],
        trap("authorization", "a_pre_authorization_that_cannot_be_is_refused", "wildcard"),
    ),
    "wildcard by dns-01 alone": (
        [instead("acme.rfc8555.http01:offered_for", "not wildcard and", "")],
        trap("order", "a_wildcard_order_has_a_wildcard_authorization"),
    ),
    "address not by dns-01": (
        [instead("acme.rfc8555.dns01:offered_for", "name.kind is NameKind.DNS and", "")],
        trap("authorization", "an_address_is_proven_by_http_and_tls_alone"),
    ),
    # -- validity
    "notAfter after notBefore": (
        [refusing("issuance.policy:ValidityPolicy.window", "notAfter is not after")],
        validity(notBefore=2, notAfter=1),
    ),
    "longest validity": (
        [refusing("issuance.policy:ValidityPolicy.window", "longer than this profile")],
        validity(notAfter=1000),
    ),
    "notBefore near now": (
        [refusing("issuance.policy:ValidityPolicy.window", "too far from now")],
        validity(notBefore=-30, notAfter=10),
    ),
    "validity at the order": (
        [
            instead(
                "acme.rfc8555.neworder:_validity",
                "await call.core.door.check_validity(call.exchange, call.profile, not_before, not_after)",
                "pass",
            )
        ],
        validity(notAfter=-1),
    ),
    # -- ownership
    "own order": (
        [refusing("acme.rfc8555.order:load", "another account")],
        owner(),
    ),
    "own authorization": (
        [refusing("acme.rfc8555.authorization:load", "another account")],
        owner(),
    ),
    "own certificate": (
        [refusing("acme.rfc8555.certificate:show", "another account")],
        owner(),
    ),
    # -- finalize
    "order is ready": (
        [refusing("acme.rfc8555.finalize:finalize", "not ready")],
        trap("finalize", "an_order_that_is_pending_cannot_be_finalized"),
    ),
    "order is ready, not valid": (
        [refusing("acme.rfc8555.finalize:finalize", "not ready")],
        trap("finalize", "a_valid_order_cannot_be_finalized_again"),
    ),
    "account key as certificate key": (
        [refusing("acme.rfc8555.finalize:_check_key", "key of an account")],
        bad_csr("the account's key"),
    ),
    "names of the CSR": (
        [
            refusing("acme.rfc8555.csr:check", "other identifiers"),
            refusing("enrollment.service:_names", "exactly the identifiers"),
        ],
        bad_csr("a name too many"),
    ),
    "names of the CSR, too few": (
        [
            refusing("acme.rfc8555.csr:check", "other identifiers"),
            refusing("enrollment.service:_names", "exactly the identifiers"),
        ],
        bad_csr("a name too few"),
    ),
    "authorizations count": (
        [instead("acme.rfc8555.order:status", "_obstacle(order, authorizations, now) is not None", "False")],
        trap("authorization", "a_deactivated_authorization_takes_its_order_with_it"),
    ),
    "reuse is switched off": (
        [instead("acme.rfc8555.neworder:_reusable", "not call.options.authorization_reuse", "False")],
        trap("order", "reuse_can_be_switched_off"),
    ),
    # -- challenges
    "http-01: status": (
        [
            refusing("acme.rfc8555.http01:judge", "was not there"),
            refusing("acme.rfc8555.http01:judge", "not the key authorization"),
        ],
        http("nothing there"),
    ),
    "http-01: body": (
        [refusing("acme.rfc8555.http01:judge", "not the key authorization")],
        http("another thumbprint"),
    ),
    "dns-01: digest": (
        [instead("acme.rfc8555.dns01:judge", "expected.encode('ascii') in observation.texts", "observation.texts")],
        trap("challenges", "dns_01_is_the_digest_at_its_name", "another key's", ""),
    ),
    "tls-alpn-01: critical": (
        [refusing("acme.rfc8737:_check_digest", "not critical")],
        tls("extension not critical"),
    ),
    "tls-alpn-01: digest": (
        [refusing("acme.rfc8737:_check_digest", "does not hold the digest")],
        tls("another digest"),
    ),
    "tls-alpn-01: name": (
        [instead("acme.rfc8737:_check_name", "if fits:", "if True:")],
        tls("another name"),
    ),
    "tls-alpn-01: one name": (
        [instead("acme.rfc8737:_check_name", "if fits:", "if True:")],
        tls("a name too many"),
    ),
    "key authorization holds the account's key": (
        [
            instead(
                "acme.rfc8555.http01:judge",
                "observation.body.rstrip() != expected.encode('ascii')",
                "not observation.body.startswith(token.encode())",
            )
        ],
        trap("authorization", "the_key_authorization_of_another_account_is_no_proof"),
    ),
    "tls-alpn-01: protocol": ([refusing("acme.rfc8737:judge", "did not negotiate")], tls("another protocol")),
    "terms that have changed": (
        [instead("acme.rfc8555.terms:check", "outdated(call)", "False")],
        lambda lab: T.limits.test_new_terms_must_be_agreed_to(lab),
    ),
    "rate limits": (
        [instead("acme.rfc8555.ratelimit:Limits.enforce", "self._last is not None", "False")],
        lambda lab: T.limits.test_orders_are_limited_for_each_account_and_again_allowed(lab),
    ),
    # -- CAA
    "CAA: no answer": (
        [instead("acme.rfc8659:check_caa", "observation.failure is not None", "False")],
        trap("challenges", "caa_records_that_could_not_be_had_forbid"),
    ),
    "CAA": ([instead("acme.rfc8555.validation:check_caa", "if options.caa:", "if False:")], caa("others")),
    "CAA: critical tags": ([refusing("acme.rfc8659:_judge", "critical tag")], caa("unknown critical tag")),
    "CAA: issuewild": (
        [instead("acme.rfc8659:_judge", "if wildcard else []", "if False else []")],
        caa("issuewild before issue"),
    ),
    "CAA: accounturi": (
        [instead("acme.rfc8657:satisfied", "not accounts or accounts == [account_uri]", "True")],
        caa("another account"),
    ),
    "CAA: validationmethods": ([instead("acme.rfc8657:satisfied", "method in value.split(',')", "True")], caa("another method")),
    "CAA: tree": (
        [instead("acme.rfc8659:check_caa", "range(len(labels))", "range(1)")],
        caa("others"),
    ),
    # -- revocation
    "revocation: jwk is the certificate's": (
        [refusing("acme.rfc8555.revocation:revoke", "not the key of the certificate")],
        revoking("test_another_key_is_refused", issued_),
    ),
    "revocation: an account key is no certificate key": (
        [refusing("acme.rfc8555.revocation:revoke", "not the key of the certificate")],
        revoking("test_an_account_key_in_jwk_is_no_account", issued_),
    ),
    "revocation: who may": (
        [instead("acme.rfc8555.revocation:_may", "return bool(asked) and", "return True or")],
        revoking("test_by_an_account_that_is_authorized_for_all_names", lab_, issued_),
    ),
    "revocation: wildcards": (
        [instead("acme.rfc8555.revocation:_may", "name.wildcard) for name in record.names", "False) for name in record.names")],
        trap("revocation", "a_wildcard_is_not_revoked_by_who_is_authorized_for_the_name_alone"),
    ),
    "revocation: these very octets": (
        [instead("acme.rfc8555.revocation:revoke", "record.der == der", "True")],
        revoking("test_a_certificate_of_another_ca_is_not_ours", issued_, lab_),
    ),
    "revocation: of this profile": (
        [
            instead("acme.rfc8555.revocation:revoke", "call.urls.shared or record.profile_id == call.profile.id", "True"),
            instead("acme.rfc8555.revocation:_may", "return bool(asked) and", "return True or"),
        ],
        revoking("test_a_certificate_of_another_profile", lab_, issued_),
    ),
    "revocation: reason": (
        [
            instead("acme.rfc8555.revocation:_reason", "code not in ALLOWED", "False"),
            refusing("enrollment.rights:check_reason", "does not revoke for this reason"),
        ],
        revoking("test_a_reason_that_a_subscriber_cannot_give_is_refused", issued_, 2),
    ),
    "revocation: signature": (
        [signature_unchecked("acme.rfc8555.authentication:authenticate", "rfc7515.verify(signed.jws, key)")],
        revoking("test_a_forged_jwk_is_refused", issued_),
    ),
    # -- download
    "Accept": (
        [instead("acme.rfc8555.certificate:negotiate", "_preference(best, ranges) <= 0", "False")],
        trap("certificate", "a_format_that_is_not_offered_is_refused_by_a_strict_profile"),
    ),
}


@pytest.mark.parametrize("check", CHECKS)
def test_a_trap_notices_that_its_check_is_gone(lab, monkeypatch, check):
    removed, trap = CHECKS[check]
    trap(lab)
    take_out(monkeypatch, removed)
    with pytest.raises(NOTICED) as noticed:
        trap(lab)
    assert not isinstance(noticed.value, NameError), "the function was not made anew as it should be"
    monkeypatch.undo()
    trap(lab)
