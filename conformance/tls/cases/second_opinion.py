"""What sslyze says of the same, with other means, and of what needs a whole attack (heartbleed, ROBOT, CCS injection)."""

from __future__ import annotations

from conformance.case import case
from conformance.tls.lab import TlsLab

_OLD = {
    "ssl_2_0": "rfc9325:3.1.1#ssl-2",
    "ssl_3_0": "rfc9325:3.1.1#ssl-3",
    "tls_1_0": "rfc9325:3.1.1#tls-1-0",
    "tls_1_1": "rfc9325:3.1.1#tls-1-1",
}
_WEAK = {
    "_NULL_": "rfc9325:4.1#null",
    "_RC4_": "rfc9325:4.1#rc4",
    "EXPORT": "rfc9325:4.1#112-bits",
    "_DES_CBC": "rfc9325:4.1#112-bits",
    "_anon_": "rfc9325:4.1#112-bits",
    "3DES": "rfc9325:4.1#128-bits",
    "TLS_RSA_": "rfc9325:4.1#rsa-key-transport",
    "TLS_DH_": "rfc9325:4.1#static-dh",
    "TLS_ECDH_": "rfc9325:4.1#static-ecdh",
    "TLS_DHE_": "rfc9325:4.1#dhe",
}
"""What a suite has in its name, and what it breaks thereby."""


@case("tls.sslyze.versions", covers=[*_OLD.values(), "rfc9325:3.1.1#tls-1-2", "rfc9325:3.1.1#tls-1-3"], needs=["sslyze"])
def versions(lab: TlsLab) -> None:
    """By sslyze: the versions that are there"""
    scan = lab.scan
    for version, requirement in _OLD.items():
        lab.check(not scan.suites(version), f"{version} is accepted", requirement)
    lab.check(scan.suites("tls_1_2"), "TLS 1.2 is not there", "rfc9325:3.1.1#tls-1-2")
    lab.check(scan.suites("tls_1_3"), "TLS 1.3 is not there", "rfc9325:3.1.1#tls-1-3")


@case("tls.sslyze.suites", covers=sorted(set(_WEAK.values())), needs=["sslyze"])
def suites(lab: TlsLab) -> None:
    """By sslyze: none of the cipher suites of TLS 1.2 that are accepted is weak"""
    accepted = lab.scan.suites("tls_1_2")
    for mark, requirement in _WEAK.items():
        weak = [name for name in accepted if mark in name]
        lab.check(not weak, f"accepted: {', '.join(weak)}", requirement)


@case("tls.sslyze.compression", covers=["rfc9325:3.3#compression"], needs=["sslyze"])
def compression(lab: TlsLab) -> None:
    """By sslyze: nothing is compressed"""
    lab.check(lab.scan.of("tls_compression")["supports_compression"] is False, "compression is accepted")


@case("tls.sslyze.renegotiation", covers=["rfc9325:3.5#renegotiation-info"], needs=["sslyze"])
def renegotiation(lab: TlsLab) -> None:
    """By sslyze: renegotiation is secure, and no client can have it again and again"""
    found = lab.scan.of("session_renegotiation")
    lab.check(found["supports_secure_renegotiation"], "renegotiation_info is not there")
    count = found["client_renegotiations_success_count"]
    lab.check(not found["is_vulnerable_to_client_renegotiation_dos"], f"a client had {count} handshakes on one connection")


@case("tls.sslyze.extended-master-secret", covers=["rfc9325:3.5#extended-master-secret"], needs=["sslyze"])
def extended_master_secret(lab: TlsLab) -> None:
    """By sslyze: the extended master secret is there"""
    lab.check(lab.scan.of("tls_extended_master_secret")["supports_ems_extension"], "it is not")


@case("tls.sslyze.curves", covers=["rfc9325:4.2.1#curves"], needs=["sslyze"])
def curves(lab: TlsLab) -> None:
    """By sslyze: P-256 and X25519 are there"""
    found = {one["name"] for one in lab.scan.of("elliptic_curves")["supported_curves"] or ()}
    lab.check({"X25519", "secp256r1"} <= found or {"X25519", "prime256v1"} <= found, f"there are {sorted(found)}")


@case("tls.sslyze.attacks", covers=["rfc9325:3.1.1#tls-1-2"], needs=["sslyze"])
def attacks(lab: TlsLab) -> None:
    """By sslyze: neither Heartbleed, nor ROBOT, nor the injection of a ChangeCipherSpec succeeds"""
    scan = lab.scan
    lab.check(not scan.of("heartbleed")["is_vulnerable_to_heartbleed"], "Heartbleed succeeds")
    lab.check(str(scan.of("robot")["robot_result"]).startswith("NOT_VULNERABLE"), f"ROBOT: {scan.of('robot')['robot_result']}")
    lab.check(not scan.of("openssl_ccs_injection")["is_vulnerable_to_ccs_injection"], "a ChangeCipherSpec can be injected")
