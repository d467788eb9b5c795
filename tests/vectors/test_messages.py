"""Every recorded message satisfies the schema, holds together with its request, its keys and its channel, and is read by tools that are not ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64decode
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import vectors

MESSAGES = [
    vector for kind in ("acme", "est", "scep", "cmp") for vector in vectors.load(kind) if vector.origin["type"] == "recorded"
]
BY_ID = {vector.id: vector for vector in MESSAGES}
SCEP_SIGNED = [vector for vector in MESSAGES if "message_type" in vector.expected]


def test_all_recordings_are_there() -> None:
    counted = Counter((vector.path.parent.name, vector.direction) for vector in MESSAGES)
    assert counted == {
        ("acme", "request"): 94,
        ("acme", "reply"): 94,
        ("est", "request"): 41,
        ("est", "reply"): 41,
        ("scep", "request"): 30,
        ("scep", "reply"): 21,
        ("cmp", "request"): 33,
        ("cmp", "reply"): 32,
    }


def test_messages_satisfy_the_schema() -> None:
    validator = jsonschema.Draft202012Validator(vectors.schema())
    jsonschema.Draft202012Validator.check_schema(vectors.schema())
    for vector in MESSAGES:
        case = json.loads(vector.path.read_text())
        validator.validate(case)
        assert vector.path.name == f"{vector.id}.json"
        assert vector.path.parent.name == case["kind"]


@pytest.mark.parametrize(
    "change",
    [{"direction": None}, {"reply_to": None}, {"tls": {"version": "TLSv1.2", "cipher": "x"}}],
    ids=["no direction", "a reply to nothing", "TLS of SCEP"],
)
def test_schema_refuses_a_message_without_what_it_must_have(change: dict[str, object]) -> None:
    case = json.loads(BY_ID["scep.sscep.getcrl.reply"].path.read_text())
    changed = {key: value for key, value in {**case, **change}.items() if value is not None}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed, vectors.schema(), cls=jsonschema.Draft202012Validator)


def test_replies_and_keys_are_there() -> None:
    for vector in MESSAGES:
        assert all(vectors.file(name).is_file() for name in vector.needs), vector.id
        if vector.reply_to is not None:
            assert vectors.reply_to(BY_ID[vector.reply_to]) == vector


@pytest.mark.parametrize("path", sorted(vectors.file("").glob("*.*")), ids=lambda path: path.name)
def test_keys_can_be_read(path: Path) -> None:
    match path.suffix:
        case ".key":
            load_pem_private_key(path.read_bytes(), None)
        case ".pem":
            assert x509.load_pem_x509_certificates(path.read_bytes())
        case _:
            assert set(vectors.secrets()) == {"scep", "est", "cmp"}


@pytest.mark.parametrize(
    "vector", [vector for vector in MESSAGES if vector.path.parent.name != "cmp"], ids=lambda vector: vector.id
)
def test_http_messages_come_apart(vector: vectors.Vector) -> None:
    message = vectors.http.parse(vector.octets)
    assert message.start == vector.expected.get("request_line", vector.expected.get("status", message.start))
    assert len(message.rest) == vector.expected.get("octets_after_content_length", 0)
    if vector.direction == "reply":
        assert message.status in (200, 201, 202, 204, 400, 401, 404, 500)


@pytest.mark.parametrize("vector", [vector for vector in MESSAGES if vector.tls.get("tls_unique")], ids=lambda vector: vector.id)
def test_rfc5929_tls_unique_is_in_the_request_that_proves_possession(vector: vectors.Vector) -> None:
    """Section 3.1: the first Finished, which in a resumed session is the server's."""
    first = "server_finished" if vector.tls.get("resumed") else "client_finished"
    assert vector.tls["tls_unique"] == vector.tls[first]
    if password := vector.expected.get("challenge_password"):
        assert b64decode(password).hex() == vector.tls["tls_unique"]


@pytest.mark.parametrize("vector", SCEP_SIGNED, ids=lambda vector: vector.id)
def test_rfc8894_openssl_verifies_what_the_client_signed(vector: vectors.Vector, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl command")
    message = vectors.http.parse(vector.octets)
    (tmp_path / "message").write_bytes(vectors.http.scep_message(message) if vector.direction == "request" else message.body)
    argv = ["openssl", "cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-in", "message", "-out", "content"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "content").stat().st_size
