"""A security check without a test that fails when the check is removed does not exist: here each check is removed, and its trap must notice."""

import itertools
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from privca.issuance.profile import Waiting
from tests.est import test_reply_shape as shape
from tests.est import test_rfc7030_3_2_3_authentication as who
from tests.est import test_rfc7030_3_5_linking as linking
from tests.est import test_rfc7030_4_2_1_simpleenroll as enroll
from tests.est import test_rfc7030_4_2_2_simplereenroll as reenroll
from tests.est import test_rfc7030_4_2_3_waiting as waiting
from tests.est import test_rfc7030_4_4_serverkeygen as keygen
from tests.est import test_rfc8951_rfc9908_csrattrs as csrattrs
from tests.support.taking_out import NOTICED, instead, refusing, take_out

DAYS = itertools.count(1000)


def waiting_profile(lab: object) -> str:
    """A profile in which everything waits, for one trap alone."""
    return lab.profile(approval_always=True, waiting=Waiting(life=f"{next(DAYS)}h"))


KEY = ec.generate_private_key(ec.SECP256R1())
CHECKS = {}


def check(name: str, trap: Callable[[object], None], *removed: object) -> None:
    CHECKS[name] = (list(removed), trap)


# -- transport and form
check(
    "TLS",
    lambda lab: enroll.test_rfc7030_3_3_nothing_without_tls(lab, "simpleenroll"),
    refusing("est.service:EstService._answer", "HTTPS alone"),
)
check(
    "method",
    lambda lab: enroll.test_what_enrolls_is_posted(lab, "simpleenroll", "GET"),
    refusing("est.service:EstService._answer", "not for this method"),
)
check(
    "media type",
    lambda lab: enroll.test_rfc7030_3_2_4_the_wrong_media_type(lab, KEY, "text/plain", True),
    refusing("est.rfc7030.transfer:read", "media type"),
)
check(
    "media type: strict",
    lambda lab: enroll.test_no_media_type_is_taken_by_a_tolerant_profile_alone(lab, KEY),
    instead("est.rfc7030.transfer:read", "given or not tolerant", "given"),
)
check(
    "PEM armour: strict",
    lambda lab: enroll.test_pem_armour_is_taken_by_a_tolerant_profile_alone(lab, KEY, "CERTIFICATE REQUEST"),
    instead("est.rfc7030.transfer:decode", "tolerant and", "True and"),
)
check(
    "base64: alphabet and padding",
    lambda lab: enroll.test_a_body_that_is_no_csr_in_base64(lab, "url alphabet"),
    instead(
        "est.rfc7030.transfer:decode", "binascii.a2b_base64(spelled, strict_mode=True)", "binascii.a2b_base64(spelled + b'==')"
    ),
    refusing("est.rfc7030.transfer:decode", "set after its last octet"),
)
check(
    "base64: one spelling",
    lambda lab: enroll.test_a_body_that_is_no_csr_in_base64(lab, "set bits after the end"),
    refusing("est.rfc7030.transfer:decode", "set after its last octet"),
)
for case in ("64 columns (libest)", "CR LF", "blanks and tabs"):
    check(
        f"base64: white space, {case}",
        lambda lab, case=case: enroll.test_rfc8951_3_1_white_space_counts_for_nothing(lab, KEY, case, False),
        instead("est.rfc7030.transfer:decode", "body.translate(None, _WHITE_SPACE)", "body"),
    )
