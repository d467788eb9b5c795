"""http-01 and dns-01 (RFC 8555 sections 8.3 and 8.4): what is asked, and what is believed."""

from __future__ import annotations

import base64
import hashlib

import pytest

from privca.acme import rfc8737
from privca.acme.ports import DnsProbe, HttpProbe, Observation, ProbeFailure, TlsAlpnProbe
from privca.acme.rfc8555 import dns01, http01
from privca.acme.rfc8555.methods import METHODS
from privca.base.names import Name, NameKind, dns_name
from privca.base.refused import Reason, Refused

NAME = dns_name("www.example.test")
TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
ANSWER = f"{TOKEN}.{THUMBPRINT}".encode()
DIGEST = base64.urlsafe_b64encode(hashlib.sha256(ANSWER).digest()).rstrip(b"=")


def http(body: bytes, status: int = 200) -> Observation:
    return Observation(status=status, body=body, url="http://www.example.test/.well-known/acme-challenge/t", address="192.0.2.1")


def refusal(judge: object, observation: Observation) -> Refused:
    with pytest.raises(Refused) as caught:
        judge(observation, NAME, TOKEN, THUMBPRINT)  # type: ignore[operator]
    assert caught.value.name == NAME
    return caught.value


def test_what_is_asked() -> None:
    assert http01.plan(NAME, "p", TOKEN, THUMBPRINT) == HttpProbe("p", NAME, f"/.well-known/acme-challenge/{TOKEN}")
    assert dns01.plan(NAME, "p", TOKEN, THUMBPRINT) == DnsProbe("p", NAME, "_acme-challenge.www.example.test")
    assert rfc8737.plan(NAME, "p", TOKEN, THUMBPRINT) == TlsAlpnProbe("p", NAME, "www.example.test")


def test_only_dns_proves_a_wildcard() -> None:
    assert [kind for kind, method in METHODS.items() if method.offered_for(NAME, True)] == ["dns-01"]
    assert [kind for kind, method in METHODS.items() if method.offered_for(NAME, False)] == ["http-01", "dns-01", "tls-alpn-01"]


def test_nothing_proves_an_email_address() -> None:
    assert not any(method.offered_for(Name(NameKind.EMAIL, "a@example.test"), False) for method in METHODS.values())


def test_a_name_without_room_for_the_label_cannot_be_asked_for_by_dns() -> None:
    longest = dns_name(".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 40, "test"]))
    assert len(longest.value) == 237
    assert dns01.offered_for(longest, False)
    longer = dns_name(longest.value.replace("d" * 40, "d" * 41))
    assert not dns01.offered_for(longer, False)
    assert http01.offered_for(longer, False)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b" \t\r\n\n", b"\x0b\x0c"])
def test_the_key_authorization_is_accepted_with_white_space_at_its_end(end: bytes) -> None:
    http01.judge(http(ANSWER + end), NAME, TOKEN, THUMBPRINT)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\n", id="white space"),
        pytest.param(b" " + ANSWER, id="white space in front"),
        pytest.param(b"\xef\xbb\xbf" + ANSWER, id="byte order mark"),
        pytest.param(ANSWER + b"=", id="padding"),
        pytest.param(ANSWER + b"\nmore", id="more lines"),
        pytest.param(ANSWER + b"\x00", id="a zero octet"),
        pytest.param(ANSWER + b"\xc2\xa0", id="white space that is not ASCII"),
        pytest.param(TOKEN.encode(), id="the token alone"),
        pytest.param(TOKEN.encode() + b".", id="no thumbprint"),
        pytest.param(TOKEN.encode() + b"." + b"x" * 43, id="another account"),
        pytest.param(b"x" * 43 + b"." + THUMBPRINT.encode(), id="another token"),
        pytest.param(ANSWER.lower(), id="other case"),
        pytest.param(b'"' + ANSWER + b'"', id="quoted"),
        pytest.param(b"<html>" + ANSWER + b"</html>", id="HTML"),
        pytest.param(ANSWER.decode().encode("utf-16"), id="UTF-16"),
        pytest.param(DIGEST, id="the digest of dns-01"),
    ],
)
def test_another_body_is_refused(body: bytes) -> None:
    refused = refusal(http01.judge, http(body))
    assert (refused.reason, refused.clause) == (Reason.INCORRECT_RESPONSE, "RFC 8555 section 8.3")


