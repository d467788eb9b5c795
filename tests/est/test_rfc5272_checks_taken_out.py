"""A security check of CMC without a test that fails when the check is removed does not exist: each is taken out, and its trap notices."""

import importlib.util
import inspect
import sys
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.taking_out import NOTICED, instead, refusing, take_out


def neighbour(module):
    """A module of tests beside this one."""
    name = f"test_rfc5272_{module}"
    known = f"cmc_{name}"
    if known not in sys.modules:
        spec = importlib.util.spec_from_file_location(known, Path(__file__).with_name(f"{name}.py"))
        sys.modules[known] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[known])
    return sys.modules[known]


def trap(module, test, *arguments):
    """A test of a module beside this one, as a function of a directory for that module's lab."""
    found = neighbour(module)
    return lambda directory: getattr(found, f"test_{test}")(inspect.unwrap(found.lab)(directory), *arguments)


def deciphering(test, *arguments):
    return lambda directory: trap("6_7_possession", test, rsa_key(), *arguments)(directory)


@cache
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def authoritative(place, how="by itself"):
    control = neighbour("7_registration").AUTHORITATIVE[place].values[0]
    return trap("7_registration", "2_12_a_client_does_not_speak_as_an_ra", how, control)


E = "est.rfc5272."
ENVELOPE = "3_2_1_3_3_whatever_is_wrong_with_an_envelope_is_one_answer"


def refusing_nothing(function):
    """Take out the verification around an envelope."""
    verified = "signing.verify(signed.signers[0], signed.content_type, signed.content, signing.load_public_key(named.spki))"
    return instead(function, verified, "pass")


