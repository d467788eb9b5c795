"""Every vector satisfies the schema, and the server makes of it what the vector says."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

import jsonschema
import pytest

import vectors
from privca.base.refused import Refused
from privca.pkix import rfc2986
from privca.pkix.rfc5280.names import attributes_of

PKCS10 = vectors.load("pkcs10")
BY_ID = {vector.id: vector for vector in PKCS10}


@pytest.mark.parametrize("vector", PKCS10, ids=lambda vector: vector.id)
def test_vector_satisfies_the_schema(vector: vectors.Vector) -> None:
    case = json.loads(vector.path.read_text())
    jsonschema.validate(case, vectors.schema(), cls=jsonschema.Draft202012Validator)
    assert vector.path.name == f"{vector.id}.json"
    assert vector.path.parent.name == case["kind"]
    if vector.verdict == "invalid":
        control, mutation = BY_ID[vector.control or ""], case["mutation"]
        assert control.verdict == "valid"
        before, after = bytes.fromhex(mutation["from"]), bytes.fromhex(mutation["to"])
        at, end = mutation["offset"], mutation["offset"] + len(before)
        assert control.octets[at:end] == before
        assert control.octets[:at] + after + control.octets[end:] == vector.octets


def test_schema_refuses_a_negative_without_control_or_mutation() -> None:
    invalid = next(vector for vector in PKCS10 if vector.verdict == "invalid")
    case = json.loads(invalid.path.read_text())
    for member in ("control", "mutation", "clause"):
        lacking = {key: value for key, value in case.items() if key != member}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(lacking, vectors.schema(), cls=jsonschema.Draft202012Validator)


def test_all_verdicts_are_there() -> None:
    assert set(Counter(vector.verdict for vector in PKCS10)) == {"valid", "acceptable", "invalid"}


@pytest.mark.parametrize("tolerant", [False, True], ids=["strict", "tolerant"])
@pytest.mark.parametrize("vector", PKCS10, ids=lambda vector: vector.id)
def test_certification_request(vector: vectors.Vector, tolerant: bool) -> None:
    if vector.verdict == "invalid" or (vector.verdict == "acceptable" and not tolerant):
        with pytest.raises(Refused):
            rfc2986.parse(vector.octets, tolerant=tolerant)
        return
    request = rfc2986.parse(vector.octets, tolerant=tolerant)
    subject = ",".join(f"{name}={value}" for name, value in reversed(attributes_of(request.subject)))
    assert {
        "subject": subject,
        "spki_sha256": hashlib.sha256(request.spki).hexdigest(),
        "names": [str(name) for name in request.names],
        "challenge_password": request.challenge_password,
    } == vector.expected
