"""A security check, or a peculiarity of real clients that is minded, without a test that fails when it is removed does not exist: here
each is removed, and its trap must notice. T1 to T20 are traps that were seen in the field.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scep import test_rfc8894_3_2_messages as messages
from tests.scep import test_rfc8894_4_1_transport as transport
from tests.scep import test_rfc8894_4_3_enrollment as enrollment
from tests.scep import test_rfc8894_4_4_polling as polling
from tests.support.scep_client import PKCS_REQ
from tests.support.scep_lab import ScepLab
from tests.support.taking_out import NOTICED, instead, refusing, take_out

Trap = Callable[[ScepLab, pytest.MonkeyPatch], object]
SIGNED, ATTRIBUTES, ORACLE = messages.TestSigned(), messages.TestTransactionAttributes(), messages.TestNoOracle()
TRANSACTIONS, RENEWAL = enrollment.TestTransactions(), enrollment.TestRenewal()
POLLING, QUERIES, PASSWORD = polling.TestPolling(), polling.TestQueries(), messages.TestPasswordRecipients()
CAPABILITIES, CERTIFICATES = transport.TestCapabilities(), transport.TestCaCertificates()


def of(test: Callable[..., object], *arguments: Any) -> Trap:
    """A test as a trap."""
    return lambda lab, _: test(lab, *arguments)


def with_patches(test: Callable[..., object]) -> Trap:
    """A test that patches, as a trap."""

    def trap(lab: ScepLab, _: pytest.MonkeyPatch) -> object:
        with pytest.MonkeyPatch.context() as own:
            return test(lab, own)

    return trap


def query(test: Callable[..., object], *arguments: Any) -> Trap:
    """A test of an enrolled client, as a trap."""

    def trap(lab: ScepLab, _: pytest.MonkeyPatch) -> object:
        profile = lab.profile()
        first = lab.client(profile)
        client = polling.Client(first.key, lab.enroll(profile, first).certificates[0], first.recipient)
        return test(lab, (profile, client), *arguments)

    return trap


def fresh_nonces(lab: ScepLab, _: pytest.MonkeyPatch) -> None:
    profile = lab.profile()
    lab.enroll(profile, lab.client(profile))


def rollover(lab: ScepLab, _: pytest.MonkeyPatch) -> None:
    transport.test_4_7_the_next_ca_certificate(Path(tempfile.mkdtemp(dir=lab.directory)))


_ENVELOPE, _MESSAGE, _ENROLLMENT = "scep.rfc8894.envelope", "scep.rfc8894.pki_message", "scep.rfc8894.enrollment"
_TRANSPORT, _REPLY, _QUERIES = "scep.rfc8894.transport", "scep.rfc8894.cert_rep", "scep.rfc8894.queries"
_CMS = "pkix.rfc5652.signing"

CHECKS: dict[str, tuple[list[Any], Trap]] = {
    # -- the outer layer
    "signature": (
        [instead(f"{_CMS}:_check", "raise _bad(clause, 'the signature does not verify')", "return")],
        of(SIGNED.test_3_2_1_4_a_signature_that_does_not_verify),
    ),
    "message digest": (
        [refusing(f"{_CMS}:verify", "message digest is not the one")],
        of(SIGNED.test_3_2_1_4_another_content_than_was_signed),
    ),
    "digest that is not listed": (
        [instead(f"{_CMS}:verify", "name not in digests", "False"), instead(f"{_CMS}:_check", "hash_name not in digests", "False")],
        of(SIGNED.test_2_9_a_digest_that_the_profile_does_not_list, "md5", "sha1"),
    ),
    "cipher that is not listed": (
        [refusing(f"{_ENVELOPE}:check_cipher", "not accepted here")],
        of(SIGNED.test_2_9_a_cipher_that_the_profile_does_not_list, "des", "3des"),
    ),
    "one signer": ([refusing(f"{_MESSAGE}:read", "one signer")], of(SIGNED.test_3_2_two_signers)),
    "attributes once": (
        [refusing("pkix.rfc5652.signed_data:_attributes", "more than once")],
        of(ATTRIBUTES.test_3_2_1_an_attribute_that_occurs_twice),
    ),
    "message type": (
        [instead("scep.rfc8894.attributes:message_type", "kind is MessageType.CERT_REP", "False")],
        of(ATTRIBUTES.test_3_2_1_2_unknown_message_types, "3"),
    ),
    "transaction ID": (
        [refusing("scep.rfc8894.attributes:transaction_id", "one transactionID")],
        of(ATTRIBUTES.test_3_2_1_1_without_a_transaction_there_is_nothing_to_answer, messages.tlv(0x13, b"")),
    ),
    "nonce": ([refusing(f"{_MESSAGE}:_check_nonce", "senderNonce")], of(ATTRIBUTES.test_3_2_1_5_nonces, 0, True, False)),
    "signing time": (
        [refusing(f"{_MESSAGE}:_check_time", "signingTime")],
        of(ATTRIBUTES.test_3_2_1_4_signing_time, messages.timedelta(hours=2), False),
    ),
    # -- no oracle
    "signature before decryption": (
        [instead(f"{_CMS}:_check", "raise _bad(clause, 'the signature does not verify')", "return")],
        with_patches(ORACLE.test_3_2_2_nothing_is_opened_before_the_signature_holds),
    ),
    "one text": (
        [instead(f"{_ENVELOPE}:opened", "raise unreadable() from None", "raise refused")],
        of(ORACLE.test_3_2_2_one_failure_for_everything),
    ),
    "one text for what cannot be parsed": (
        [instead(f"{_ENVELOPE}:addressed", "refused.reason is Reason.BAD_SIGNATURE_ALGORITHM", "True")],
        of(ORACLE.test_3_2_2_one_failure_for_everything),
    ),
    "decoy": (
        [instead(f"{_ENVELOPE}:opened", "decoy(refused)", "pass")],
        with_patches(ORACLE.test_3_2_2_each_failure_takes_the_same_steps),
    ),
    "work for nobody": (
        [
            instead(
                f"{_ENVELOPE}:_decrypted",
                "nothing = b'\\x00' + exchange.entropy.octets(party.octets - 1)",
                "raise unreadable()\n        nothing = b''",
            )
        ],
        with_patches(ORACLE.test_3_2_2_each_failure_takes_the_same_steps),
    ),
    "one answer to queries": (
        [instead(f"{_QUERIES}:_meant", "except Refused:\n        return None", "except Refused:\n        raise")],
        query(QUERIES.test_4_5_what_is_not_there_is_one_failure, "neither", polling.GET_CERT),
    ),
    # -- who may
    "key of the request": (
        [refusing(f"{_ENROLLMENT}:_check_same_key", "not signed by the key")],
        of(enrollment.test_2_3_a_challenge_vouches_for_the_key_that_signs),
    ),
    "self-signed renewal": (
        [refusing(f"{_ENROLLMENT}:_identity", "not a self-signed one")],
        of(RENEWAL.test_2_4_a_self_signed_certificate_renews_nothing),
    ),
    "renewal is a renewal": (
        [instead(f"{_ENROLLMENT}:_submission", "renews = identity.certificate", "renews = None")],
        of(RENEWAL.test_2_5_outside_the_window_is_refused),
    ),
    "certificate of somebody else": (
        [instead(f"{_QUERIES}:certificate", "not await _may_have(exchange, profile, credentials, message, found.der)", "False")],
        query(QUERIES.test_2_6_nobody_else),
    ),
    "CA of the profile": (
        [instead(f"{_QUERIES}:_meant", "found.authority != profile.profile.issuer", "False"),
         instead(f"{_QUERIES}:_meant", "der.encode(named.issuer) == signer.subject_der", "True")],
        query(QUERIES.test_4_5_what_is_not_there_is_one_failure, "CA", polling.GET_CRL),
    ),
    "issuer of the query": (
        [instead(f"{_QUERIES}:_meant", "der.encode(named.issuer) == signer.subject_der", "True")],
        query(QUERIES.test_4_5_what_is_not_there_is_one_failure, "issuer", polling.GET_CERT),
    ),
    "signer of the transaction": (
        [instead(f"{_ENROLLMENT}:transaction_prefix", "message.transaction.id.encode() + b'\\x00' + signer", "message.transaction.id.encode()")],
        of(POLLING.test_4_4_with_the_transaction_id_of_another_client),
    ),
    "reply that can be read": (
        [refusing(f"{_ENROLLMENT}:enroll", "cannot be encrypted")],
        of(PASSWORD.test_3_1_an_ec_client_that_gets_no_answer_gets_no_certificate),
    ),
    "iterations": (
        [refusing("pkix.rfc5652.key_encryption:derived", "number of iterations")],
        of(PASSWORD.test_3_1_what_does_not_open_is_the_same_failure, "more iterations than are done"),
    ),
    "guesses of a password are counted": (
        [instead(f"{_ENVELOPE}:opened", "envelope.secret is not None", "False")],
        of(PASSWORD.test_3_1_a_wrong_password_counts_against_the_passcode),
    ),
    "password recipients are a switch": (
        [instead(f"{_ENVELOPE}:addressed", "profile.profile.scep.password_recipients", "True"),
         instead(f"{_ENVELOPE}:_decrypted", "profile.scep.password_recipients", "True"),
         instead(f"{_ENROLLMENT}:enroll", "profile.profile.scep.password_recipients", "True")],
        of(PASSWORD.test_3_1_not_without_the_switch),
    ),
    # -- transactions
    "replay": (
        [instead(f"{_ENROLLMENT}:enroll", "hashlib.sha256(csr.der).hexdigest()", "exchange.entropy.octets(8).hex()")],
        of(TRANSACTIONS.test_7_4_a_replay_gets_the_same_certificate),
    ),
    "what was answered stays so": (
        [instead(f"{_ENROLLMENT}:enroll", "answer = await _answered(exchange, profile, door, request_id, refused)", "raise")],
        of(TRANSACTIONS.test_7_4_a_replay_is_answered_though_its_code_no_longer_counts),
    ),
    "fresh nonce": (
        [instead(f"{_REPLY}:_reply", "exchange.entropy.octets(NONCE_OCTETS)", "transaction.nonce")],
        fresh_nonces,
    ),
    # -- what was seen in the field
    "T1 cipher of the reply": (
        [instead(f"{_REPLY}:success", "cipher if options.reply_cipher == 'request' else options.reply_cipher", "'des'")],
        of(enrollment.test_3_5_2_a_reply_follows_its_request, "sha256", "aes128"),
    ),
    "T2 DES and SHA-1 whatever was offered": (
        [instead(f"{_REPLY}:success", "cipher if options.reply_cipher == 'request' else options.reply_cipher", "'aes128'")],
        of(enrollment.test_3_5_2_a_reply_follows_its_request, "sha1", "des"),
    ),
    "T3 case of the capabilities": (
        [instead("scep.rfc8894.capabilities:response", "f'{keyword}\\n'", "f'{keyword.lower()}\\n'")],
        of(CAPABILITIES.test_every_keyword_in_its_case),
    ),
    "T4 MD5 where nothing was offered": (
        [instead("pkix.algorithms:digest_name", "_DIGEST_NAMES.get(algorithm, '')", "_DIGEST_NAMES.get(algorithm, '').replace('md5', '')")],
        of(enrollment.test_3_5_2_rarer_digests, "md5"),
    ),
    "T5 lines, spaces, URL-safe alphabet": (
        [instead(f"{_TRANSPORT}:_from_query", "_BREAKS.sub(b'', text).translate(_TO_STANDARD)", "text")],
        of(transport.test_4_1_get, "spaces for +", True),
    ),
    "T6 path behind the profile": (
        [instead(f"{_TRANSPORT}:operation", "request.tail not in TAILS", "request.tail")],
        of(transport.test_4_1_path, "cgi-bin/pkiclient.exe", True),
    ),
    "T7 digest of the reply": (
        [instead(f"{_REPLY}:_reply", "transaction.digest if options.reply_digest == 'request' else options.reply_digest", "'sha256'")],
        of(enrollment.test_3_5_2_a_reply_follows_its_request, "sha1", "3des"),
    ),
    "T8 CA certificate in replies": (
        [instead(f"{_REPLY}:_reply", "party.is_ca and (not options.ca_in_reply)", "False")],
        of(messages.test_ca_certificate_in_replies_is_a_switch),
    ),
    "T9 message of GetCACert": (
        [instead(f"{_TRANSPORT}:operation", "not tolerates(profile, options.message)", "True")],
        of(CAPABILITIES.test_any_message_is_a_tolerance, "CAIdentifier"),
    ),
    "T10 several certificates, the registration authority's first": (
        [instead("scep.rfc8894.parties:Parties.certificates", "[party.named.der, *shown]", "[*shown, party.named.der]")],
        of(CERTIFICATES.test_4_2_1_2_a_registration_authority_comes_first, True),
    ),
    "T11 renewal by PKCSReq": (
        [instead(f"{_ENROLLMENT}:_identity", "message.kind is MessageType.RENEWAL_REQ or 'certificate' in profile.profile.authentication",
                 "message.kind is MessageType.RENEWAL_REQ")],
        of(RENEWAL.test_2_5_by_the_old_certificate_with_a_new_key, PKCS_REQ),
    ),
    "T12 content type among the signed attributes": (
        [instead(f"{_CMS}:signed_attributes", "attribute(CONTENT_TYPE, content_type), ", "")],
        fresh_nonces,
    ),
    "T13 the root is in the chain": (
        [instead("scep.rfc8894.parties:Parties.certificates", "list(chain) if", "list(chain[:-1]) if")],
        of(CERTIFICATES.test_4_2_1_2_a_chain),
    ),
    "T16 short nonces": (
        [instead(f"{_MESSAGE}:_check_nonce", "tolerates(profile, profile.scep.tolerances.short_nonce)", "False")],
        of(ATTRIBUTES.test_3_2_1_5_nonces, 8, True, True),
    ),
    "T17 one transaction ID for two requests": (
        [instead(f"{_ENROLLMENT}:enroll", "hashlib.sha256(csr.der).hexdigest()", "'the one'")],
        of(TRANSACTIONS.test_3_2_1_1_one_id_for_two_requests),
    ),
    "T18 signer of another subject": (
        [refusing(f"{_ENROLLMENT}:_check_self_signed", "another subject")],
        of(enrollment.test_2_3_a_signer_of_another_subject, False, "2"),
    ),
    "T19 signer of version 1": (
        [refusing(f"{_ENROLLMENT}:_check_age", "not of version 3")],
        of(messages.TestOldSigners().test_version_1, False, "2"),
    ),
    "T19 signer that has expired": (
        [refusing(f"{_ENROLLMENT}:_check_age", "has expired")],
        of(enrollment.test_2_3_a_signer_that_has_expired, False, "2"),
    ),
    "T20 recipients are RSA keys": (
        [instead("scep.rfc8894.parties:Parties._answers_itself", "not isinstance(ca_key.signer.public_key, rsa.RSAPublicKey)", "False"),
         instead("scep.rfc8894.parties:Parties._answers_itself",
                 "ca_key.certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_encipherment", "True")],
        of(polling.test_4_5_queries_of_a_ca_with_a_registration_authority),
    ),
    "T21 an empty content": (
        [instead(f"{_REPLY}:_reply", "tolerates(profile, options.tolerances.empty_content)", "False")],
        of(messages.test_3_2_a_failure_without_content_is_a_switch, True, b""),
    ),
    "renewal with the old key": (
        [instead(f"{_ENROLLMENT}:transaction_prefix", "message.signer.spki if message.self_issued else message.signer.der", "message.signer.spki")],
        of(RENEWAL.test_2_5_with_the_same_key_and_request_is_a_new_certificate),
    ),
    "renewal without names": (
        [instead(f"{_ENROLLMENT}:_submission", "not csr.names", "False")],
        of(RENEWAL.test_2_5_without_names_keeps_those_of_the_certificate),
    ),
    "former key after a rollover": (
        [instead("scep.rfc8894.parties:Parties.meant", "ca_key.generation.role in _ANSWERING", "False")],
        rollover,
    ),
}  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
def test_a_trap_notices_that_its_check_is_gone(shared: ScepLab, monkeypatch: pytest.MonkeyPatch, check: str) -> None:
    removed, trap = CHECKS[check]
    trap(shared, monkeypatch)
    take_out(monkeypatch, removed)
    with pytest.raises(NOTICED) as noticed:
        trap(shared, monkeypatch)
    assert not isinstance(noticed.value, NameError), "the function was not made anew as it should be"
    monkeypatch.undo()
