"""A security check without a test that fails when the check is removed does not exist: here each check is removed, and its trap must notice."""

import pytest

from tests.cmp import test_rfc9483_3_5_validation as validation
from tests.cmp import test_rfc9483_rules as rules
from tests.cmp import test_rfc9810_5_3_7_recovery as recovery
from tests.cmp import test_rfc9810_enroll as enrolling
from tests.cmp import test_rfc9810_kem as kem
from tests.cmp import test_rfc9810_nested as nested
from tests.cmp import test_rfc9810_poll as polling
from tests.cmp import test_rfc9810_pop as pop
from tests.cmp import test_rfc9810_revoke as revoking
from tests.cmp import test_rfc9811 as http
from tests.support.taking_out import NOTICED, instead, refusing, take_out

CHECKS = {}


def check(name, trap, *removed):
    CHECKS[name] = (list(removed), trap)


def header(case):
    return lambda lab: validation.test_a_bad_header_or_protection_is_an_error(lab, case)


def signed(case):
    return lambda lab: validation.test_a_bad_signature_is_an_error(lab, case)


def following(case):
    return lambda lab: validation.test_a_certconf_that_does_not_go_on_with_its_transaction_confirms_nothing(lab, case)


def confirmation(case):
    return lambda lab: validation.test_section_5_3_18_a_bad_certconf_confirms_nothing(lab, case)


def request(case):
    return lambda lab: validation.test_a_bad_request_is_refused_where_it_belongs(lab, case)


def proof(case):
    return lambda lab: pop.test_section_5_2_8_a_proof_that_proves_nothing_is_refused(lab, case)


def strict(test, *arguments):
    def trap(lab):
        lab.options(rules="rfc9483")
        test(lab, *arguments)

    return trap


AUTHENTICATION = "cmp.protection.authentication"
SERVICE = "cmp.service:CmpService._check_header"