check(
    "transfer encoding: ignored",
    lambda lab: enroll.test_rfc8951_3_a_content_transfer_encoding_is_ignored(lab, KEY, "binary", False),
    instead(
        "est.rfc7030.transfer:read",
        "media_type(given)[0] != expected and (given or not tolerant)",
        "request.headers.get('content-transfer-encoding') != 'base64'",
    ),
)
check(
    "transfer encoding: not demanded",
    lambda lab: enroll.test_a_certificate_for_the_key_and_the_names(lab, KEY),
    instead(
        "est.rfc7030.transfer:read",
        "media_type(given)[0] != expected and (given or not tolerant)",
        "'content-transfer-encoding' not in request.headers",
    ),
)
check(
    "transfer encoding: strictly none in replies",
    lambda lab: enroll.test_rfc8951_3_no_transfer_encoding_to_the_letter(lab, KEY, {"tolerant": False}),
    instead("est.rfc7030.transfer:reply", "if transfer_encoding:", "if True:"),
)
check(
    "transfer encoding: BouncyCastle decodes nothing without one",
    lambda lab: enroll.test_the_reply_has_the_shape_that_all_clients_read(lab, KEY),
    instead("est.rfc7030.transfer:reply", "if transfer_encoding:", "if False:"),
)
check(
    "media type: case and parameters",
    lambda lab: enroll.test_rfc9110_8_3_the_media_type_in_other_spellings(lab, KEY, "Application/PKCS10"),
    instead("est.rfc7030.transfer:read", "media_type(given)[0] != expected", "given != expected"),
)
check(
    "CSR: signature",
    lambda lab: enroll.test_rfc7030_3_4_a_csr_that_another_key_signed(lab, KEY),
    instead(
        "pkix.rfc2986:_parse", "signatures.verify(public_key, algorithm, _octets(request.signature), signed, old)", "'sha256'"
    ),
)
# -- who asks
check(
    "nothing presented",
    lambda lab: who.test_rfc7030_3_2_3_who_presents_nothing_is_asked_in_a_reply_without_a_body(lab, KEY),
    instead("est.rfc7030.authentication:authenticate", "'approval' in methods", "True"),
)
check(
    "a wrong password does not fall back",
    lambda lab: who.test_a_wrong_password_never_falls_back_to_approval(lab, KEY),
    instead("est.rfc7030.authentication:authenticate", "if password:", "if False:"),
)
check(
    "scheme",
    lambda lab: who.test_a_scheme_that_is_not_offered(lab, KEY, "Bearer b3BlbiBzZXNhbWU="),
    refusing("est.rfc7030.authentication:by_password", "not offered"),
)
check(
    "Basic: one spelling",
    lambda lab: who.test_malformed_credentials(lab, KEY, "Basic YTpiIR=="),
    instead("est.rfc7617:read", "binascii.b2a_base64(octets, newline=False) != spelled", "False"),
)
check(
    "Digest: response",
    lambda lab: who.test_rfc7616_3_4_a_bad_digest(lab, KEY, "password"),
    instead("est.rfc7616:verify", "return hmac.compare_digest(expected.encode(), answer.response.encode())", "return True"),
)
check(
    "Digest: method",
    lambda lab: who.test_rfc7616_3_4_a_bad_digest(lab, KEY, "method"),
    instead("est.rfc7616:verify", "digest(method.encode(), answer.uri.encode())", "digest(b'GET', answer.uri.encode())"),
)
check(
    "Digest: resource and realm",
    lambda lab: who.test_rfc7616_3_4_6_a_digest_for_another_resource(lab, KEY),
    refusing("est.rfc7030.authentication:_by_digest", "another resource"),
)
for case in ("invented", "of another profile", "changed"):
    check(
        f"Digest: nonce {case}",
        lambda lab, case=case: who.test_rfc7616_3_3_a_nonce_that_is_not_ours(lab, KEY, case),
        instead("est.rfc7030.authentication:_by_digest", "not core.nonces.is_fresh(", "False and not core.nonces.is_fresh("),
    )
check(
    "Digest: nonce is of this profile",
    lambda lab: who.test_rfc7616_3_3_a_nonce_that_is_not_ours(lab, KEY, "of another profile"),
    instead("est.rfc7616:Nonces._mac", "time + profile_id.encode()", "time"),
)
check(
    "Digest: failures are counted",
    lambda lab: who.test_failed_digests_lock_a_passcode(lab, KEY),
    instead(
        "est.rfc7030.authentication:_by_digest",
        "await core.credentials.failed(call.exchange, call.profile, answer.username)",
        "None",
    ),
)
for missing in ("certificate", "password"):
    for operation in ("simpleenroll", "serverkeygen"):
        check(
            f"both: {operation} without {missing}",
            lambda lab, m=missing, o=operation: who.test_rfc7030_3_2_3_both_are_needed_where_both_are_asked_for(lab, o, m),
            instead("est.rfc7030.authentication:authenticate", "both = call.options.both", "both = False"),
        )
