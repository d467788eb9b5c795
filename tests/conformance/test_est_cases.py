"""The examiner's EST cases in process, without a socket: the server conforms, and a server with a fault does not."""

import contextlib
import secrets
from functools import cache
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from conformance import kill_matrix
from conformance.est.session import EstSession
from conformance.protocols import load
from conformance.target import EstAccess, EstTarget, Target, TargetError
from conformance.transport import HttpResponse
from conformance.verdict import Verdict
from privca.base.entropy import token
from privca.base.exchange import Exchange
from privca.base.http import ChannelBinding, Peer, Request
from privca.faults import faults
from privca.faults.copies import copy
from privca.web import urls
from tests.est.conftest import CODE, ORIGIN, USER, Lab, Session
from tests.support.issuance_lab import run

CASES = {id: case for id, case in load().items() if case.protocol == "est"}
FAULTS = {name: fault for name, fault in faults().items() if fault.protocol == "est"}
RIGHT = {Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.UNSUPPORTED}
IDENTIFIER, SECRET = b"kek-1", bytes(range(32))


class Line:
    """A connection in process: a client certificate, and a channel binding, without TLS."""

    def __init__(self, place, enrolled, session):
        self._place, self._session = place, session
        self._certificate = None if enrolled is None else enrolled.certificate.public_bytes(Encoding.DER)

    @property
    def tls_unique(self):
        return self._session.channel_binding(ChannelBinding.TLS_UNIQUE)

    def exchange(self, request):
        parts = urlsplit(request.url)
        route = urls.find(parts.path)
        profile = route and (route.profile_id or self._place.default)
        if route is None or profile not in self._place.profiles:
            return HttpResponse(404, (), b"there is nothing here", request)
        lab = self._place.lab
        headers = {name.lower(): value for name, value in request.headers}
        tls = parts.scheme == "https"
        peer = Peer("192.0.2.9", tls, self._certificate if tls else None, self._session if tls else None)
        received = Request(request.method, parts.path, route.tail, parts.query, headers, request.body, peer, ORIGIN)
        exchange = Exchange(token(lab.entropy, 12), lab.clock.now(), lab.entropy, profile)
        reply = run(self._place.services.get(profile, lab.service).handle(exchange, received, self._place.revisioned(profile)))
        return HttpResponse(reply.status, tuple(reply.headers), reply.body, request)


class Place:
    """Connections to a service in this process."""

    def __init__(self, lab, default, profiles):
        self.lab, self.default, self.profiles = lab, default, profiles
        self.services = {}

    def revisioned(self, profile):
        return run(self.lab.store.profile(profile))

    def presenting(self, enrolled):
        return Line(self, enrolled, Session())

    @contextlib.contextmanager
    def bound(self, url, enrolled):
        yield Line(self, enrolled, Session("TLSv1.2", {ChannelBinding.TLS_UNIQUE: secrets.token_bytes(12)}))

    def exchange(self, request):
        return self.presenting(None).exchange(request)


SAN, KEY_USAGE = "2.5.29.17", "2.5.29.15"
STRICT = {
    "channel_binding": "required",
    "csr_attributes": ({"oid": "1.2.840.113549.1.9.14", "values": ("3010300e0603551d0f0101ff040403020388",)},),
    "csr_template": {
        "subject": ({"type": "CN"}, {"type": "O", "value": "Lab"}),
        "key": "P-256",
        "extensions": ({"oid": SAN}, {"oid": KEY_USAGE, "critical": True, "value": "03020388"}),
    },
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("est-cases"))
    plain = lab.profile(est={"server_keys": "clear"})
    waiting = lab.profile(approval_always=True, est={})
    strict = lab.profile(est=converted(STRICT), keys=("P-256",), tolerant=False)
    renaming = lab.profile(est={"server_keys": "clear"}, rename=True)
    keys = lab.directory / "keys" / "est" / plain
    keys.mkdir(parents=True)
    (keys / f"{IDENTIFIER.hex()}.key").write_text(SECRET.hex())
    (keys / f"{IDENTIFIER.hex()}.key").chmod(0o600)
    made = Place(lab, plain, {plain, waiting, strict, renaming})
    made.like = {"lab-est": plain, "lab-est-approval": waiting, "lab-est-strict": strict, "renaming": renaming}
    yield made
    lab.close()


def converted(options):
    from privca.issuance.options.est import CsrAttribute, CsrTemplate, TemplateAttribute, TemplateExtension

    template = options["csr_template"]
    return {
        **options,
        "csr_attributes": tuple(CsrAttribute(**one) for one in options["csr_attributes"]),
        "csr_template": CsrTemplate(
            subject=tuple(TemplateAttribute(**one) for one in template["subject"]),
            key=template["key"],
            extensions=tuple(TemplateExtension(**one) for one in template["extensions"]),
        ),
    }


def access(profile):
    return {"url": f"{ORIGIN}/.well-known/est/{profile}", "username": USER, "code": CODE}


