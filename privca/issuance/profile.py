"""Issuance profiles and certificate templates: data that an administrator writes in TOML, versioned in the store.

An unknown key is an error that names its path; every certificate records the revision of the profile that issued it.
What a key means stands beside it; the TOML spelling is the field name.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from privca.issuance.options import Struct
from privca.issuance.options.acme import AcmeOptions
from privca.issuance.options.cmp import CmpOptions
from privca.issuance.options.est import EstOptions
from privca.issuance.options.scep import ScepOptions
from privca.issuance.options.status import CrlOptions, OcspOptions

KeyKind = Literal[
    "P-256",
    "P-384",
    "P-521",
    "RSA",
    "Ed25519",
    "Ed448",
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
    "X25519",
    "ML-KEM-768",
    "ML-KEM-1024",
]
Authentication = Literal["code", "otp", "certificate", "account", "eab", "approval", "open"]
Protocol = Literal["acme", "est", "scep", "cmp"]


class SubjectRule(Struct, kw_only=True, frozen=True):
    """What a template does with one subject attribute (keys: CN, O, OU, C, ST, L, serialNumber, emailAddress, DC, UID)."""

    rule: Literal["required", "optional", "forbidden"] = "optional"
    source: Literal["request", "fixed", "first-name"] = "request"
    """``first-name`` computes the value: the first DNS name of the certificate that fits in 64 characters; none without one."""
    value: str = ""
    """For ``fixed``: the value."""


class ExtraExtension(Struct, kw_only=True, frozen=True):
    """An extension that is copied into every certificate: OID, criticality and DER of its value in hex."""

    oid: str
    value: str
    critical: bool = False


class Template(Struct, kw_only=True, frozen=True):
    """What a certificate looks like, whoever asks for it."""

    subject: dict[str, SubjectRule] = msgspec.field(default_factory=dict)
    """Attributes that are not listed are dropped from the request, unless ``subject_other`` says otherwise."""
    subject_other: Literal["drop", "refuse", "copy"] = "drop"
    names: tuple[Literal["dns", "ip", "email", "uri"], ...] = ("dns", "ip")
    names_required: bool = True
    """Whether at least one subjectAltName must be there."""
    key_usage: tuple[
        Literal["digitalSignature", "contentCommitment", "keyEncipherment", "dataEncipherment", "keyAgreement"], ...
    ] = ("digitalSignature",)
    """keyEncipherment is left out for keys that cannot encipher (EC, EdDSA, ML-DSA), keyAgreement for keys that cannot agree."""
    extended_key_usage: tuple[str, ...] = ("serverAuth",)
    """Names (serverAuth, clientAuth, codeSigning, emailProtection, timeStamping, OCSPSigning, cmcRA, cmcCA, cmKGA) or dotted OIDs."""
    policies: tuple[str, ...] = ()
    must_staple: Literal["never", "on-request", "always"] = "on-request"
    """RFC 7633 status_request."""
    extensions: tuple[ExtraExtension, ...] = ()
    requested_extensions: Literal["ignore", "refuse"] = "ignore"
    """What happens to extensions of the CSR that the template does not place itself; critical ones are always refused."""
    signature_hash: Literal["sha256", "sha384", "sha512"] = "sha256"
    crl_url: bool = True
    ca_url: bool = True
    ocsp_url: bool = True
    """Whether certificates say where their CRL, their issuer's certificate and its OCSP responder are (RFC 5280 sections 4.2.1.13 and 4.2.2.1)."""


class Names(Struct, kw_only=True, frozen=True):
    """A name policy. A name must match a permitted pattern of its kind (none listed: every name of that kind) and no excluded one.

    ``dns``: ``example.test`` matches it and every name below it; ``=example.test`` only itself; ``*`` everything. ``ip``: CIDR.
    ``email``: a mailbox, a host, or ``.domain`` for all hosts below. ``uri``: a host or ``.domain``. ``subject``: ``O=Example``.
    """

    permitted_dns: tuple[str, ...] = ()
    excluded_dns: tuple[str, ...] = ()
    permitted_ip: tuple[str, ...] = ()
    excluded_ip: tuple[str, ...] = ()
    permitted_email: tuple[str, ...] = ()
    excluded_email: tuple[str, ...] = ()
    permitted_uri: tuple[str, ...] = ()
    excluded_uri: tuple[str, ...] = ()
    permitted_subject: tuple[str, ...] = ()
    excluded_subject: tuple[str, ...] = ()
    wildcards: bool = True
    maximum: int = 100
    """How many names one certificate may have."""