check(
    "both: a password",
    lambda lab: who.test_rfc7030_3_2_3_both_are_needed_where_both_are_asked_for(lab, "simplereenroll", "password"),
    instead("est.rfc7030.authentication:authenticate", "both and (not password)", "False"),
)
check(
    "both: the passcode is spent",
    who.test_with_both_the_passcode_is_spent,
    instead("est.rfc7030.authentication:authenticate", "replace(certified, passcode=known.passcode)", "certified"),
)
check(
    "the code stays out of replies",
    lambda lab: who.test_a_wrong_password_is_refused_with_one_text(lab, KEY, "user"),
    instead("est.rfc7030.authentication:by_password", "user or None, password", "'device', b'open sesame'"),
)
# -- renewal
check(
    "renewal: client certificate",
    lambda lab: reenroll.test_without_a_client_certificate_nothing_is_renewed_whatever_else_is_known(lab, KEY),
    instead("est.rfc7030.authentication:authenticate", "if renews or both:", "if both:"),
    instead("est.rfc7030.simplereenroll:reenroll", "assert renews is not None", "pass"),
    instead("est.rfc7030.simplereenroll:reenroll", "check_same(csr, renews)", "pass"),
)
check(
    "renewal: subject",
    reenroll.test_another_subject_is_refused_even_where_renaming_is_allowed_but_not_asked_for,
    refusing("est.rfc7030.simplereenroll:check_same", "the subject of the CSR"),
)
for change in ("another", "one more", "none"):
    check(
        f"renewal: names, {change}",
        lambda lab, change=change: reenroll.test_other_names_are_refused(lab, change),
        refusing("est.rfc7030.simplereenroll:check_same", "the subjectAltName of the CSR"),
    )
check(
    "renewal: ChangeSubjectName is judged",
    reenroll.test_rfc6402_2_8_change_subject_name_where_it_does_not,
    instead(
        "est.rfc7030.simplereenroll:reenroll",
        "enrollment.submit(call, identity, requested, id, renews)",
        "enrollment.submit(call, __import__('msgspec').structs.replace(identity, ra=True), requested, id)",
    ),
)
check(
    "renewal: another CA's twin",
    reenroll.test_a_certificate_of_another_ca_that_says_the_same,
    instead("enrollment.authentication:Authentication._own", "record.der == octets", "True"),
)
# -- linking
for case in linking.WRONG:
    check(
        f"linking: {case}",
        lambda lab, case=case: linking.test_a_wrong_value_is_refused_whether_one_is_demanded_or_not(
            lab, KEY, case, "optional", "simpleenroll"
        ),
        refusing("est.rfc7030.linking:check", "linking of identity and proof of possession failed"),
    )
check(
    "linking: demanded",
    lambda lab: linking.test_a_missing_value_is_refused_where_it_is_demanded(lab, KEY, "simpleenroll"),
    instead("est.rfc7030.linking:check", "demanded == 'required'", "False"),
)
check(
    "linking: extended master secret",
    lambda lab: linking.test_rfc7627_a_value_is_worth_nothing_without_the_extended_master_secret(lab, KEY),
    instead("est.rfc7030.linking:check", "value is None", "value is None and call.exchange is None"),
)
check(
    "linking: whose word is taken",
    lambda lab: linking.test_who_is_no_registration_authority_is_not_trusted(lab, KEY),
    instead("est.rfc7030.linking:check", "identity.ra and", "True and"),
)
check(
    "linking: generated keys",
    lambda lab: linking.test_a_wrong_value_is_refused_whether_one_is_demanded_or_not(
        lab, KEY, "a password", "optional", "serverkeygen"
    ),
    instead("est.rfc7030.serverkeygen:generate", "linking.check(call, identity, wishes.challenge_password)", "pass"),
)
check(
    "linking: renewals",
    lambda lab: linking.test_a_renewal_is_linked_too(lab, "missing"),
    instead("est.rfc7030.simplereenroll:reenroll", "linking.check(call, identity, csr.challenge_password)", "pass"),
)
# -- CSR attributes
for case in csrattrs.HELD:
    check(
        f"CSR attributes: {case}",
        lambda lab, case=case: csrattrs.test_rfc8951_4_a_csr_is_held_to_the_list(lab, case),
        instead("est.rfc7030.simpleenroll:enroll", "csrattrs.check(call.profile, csr, csr)", "pass"),
    )