# -- HTTP and form
check(
    "method", lambda lab: http.test_section_3_1_another_method_is_405(lab, "GET"), refusing("cmp.rfc9811:check", "sent by POST")
)
check(
    "media type",
    lambda lab: http.test_section_3_2_another_media_type_is_415(lab, "text/plain"),
    refusing("cmp.rfc9811:check", "not a PKIMessage"),
)
check(
    "label",
    lambda lab: http.test_rfc9483_6_1_a_label_takes_its_own_operation(lab, "certification"),
    refusing("cmp.rfc9483:check_operation", "does not belong"),
)
check("version", header("version 4"), refusing("cmp.service:CmpService.answer", "an unknown version"))
# -- protection
check(
    "no protection",
    header("no protection"),
    instead(
        f"{AUTHENTICATION}:Authentication._unprotected",
        "await self._credentials.anonymous(exchange, profile)",
        "Identity('code', 'code:lab')",
    ),
)
check(
    "MAC",
    header("wrong secret"),
    instead(
        f"{AUTHENTICATION}:Authentication._verifies",
        "hmac.compare_digest(mac.compute(self._derived.theirs(secret, mac), part), protection)",
        "True",
    ),
)
check(
    "no MAC under a secret that did not verify",
    header("wrong secret"),
    instead(
        "cmp.service:CmpService.answer",
        "self._authentication.signing(profile)",
        "self._authentication._proven(profile, __import__('privca.enrollment.credentials', fromlist=['Secret']).Secret('x', 'code', "
        "'lab', b'wrong'), __import__('privca.cmp.protection.password', fromlist=['x']).PasswordMac('pbm', b'salt', 500, 'sha256', "
        "'sha256', 32), None).protector",
    ),
)
check(
    "least iterations", header("too few iterations"), instead("cmp.protection.password:Limits.check", "self.minimum <=", "0 <=")
)
check(
    "most iterations",
    header("too many iterations"),
    instead("cmp.protection.password:Limits.check", "<= self.maximum", "<= 10 ** 9"),
)
check("salt", header("no salt"), refusing("cmp.protection.password:_check_salt", "the length of the salt"))
check(
    "length of the key",
    header("a key that is too long"),
    instead("cmp.protection.password:_pbmac1", "0 < octets <= _MAXIMUM_KEY", "True"),
)
check(
    "iterations of PBMAC1",
    header("too many iterations of PBMAC1"),
    instead("cmp.protection.password:_pbmac1", "limits.check(derivation.iterations, _PBMAC1_CLAUSE)", "None"),
)
check(
    "kind of protection",
    lambda lab: validation.test_profile_protection(lab, validation.cmp.Pbm()),
    refusing(f"{AUTHENTICATION}:Authentication._accept", "does not accept this kind of protection"),
)
check(
    "signature",
    signed("signature by another key"),
    instead(
        f"{AUTHENTICATION}:verify_signature",
        "signatures.verify(public_key, algorithm, message.protection or b'', message.protected_part())",
        "None",
    ),
)
check("sender", signed("another sender"), refusing(f"{AUTHENTICATION}:_check_sender", "sender is not the subject"))
check("senderKID", signed("another senderKID"), refusing(f"{AUTHENTICATION}:_check_sender", "senderKID is not"))
check(
    "trust in the signer",
    signed("a signer of somebody else"),
    instead(
        f"{AUTHENTICATION}:Authentication._trusted",
        "await self._credentials.certificate(exchange, profile, signer, others)",
        "Identity('certificate', 'certificate:1')",
    ),
)
check(
    "key usage of the signer",
    validation.test_a_signer_without_digitalsignature_is_refused,
    refusing(f"{AUTHENTICATION}:verify_signature", "does not have digitalSignature"),
)
check(
    "KEM secret",
    lambda lab: kem.test_section_5_1_3_4_a_mac_that_does_not_verify(lab, "another secret"),
    refusing(f"{AUTHENTICATION}:Authentication._by_kem", "does not verify under the key"),
)
check(
    "KEM ciphertext once",
    kem.test_a_ciphertext_is_given_out_once_in_a_transaction,
    instead("cmp.rfc9810.general:_kem_ciphertext", "call.transaction is not None", "False"),
    instead(
        "cmp.rfc9810.general:_kem_ciphertext",
        "expires=now + duration(call.options.confirm_wait)",
        "expires=now + duration(call.options.confirm_wait), version=call.transaction.version if call.transaction else 0",
    ),
)
# -- header
check("messageTime", header("time too early"), refusing(SERVICE, "too far from our time"))
check("messageTime required", validation.test_a_time_may_be_asked_for, refusing(SERVICE, "has no messageTime"))
check("transactionID", header("no transactionID"), refusing(SERVICE, "transactionID is missing"))
check("length of transactionID", header("short transactionID"), refusing(SERVICE, "transactionID is too short"))
check("senderNonce", header("short senderNonce"), instead(SERVICE, "len(header.sender_nonce) < NONCE_OCTETS", "False"))
check("recipNonce", following("another recipNonce"), refusing(SERVICE, "recipNonce is not the senderNonce"))
check("first recipNonce", header("recipNonce in the first message"), instead(SERVICE, "header.recip_nonce is not None", "False"))
check(
    "credentials of a transaction",
    validation.test_rfc9483_4_1_1_a_certconf_has_the_protection_of_its_transaction,
    refusing(SERVICE, "protected with other credentials"),
)
check(
    "transaction in use",
    validation.test_section_5_1_1_a_transactionid_in_use,
    instead(SERVICE, "transaction is not None and transaction.open", "False"),
    instead("cmp.rfc9810.enroll:begin", "known is not None and known.open and (not known.request)", "False"),
)
check(
    "requests of the profile",
    validation.test_profile_requests,
    refusing("cmp.service:CmpService._method", "does not answer this kind"),
)
# -- requests
check("duplicate certReqId", request("a certReqId twice"), refusing("cmp.rfc9810.enroll:_read", "occurs more than once"))
check("many requests", request("too many requests"), refusing("cmp.rfc9810.enroll:_read", "too many certificates"))
check("issuer", request("another issuer"), refusing("cmp.rfc9810.enroll:_check_issuer", "names another issuer"))
check(
    "policies", validation.test_policies_that_a_request_insists_on, refusing("cmp.rfc9810.enroll:_check_policies", "insists on")
)
check(
    "raVerified",
    proof("raVerified by a device"),
    instead("cmp.rfc9810.pop:judge", "not (call.sender.ra or call.nested)", "False"),
)
check(
    "absent proof",
    lambda lab: (lab.options(central_key_generation=True), proof("no proof")(lab)),
    instead("cmp.rfc9810.pop:judge", "message.template.has_key", "False"),
)
check(
    "proof by signature",
    proof("signature by another key"),
    instead("cmp.rfc9810.pop:judge", "message.check_signature(key, tolerant=tolerant)", "None"),
)
check(
    "profile of certProfile",
    enrolling.test_section_5_1_1_4_a_profile_that_the_endpoint_allows_is_chosen,
    instead("cmp.rfc9810.profiles:chosen", "name in call.options.cert_profiles", "True"),
)
check(
    "owner of the old certificate",
    enrolling.test_rfc4211_6_5_an_old_certificate_of_somebody_else_is_refused,
    refusing("cmp.rfc9810.renewal:old_certificate", "of somebody else"),
)
check(
    "issuer of the old certificate",
    lambda lab: validation.test_rfc9483_4_1_3_an_update_of_what_is_not_there(lab, "another CA"),
    instead("cmp.rfc9810.renewal:find", "x509.load_der_x509_certificate(record.der).issuer.public_bytes() == issuer", "True"),
)
check(
    "confirmed certificates alone stay",
    enrolling.test_section_5_1_1_2_what_nobody_confirms_is_revoked_and_its_transaction_forgotten,
    instead("cmp.service:CmpService._end", "await confirm.revoke(self._core.door, exchange, certificate)", "None"),
)
# -- possession by decryption
check(
    "challenge",
    lambda lab: pop.test_section_5_2_8_3_3_a_wrong_answer_ends_it(lab, "another number"),
    instead("cmp.rfc9810.popdecr:_right", "hmac.compare_digest(b''.join(asked), answered)", "True"),
)
check(
    "count of answers",
    lambda lab: pop.test_section_5_2_8_3_3_a_wrong_answer_ends_it(lab, "none"),
    instead(
        "cmp.rfc9810.popdecr:_right", "hmac.compare_digest(b''.join(asked), answered)", "all(map(int.__eq__, asked, numbers))"
    ),
    instead("cmp.rfc9810.popdecr:_right", "len(asked) != len(numbers)", "False"),
)
check(
    "an encrypted certificate is confirmed",
    pop.test_section_5_2_8_3_2_implicit_confirmation_proves_nothing,
    instead("cmp.rfc9810.enroll:enroll", "if encrypted:", "if False:"),
)
check(
    "certificate that must not decrypt",
    pop.test_rfc9483_4_1_6_nothing_is_encrypted_for_a_certificate_that_must_not_decrypt,
    refusing("cmp.rfc9810.encrypted:recipient", "does not allow its key to decrypt"),
    instead("cmp.rfc9810.deliver:generated", "encrypted.recipient(call)", "None"),
)
check(
    "key generation is asked for",
    proof("no proof and no key"),
    instead("cmp.rfc9810.pop:judge", "not call.options.central_key_generation", "False"),
)
# -- confirmation
check("certHash", confirmation("wrong hash"), refusing("cmp.rfc9810.confirm:_check_digest", "certHash is not"))
check(
    "certReqId",
    confirmation("wrong certReqId"),
    instead("cmp.rfc9810.confirm:confirm", "_check_id(confirmation, transaction)", "None"),
)
check(
    "hashAlg and version",
    confirmation("hashAlg with version 2"),
    refusing("cmp.rfc9810.confirm:_confirmation", "version 3 (cmp2021)"),
)
check(
    "accepted with failInfo",
    confirmation("accepted with failInfo"),
    refusing("cmp.rfc9810.confirm:_confirmation", "has no failInfo"),
)
check("CertStatus twice", confirmation("twice"), refusing("cmp.rfc9810.confirm:parse", "occurs more than once"))
check(
    "SHA-1",
    validation.test_section_5_3_18_sha1_and_unknown_hashes_confirm_nothing,
    refusing("cmp.rfc9810.confirm:_confirmation", "SHA-1 is no longer safe"),
)
check(
    "confirmed once",
    validation.test_a_confirmation_is_taken_once,
    refusing("cmp.rfc9810.confirm:_check_id", "was confirmed before"),
)
check(
    "what is left out is rejected",
    enrolling.test_section_5_3_18_what_a_confirmation_leaves_out_is_rejected,
    instead(
        "cmp.rfc9810.confirm:confirm",
        "accepted = id in said and said[id].accepted",
        "accepted = id not in said or said[id].accepted",
    ),
)
# -- polling
check(
    "certReqId of a poll",
    lambda lab: polling.test_a_poll_for_what_is_not_there_is_an_error(attended(lab), (5,), "badCertId"),
    refusing("cmp.rfc9810.poll:poll", "has this certReqId"),
)
check(
    "delay",
    polling.test_rfc9483_4_4_a_delayed_revocation,
    instead("cmp.service:CmpService.answer", "method.name in profile.profile.cmp.delayed", "False"),
)
# -- revocation
check(
    "issuer of what is revoked",
    lambda lab: revoking.test_rfc9483_5_1_3_a_bad_request_is_refused_in_rp(lab, "another issuer"),
    instead("cmp.rfc9810.renewal:find", "x509.load_der_x509_certificate(record.der).issuer.public_bytes() == issuer", "True"),
    instead("cmp.rfc9810.revoke:_matches", "template.issuer not in (None, certificate.issuer.public_bytes())", "False"),
)
check("expired", revoking.test_an_expired_certificate_is_not_revoked, refusing("cmp.rfc9810.revoke:_apply", "has expired"))
check(
    "critical entry extension",
    lambda lab: revoking.test_what_is_no_revreqcontent_is_an_error(lab, "unknown critical extension"),
    instead("cmp.rfc9810.revoke:_wish", "extension.critical", "False"),
)
# -- key recovery
ARCHIVE, RECOVER = "cmp.rfc9810.archive", "cmp.rfc9810.recover"
check(
    "archiving is asked for",
    lambda lab: recovery.test_a_profile_that_does_not_archive_refuses_the_control(lab, "handed over"),
    refusing(f"{ARCHIVE}:source", "archives no private keys"),
)
check(
    "archiving is off by default",
    recovery.test_nothing_is_archived_unless_the_profile_says_so,
    instead(f"{ARCHIVE}:source", "made and archives", "made"),
)
check(
    "archived keys and requests that wait",
    recovery.test_a_request_that_waits_hands_over_no_key,
    refusing(f"{ARCHIVE}:source", "this request has to wait"),
)


