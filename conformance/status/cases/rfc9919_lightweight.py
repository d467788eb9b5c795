"""RFC 9919: what a responder owes that follows the lightweight profile, so that its answers can be kept and given again."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from cryptography import x509

from conformance.case import case
from conformance.examination import Inconclusive, Unsupported
from conformance.status import ocsp
from conformance.status.lab import SKEW, StatusLab
from conformance.status.ocsp import BASIC, NO_CHECK, NOBODY_KNOWS, Extension
from conformance.status.strict import generalized_time, violations
from conformance.transport import HttpResponse

NEEDS = ["ocsp", "lightweight"]
_LONG = timedelta(days=100)
"""A responder's certificate that lives longer is not "relatively short-lived"; RFC 6960 section 4.2.2.2.1 speaks of a very short lifetime."""
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=\"?(\d+)", re.IGNORECASE)


@case(
    "status.lightweight.basic",
    covers=["rfc9919:3.2.1#basic", "rfc9919:3.2.1#der", "rfc9919:6#http"],
    kills=["status.response.other-type", "status.response.long-length"],
    needs=NEEDS,
)
def basic(lab: StatusLab) -> None:
    """By POST and by GET there is a BasicOCSPResponse in DER"""
    octets = lab.request(lab.good.serial)
    for response in (lab.client.post(octets), lab.client.get(octets)):
        found = lab.read(response)
        lab.require(found.status == 0, f"expected an answer, got {found.said}", "rfc9919:6#http")
        lab.check(found.kind == BASIC, f"expected id-pkix-ocsp-basic, got {found.kind}")
        wrong = [*violations(response.body), *violations(found.octets)]
        lab.check(not wrong, "; ".join(wrong), "rfc9919:3.2.1#der")


@case(
    "status.lightweight.by-key",
    covers=["rfc9919:3.2.2#by-key"],
    kills=["status.lightweight.by-name"],
    needs=NEEDS,
)
def by_key(lab: StatusLab) -> None:
    """The responder is named by its key"""
    kind, _ = lab.answer(lab.request(lab.good.serial)).responder
    lab.check(kind == "key", "the responder is named by its name")


@case(
    "status.lightweight.times",
    covers=[
        "rfc9919:3.2.4#next-update",
        "rfc9919:3.2.4#times",
        "rfc9919:3.2.4#zulu",
        "rfc9919:3.2.4#no-fraction",
        "rfc9919:5#clock",
    ],
    kills=["status.lightweight.no-next-update", "status.response.fraction", "status.response.next-update-passed"],
    needs=NEEDS,
)
def times(lab: StatusLab) -> None:
    """Each answer has nextUpdate, its times have no fraction, and now is between thisUpdate and nextUpdate"""
    answer = lab.answer(lab.request(lab.good.serial))
    found = lab.single(answer, lab.good.serial)
    lab.require(found.next_update is not None, "there is no nextUpdate")
    written = [answer.produced_at, found.this_update, str(found.next_update)]
    for text in written:
        lab.check("." not in text, f"{text} has a fraction of a second", "rfc9919:3.2.4#no-fraction")
        lab.check(text.endswith("Z") and len(text) >= len("YYYYMMDDHHMMSSZ"), f"{text} is not in GMT", "rfc9919:3.2.4#zulu")
    produced, first, last = (generalized_time(text) for text in written)
    lab.require(produced is not None and first is not None and last is not None, "a time cannot be read", "rfc9919:3.2.4#times")
    assert produced is not None
    assert first is not None
    assert last is not None
    lab.check(first <= produced <= last, f"signed at {produced}, from {first} to {last}", "rfc9919:3.2.4#times")
    at = lab.now()
    lab.check(first - SKEW <= at <= last + SKEW, f"from {first} to {last}, and it is {at}", "rfc9919:5#clock")


@case(
    "status.lightweight.delegate",
    covers=["rfc9919:3.2.2#certs", "rfc9919:3.2.2#nocheck", "rfc9919:3.2.2#no-places", "rfc9919:3.2.2#short-lived"],
    kills=["status.response.certificate-missing", "status.delegate.no-purpose"],
    needs=NEEDS,
)
def delegate(lab: StatusLab) -> None:
    """The certificate of a delegate comes with the answer, and need not be looked up: nocheck, short-lived, and no place to look"""
    answer = lab.answer(lab.request(lab.good.serial))
    found = lab.signer(answer)
    lab.require(found is not None, "the certificate of whoever signed is not in the answer")
    assert found is not None
    if found == lab.issuer:
        raise Unsupported("the CA signs by itself")
    carried = {one.oid.dotted_string for one in found.extensions}
    lab.check(NO_CHECK in carried, "the delegate's certificate has no id-pkix-ocsp-nocheck", "rfc9919:3.2.2#nocheck")
    points = [type_.oid.dotted_string for type_ in (x509.AuthorityInformationAccess, x509.CRLDistributionPoints)]
    lab.check(points[1] not in carried, "the delegate's certificate tells where a CRL is", "rfc9919:3.2.2#no-places")
    life = found.not_valid_after_utc - found.not_valid_before_utc
    lab.check(life <= _LONG, f"the delegate's certificate lives for {life.days} days", "rfc9919:3.2.2#short-lived")