check(
    "CSR attributes: key",
    lambda lab: csrattrs.test_rfc8951_4_a_csr_is_held_to_the_list(lab, "curve"),
    instead("est.rfc8951:_check_key", "entry.values and parameters not in entry.values", "False"),
)
check(
    "CSR attributes: value of an extension",
    lambda lab: csrattrs.test_rfc8951_4_a_csr_is_held_to_the_list(lab, "extension with a value"),
    instead("est.rfc8951:check_extension", "one.value.public_bytes() != value", "False"),
)
check(
    "CSR attributes: critical",
    lambda lab: csrattrs.test_rfc8951_4_a_csr_is_held_to_the_list(lab, "critical extension"),
    instead("est.rfc8951:check_extension", "critical and (not one.critical)", "False"),
)
for case in csrattrs.UNFILLED:
    check(
        f"template: {case}",
        lambda lab, case=case: csrattrs.test_rfc9908_3_4_a_csr_is_held_to_the_template(lab, case),
        instead("est.csrattrs:check", "rfc9908.check(options.csr_template, csr, key)", "pass"),
    )
# -- generated keys
check(
    "generated key: in clear",
    lambda lab: keygen.test_no_key_in_clear_where_the_profile_wants_encryption(lab, KEY),
    instead("est.rfc7030.key_delivery:plan", "call.options.server_keys != 'clear'", "False"),
)
check(
    "generated key: authentication",
    lambda lab: keygen.test_nobody_gets_a_key_without_saying_who_it_is(lab, KEY),
    instead(
        "est.rfc7030.serverkeygen:generate",
        "await authenticate(call)",
        "__import__('privca.enrollment.door', fromlist=['x']).Identity('code', 'code:device')",
    ),
)
check(
    "generated key: switched off",
    lambda lab: keygen.test_a_profile_without_server_keys_has_no_such_operation(lab, KEY),
    refusing("est.rfc7030.serverkeygen:generate", "makes no keys"),
)
for number, fields in enumerate(({"authentication": ("code", "approval")}, {"approval_always": True})):
    check(
        f"generated key: waits for nobody {number}",
        lambda lab, fields=fields: keygen.test_a_key_does_not_wait_for_a_person(lab, KEY, fields),
        refusing("est.rfc7030.serverkeygen:_check_attended", "would wait"),
    )
check(
    "generated key: key usage of the recipient",
    lambda lab: keygen.test_rfc7030_4_4_1_2_a_key_that_may_only_sign(lab, KEY),
    instead("est.rfc7030.key_delivery:_for_public_key", "_check_usage(certificate, key)", "pass"),
)
check(
    "generated key: the client certificate has to be meant",
    keygen.test_a_client_certificate_that_is_not_meant_is_not_used,
    instead("est.rfc7030.key_delivery:_is_meant", "Named.read(presented).key_identifier == identifier", "True"),
)
check(
    "generated key: kept out of the transcript",
    lambda lab: keygen.test_a_key_in_clear_where_the_profile_allows_it(lab, KEY),
    instead("est.rfc7030.serverkeygen:generate", "call.exchange.conceal('private key', spelled)", "pass"),
)
for case, function in {
    "no such secret key": "_for_secret_key",
    "the wrap of another length": "_for_secret_key",
    "both": "plan",
    "no capabilities": "_capabilities",
}.items():
    said = {
        "no such secret key": "no secret key",
        "the wrap of another length": "lacks the key wrap",
        "both": "a secret key and a public key",
        "no capabilities": "no SMIMECapabilities",
    }[case]
    check(
        f"generated key: {case}",
        lambda lab, case=case: keygen.test_rfc7030_4_4_1_a_key_that_cannot_be_encrypted_is_not_made(lab, KEY, case),
        refusing(f"est.rfc7030.key_delivery:{function}", said),
    )