def unfit(case):
    return lambda lab: recovery.test_rfc4211_6_4_what_is_not_the_key_of_the_request_is_refused_with_one_text(lab, case)


check("archived key", unfit("another key"), refusing(f"{ARCHIVE}:_belonging", "another private key"))
check(
    "private exponent",
    unfit("another private exponent"),
    instead(f"{ARCHIVE}:_belonging", "load_der_private_key(octets, None)", "key"),
)
check(
    "one text for archived keys",
    unfit("another cek"),
    instead(
        f"{ARCHIVE}:opened", "'what is to be archived is not the private key of this request, or cannot be read'", "str(refused)"
    ),
)
check(
    "content of encryptedPrivKey",
    lambda lab: recovery.test_rfc4211_6_4_a_control_that_cannot_be_honoured_is_refused(lab, "other content"),
    refusing(f"{ARCHIVE}:_enveloped", "is an id-ct-encKeyWithID"),
)
check(
    "recovery is asked for",
    recovery.test_a_profile_that_does_not_archive_recovers_nothing,
    refusing(f"{RECOVER}:_recover", "archives no private keys"),
)
check(
    "recovery by who is known",
    lambda lab: recovery.test_who_presents_nothing_recovers_nothing(lab, encrypting()),
    refusing(f"{RECOVER}:_recover", "only by who is known"),
)
check(
    "owner of an archived key",
    recovery.test_somebody_elses_key_is_refused_like_one_that_is_not_there,
    instead(f"{RECOVER}:_sought", "call.sender.ra and named", "named"),
)
check(
    "an RA names what it recovers",
    lambda lab: recovery.test_rfc4211_6_6_a_registration_authority_recovers_what_it_names_for_a_key_that_it_names(
        lab, encrypting()
    ),
    instead(f"{RECOVER}:_sought", "call.sender.ra and named", "call.sender.ra"),
)
check(
    "endpoint of an archived key",
    recovery.test_the_same_reference_at_another_endpoint_is_somebody_else,
    instead(f"{RECOVER}:_sought", "call.profile.id", "'lab'"),
)
check(
    "issuer of an archived key",
    recovery.test_the_issuer_of_a_template_is_that_of_the_certificate,
    instead(f"{RECOVER}:_found", "template.issuer not in (None, b'0\\x00', certificate.issuer.public_bytes())", "False"),
)
check(
    "passcode of a recovery",
    recovery.test_a_passcode_is_good_for_one_recovery,
    instead(f"{RECOVER}:_recover", "await _spend(call)", "None"),
)
check(
    "a recovered key is concealed",
    recovery.test_a_key_that_was_recovered_is_nowhere_in_clear,
    instead(f"{RECOVER}:_pair", "call.exchange.conceal('private key', secret)", "None"),
)
check(
    "a key that was handed over is concealed",
    recovery.test_a_key_that_was_recovered_is_nowhere_in_clear,
    instead(f"{ARCHIVE}:opened", "call.exchange.conceal('private key', private)", "None"),
)
# -- nested
check(
    "an RA nests",
    nested.test_section_5_1_3_5_only_an_ra_nests,
    refusing("cmp.rfc9810.nested:unwrap", "for registration authorities"),
)
check(
    "nested in nested",
    nested.test_nested_in_nested_is_refused,
    refusing("cmp.service:CmpService.answer", "holds no nested message"),
    refusing("cmp.rfc9810.nested:unwrap", "holds no nested message"),
)
check(
    "a batch vouches for nothing",
    nested.test_rfc9483_5_2_2_2_a_batch_vouches_for_nothing,
    instead("cmp.rfc9810.nested:unwrap", "vouched=False", "vouched=True"),
)
check(
    "size of a batch",
    lambda lab: nested.test_a_batch_has_bounds(lab, 17),
    refusing("cmp.rfc9810.nested:unwrap", "a wrong number of nested messages"),
)
check(
    "nonce around one message",
    nested.test_rfc9483_5_2_2_1_the_nonce_around_one_message_is_its_own,
    instead("cmp.rfc9810.nested:unwrap", "found[0].header.sender_nonce != call.message.header.sender_nonce", "False"),
)
# -- the Lightweight Profile
check(
    "9483: length of transactionID",
    strict(rules.test_section_3_1_header, "transactionID of another length"),
    refusing("cmp.rfc9483:check_header", "has 128 bits"),
)
check(
    "9483: sender and senderKID",
    strict(rules.test_section_3_1_header, "sender that is not the reference"),
    refusing("cmp.rfc9483:check_header", "are the same name"),
)
check(
    "9483: confirmWaitTime",
    strict(rules.test_section_3_1_header, "confirmWaitTime in a request"),
    refusing("cmp.rfc9483:check_header", "confirmWaitTime is for answers"),
)
check(
    "9483: one request",
    strict(rules.test_section_4_1_1_one_request_in_a_message),
    instead("cmp.rfc9483:check_requests", "_on(call) and ids != [0]", "False"),
)
check(
    "9483: subject",
    strict(rules.test_section_4_1_1_request, "no subject"),
    refusing("cmp.rfc9483:check_request", "subject is required"),
)
check(
    "9483: own subject",
    rules.test_section_5_1_1_a_certificate_asks_for_its_own_subject,
    refusing("cmp.rfc9483:_check_subject", "not that of the certificate"),
)
check(
    "9483: update",
    rules.test_section_4_1_3_an_update_is_signed_with_what_it_updates,
    instead("cmp.rfc9483:check_request", "own is None:", "False:"),
)
check(
    "9483: revocation",
    rules.test_section_4_2_a_revocation_is_signed_with_what_it_revokes,
    refusing("cmp.rfc9483:check_revocation", "is signed with"),
)


def encrypting():
    return recovery.OTHER_RSA_KEY, recovery.ENCRYPTING


def attended(lab):
    lab.options(approval_always=True)
    return lab


@pytest.mark.parametrize("name", CHECKS)
def test_a_missing_check_is_noticed(lab, monkeypatch, name):
    removed, trap = CHECKS[name]
    take_out(monkeypatch, removed)
    with pytest.raises(NOTICED) as noticed:
        trap(lab)
    assert not isinstance(noticed.value, NameError), "the function was not made anew as it should be"