def target(place, first="lab-est"):
    others = tuple(EstAccess(**access(id)) for name, id in place.like.items() if name != first)
    return Target(
        name="in process",
        est=EstTarget(
            **access(place.like[first]), others=others, decrypt_key_identifier=IDENTIFIER.hex(), decrypt_key=SECRET.hex()
        ),
    )


@pytest.fixture(scope="module")
def examined(place):
    """``examined(id)``: the result of a case, each of which is run once."""
    with EstSession(target(place), transport=place) as session:
        yield cache(lambda id: session.examine(CASES[id]))


@pytest.mark.parametrize("id", sorted(CASES))
def test_the_server_conforms(examined, id):
    result = examined(id)
    assert result.verdict in RIGHT, result.detail
    if not id.startswith("est.tls."):
        assert result.verdict is not Verdict.NOT_APPLICABLE or id in SETTINGS, result.detail


SETTINGS = {"est.csrattrs.kind-of-key", "est.template.rsa-size"}
"""Cases for servers that are set up in another way."""


def test_names_are_changed_where_the_profile_has_it(place):
    with EstSession(target(place, "renaming"), transport=place) as session:
        result = session.examine(CASES["est.reenroll.change-subject-name"])
    assert result.verdict is Verdict.PASS, result.detail


@pytest.mark.parametrize(
    "id", ["est.enroll.as-asked", "est.enroll.status-and-type", "est.csr.bad-signature", "est.reenroll.renewed"]
)
def test_a_certificate_serves_in_place_of_a_password(place, tmp_path, id):
    enrolled = place.lab.enroll(place.like["renaming"])
    (tmp_path / "c.pem").write_bytes(enrolled.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "k.pem").write_bytes(enrolled.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    url = access(place.like["renaming"])["url"]
    presented = EstTarget(url=url, certificate=str(tmp_path / "c.pem"), key=str(tmp_path / "k.pem"))
    with EstSession(Target(name="in process", est=presented), transport=place) as session:
        assert session.examine(CASES[id]).verdict is Verdict.PASS


def test_a_key_of_another_certificate_is_an_error_of_the_target(place, tmp_path):
    one, other = place.lab.enroll(place.like["renaming"]), place.lab.enroll(place.like["renaming"])
    (tmp_path / "c.pem").write_bytes(one.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "k.pem").write_bytes(other.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    broken = EstTarget(url=ORIGIN, certificate=str(tmp_path / "c.pem"), key=str(tmp_path / "k.pem"))
    with pytest.raises(TargetError, match="is not the key"), EstSession(Target(est=broken), transport=place):
        pass


def test_an_endpoint_that_demands_a_channel_binding_is_given_one(place):
    linked = EstTarget(**access(place.like["lab-est-strict"]), linked=True)
    with EstSession(Target(name="in process", est=linked), transport=place) as session:
        found = {id: session.examine(case) for id, case in CASES.items()}
    wrong = {id: result.detail for id, result in found.items() if result.verdict in kill_matrix.NOTICED | {Verdict.ERROR}}
    assert wrong == {}
    assert sum(result.verdict is Verdict.PASS for result in found.values()) > 75


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("est.reenroll.subject-unchecked", "est.reenroll.other-subject"),
        ("est.reenroll.names-unchecked", "est.reenroll.other-names"),
        ("est.csr.signature-unchecked", "est.csr.bad-signature"),
    ],
)
def test_what_is_refused_there_is_not_refused_for_want_of_it(place, monkeypatch, name, id):
    made = copy("privca.services.est", FAULTS[name].edits)
    strict = place.like["lab-est-strict"]
    monkeypatch.setitem(place.services, strict, made.EstService(rebuilt(place.lab.service._core, made)))
    linked = Target(name="in process", est=EstTarget(**access(strict), linked=True))
    with EstSession(linked, transport=place) as session:
        assert session.examine(CASES[id]).verdict is Verdict.FAIL


def test_most_of_the_cases_can_be_run_in_process(examined):
    assert sum(examined(id).verdict is Verdict.PASS for id in CASES) > 100


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_is_noticed_in_process(place, monkeypatch, name):
    fault = FAULTS[name]
    made = copy("privca.services.est", fault.edits)
    monkeypatch.setitem(place.services, place.like[fault.like], made.EstService(rebuilt(place.lab.service._core, made)))
    with EstSession(target(place, fault.like), transport=place) as session:
        # The first of them: the kill matrix runs them all.
        result = session.examine(next(case for case in CASES.values() if name in case.kills))
    assert result.verdict in kill_matrix.NOTICED, f"{result.case.id}: {result.verdict} {result.detail}"


def rebuilt(core, made):
    """The honest service's parts in the copy's types: what the copy makes itself is the copy's."""
    return made.Core(
        **{
            name: getattr(core, name)
            for name in core.__struct_fields__
            if name not in ("nonces", "pend_tokens", "pop_challenges")
        },
        nonces=made.Nonces(b"n" * 32),
        pend_tokens=made.PendTokens(b"p" * 32),
        pop_challenges=made.PopChallenges(b"c" * 32),
    )
