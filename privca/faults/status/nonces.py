"""Faults of the nonce (RFC 9654)."""

from __future__ import annotations

from privca.faults.edits import instead
from privca.faults.fault import Fault
from privca.faults.status.naming import ocsp

_READ, _NONCE = "pkix.rfc6960:read_request", "pkix.rfc6960:_nonce"
_SIGNED = "status.rfc6960:OcspResponder._signed"
_LENGTHS = "1 <= len(nonce) <= MAXIMUM_NONCE"
_DECODED = "der.decode(_OctetString, der.tlv(_SEQUENCE, value), clause=_NONCE).value"
_RFC = "RFC 9654 section 2.1"


def _lengths(name: str, title: str, test: str) -> Fault:
    return ocsp(f"nonce.{name}", title, _RFC, instead(_NONCE, _LENGTHS, test))


FAULTS = (
    _lengths("short-refused", "Nonces of less than 32 octets are refused", "32 <= len(nonce) <= MAXIMUM_NONCE"),
    _lengths("long-refused", "Nonces of more than 32 octets are refused", "1 <= len(nonce) <= 32"),
    _lengths("empty-accepted", "A nonce of 0 octets is accepted", "len(nonce) <= MAXIMUM_NONCE"),
    _lengths("long-accepted", "A nonce of 129 octets is accepted", "1 <= len(nonce) <= 4096"),
    ocsp(
        "nonce.unencoded-accepted",
        "A nonce that is no OCTET STRING is accepted",
        _RFC,
        instead(_NONCE, _DECODED, "value[2:] if value[:1] == b'\\x04' else value"),
    ),
    ocsp(
        "nonce.short-left-out",
        "Nonces of less than 24 octets do not come back",
        _RFC,
        instead(_READ, "_nonce(one.value)", "(_nonce(one.value) if len(one.value) >= 26 else None)"),
    ),
    ocsp(
        "nonce.other",
        "The nonce comes back backwards",
        _RFC,
        instead(_SIGNED, "nonce_extension(nonce)", "nonce_extension(nonce[::-1])"),
    ),
    ocsp(
        "nonce.first-kept",
        "The first nonce comes back to everybody",
        _RFC,
        instead(_SIGNED, "nonce_extension(nonce)", "nonce_extension(self.__dict__.setdefault('nonce', nonce))"),
    ),
    ocsp(
        "nonce.unencoded",
        "The nonce of the answer is no OCTET STRING",
        _RFC,
        instead("pkix.rfc6960:nonce_extension", "der.tlv(_OCTET_STRING, nonce)", "nonce"),
    ),
)