class RevocationRights(Struct, kw_only=True, frozen=True):
    """Who may revoke certificates of a profile by its protocol, beside the administrator, who always may."""

    owner: bool = True
    """The holder of the certificate's key."""
    account: bool = True
    """Who asked for it: the same account, code or passcode's name (the ``identity`` of its record)."""
    ra: bool = True
    """A registration authority of the profile (a certificate with cmcRA)."""
    hold: bool = True
    """Whether these may put a certificate on hold and release it."""


class Waiting(Struct, kw_only=True, frozen=True):
    """Requests that wait for a person (``approval`` and ``approval_always``)."""

    life: str = "7d"
    """A request is dropped so long after it was made, and again so long after it was approved if its client did not come for it."""
    maximum: int = 1000
    """How many requests of the profile may wait; a further one is refused until a person has decided. Those of who presented nothing
    (``approval``) are counted apart, so that they take nobody's place."""
    retry_after: int = 60
    """Seconds after which the client is told to ask again."""


class Profile(Struct, kw_only=True, frozen=True):
    """One issuance profile: what stands behind an endpoint URL."""

    protocol: Protocol
    issuer: str
    """Name of the issuing CA."""
    template: str
    """Name of the template."""
    validity: str = "90d"
    renewal_window: str = "30d"
    """A certificate may be renewed this long before it ends; earlier renewals are refused where the protocol has renewal."""
    keys: tuple[KeyKind, ...] = ("P-256", "P-384", "P-521", "RSA", "Ed25519")
    rsa_minimum: int = 2048
    rsa_maximum: int = 8192
    authentication: tuple[Authentication, ...]
    """Alternatives: a request is admitted by any one of them. ``approval`` admits a request that presents no credential at all, and a
    person decides; a wrong credential is refused, it never falls back to this."""
    approval_always: bool = False
    """Whether a person decides about every request, whatever admitted it."""
    waiting: Waiting = Waiting()
    names: Names = Names()
    names_by: dict[Authentication, Names] = msgspec.field(default_factory=dict)
    """A name policy in place of ``names`` for requests that this method admitted."""
    certificate_profiles: tuple[str, ...] = ()
    """Profiles whose certificates authenticate here (method ``certificate``), beside this profile's own."""
    vendor_anchors: tuple[str, ...] = ()
    """Certificates (PEM, or the name of a file of them beside the TOML, which is read when the profile is loaded) of CAs of others, as
    vendors of devices: what they certified authenticates here (method ``certificate``) for a first enrollment."""
    rename: bool = False
    """Whether who authenticates by a certificate may ask for a subject or names that it does not have: in a renewal, for others than
    those of the certificate that is renewed; else for more than those of the certificate that it came with."""
    revocation: RevocationRights = RevocationRights()
    backdate: str = "1m"
    """How far notBefore lies in the past, for clients whose clock is slow."""
    default: bool = False
    """Whether this profile answers paths without an ID."""
    enabled: bool = True
    tolerant: bool = True
    """Whether known, harmless deviations of real clients are accepted (BER in CSRs, attribute order, Accept without our formats)."""
    faults: tuple[str, ...] = ()
    """Named faults of the server that clients of this profile meet; ``privca faults`` lists them. For a lab alone."""
    acme: AcmeOptions = AcmeOptions()
    est: EstOptions = EstOptions()
    scep: ScepOptions = ScepOptions()
    cmp: CmpOptions = CmpOptions()


class CertificateAuthority(Struct, kw_only=True, frozen=True):
    """One CA: its key and its place below another CA."""

    subject: dict[str, str]
    """Subject attributes by short name, e.g. ``{CN = "Lab Root", O = "Lab"}``."""
    parent: str = ""
    """Name of the CA that certifies this one; none: self-signed."""
    key: Literal["P-256", "P-384", "RSA-2048", "RSA-3072", "RSA-4096", "Ed25519", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"] = "P-256"
    validity: str = "10y"
    signature_hash: Literal["sha256", "sha384", "sha512"] = "sha256"
    path_length: int | None = None
    key_encipherment: bool = False
    """Whether its certificate says keyEncipherment beside its usual key usage: for an RSA CA that deciphers SCEP messages itself. A key of
    another kind cannot, and its certificate does not say so."""
    crl_life: str = "7d"
    crl: CrlOptions = CrlOptions()
    ocsp: OcspOptions = OcspOptions()


class Revisioned(Struct, kw_only=True, frozen=True):
    """A profile with its template as one immutable revision: what a request is judged by, from its first octet to the signature."""

    id: str
    revision: int
    profile: Profile
    template: Template