@case(
    "status.lightweight.unauthorized",
    covers=["rfc9919:3.2.3#unauthorized"],
    kills=["status.error.always-internal", "status.state.issuer-unchecked"],
    needs=NEEDS,
)
def unauthorized(lab: StatusLab) -> None:
    """Who has no records of a CA says unauthorized"""
    lab.control()
    asked = replace(lab.cert_id(lab.good.serial), name_hash=secrets.token_bytes(20), key_hash=secrets.token_bytes(20))
    lab.refused(lab.client.post(ocsp.request([asked])), {"unauthorized"})


@case(
    "status.lightweight.requestor-name",
    covers=["rfc9919:3.1.2#requestor-name"],
    kills=["status.request.requestor-refused"],
    needs=NEEDS,
)
def requestor_name(lab: StatusLab) -> None:
    """A request that names its requestor, and is not signed, is answered as if it did not"""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "examiner")])
    found = lab.wanted(lab.client.post(lab.request(lab.good.serial, requestor=name)))
    state = lab.single(found, lab.good.serial).state
    lab.check(state == "good", f"expected good, got {state}")


@case(
    "status.lightweight.sparse",
    covers=["rfc9919:3.2.1#one", "rfc9919:3.2.1#no-extensions"],
    kills=["status.response.more", "status.response.archive-for-all"],
    needs=NEEDS,
)
def sparse(lab: StatusLab) -> None:
    """An answer has one SingleResponse, and no extensions of its own unless there is a nonce"""
    found = lab.answer(lab.request(lab.good.serial))
    lab.check(len(found.singles) == 1, f"{len(found.singles)} answers to a request for one certificate")
    carried = ", ".join(one.oid for one in found.extensions)
    lab.check(not carried, f"responseExtensions with {carried}", "rfc9919:3.2.1#no-extensions")


@case(
    "status.lightweight.options",
    covers=["rfc9919:3.2.1#most-complete", "rfc9919:3.2.1#without-nonce"],
    kills=["status.request.extension-refused", "status.nonce.long-refused"],
    needs=NEEDS,
)
def options(lab: StatusLab) -> None:
    """A request with an option is answered as well as can be: a nonce, an extension that nobody knows"""
    lab.control()
    unknown = Extension(NOBODY_KNOWS, False, b"\x05\x00")
    lab.wanted(lab.client.post(lab.request(lab.good.serial, carried=[unknown])))
    for length in (32, 64):
        nonce = secrets.token_bytes(length)
        lab.wanted(lab.client.post(lab.request(lab.good.serial, nonce=nonce)), "rfc9919:3.2.1#without-nonce")


def _directives(response: HttpResponse) -> str:
    return ", ".join([*response.values("Cache-Control"), *(f"Pragma {value}" for value in response.values("Pragma"))]).lower()


def _date(response: HttpResponse, name: str) -> datetime | None:
    try:
        return parsedate_to_datetime(response.header(name) or "").astimezone(UTC)
    except ValueError:
        return None


@case(
    "status.lightweight.kept",
    covers=["rfc9919:7.2#no-cache", "rfc9919:7.2#fields", "rfc9919:6#fields", "rfc9919:7.1#max-age"],
    kills=["status.lightweight.not-kept", "status.lightweight.no-fields", "status.lightweight.kept-too-long"],
    needs=NEEDS,
)
def kept(lab: StatusLab) -> None:
    """An answer by GET may be kept, for no longer than it holds: Last-Modified, ETag, Expires and max-age say so"""
    response = lab.client.get(lab.request(lab.good.serial))
    found = lab.single(lab.answered(response), lab.good.serial)
    said = _directives(response)
    lab.check("no-cache" not in said and "no-store" not in said, f"an answer with {said}")
    last = generalized_time(found.next_update or "")
    if last is None:
        raise Inconclusive("there is no nextUpdate that can be read")
    for name in ("Last-Modified", "ETag", "Expires", "Cache-Control"):
        lab.check(response.header(name), f"there is no {name}", "rfc9919:6#fields")
    expires, modified = _date(response, "Expires"), _date(response, "Last-Modified")
    lab.check(expires is None or expires == last, f"Expires is {expires}, nextUpdate {last}", "rfc9919:7.2#fields")
    lab.check(modified is None or modified <= lab.now() + SKEW, f"Last-Modified {modified} is ahead", "rfc9919:7.2#fields")
    age = _MAX_AGE.search(said)
    lab.check(age is not None, f"there is no max-age: {said or 'nothing'}", "rfc9919:7.1#max-age")
    if age is not None:
        until = lab.now() + timedelta(seconds=int(age[1]))
        lab.check(until <= last + SKEW, f"max-age lasts until {until}, nextUpdate is {last}", "rfc9919:7.2#fields")


@case(
    "status.lightweight.errors-not-kept",
    covers=["rfc9919:7.2#errors"],
    kills=["status.lightweight.errors-kept"],
    needs=NEEDS,
)
def errors_not_kept(lab: StatusLab) -> None:
    """What is not signed is not kept: no-cache or no-store"""
    lab.control()
    asked = replace(lab.cert_id(lab.good.serial), name_hash=secrets.token_bytes(20), key_hash=secrets.token_bytes(20))
    response = lab.client.get(ocsp.request([asked]))
    if lab.read(response).status == 0:
        raise Inconclusive("no error is told")
    said = _directives(response)
    lab.check("no-cache" in said or "no-store" in said, f"an error with {said or 'no word on caches'}")
