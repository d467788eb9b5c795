"""JWS: the examples of the RFCs, an independent signer, and every way not to be one."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privca.base.refused import Reason, Refused
from privca.jose import rfc4648, rfc7515
from privca.jose.rfc7515 import MAC_ALGORITHMS
from privca.jose.rfc7517 import parse_jwk

Sign = Callable[..., dict[str, str]]


def body(members: object) -> bytes:
    return json.dumps(members).encode()


def with_header(header: object, payload: bytes = b"{}", signature: bytes = b"s") -> dict[str, str]:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return {"protected": rfc4648.encode(text), "payload": rfc4648.encode(payload), "signature": rfc4648.encode(signature)}


def refusal_of(octets: bytes, algorithms: tuple[str, ...] = rfc7515.ALGORITHMS) -> Refused:
    with pytest.raises(Refused) as caught:
        rfc7515.parse(octets, algorithms)
    return caught.value


def test_the_examples_of_the_rfcs_verify_and_their_neighbours_do_not(examples: dict[str, list[dict[str, Any]]]) -> None:
    for example in examples["jws"]:
        mac = example["jwk"]["kty"] == "oct"
        jws = rfc7515.parse(body(example["jws"]), MAC_ALGORITHMS if mac else rfc7515.ALGORITHMS)
        spoiled = dict(example["jws"], payload=rfc4648.encode(jws.payload + b" "))
        other = rfc7515.parse(body(spoiled), (jws.algorithm,))
        if mac:
            key = rfc4648.decode(example["jwk"]["k"], "k")
            assert rfc7515.verifies_mac(jws, key), example["source"]
            assert not rfc7515.verifies_mac(other, key), example["source"]
            continue
        public = parse_jwk(example["jwk"])
        rfc7515.verify(jws, public)
        with pytest.raises(Refused) as caught:
            rfc7515.verify(other, public)
        assert caught.value.reason is Reason.BAD_SIGNATURE, example["source"]


@pytest.mark.parametrize("name", ["ES256", "ES384", "ES512", "RS256"])
def test_what_josepy_signs_verifies(sign: Sign, name: str) -> None:
    for payload in (b"", b"{}", b"x" * 5000):
        jws = rfc7515.parse(body(sign(name, payload)))
        assert (jws.algorithm, jws.payload) == (name, payload)
        rfc7515.verify(jws, parse_jwk(jws.protected["jwk"]))


@pytest.mark.parametrize("name", MAC_ALGORITHMS)
def test_what_josepy_macs_verifies_only_where_a_mac_is_asked_for(sign: Sign, name: str) -> None:
    jws = rfc7515.parse(body(sign(name)), MAC_ALGORITHMS)
    assert rfc7515.verifies_mac(jws, b"k" * 64)
    assert not rfc7515.verifies_mac(jws, b"j" * 64)
    refused = refusal_of(body(sign(name)))
    assert (refused.reason, refused.clause) == (Reason.BAD_SIGNATURE_ALGORITHM, "RFC 8555 section 6.2")


def test_a_short_mac_key_never_verifies(sign: Sign) -> None:
    """RFC 7518 section 3.2: the key has at least the size of the hash."""
    for hash_name, name, least in (("sha256", "HS256", 32), ("sha384", "HS384", 48), ("sha512", "HS512", 64)):
        for octets in (least - 1, least):
            members = with_header({"alg": name})
            signing_input = f"{members['protected']}.{members['payload']}".encode()
            members["signature"] = rfc4648.encode(hmac.digest(b"k" * octets, signing_input, hash_name))
            jws = rfc7515.parse(body(members), MAC_ALGORITHMS)
            assert rfc7515.verifies_mac(jws, b"k" * octets) is (octets >= least)


def test_a_signature_where_a_mac_is_asked_for_is_refused(sign: Sign) -> None:
    refused = refusal_of(body(sign("ES256")), MAC_ALGORITHMS)
    assert (refused.reason, refused.clause) == (Reason.BAD_SIGNATURE_ALGORITHM, "RFC 8555 section 7.3.4")
    signed = rfc7515.parse(body(sign("ES256")))
    with pytest.raises(Refused) as caught:
        rfc7515.verifies_mac(signed, b"k" * 64)
    assert caught.value.reason is Reason.BAD_SIGNATURE_ALGORITHM


def test_a_public_key_never_serves_as_a_mac_key(sign: Sign) -> None:
    """The classic confusion: HS256 under the octets of a public key that everybody knows."""
    key = parse_jwk(rfc7515.parse(body(sign("RS256"))).protected["jwk"])
    maced = rfc7515.parse(body(sign("HS256")), MAC_ALGORITHMS)
    with pytest.raises(Refused) as caught:
        rfc7515.verify(maced, key)
    assert caught.value.reason is Reason.BAD_SIGNATURE_ALGORITHM


@pytest.mark.parametrize(
    "name", ["none", "None", "NONE", "", "es256", "ES256 ", "ES256K", "PS256", "RS384", "RS1", "HS256", "Ed25519"]
)
def test_other_algorithms_are_refused(name: str) -> None:
    refused = refusal_of(body(with_header({"alg": name})))
    assert refused.reason is Reason.BAD_SIGNATURE_ALGORITHM
    assert refused.expected == "ES256, ES384, ES512, RS256, EdDSA"


@pytest.mark.parametrize("name", ["PS256", "RS512"])
def test_other_rsa_signatures_do_not_pass_as_rs256(sign: Sign, name: str) -> None:
    key = parse_jwk(rfc7515.parse(body(sign("RS256"))).protected["jwk"])
    members = sign(name)
    assert refusal_of(body(members)).reason is Reason.BAD_SIGNATURE_ALGORITHM
    relabelled = dict(members, protected=with_header({"alg": "RS256"})["protected"])
    with pytest.raises(Refused) as caught:
        rfc7515.verify(rfc7515.parse(body(relabelled)), key)
    assert caught.value.reason is Reason.BAD_SIGNATURE


@pytest.mark.parametrize("name", ["ES256", "ES384", "ES512", "RS256", "EdDSA"])
@pytest.mark.parametrize("key_of", ["ES256", "ES384", "ES512", "RS256"])
def test_an_algorithm_goes_with_its_own_kind_of_key(sign: Sign, name: str, key_of: str) -> None:
    if name == key_of:
        return
    own = parse_jwk(rfc7515.parse(body(sign(key_of))).protected["jwk"])
    stored = rfc7515.parse(body(with_header({"alg": name, "kid": "a"})))
    with pytest.raises(Refused) as caught:
        rfc7515.verify(stored, own)
    assert (caught.value.reason, caught.value.expected) == (Reason.BAD_SIGNATURE_ALGORITHM, key_of)
    sent = rfc7515.parse(body(with_header({"alg": name, "jwk": {}})))
    with pytest.raises(Refused) as caught:
        rfc7515.verify(sent, own)
    assert caught.value.reason is Reason.BAD_PUBLIC_KEY


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        pytest.param({"header": {"kid": "a"}}, "RFC 8555 section 6.2", id="unprotected header"),
        pytest.param({"header": {}}, "RFC 8555 section 6.2", id="unprotected header, empty"),
        pytest.param({"header": None}, "RFC 8555 section 6.2", id="unprotected header, null"),
        pytest.param({"signatures": []}, "RFC 8555 section 6.2", id="general serialization beside it"),
        pytest.param({"payload": None}, "RFC 7515 section 7.2.2", id="payload null"),
        pytest.param({"payload": {}}, "RFC 7515 section 7.2.2", id="payload not encoded"),
        pytest.param({"payload": "e30="}, "RFC 7515 section 2", id="payload padded"),
        pytest.param({"payload": "e31"}, "RFC 4648 section 3.5", id="payload with loose bits"),
        pytest.param({"payload": "e\n30"}, "RFC 7515 section 2", id="payload with a line break"),
        pytest.param({"signature": 1}, "RFC 7515 section 7.2.2", id="signature a number"),
        pytest.param({"signature": "=="}, "RFC 7515 section 2", id="signature padded"),
        pytest.param({"protected": ""}, "RFC 8259 section 2", id="nothing protected"),
        pytest.param({"protected": {"alg": "ES256"}}, "RFC 7515 section 7.2.2", id="header not encoded"),
        pytest.param({"protected": "eyJh\nbGciOiJFUzI1NiJ9"}, "RFC 7515 section 2", id="header with a line break"),
    ],
)
def test_another_shape_is_refused(sign: Sign, change: dict[str, object], clause: str) -> None:
    refused = refusal_of(body({**sign("ES256"), **change}))
    assert (refused.reason, refused.clause) == (Reason.MALFORMED, clause)


@pytest.mark.parametrize("missing", ["protected", "payload", "signature"])
def test_every_member_is_required(sign: Sign, missing: str) -> None:
    """A payload that is not there is detached, which RFC 8555 section 6.2 forbids."""
    members = sign("ES256")
    del members[missing]
    assert refusal_of(body(members)).clause == "RFC 7515 section 7.2.2"


def test_the_general_and_the_compact_serialization_are_refused(sign: Sign) -> None:
    members = sign("ES256")
    one = {"protected": members["protected"], "signature": members["signature"]}
    assert refusal_of(body({"payload": members["payload"], "signatures": [one]})).clause == "RFC 8555 section 6.2"
    compact = ".".join(members[name] for name in ("protected", "payload", "signature"))
    assert refusal_of(compact.encode()).reason is Reason.MALFORMED
    assert refusal_of(body(compact)).reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("header", "clause"),
    [
        pytest.param({"alg": "ES256", "crit": ["exp"], "exp": 1}, "RFC 7515 section 4.1.11", id="unknown extension"),
        pytest.param({"alg": "ES256", "crit": ["b64"], "b64": False}, "RFC 8555 section 6.2", id="unencoded payload"),
        pytest.param({"alg": "ES256", "b64": True}, "RFC 8555 section 6.2", id="b64 without crit"),
        pytest.param({"alg": "ES256", "crit": []}, "RFC 7515 section 4.1.11", id="empty crit"),
        pytest.param({"alg": "ES256", "crit": "exp"}, "RFC 7515 section 4.1.11", id="crit no array"),
        pytest.param({}, "RFC 7515 section 4.1.1", id="no alg"),
        pytest.param({"alg": None}, "RFC 7515 section 4.1.1", id="alg null"),
        pytest.param({"alg": ["ES256"]}, "RFC 7515 section 4.1.1", id="alg an array"),
        pytest.param({"ALG": "ES256"}, "RFC 7515 section 4.1.1", id="alg in capitals"),
        pytest.param([], "RFC 8259 section 4", id="an array"),
        pytest.param("ES256", "RFC 8259 section 4", id="a string"),
        pytest.param(b'{"alg":"none","alg":"ES256"}', "RFC 7515 section 4", id="alg twice"),
        pytest.param(b'{"alg":"ES256","jwk":{"kty":"EC","kty":"RSA"}}', "RFC 7515 section 4", id="member of the jwk twice"),
        pytest.param(b'{"alg":"ES256"', "RFC 8259 section 2", id="cut off"),
        pytest.param(b'{"alg":"ES256","url":"\xff"}', "RFC 8259 section 8.1", id="not UTF-8"),
    ],
)
def test_another_header_is_refused(header: object, clause: str) -> None:
    refused = refusal_of(body(with_header(header)))
    assert (refused.reason, refused.clause) == (Reason.MALFORMED, clause)


def test_a_member_that_comes_twice_is_refused(sign: Sign) -> None:
    members = sign("ES256")
    text = body(members)[:-1] + b', "payload": "e30"}'
    assert refusal_of(text).clause == "RFC 7515 section 4"


@pytest.mark.parametrize("value", [None, [], "", 1, ["signatures"], "protected"])
def test_a_json_value_that_is_no_object_is_no_jws(value: object) -> None:
    refused = refusal_of(body(value))
    assert (refused.reason, refused.clause) == (Reason.MALFORMED, "RFC 8259 section 4")


def test_what_is_not_understood_is_ignored(sign: Sign) -> None:
    """RFC 7515 sections 4 and 7.2.1: unknown members, in the JWS and in its header."""
    assert rfc7515.parse(body({**sign("ES256"), "resource": "new-reg"})).algorithm == "ES256"
    assert rfc7515.parse(body(with_header({"alg": "ES256", "typ": "JOSE+JSON", "x": {"y": [1]}}))).algorithm == "ES256"


def test_white_space_and_escapes_of_the_outer_json_do_not_matter(sign: Sign) -> None:
    members = sign("ES256", b'{"a": "b/c"}')
    pretty = json.dumps(members, indent=4).replace('"payload"', '"\\u0070ayload"').replace("-", "\\u002d")
    jws = rfc7515.parse(pretty.encode() + b"\r\n")
    rfc7515.verify(jws, parse_jwk(jws.protected["jwk"]))


def test_what_is_signed_is_what_was_received(sign: Sign) -> None:
    """The signing input is made of the texts received, not of texts made again from what they say."""
    members = sign("ES256")
    header = json.loads(rfc4648.decode(members["protected"], "it"))
    rewritten = dict(members, protected=rfc4648.encode(json.dumps(header, indent=1).encode()))
    jws = rfc7515.parse(body(rewritten))
    with pytest.raises(Refused) as caught:
        rfc7515.verify(jws, parse_jwk(jws.protected["jwk"]))
    assert caught.value.reason is Reason.BAD_SIGNATURE


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(["ES256", "e30", "eyJhbGciOiJFUzI1NiJ9"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["alg", "kty", "crv", "x", "y", "n", "e"]), inner, max_size=4)
    ),
    max_leaves=6,
)
MEMBERS = st.dictionaries(st.sampled_from(["protected", "payload", "signature", "header", "signatures", "x"]), VALUES, max_size=5)
HEADERS = st.dictionaries(st.sampled_from(["alg", "jwk", "kid", "nonce", "url", "crit", "b64"]), VALUES, max_size=5)


@given(st.binary(max_size=60) | MEMBERS.map(body) | HEADERS.map(lambda header: body(with_header(header))))
@settings(max_examples=400)
def test_any_octets_are_a_jws_or_refused(octets: bytes) -> None:
    said = "accepted"
    try:
        jws = rfc7515.parse(octets)
        rfc7515.verify(jws, parse_jwk(jws.protected.get("jwk")))
    except Refused as refused:
        said = str(refused)
    assert said.isprintable()
    assert said == "accepted" or "(RFC " in said


@given(st.data())
@settings(max_examples=100)
def test_one_changed_octet_is_never_the_same_message(data: st.DataObject) -> None:
    members = _SIGNED
    text = bytearray(body(members))
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    try:
        jws = rfc7515.parse(bytes(text))
        rfc7515.verify(jws, _KEY)
    except Refused:
        return
    assert jws == rfc7515.parse(body(members))


_SIGNED = {
    "protected": "eyJhbGciOiJFZERTQSJ9",
    "payload": "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
    "signature": "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
}
_KEY = parse_jwk({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