@pytest.mark.parametrize("status", [201, 204, 206, 301, 401, 403, 404, 500, 0])
def test_another_status_is_refused(status: int) -> None:
    assert refusal(http01.judge, http(ANSWER, status)).reason is Reason.INCORRECT_RESPONSE


def test_a_refusal_says_where_and_what_but_repeats_no_page() -> None:
    """Else validation would read out pages that only the server can reach."""
    refused = refusal(http01.judge, http(TOKEN.encode() + b".wrong\n"))
    assert "http://www.example.test/.well-known/acme-challenge/t at 192.0.2.1" in str(refused)
    assert f"{TOKEN}.wrong" in str(refused)
    for page in (
        b"role-of-this-machine\n",
        b"AKIAIOSFODNN7EXAMPLE",
        TOKEN.encode() + b" <secret>",
        b'{"AccessKeyId": "AKIA"}',
        b"<p>secret</p>",
        b"root:x:0:0:root:/root",
        b"secret word\n",
        b"\xff\x00",
    ):
        assert refusal(http01.judge, http(page)).got == f"{len(page)} octets of something else"


def test_one_txt_record_with_the_digest_suffices() -> None:
    dns01.judge(Observation(texts=(DIGEST,)), NAME, TOKEN, THUMBPRINT)
    dns01.judge(Observation(texts=(b"v=spf1 -all", DIGEST, b"")), NAME, TOKEN, THUMBPRINT)


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param((), id="no record"),
        pytest.param((b"",), id="empty"),
        pytest.param((DIGEST + b"=",), id="padding"),
        pytest.param((DIGEST[:-1],), id="cut off"),
        pytest.param((b" " + DIGEST,), id="space"),
        pytest.param((b'"' + DIGEST + b'"',), id="quoted"),
        pytest.param((DIGEST.swapcase(),), id="other case"),
        pytest.param((ANSWER,), id="the key authorization itself"),
        pytest.param((hashlib.sha256(ANSWER).digest(),), id="raw digest"),
        pytest.param((hashlib.sha256(ANSWER).hexdigest().encode(),), id="digest in hex"),
        pytest.param((DIGEST[:20], DIGEST[20:]), id="in two records"),
        pytest.param((b"\xff\x00" * 40,) * 20, id="many octets"),
    ],
)
def test_other_records_are_refused(texts: tuple[bytes, ...]) -> None:
    refused = refusal(dns01.judge, Observation(texts=texts))
    assert (refused.reason, refused.clause) == (Reason.INCORRECT_RESPONSE, "RFC 8555 section 8.4")
    assert "_acme-challenge.www.example.test" in str(refused)
    assert len(str(refused)) < 2500
    assert str(refused).isascii()


@pytest.mark.parametrize("judge", [http01.judge, dns01.judge, rfc8737.judge])
def test_what_could_not_be_seen_is_refused_with_its_reason(judge: object) -> None:
    reasons = {failure: refusal(judge, Observation(failure=failure)).reason for failure in ProbeFailure}
    assert reasons == {
        ProbeFailure.DNS: Reason.DNS,
        ProbeFailure.CONNECTION: Reason.CONNECTION,
        ProbeFailure.TLS: Reason.TLS,
        ProbeFailure.FORBIDDEN_ADDRESS: Reason.CONNECTION,
        ProbeFailure.LIMIT: Reason.INCORRECT_RESPONSE,
    }
    detailed = refusal(judge, Observation(failure=ProbeFailure.DNS, detail="NXDOMAIN for www.example.test"))
    assert "NXDOMAIN" in str(detailed)
    # Whatever else an adapter filled in: a failure is no success.
    full = Observation(failure=ProbeFailure.TLS, status=200, body=ANSWER, texts=(DIGEST,))
    assert refusal(judge, full).reason is Reason.TLS
