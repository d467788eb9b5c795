"""A look at what was seen: what is fetched for it, what is told, and when nothing can be said."""

import pytest

from conformance.case import REGISTRY, selected
from conformance.examination import Exchange, Issued, Kind
from conformance.pkix.cases import load
from conformance.pkix.cases.lints import MOST_TOLD
from conformance.pkix.lab import MOST_FETCHED
from conformance.pkix.session import PkixSession
from conformance.protocols import load as load_all
from conformance.target import AcmeTarget, Target
from conformance.transport import HttpRequest, HttpResponse, Unreachable
from conformance.verdict import Verdict
from tests.support.raw_certificate import ca, certificate, crl, extension, oid, seq, tlv

load()
TARGET = Target(acme=AcmeTarget(directory="https://ca.example.test/directory"))
CRL, CA, REPOSITORY = "http://ca.example.test/crl", "http://ca.example.test/ca", "http://ca.example.test/repository"
REPLY = HttpResponse(200, (), b"", HttpRequest("POST", "https://ca.example.test/cert/1"))


def pointing(crl_url=CRL, ca_url=CA):
    return certificate(
        crl=extension("2.5.29.31", seq(seq(tlv(0xA0, tlv(0xA0, tlv(0x86, crl_url.encode())))))),
        access=extension("1.3.6.1.5.5.7.1.1", seq(seq(oid("1.3.6.1.5.5.7.48.2"), tlv(0x86, ca_url.encode())))),
        repository=extension("1.3.6.1.5.5.7.1.11", seq(seq(oid("1.3.6.1.5.5.7.48.5"), tlv(0x86, REPOSITORY.encode())))),
    )


class Web:
    """What is behind URLs: media type and body; nothing answers where there is none."""

    def __init__(self, **pages):
        self.pages = {
            CRL: ("application/pkix-crl", crl()),
            CA: ("application/pkix-cert", ca()),
            REPOSITORY: ("application/pkix-cert", ca()),
            **pages,
        }
        self.asked = []

    def exchange(self, request):
        self.asked.append(request.url)
        if request.url not in self.pages:
            raise Unreachable(request.url)
        media_type, body = self.pages[request.url]
        status = 200 if body else 404
        return HttpResponse(status, (("Content-Type", media_type),), body, request)


def examined(id, *octets, web=None):
    issued = [Issued(Kind.CERTIFICATE, one, Exchange("setup", REPLY)) for one in octets]
    with PkixSession(TARGET, transport=web or Web(), issued=issued) as session:
        return session.examine(REGISTRY[id])


def test_cases_that_look_back_come_last():
    ids = [case.id for case in selected(load_all().values(), protocols={"pkix", "acme"})]
    protocols = [id.partition(".")[0] for id in ids]
    assert protocols.index("pkix") > len(protocols) - protocols[::-1].index("acme") - 1


def test_nothing_seen_is_not_applicable():
    result = examined("pkix.certificate.serial-positive")
    assert result.verdict is Verdict.NOT_APPLICABLE
    assert "saw no certificate" in result.detail


def test_nothing_concerned_is_not_applicable():
    result = examined("pkix.certificate.name-constraints", certificate())
    assert result.verdict is Verdict.NOT_APPLICABLE
    assert "none of the 1 certificates" in result.detail


def test_a_finding_keeps_the_message_and_the_certificate():
    result = examined("pkix.certificate.serial-positive", certificate(serial=b"\x80"))
    assert result.verdict is Verdict.FAIL
    assert "certificate 80, SHA-256" in result.detail
    assert result.exchanges[0].response is REPLY
    assert result.exchanges[0].note.startswith("certificate: MI")


def test_a_should_is_a_warning():
    assert examined("pkix.certificate.subject-key", certificate(ski=None)).verdict is Verdict.WARN


def test_what_a_ca_does_each_time_is_told_a_few_times():
    result = examined("pkix.certificate.serial-positive", *(certificate(serial=bytes((0x80 + n,))) for n in range(9)))
    assert len(result.exchanges) == MOST_TOLD
    assert f"and {9 - MOST_TOLD} more of 9" in result.detail


def test_the_same_certificate_counts_once():
    result = examined("pkix.certificate.serial-unique", certificate(), certificate(), certificate(serial=b"\x12"))
    assert result.verdict is Verdict.PASS


def test_what_certificates_point_to_is_fetched_once_and_looked_at():
    web = Web()
    assert examined("pkix.crl.number-length", pointing(), web=web).verdict is Verdict.PASS
    assert sorted(web.asked) == sorted([CRL, CA, REPOSITORY])
    assert examined("pkix.certificate.crl-issuer", pointing()).verdict is Verdict.PASS


def test_no_more_is_fetched_than_is_of_use():
    web = Web()
    many = [pointing(crl_url=f"{CRL}/{n}", ca_url=f"{CA}/{n}") for n in range(MOST_FETCHED)]
    examined("pkix.crl.number-length", *many, web=web)
    assert len(web.asked) == MOST_FETCHED


@pytest.mark.parametrize("id", ["crl", "ca-certificate", "repository"])
def test_publication_passes(id):
    assert examined(f"pkix.publication.{id}", pointing()).verdict is Verdict.PASS


@pytest.mark.parametrize(("id", "url"), [("crl", CRL), ("ca-certificate", CA), ("repository", REPOSITORY)])
@pytest.mark.parametrize(
    ("page", "verdict"),
    [
        pytest.param(("text/html", b""), Verdict.FAIL, id="not found"),
        pytest.param(("application/pkix-crl", b"-----BEGIN X509 CRL-----"), Verdict.FAIL, id="no DER"),
        pytest.param(None, Verdict.WARN, id="another media type"),
    ],
)
def test_publication_that_is_wrong(id, url, page, verdict):
    web = Web()
    web.pages[url] = page or ("application/octet-stream", web.pages[url][1])
    assert examined(f"pkix.publication.{id}", pointing(), web=web).verdict is verdict


def test_publication_that_cannot_be_reached_says_nothing():
    web = Web()
    web.pages.clear()
    assert examined("pkix.publication.crl", pointing(), web=web).verdict is Verdict.INCONCLUSIVE


def test_certificates_in_cms_are_as_good():
    signed = seq(tlv(0x02, b"\x01"), tlv(0x31), seq(oid("1.2.840.113549.1.7.1")), tlv(0xA0, ca()), tlv(0x31))
    bag = seq(oid("1.2.840.113549.1.7.2"), tlv(0xA0, signed))
    web = Web(**{CA: ("application/pkcs7-mime", bag)})
    assert examined("pkix.publication.ca-certificate", pointing(), web=web).verdict is Verdict.PASS
