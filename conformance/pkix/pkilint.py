"""pkilint, called as a program in an environment of its own: a second opinion of what was issued, told and not judged."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from conformance import tools
from conformance.der import encode
from conformance.examination import Issued, Kind
from conformance.pkix.reading import Certificate
from conformance.pkix.seen import Seen

MOST_ASKED = 12
"""Things of one kind that pkilint is asked about: each costs half a second."""
_PATIENCE = 60.0
_CALLS = {
    Kind.CERTIFICATE: ("lint_pkix_cert", "lint"),
    Kind.CRL: ("lint_crl", "lint", "--type", "CRL", "--profile", "PKIX"),
    Kind.OCSP_RESPONSE: ("lint_ocsp_response", "lint"),
}


class OpinionError(Exception):
    """pkilint did not give an opinion: what it said."""


def chosen(seen: Seen, kind: Kind) -> list[Issued]:
    """One of each sort: certificates of one issuer with the same extensions and the same kind of key are alike."""
    alike: dict[object, Issued] = {}
    for one in seen.of(kind):
        alike.setdefault(_sort(seen, one), one)
    return list(alike.values())[:MOST_ASKED]


def _sort(seen: Seen, issued: Issued) -> object:
    one = seen.read.get(issued)
    if not isinstance(one, Certificate):
        return issued.octets
    return encode(one.issuer), frozenset((item.oid, item.critical) for item in one.extensions), one.key_algorithm


def opinion(program: Path, issued: Issued) -> list[str]:
    """What pkilint has to say of a thing, from NOTICE up. :param program: ``lint_pkix_cert``; the others are beside it. :raises OpinionError:"""
    name, *arguments = _CALLS[issued.kind]
    with tempfile.NamedTemporaryFile(prefix="conformance-", suffix=".der") as file:
        file.write(issued.octets)
        file.flush()
        call = [str(program.with_name(name)), *arguments, "--severity", "NOTICE", "--format", "JSON", "--document-format", "DER"]
        try:
            done = tools.run([*call, file.name], _PATIENCE)
        except (OSError, subprocess.TimeoutExpired) as failure:
            raise OpinionError(f"{name}: {failure}") from None
    try:
        return list(_told(json.loads(done.stdout)["results"]))
    except (ValueError, KeyError, TypeError) as failure:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:] or [type(failure).__name__]
        raise OpinionError(f"{name} ended with {done.returncode}: {said[0][:200]}") from None


def _told(results: Iterable[dict[str, object]]) -> Iterable[str]:
    for one in results:
        descriptions = one["finding_descriptions"]
        assert isinstance(descriptions, list)
        for finding in descriptions:
            said = f": {finding['message']}" if finding.get("message") else ""
            yield f"{finding['severity']} {finding['code']} at {one['node_path']}{said}"
