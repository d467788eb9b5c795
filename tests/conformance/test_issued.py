"""What a bench hands over is kept with the exchange that it came in."""

import base64

from conformance.case import Case
from conformance.examination import Examination, Issued, Kind, examine
from conformance.transport import HttpRequest, HttpResponse, pem_certificates


def test_what_was_issued_is_in_the_result():
    reply = HttpResponse(200, (), b"", HttpRequest("GET", "https://ca.example.test/"))

    def body(examination):
        examination.issued(b"before")
        examination.record(reply)
        examination.issued(b"one", b"two")
        examination.issued(b"list", kind=Kind.CRL)
        examination.check(True, "")

    examination = Examination(Case("acme.test.case", "", ("rfc8555:7.1#x",), body))
    result = examine(examination, examination, frozenset())
    came = result.exchanges[0]
    assert result.issued == (
        Issued(Kind.CERTIFICATE, b"before", None),
        Issued(Kind.CERTIFICATE, b"one", came),
        Issued(Kind.CERTIFICATE, b"two", came),
        Issued(Kind.CRL, b"list", came),
    )


def test_certificates_come_out_of_pem_as_octets_whatever_they_are():
    def pem(octets):
        return b"-----BEGIN CERTIFICATE-----\n" + octets + b"\n-----END CERTIFICATE-----\n"

    text = b"subject=a\n" + pem(base64.encodebytes(b"\x30" * 80)) + pem(b"AAA") + pem(base64.b64encode(b"two"))
    assert pem_certificates(text) == [b"\x30" * 80, b"two"]
