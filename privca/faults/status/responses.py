"""Faults of what an answer looks like, and of who signs it (RFC 6960 section 4.2)."""

from __future__ import annotations

from privca.faults.edits import ending, instead
from privca.faults.status.naming import ocsp

_ANSWER = "status.rfc6960:OcspResponder.answer"
_SIGNED = "status.rfc6960:OcspResponder._signed"
_DATA, _SINGLE = "pkix.rfc6960:response_data", "pkix.rfc6960:single_response"
_WHOLE = "pkix.rfc6960:successful"
_VERSION = "der.tlv(_CONSTRUCTED | 0, b'\\x02\\x01%s'), responder, "

FAULTS = (
    ocsp("response.version-2", "The version is 2", "4.2.2.3", instead(_DATA, "responder, ", _VERSION % "\\x01")),
    ocsp(
        "response.version-spelled-out",
        "The version, which is the default, is there",
        "4.2.1",
        instead(_DATA, "responder, ", _VERSION % "\\x00"),
    ),
    ocsp(
        "response.long-length",
        "A length has an octet too many",
        "A.2",
        ending(_WHOLE, "result = result[:1] + b'\\x83\\x00' + result[2:]"),
    ),
    ocsp(
        "response.other-type",
        "The response is of a type that nobody knows",
        "4.2.1",
        instead(_WHOLE, "_BASIC", "der.oid(x509.ObjectIdentifier('1.3.6.1.4.1.32473.2'))"),
    ),
    ocsp(
        "response.signature-wrong",
        "Something else is signed",
        "4.2.1",
        instead(_SIGNED, "delegate.reference, data,", "delegate.reference, data + b' ',"),
    ),
    ocsp(
        "response.sha-1",
        "The signature is one with SHA-1",
        "5.1.2",
        instead(_SIGNED, "successful(data, delegate.algorithm", "successful(data, bytes.fromhex('300906072a8648ce3d0401')"),
    ),
    ocsp(
        "response.certificate-missing",
        "The responder's certificate is left out, and its place is empty",
        "4.2.1",
        instead(_SIGNED, "[delegate.certificate]", "[]"),
    ),
    ocsp(
        "response.responder-other",
        "The CA is named as responder, and a delegate signs",
        "4.2.2.3",
        instead(_SIGNED, "responder_by_key(delegate.spki)", "responder_by_key(asked[0][1].signer.spki)"),
    ),
    ocsp(
        "response.responder-hash-with-unused-bits",
        "The hash of the responder's key is made over the number of unused bits, too",
        "4.2.1",
        instead("pkix.rfc6960:responder_by_key", "_key_octets(spki)", "b'\\x00' + _key_octets(spki)"),
    ),
    ocsp(
        "response.cert-id-other",
        "The answer is about another serial number",
        "4.2.2.3",
        instead(_SIGNED, "single_response(one.encoded", "single_response(one.encoded[:-1] + bytes((one.encoded[-1] ^ 1,))"),
    ),
    ocsp(
        "response.more",
        "Every answer is there twice",
        "4.2.2.3",
        instead(_SIGNED, "now, responses, extensions", "now, responses * 2, extensions"),
    ),
    ocsp(
        "response.first-alone",
        "The first certificate of a request is answered for, and no other",
        "4.2.2.3",
        instead(_ANSWER, "for one in request.certificates", "for one in request.certificates[:1]"),
    ),
    ocsp(
        "response.one-state-for-all",
        "All certificates of a request are in the state of the first",
        "2.2",
        instead(_ANSWER, "for one, key in asked]", "for one, key in asked][:1] * len(asked)"),
    ),
    ocsp(
        "response.fraction",
        "Times have a fraction of a second",
        "4.2.2.1",
        ending("pkix.rfc6960:_time", "result = b'\\x18\\x11' + result[2:-1] + b'.5Z'"),
    ),
    ocsp(
        "response.this-update-ahead",
        "The state is known as of a later time",
        "2.4",
        instead(_SINGLE, "_time(this_update)", "_time(next_update)"),
    ),
    ocsp(
        "response.next-update-passed",
        "Newer information was there before",
        "2.4",
        instead(_SINGLE, "_time(next_update)", "_time(this_update - (next_update - this_update))"),
    ),
    ocsp(
        "response.produced-ahead",
        "Answers are made next year",
        "2.4",
        instead(_DATA, "_time(produced)", "_time(produced.replace(year=produced.year + 1, day=1))"),
    ),
    ocsp(
        "response.archive-for-all",
        "The archive cutoff is in responseExtensions",
        "4.4.4",
        instead(_SIGNED, "responses, extensions = ([], [])", "responses, extensions = ([], list(shared))"),
    ),
    ocsp(
        "response.archive-utc-time",
        "The archive cutoff is UTCTime",
        "4.4.4",
        instead("pkix.rfc6960:archive_cutoff", "_time(at)", "der.tlv(23, _time(at)[4:])"),
    ),
    ocsp("delegate.no-purpose", "A delegate for CMP signs", "4.2.2.2", instead(_ANSWER, "Purpose.OCSP", "Purpose.CMP")),
    ocsp(
        "delegate.other-ca",
        "The delegate of another CA signs",
        "4.2.2.2",
        instead(
            _ANSWER,
            "self._delegates.current(authority, Purpose.OCSP, ca_key.signer.number)",
            "self._delegates.current(next((name for name in self._authorities.names if name != authority)), Purpose.OCSP, 1)",
        ),
    ),
)