CHECKS = {
    # -- the message and its signature
    "signature": (
        [
            instead(
                E + "signer:_verified",
                "signing.verify(message.signed.signers[0], PKI_DATA.dotted_string, message.content, key)",
                "key",
            )
        ],
        trap("3_requests", "3_2_1_3_4_a_signature_that_does_not_verify_is_bad_message_check", "signature"),
    ),
    "signature: over the content": (
        [
            instead(
                E + "signer:_verified",
                "signing.verify(message.signed.signers[0], PKI_DATA.dotted_string, message.content, key)",
                "key",
            )
        ],
        trap("3_requests", "3_2_1_3_4_the_octets_that_were_received_are_verified"),
    ),
    "signature: somebody's": (
        [refusing(E + "layer:_unsigned", "the message is not signed")],
        trap("6_11_revocation", "without_a_signature_nothing_but_that"),
    ),
    "signature: one signer": (
        [refusing(E + "signer:verify", "has one signer here")],
        trap("3_requests", "3_2_the_key_of_a_request_is_named_by_its_subject_key_identifier"),
    ),
    "signature: a key identifier of one request": (
        [refusing(E + "signer:verify", "more than one request has")],
        trap("3_requests", "3_2_the_key_of_a_request_is_named_by_its_subject_key_identifier"),
    ),
    "content type": (
        [instead(E + "message:read", "signed.content_type != PKI_DATA.dotted_string", "False")],
        trap("4_responses", "rfc7030_4_3_1_what_is_no_pki_request_is_refused_with_a_cmc_response"),
    ),
    "envelope: nothing comes back": (
        [instead(E + "layer:_inside", "outcome.controls = Controls()", "pass")],
        trap("5_encryption", ENVELOPE, "inner signature"),
    ),
    "envelope: one text": (
        [instead(E + "layer:_inside", "raise decipher.unreadable(call, refused) from None", "raise")],
        trap("5_encryption", ENVELOPE, "no PKIData"),
    ),
    "envelope: one text for what does not decrypt": (
        [instead(E + "decipher:opened", "raise unreadable(call, refused) from None", "raise")],
        trap("5_encryption", ENVELOPE, "padding"),
    ),
    "envelope: signed inside": (
        [instead(E + "layer:_inside", "isinstance(found.signer, Unsigned)", "False")],
        trap("5_encryption", ENVELOPE, "unsigned"),
    ),
    "envelope: signed outside": (
        [refusing_nothing(E + "signer:verify_wrapper")],
        trap("5_encryption", "option_2_a_signature_around_the_envelope"),
    ),
    "smime-type": (
        [refusing(E + "fullcmc:_check_parameter", "the wrong smime-type")],
        trap("4_responses", "rfc7030_4_3_1_media_type", "application/pkcs7-mime; smime-type=certs-only", 415, 415),
    ),
    "controls that are not known": (
        [instead(E + "layer:_check_controls", "if unknown:", "if False:")],
        trap("3_requests", "3_2_1_1_a_control_that_is_not_known_fails_everything"),
    ),
    "controls that are not served": (
        [instead(E + "layer:_check_controls", "if unsupported:", "if False:")],
        trap("3_requests", "3_2_1_1_a_control_that_is_not_known_fails_everything"),
    ),
    "cost: who asks comes first": (
        [instead(E + "signer:candidates", "key and key in request.der", "True")],
        trap("3_requests", "requests_are_not_verified_for_a_stranger"),
    ),
    "cost: few may have signed": (
        [refusing(E + "signer:candidates", "in too many requests")],
        trap("3_requests", "requests_are_not_verified_for_a_stranger"),
    ),
    "budget": (
        [refusing(E + "layer:Budget.take", "too many certification requests")],
        trap("7_registration", "all_messages_together_are_bounded"),
    ),
    "depth": (
        [instead(E + "layer:_batch", "authority.depth + 1 > MAXIMUM_DEPTH - 1", "False")],
        trap("7_registration", "7_several_authorities_one_around_the_other"),
    ),
    "body part identifiers": (
        [refusing("pkix.rfc5272.pki_data:_check_bodies", "more than once")],
        trap("3_requests", "a_body_part_that_is_there_twice"),
    ),
    # -- who asks
    "identity proof": (
        [
            instead(
                E + "party:_proof",
                "proof.verifies(message.data.request_sequence, identity_secret(secret.value, reference))",
                "True",
            )
        ],
        trap("6_2_identity", "6_2_1_a_proof_that_fails_is_bad_identity", "secret"),
    ),
    "identity proof: over these requests": (
        [
            instead(
                E + "party:_proof",
                "proof.verifies(message.data.request_sequence, identity_secret(secret.value, reference))",
                "True",
            )
        ],
        trap("6_2_identity", "6_2_1_a_proof_that_fails_is_bad_identity", "other requests"),
    ),
    "identity proof: of something": (
        [refusing(E + "party:_proof", "covers certification requests")],
        trap("6_2_identity", "6_2_1_a_proof_that_fails_is_bad_identity", "no requests"),
    ),
    "identity proof: whole witness": (
        [
            instead(
                "pkix.rfc5272.proofs:Proof.verifies",
                "self.witness)",
                "self.witness + hmac.digest(key, message, self.mac)[len(self.witness):])",
            )
        ],
        lambda directory: trap_pkix("a_witness_that_is_cut_short_proves_nothing"),
    ),
    "identity proof: SHA-1": (
        [refusing(E + "party:_proof", "an identity proof with SHA-1")],
        trap("6_2_identity", "6_2_1_identity_proofs_of_every_algorithm", "sha1"),
    ),
    "identity proof: failures count": (
        [instead(E + "party:_proof", "await call.core.credentials.failed(call.exchange, call.profile, reference)", "pass")],
        trap("6_2_identity", "failures_lock_a_passcode"),
    ),
    "certificate": (
        [instead("enrollment.authentication:Authentication.certificate", "check_standing(record)", "record")],
        trap("3_requests", "a_certificate_that_is_not_accepted_proves_nothing", "revoked"),
    ),
    "password: looked at": (
        [instead(E + "party:identify", "outermost and authentication.presents_password(call)", "False")],
        trap("6_2_identity", "a_wrong_password_is_refused_whatever_else_is_right"),
    ),
    "both: certificate and something": (
        [refusing(E + "party:_with_both", "a code or passcode")],
        trap("6_2_identity", "both_means_both_of_one_message"),
    ),
    "both: proof and something": (
        [instead(E + "party:identify", "not call.options.both", "True")],
        trap("6_2_identity", "both_means_both_of_one_message"),
    ),
    "both: inside a batch": (
        [refusing(E + "party:_vouched", "a client certificate")],
        trap("7_registration", "both_holds_inside_a_batch_too"),
    ),
    "both: spends": (
        [instead(E + "party:_with_both", "replace(certified, passcode=known.passcode)", "certified")],
        trap("6_2_identity", "both_spends_the_passcode"),
    ),
    "a passcode is for one request": (
        [instead(E + "layer:_certify", "party.identity.passcode", "False")],
        trap("6_2_identity", "a_passcode_is_for_one_request"),
    ),
    "identity inside a batch": (
        [instead(E + "party:identify", "not outermost", "False")],
        trap("7_registration", "what_the_connection_proves_is_not_the_client_s"),
    ),
    "identity: vouched for": (
        [instead(E + "party:_vouched", "authority.has_identity(proof)", "True")],
        trap("7_registration", "2_5_an_ra_vouches_for_the_identity_of_a_client"),
    ),
    "identity: vouched for by this path": (
        [
            instead(
                E + "authority:Authority.has_identity",
                "paths & set(controls.identity_witnessed.values())",
                "controls.identity_witnessed",
            )
        ],
        trap("7_registration", "2_5_an_ra_vouches_for_the_identity_of_a_client"),
    ),
    # -- possession, and its link to who asks
    "possession": (
        [instead(E + "layer:_check_possession", "one.proven", "True")],
        trap("3_requests", "3_2_1_2_2_crmf", {"pop": "none"}, "popFailed"),
    ),
    "possession: CRMF signature": (
        [instead(E + "certification:_crmf", "message.check_signature(requested.public_key)", "pass")],
        trap("3_requests", "another_key_signs_a_crmf_request"),
    ),
    "possession: raVerified by an RA alone": (
        [instead(E + "layer:_check_possession", "one.claimed and party.registration", "one.claimed")],
        trap("3_requests", "3_2_1_2_2_crmf", {"pop": "raVerified"}, "popFailed"),
    ),
    "possession: the option": (
        [instead(E + "layer:_check_possession", "vouched and call.options.cmc_ra_possession", "vouched")],
        trap("7_registration", "6_8_an_ra_vouches_for_possession"),
    ),
    "possession: of the right message": (
        [
            instead(
                E + "authority:Authority.has_possession",
                "one.data == data and request in one.requests",
                "request in one.requests",
            )
        ],
        trap("7_registration", "6_8_an_ra_vouches_for_possession"),
    ),
    "possession: of all": (
        [instead(E + "layer:_stopping", "any((granting.lacks_possession(refused) for refused in failed.values()))", "False")],
        trap("3_requests", "6_7_one_request_without_possession_stops_the_others"),
    ),
    "challenge: the answer": (
        [instead(E + "layer:_check_deciphers", "not all(", "not answers and all(")],
        deciphering("6_7_a_wrong_answer_is_pop_failed", "value"),
    ),
    "challenge: every answer": (
        [instead(E + "layer:_check_deciphers", "not all(", "not any(")],
        deciphering("6_7_a_wrong_answer_is_pop_failed", "second answer"),
    ),
    "challenge: to this request": (
        [instead(E + "layer:_check_deciphers", "answer.request == one.body", "True")],
        deciphering("6_7_a_wrong_answer_is_pop_failed", "body part"),
    ),
    "challenge: whose": (
        [instead(E + "challenge:PopChallenges._value", "identity.id.encode()", "b''")],
        deciphering("an_answer_is_that_of_who_was_asked"),
    ),
    "challenge: of which day": (
        [instead(E + "challenge:PopChallenges._value", "f'{now:%Y-%m-%d}'.encode()", "b''")],
        deciphering("an_answer_counts_that_day_and_the_next"),
    ),
    "challenge: its algorithm": (
        [refusing("pkix.rfc5272.possession:read_decrypted_pop", "copied from the challenge")],
        deciphering("6_7_a_wrong_answer_is_pop_failed", "algorithm"),
    ),
    "usages": (
        [instead(E + "granting:grant", "usages.check(call.profile, one.requested)", "pass")],
        trap("4_responses", "3_1_usages_are_not_turned_into_their_opposite"),
    ),
    "another format stops all": (
        [instead(E + "layer:_stopping", "any((isinstance(request, OtherRequest) for request in found.data.requests))", "False")],
        trap("3_requests", "3_2_1_a_request_of_another_format_stops_all_of_them"),
    ),
    "link: to the shared secret": (
        [instead(E + "linkage:check", "party.signer != ByRequest(one.body)", "False")],
        trap("6_3_linkage", "2_3_a_request_of_somebody_else_cannot_be_put_in"),
    ),
    "link: a witness in every request": (
        [instead(E + "linkage:_check_witness", "not one.witnesses or", "")],
        trap("6_3_linkage", "6_3_1_1_every_request_has_a_witness_that_verifies", "none"),
    ),
    "link: the witness verifies": (
        [instead(E + "linkage:_check_witness", "witness.verifies(random, party.secret)", "True")],
        trap("6_3_linkage", "6_3_1_1_every_request_has_a_witness_that_verifies", "random"),
    ),
    "link: all witnesses verify": (
        [instead(E + "linkage:_check_witness", "all((", "any((")],
        trap("6_3_linkage", "6_3_1_1_every_request_has_a_witness_that_verifies", "one of two"),
    ),
    "link: not without its parts": (
        [instead(E + "linkage:check", "random is not None or one.witnesses", "random is not None and party.secret is not None")],
        trap("6_3_linkage", "6_3_1_1_every_request_has_a_witness_that_verifies", "no proof"),
    ),
    "link: subject of the certificate": (
        [refusing(E + "linkage:_check_names", "the subject of the request is not that")],
        trap("6_3_linkage", "2_4_a_request_repeats_the_names_of_the_certificate", "other", ["device.example.test"], False, True),
    ),
    "link: names of the certificate": (
        [refusing(E + "linkage:_check_names", "the subjectAltName of the request is not that")],
        trap("6_3_linkage", "2_4_a_request_repeats_the_names_of_the_certificate", "device", ["other.example.test"], False, True),
    ),
    "link: of EST": (
        [instead(E + "linkage:check", "one.challenge_password is not None or not party.in_message", "False")],
        trap("6_2_identity", "rfc7030_3_5_the_link_of_est_counts_where_the_message_has_none", "required"),
    ),
    # -- registration authorities
    **{
        f"RA: {place} by a client": (
            [refusing(E + "layer:_check_controls", "only a message that a registration authority has signed")],
            authoritative(place),
        )
        for place in range(6)
    },
    "RA: in what it signed": (
        [
            instead(
                E + "party:identify",
                "return Party(identity, signer, False, None, _names_of(call, identity))",
                "return Party(identity, signer, False, None, None, identity.ra)",
            )
        ],
        authoritative(0, "through the connection of an RA"),
    ),
    "RA: changes of what is there": (
        [instead(E + "layer:_check_references", "if missing:", "if False:")],
        trap("7_registration", "6_5_1_a_change_of_a_request_that_is_not_there"),
    ),
    "RA: additions that contradict": (
        [refusing(E + "modifying:_check_addition", "contradicts another one")],
        trap("7_registration", "6_5_2_extensions_are_added_and_must_not_contradict"),
    ),
    "RA: processed by this path": (
        [instead(E + "authority:Authority.has_processed", "(*path, control) in paths", "paths")],
        trap("7_registration", "6_19_a_control_that_an_ra_has_processed"),
    ),
    # -- requests that wait
    "pend token": (
        [instead(E + "pending:PendTokens.read", "not hmac.compare_digest(mac, self._mac(content))", "False")],
        trap("6_13_pending", "a_token_is_ours_and_whole"),
    ),
    "pend token: of this profile": (
        [instead(E + "pending:PendTokens.read", "waiting.profile_id == profile_id", "True")],
        trap("6_13_pending", "a_token_is_of_its_profile"),
    ),
    "pend token: whose": (
        [instead(E + "granting:_made_by", "party.identity.id == found.identity != ANONYMOUS", "True")],
        trap("6_13_pending", "somebody_else_gets_no_answer", "another certificate"),
    ),
    "pend token: nobody's": (
        [
            instead(
                E + "granting:_made_by", "party.identity.id == found.identity != ANONYMOUS", "party.identity.id == found.identity"
            )
        ],
        trap("6_13_pending", "a_request_without_credentials_waits_where_a_person_decides"),
    ),
    "pend token: signed": (
        [
            instead(
                E + "signer:_verified",
                "signing.verify(message.signed.signers[0], PKI_DATA.dotted_string, message.content, key)",
                "key",
            )
        ],
        trap("6_13_pending", "somebody_else_gets_no_answer", "spoilt signature"),
    ),
    "the key of a request that waits": (
        [refusing(E + "layer:_check_query_alone", "asks for that request, and for nothing else")],
        trap("6_13_pending", "the_key_of_a_request_that_waits_is_nobody_else"),
    ),
    # -- revocation
    "revocation: who": (
        [refusing("enrollment.rights:check_revoke", "may not revoke this certificate")],
        trap("6_11_revocation", "somebody_else_does_not", "another client"),
    ),
    "revocation: issuer": (
        [
            instead(
                E + "revoking:find", "x509.load_der_x509_certificate(record.der).issuer.public_bytes() != name.issuer", "False"
            )
        ],
        trap("6_11_revocation", "a_certificate_that_is_not_there_is_bad_cert_id", "issuer"),
    ),
    "revocation: of this profile": (
        [instead(E + "revoking:find", "record.profile_id != call.profile.id", "False")],
        trap("6_11_revocation", "a_certificate_that_is_not_there_is_bad_cert_id", "profile"),
    ),
    "revocation: secret": (
        [
            instead(
                "enrollment.authentication:Authentication.password",
                "_same(value, _NOBODY if code is None else code.value)",
                "True",
            ),
        ],
        trap("6_11_revocation", "a_wrong_secret_is_bad_identity_with_one_text", "secret"),
    ),
    "revocation: secret of this identity": (
        [instead(E + "revoking:_by_secret", "identity.id != certificate.identity", "False")],
        trap("6_11_revocation", "under_a_passcode_that_is_spent"),
    ),
    "revocation: one text": (
        [instead(E + "revoking:_named", "by is None", "False")],
        trap("6_11_revocation", "a_wrong_secret_is_bad_identity_with_one_text", "no certificate"),
    ),
    "revocation: secrets of what cannot be read": (
        [instead(E + "layer:_read_message", "_REVOKE_REQUEST in (signed.content or b'')", "False")],
        trap("6_11_revocation", "a_secret_stays_out_of_the_transcript_also_of_what_cannot_be_read"),
    ),
    "revocation: guesses": (
        [instead(E + "revoking:revoke_all", "wrong is not None and request.secret is not None", "False")],
        trap("6_11_revocation", "secrets_are_not_tried_one_after_the_other"),
    ),
    "revocation: what a passcode obtained": (
        [instead("enrollment.service:EnrollmentService._rights", "passcode.request_id == certificate.request_id", "True")],
        trap("6_11_revocation", "a_spent_passcode_revokes_nothing_else"),
    ),
    "confirmation: whose": (
        [refusing(E + "retrieving:_confirm", "confirmed by whom it was issued to")],
        trap("4_responses", "6_14_confirm_certificate_acceptance"),
    ),
    "renewal": (
        [instead(E + "granting:grant", "mine.profile_id == call.profile.id", "False")],
        trap("3_requests", "a_renewal_keeps_to_the_window_of_the_profile"),
    ),
    "CSR attributes": (
        [instead(E + "granting:grant", "csrattrs.check(call.profile, one.csr, one.csr)", "pass")],
        trap("3_requests", "the_options_of_csr_attributes_hold_here_too"),
    ),
}


def trap_pkix(test):
    path = Path(__file__).parent.parent / "pkix" / "test_rfc5272.py"
    spec = importlib.util.spec_from_file_location("cmc_pkix", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    getattr(module, f"test_{test}")()


@pytest.mark.parametrize("check", CHECKS)
def test_a_trap_notices_that_its_check_is_gone(tmp_path, monkeypatch, check):
    removed, trap = CHECKS[check]
    trap(tmp_path / "with")
    take_out(monkeypatch, removed)
    with pytest.raises(NOTICED) as noticed:
        trap(tmp_path / "without")
    assert not isinstance(noticed.value, NameError), "the function was not made anew as it should be"
