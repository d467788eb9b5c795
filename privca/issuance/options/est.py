"""Options of EST profiles."""

from __future__ import annotations

from typing import Literal

from privca.issuance.options import Struct


class CsrAttribute(Struct, kw_only=True, frozen=True):
    """An entry of the CSR attributes (RFC 8951 section 4): an OID, or an attribute if there are values, which may be none."""

    oid: str
    values: tuple[str, ...] | None = None
    """DER in hex. A type of key has its curve (OID), its size (INTEGER, RSA) or nothing; extensionRequest has one Extensions."""


class TemplateAttribute(Struct, kw_only=True, frozen=True):
    """An attribute of the subject in a certification request template: its short name (CN, O ...), and its value unless the client fills it in."""

    type: str
    value: str = ""


class TemplateExtension(Struct, kw_only=True, frozen=True):
    """An extension in a certification request template: OID, and DER of its value in hex unless the client fills it in."""

    oid: str
    critical: bool = False
    value: str = ""


class CsrTemplate(Struct, kw_only=True, frozen=True):
    """The certification request template that clients are told to fill in (RFC 9908 section 3.4)."""

    subject: tuple[TemplateAttribute, ...] = ()
    """In the order of the subject; empty: no requirement."""
    key: Literal["", "P-256", "P-384", "P-521", "RSA", "Ed25519", "Ed448"] = ""
    rsa_bits: int = 0
    """For RSA: the size of the modulus, if one is required."""
    extensions: tuple[TemplateExtension, ...] = ()


class EstOptions(Struct, kw_only=True, frozen=True):
    """Options of an EST profile (RFC 7030 and its companions). ``tolerant`` of the profile is about its messages: with false, RFC 8951 to
    the letter (media type demanded, no PEM armour)."""

    http: tuple[Literal["basic", "digest", "bearer"], ...] = ("basic", "digest")
    """HTTP authentication schemes that are accepted, in the order in which they are offered: libest's client reads the first one alone."""
    realm: str = "privca"
    digest_algorithms: tuple[Literal["MD5", "SHA-256"], ...] = ("MD5", "SHA-256")
    """Hashes of Digest (RFC 7616), in the order in which they are offered. MD5 is all that libest's client knows."""
    digest_nonce_life: str = "5m"
    bearer: Literal["base64", "plain"] = "base64"
    """What a Bearer token is: the code in base64, as libest's client sends it, or the code itself."""
    both: bool = False
    """Whether every request that enrolls needs both a client certificate and a code or passcode (RFC 7030 section 3.2.3)."""
    channel_binding: Literal["optional", "required", "ignore"] = "optional"
    """Whether a CSR has to hold the channel binding of its TLS connection (RFC 7030 section 3.5): tls-unique in TLS 1.2, tls-exporter
    (RFC 9266) in TLS 1.3. What is there is verified in any case, except with ``ignore``, which the RFC forbids and only a lab has."""
    ra_channel_binding: Literal["verify", "trust"] = "verify"
    """Whether that of a registration authority is verified too, or taken for that of its own client (RFC 7030 section 3.7)."""
    repeat: str = "1h"
    """How long the same request of the same client is answered with the same certificate; later it gets a new one."""
    csr_attributes: tuple[CsrAttribute, ...] = ()
    """What ``/csrattrs`` lists, beside challengePassword where a channel binding is required and the kind of key where there is only one."""
    csr_template: CsrTemplate | None = None
    csr_attributes_enforced: bool = False
    """Whether a CSR that lacks what ``/csrattrs`` lists is refused."""
    server_keys: Literal["none", "encrypted", "clear"] = "none"
    """Whether ``/serverkeygen`` makes keys, and whether it hands them out without encryption beside that of TLS."""
    server_key: Literal["P-256", "P-384", "RSA-2048", "RSA-3072", "RSA-4096"] = "P-256"
    """The kind of key that it makes."""
    fullcmc: bool = True
    """Whether ``/fullcmc`` is served (RFC 7030 section 4.3)."""
    cmc_sha1: bool = True
    """Whether shared-secret proofs of CMC may use SHA-1, which RFC 5274 section 4.1 demands of every server (HMAC does not need a hash that
    resists collisions)."""
    cmc_encryption: bool = True
    """Whether encrypted messages of CMC are served (RFC 5272 section 5). The certificate to encrypt for comes along in full responses."""
    cmc_ra_possession: bool = True
    """Whether a registration authority may vouch for proof of possession in CMC (RFC 5272 section 6.8)."""
    content_transfer_encoding: bool = True
    """Whether replies of a tolerant profile say ``Content-Transfer-Encoding: base64``, as RFC 7030 had it and RFC 8951 has no more:
    BouncyCastle decodes no reply without it, and libest no part of a generated key. A strict profile never says it."""
