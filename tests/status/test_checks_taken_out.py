"""Each check of the OCSP responder and of what leads to it is taken out, and the test that holds it must notice."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pkix import test_rfc6960 as codec
from tests.status import test_rfc6960 as responder
from tests.status import test_rfc9919 as over_http
from tests.support.status_lab import StatusLab
from tests.support.taking_out import NOTICED, instead, refusing, take_out

READ, ANSWER = "pkix.rfc6960:read_request", "status.rfc6960:OcspResponder"


def on(test: Callable[..., None], *arguments: Any) -> Callable[[StatusLab, Path, pytest.MonkeyPatch], None]:
    """A test as a trap: it gets the lab, the directory or the patches if it asks for them."""

    def trap(ca: StatusLab, path: Path, patches: pytest.MonkeyPatch) -> None:
        given = {"ca": ca, "tmp_path": path, "monkeypatch": patches}
        names = [name for name in inspect.signature(test).parameters if name in given]
        rest = [name for name in inspect.signature(test).parameters if name not in given]
        test(**{name: given[name] for name in names}, **dict(zip(rest, arguments, strict=True)))

    return trap


CHECKS: dict[str, tuple[list[Any], Any]] = {
    "size": ([refusing(READ, "the request is too large")], on(codec.test_a_request_that_is_too_large)),
    "version": ([refusing(READ, "an unknown version")], on(codec.test_rfc6960_4_1_1_versions)),
    "no certificate": (
        [instead(READ, "1 <= len(tbs.certificates)", "0 <= len(tbs.certificates)")],
        on(codec.test_rfc6960_4_1_1_how_many_certificates, 0),
    ),
    "many certificates": (
        [instead(READ, "<= MAXIMUM_CERTIFICATES", "<= 1000")],
        on(codec.test_rfc6960_4_1_1_how_many_certificates, 65),
    ),
    "critical extension": (
        [refusing("pkix.rfc6960:_check_extensions", "an unknown extension is critical")],
        on(codec.test_rfc6960_4_1_2_a_critical_extension_that_is_not_known, "extra"),
    ),
    "critical extension of one": (
        [instead(READ, "_check_extensions(request.extensions)", "None")],
        on(codec.test_rfc6960_4_1_2_a_critical_extension_that_is_not_known, "single"),
    ),
    "extension twice": (
        [refusing("pkix.rfc6960:_check_extensions", "an extension comes twice")],
        on(codec.test_rfc5280_4_2_an_extension_that_comes_twice, "extra"),
    ),
    "empty nonce": (
        [instead("pkix.rfc6960:_nonce", "1 <= len(nonce)", "0 <= len(nonce)")],
        on(codec.test_rfc9654_2_1_nonces_that_must_be_rejected, 0),
    ),
    "long nonce": (
        [instead("pkix.rfc6960:_nonce", "<= MAXIMUM_NONCE", "<= 10000")],
        on(codec.test_rfc9654_2_1_nonces_that_must_be_rejected, 129),
    ),
    "of this CA": (
        [instead(f"{ANSWER}.answer", "if ca_key is None:", "ca_key = ca_key or next(iter(issuers.values()))\n    if False:")],
        on(responder.test_rfc6960_2_3_unauthorized_for_certificates_of_others),
    ),
    "of this key": (
        [instead(f"{ANSWER}._state", "(state.authority, state.generation) != (signer.authority, signer.number)", "False")],
        on(responder.test_rfc6960_4_2_2_2_old_keys_answer_for_what_they_signed),
    ),
    "of this CA's own": (
        [instead(f"{ANSWER}._state", "(state.authority, state.generation) != (signer.authority, signer.number)", "False")],
        on(responder.test_a_serial_number_of_another_ca_is_not_this_cas),
    ),
    "signed by the delegate of the key": (
        [instead(f"{ANSWER}.answer", "Purpose.OCSP, ca_key.signer.number", "Purpose.OCSP")],
        on(responder.test_rfc6960_4_2_2_2_old_keys_answer_for_what_they_signed),
    ),
    "CA key has ended": (
        [refusing(f"{ANSWER}.answer", "the CA key has expired")],
        on(responder.test_a_ca_key_that_has_ended_answers_nothing),
    ),
    "prepared": (
        [instead(f"{ANSWER}._state", "state.status is CertificateStatus.PREPARED", "False")],
        on(responder.test_a_prepared_certificate_is_not_issued_yet),
    ),
    "forgotten": (
        [refusing(f"{ANSWER}._signed", "it is forgotten")],
        on(responder.test_rfc6960_4_4_4_archive_cutoff),
    ),
    "given again: record": (
        [instead("status.rfc6960:_Kept.good", "state.version == self.version", "True")],
        on(responder.test_an_answer_is_not_given_again_once_the_certificate_is_revoked),
    ),
    "given again: signer": (
        [instead("status.rfc6960:_Kept.good", "delegate.serial == self.signer", "True")],
        on(responder.test_an_answer_is_not_given_again_once_its_signer_is_revoked),
    ),
    "given again: age": (
        [instead("status.rfc6960:_Kept.good", "answer.produced <= now < answer.refreshed", "True")],
        on(responder.test_rfc9919_3_an_answer_is_signed_once),
    ),
    "given again: nonce": (
        [
            instead(f"{ANSWER}.answer", "request.nonce is None and len(asked) == 1", "len(asked) == 1"),
            instead(
                "status.rfc6960:_Kept.good",
                "(answer.refreshed is not None) and (answer.produced <= now < answer.refreshed)",
                "True",
            ),
        ],
        on(responder.test_rfc9654_2_1_the_nonce_comes_back, 32),
    ),
    "given again: bounded": (
        [instead(f"{ANSWER}._keep", "len(self._kept) >= _KEPT", "False")],
        on(responder.test_what_is_kept_is_bounded),
    ),
    "holds no longer than its signer": (
        [instead(f"{ANSWER}._signed", "min(now + duration(options.life), delegate.not_after)", "now + duration(options.life)")],
        on(responder.test_an_answer_holds_no_longer_than_its_signer),
    ),
    "media type": (
        [refusing("status.service:StatusService._ocsp", "this is no OCSP request")],
        on(over_http.test_rfc6960_a_1_another_media_type, "application/ocsp-response"),
    ),
    "base64": (
        [instead("status.service:_octets", ", validate=True", "")],
        on(over_http.test_rfc9919_6_nothing_but_base64_in_the_path),
    ),
    "method": (
        [refusing("status.service:_check_method", "another method")],
        on(over_http.test_other_methods),
    ),
}


@pytest.mark.parametrize("check", CHECKS)
def test_a_trap_notices_that_its_check_is_gone(
    ca: StatusLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: str
) -> None:
    removed, trap = CHECKS[check]
    with pytest.MonkeyPatch.context() as patches:
        take_out(patches, removed)
        with pytest.MonkeyPatch.context() as inner, pytest.raises(NOTICED) as noticed:
            trap(ca, tmp_path / "other", inner)
    assert not isinstance(noticed.value, NameError), "the function was not made anew as it should be"
