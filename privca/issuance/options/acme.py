"""Options of ACME profiles."""

from __future__ import annotations

from typing import Literal

from privca.issuance.options import Struct


class AcmeOptions(Struct, kw_only=True, frozen=True):
    """Options of an ACME profile (RFC 8555 and its companions)."""

    challenges: tuple[Literal["http-01", "dns-01", "tls-alpn-01"], ...] = ("http-01", "dns-01", "tls-alpn-01")
    terms_of_service: str = ""
    """URL; when set, accounts must agree (RFC 8555 section 7.3)."""
    website: str = ""
    """URL about the CA; where a rate limit is hit, its documentation is looked for there (RFC 8555 section 6.6)."""
    caa_identities: tuple[str, ...] = ()
    caa: bool = False
    """Whether CAA records are checked (RFC 8659), with both parameters of RFC 8657: accounturi, the account URL as the client that asks has
    it, and validationmethods, challenge types. DNSSEC is left to the resolver."""
    nonce_life: str = "1h"
    refused_nonces: int = 0
    """Of so many good nonces one is refused (RFC 8555 section 6.5), to see whether clients try again; 0: none, 2: every other."""
    order_life: str = "7d"
    authorization_life: str = "30d"
    """How long a valid authorization may be reused."""
    authorization_reuse: bool = True
    pre_authorization: bool = True
    finalize: Literal["synchronous", "processing"] = "synchronous"
    processing_time: str = "0s"
    """How long a finalized order is ``processing`` at least, where that is seen: a CA that takes its time, at most half a minute."""
    retry_after: int = 3
    """Seconds that Retry-After tells a client that polls."""
    orders_per_page: int = 50
    contacts_maximum: int = 10
    validation_attempts: int = 3
    """How often a challenge is tried before it is invalid (RFC 8555 section 8.2)."""
    validation_interval: str = "2s"
    validity_request: bool = True
    """Whether notBefore and notAfter of newOrder are honoured, or refused."""
    alternate_chains: bool = True
    renewal_information: bool = True
    """Whether clients may ask when to renew, and orders may say what they replace (RFC 9773)."""
    renewal_before: str = ""
    """How long before a certificate's end the window begins in which it is best renewed; empty: a third of its life."""
    renewal_spread: str = ""
    """How long that window is; empty: a thirtieth of the certificate's life."""
    renewal_retry_after: str = "6h"
    """When a client asks again: by then it knows of a window that was changed."""
    renewal_explanation: str = ""
    """URL of a page that tells why windows are as they are."""
    orders_limit: str = ""
    """How many orders one account may make, as ``300/3h``: 300 in any three hours (RFC 8555 section 6.6). Empty: any number."""
    accounts_limit: str = ""
    """The same for new accounts of the profile."""
    failures_limit: str = ""
    """The same for one account's authorizations of one name that failed, counted from when they were made."""
