"""Options of CMP profiles."""

from __future__ import annotations

from typing import Literal

from privca.issuance.options import Struct

Request = Literal["ir", "cr", "kur", "p10cr", "rr", "genm", "ccr", "krr"]


class CmpOptions(Struct, kw_only=True, frozen=True):
    """Options of a CMP profile (RFC 9810 and its companions)."""

    protection: tuple[Literal["pbm", "pbmac1", "kem", "signature"], ...] = ("pbm", "pbmac1", "kem", "signature")
    """How requests may be protected."""
    requests: tuple[Request, ...] = ("ir", "cr", "kur", "p10cr", "rr", "genm")
    """Which requests are answered."""
    rules: Literal["rfc9810", "rfc9483"] = "rfc9810"
    """``rfc9483`` holds every message to the Lightweight CMP Profile."""
    signer: Literal["delegate", "ca"] = "delegate"
    """Who signs answers: a certificate that the CA issues to itself for this, or the CA's own key."""
    iterations_minimum: int = 100
    """Iterations that a MAC must have at least (RFC 4211 section 4.4)."""
    iterations_maximum: int = 100_000
    iterations: int = 500
    """Iterations that the MAC of an answer has at least."""
    message_time: str = "15m"
    """How far a messageTime may be from our clock; empty: any."""
    message_time_required: bool = False
    implicit_confirm: bool = True
    """Whether a client that asks for it need not confirm certificates."""
    confirm_wait: str = "10m"
    """How long a certificate waits for its confirmation before it is revoked."""
    check_after: int = 10
    """Seconds after which a client that has to wait may ask again."""
    transaction_life: str = "7d"
    """How long a request that waits is remembered."""
    delayed: tuple[Request, ...] = ()
    """Requests that are answered only when the client has asked again, ``check_after`` seconds later (RFC 9810 section 5.3.22)."""
    requests_maximum: int = 8
    """How many certificates one message may ask for."""
    ca_pubs: bool = True
    """Whether an ip that is protected by a shared secret carries the root CA's certificate in caPubs."""
    cert_profiles: tuple[str, ...] = ()
    """IDs of other CMP profiles that a certProfile in generalInfo may choose instead of this one."""
    central_key_generation: bool = False
    """Whether keys are generated for clients that ask for it (RFC 9483 section 4.1.6)."""
    central_key: Literal[
        "P-256", "P-384", "RSA-2048", "RSA-3072", "RSA-4096", "Ed25519", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"
    ] = "P-256"
    """Which key is generated where the client has no wish."""
    archive: bool = False
    """Whether private keys that are generated here, or handed over by clients (RFC 4211 section 6.4), are kept, so that krr recovers them.
    Who shares a code with others can recover their keys too."""
    announce_to: tuple[str, ...] = ()
    """URLs of those who get announcements (ckuann, cann, rann, crlann), which 'privca cmp announce' pushes."""
    cross_certify: tuple[str, ...] = ()
    """Keys of other CAs that are certified for who asks with ccr: SHA-256 of their SubjectPublicKeyInfo, in hex."""