# -- the shape of a reply, and what a repeated request is
check(
    "reply: HTTP version",
    lambda lab: shape.test_the_version_is_that_of_the_request(lab, KEY, "1.0"),
    instead("web.http:HttpConnection._answered", "message.minor", "1"),
)
check(
    "reply: one write",
    lambda lab: shape.test_head_and_body_are_one_write(lab, KEY),
    instead("web.http:HttpConnection._send", "self._tcp.write(head + body)", "(self._tcp.write(head), self._tcp.write(body))"),
)
check(
    "reply: length",
    lambda lab: shape.test_the_length_is_said_and_right_and_there_are_no_chunks(lab, KEY),
    instead("web.http:reply_head", "response.status in _WITHOUT_CONTENT", "True"),
)
check(
    "reply: case of names",
    lambda lab: shape.test_the_head_is_short_and_its_names_have_their_usual_case(lab, KEY, True),
    instead("web.http:reply_head", "f'{name}: ", "f'{name.lower()}: "),
)
check(
    "reply: media type",
    lambda lab: shape.test_the_media_type_is_exactly_this(lab, KEY),
    instead("est.rfc7030.enrollment:answer", "transfer.CERTIFICATES", "'application/pkcs7-mime'"),
)
check(
    "reply: lines",
    lambda lab: shape.test_the_base64_is_in_lines_and_ends_with_one(lab, KEY),
    instead("est.rfc7030.transfer:encode", "+ b'\\n'", "+ b''"),
)
check(
    "reply: nothing presented, no body",
    lambda lab: shape.test_a_client_without_a_credential_is_asked_without_a_body_and_basic_first(lab, KEY),
    instead("est.rfc7030.refusal:response", "isinstance(refused, NothingPresented) and challenges", "False"),
)
check(
    "reply: Retry-After in seconds",
    lambda lab: shape.test_a_request_that_waits_says_seconds_and_nothing_else(lab, KEY),
    instead(
        "est.rfc7030.enrollment:waiting",
        "('Retry-After', str(pending.retry_after))",
        "('Retry-After', 'Fri, 31 Dec 1999 23:59:59 GMT')",
    ),
)
check(
    "waiting: another channel binding is the same request",
    lambda lab: waiting.test_rfc7030_3_5_a_new_channel_binding_and_signature_are_the_same_request(lab, KEY, waiting_profile(lab)),
    instead("est.rfc7030.enrollment:_flat", "oid != CHALLENGE_PASSWORD.dotted_string", "True"),
)
check(
    "waiting: another client is not",
    lambda lab: waiting.test_another_key_or_another_client_is_another_request(lab, KEY, waiting_profile(lab)),
    instead("est.rfc7030.enrollment:request_id", "identity.id.encode()", "b''"),
)
check(
    "waiting: another key is not",
    lambda lab: waiting.test_another_key_or_another_client_is_another_request(lab, KEY, waiting_profile(lab)),
    instead("est.rfc7030.enrollment:request_id", "requested.spki", "b''"),
)
check(
    "what is revoked answers nothing",
    lambda lab: enroll.test_a_request_that_was_answered_with_what_is_revoked_now_gets_another_certificate(lab, KEY),
    instead(
        "est.rfc7030.enrollment:_stands",
        "return found.status in (CertificateStatus.ISSUED, CertificateStatus.PREPARED)",
        "return True",
    ),
)


@pytest.mark.parametrize("name", CHECKS)
def test_a_trap_notices_that_its_check_is_gone(lab, monkeypatch, name):
    removed, trap = CHECKS[name]
    trap(lab)
    take_out(monkeypatch, removed)
    with pytest.raises(NOTICED) as noticed:
        trap(lab)
    assert not isinstance(noticed.value, NameError), "the function was not made anew as it should be"
    monkeypatch.undo()
    trap(lab)
