"""OCSP responses, and the certificates of who signs them (RFC 6960 section 4.2)."""

from __future__ import annotations

from pyasn1_modules import rfc6960

from conformance.der import DerError
from conformance.pkix.encoding import faults
from conformance.pkix.lint import Found, lint
from conformance.pkix.lints.fields import time_faults
from conformance.pkix.reading import EXTENDED_KEY_USAGE, Certificate, dotted
from conformance.pkix.responses import Response
from conformance.pkix.seen import Seen

_OCSP_SIGNING, _NO_CHECK = "1.3.6.1.5.5.7.3.9", "1.3.6.1.5.5.7.48.1.5"
_SUCCESSFUL = 0


@lint("ocsp.der", "rfc6960:4.2.1#der", raw=True)
def der(octets: bytes, seen: Seen) -> Found:
    """A response is DER, and so is the BasicOCSPResponse in it"""
    found = faults(octets, rfc6960.OCSPResponse())
    try:
        one = Response.read(octets)
    except (DerError, IndexError) as error:
        return found or [str(error) or "a part of it is missing"]
    return found + (faults(one.basic, rfc6960.BasicOCSPResponse()) if one.has_bytes else [])


@lint("ocsp.error-alone", "rfc6960:4.2.1#no-bytes")
def error_alone(one: Response, seen: Seen) -> Found:
    """An error has nothing but its status"""
    if one.status == _SUCCESSFUL:
        return None
    return ["it has responseBytes"] if one.has_bytes else []


@lint("ocsp.version", "rfc6960:4.2.2.3#version")
def version(one: Response, seen: Seen) -> Found:
    """A response is of version 1"""
    if not one.has_bytes:
        return None
    return [] if one.version == 0 else [f"its version is {one.version + 1}"]


@lint("ocsp.times", "rfc6960:4.2.2.1#time-format")
def times(one: Response, seen: Seen) -> Found:
    """Times have seconds and no fraction of them, and are of Greenwich"""
    found = list(one.times())
    return [fault for value in found for fault in time_faults(value)] if found else None


@lint("ocsp.certificates", "rfc6960:4.2.1#certs-absent")
def certificates(one: Response, seen: Seen) -> Found:
    """A response without certificates has no field for them"""
    if not one.has_bytes or one.certificates:
        return None
    return ["the field certs is there, and empty"] if one.has_empty_certificates else []


@lint("certificate.no-check-criticality", "rfc6960:4.2.2.2.1#nocheck-critical")
def no_check_criticality(one: Certificate, seen: Seen) -> Found:
    """The extension ocsp-nocheck is not critical"""
    found = one.extension(_NO_CHECK)
    return None if found is None else ["it is critical"] if found.critical else []


@lint("certificate.no-check-value", "rfc6960:4.2.2.2.1#nocheck-null")
def no_check_value(one: Certificate, seen: Seen) -> Found:
    """The extension ocsp-nocheck is NULL"""
    found = one.extension(_NO_CHECK)
    return None if found is None else [] if found.value == b"\x05\x00" else [f"its value is {found.value.hex()}"]


@lint("certificate.ocsp-signing", "rfc6960:4.2.2.2#ocsp-signing")
def ocsp_signing(one: Certificate, seen: Seen) -> Found:
    """Who signs OCSP responses for a CA without being it has the key purpose OCSPSigning"""
    if one.is_ca or one.octets not in seen.responders:
        return None
    value = one.value(EXTENDED_KEY_USAGE)
    usages = [dotted(part.octets) for part in value.parts] if value is not None else []
    return [] if _OCSP_SIGNING in usages else [f"its key purposes are {usages}"]
