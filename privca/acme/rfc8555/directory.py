"""Directory (RFC 8555 section 7.1.1)."""

from __future__ import annotations

import msgspec

from privca.acme.rfc8555.call import json
from privca.acme.rfc8555.urls import Urls
from privca.base.http import Response
from privca.issuance.options.acme import AcmeOptions
from privca.issuance.profile import Revisioned


class Meta(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """RFC 8555 section 9.7.6."""

    terms_of_service: str = ""
    website: str = ""
    caa_identities: tuple[str, ...] = ()
    external_account_required: bool = False


class Directory(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """RFC 8555 section 9.7.5."""

    new_nonce: str
    new_account: str
    new_order: str
    revoke_cert: str
    key_change: str
    meta: Meta
    new_authz: str | None = None
    renewal_info: str | None = None


def external_account_required(profile: Revisioned) -> bool:
    """Whether newAccount without an external account binding is refused (section 7.3.4)."""
    accepted = profile.profile.authentication
    return "eab" in accepted and not {"account", "open"} & set(accepted)


def pre_authorization(options: AcmeOptions) -> bool:
    """Whether newAuthz is offered (section 7.4.1). Without reuse of authorizations, no order would ever take one into account."""
    return options.pre_authorization and options.authorization_reuse


def directory(profile: Revisioned, urls: Urls) -> Response:
    """The directory object."""
    options = profile.profile.acme
    return json(
        200,
        Directory(
            new_nonce=f"{urls.front}/new-nonce",
            new_account=f"{urls.front}/new-account",
            new_order=f"{urls.front}/new-order",
            new_authz=f"{urls.front}/new-authz" if pre_authorization(options) else None,
            renewal_info=f"{urls.front}/renewal-info" if options.renewal_information else None,
            revoke_cert=f"{urls.front}/revoke-cert",
            key_change=f"{urls.front}/key-change",
            meta=Meta(
                terms_of_service=options.terms_of_service,
                website=options.website,
                caa_identities=options.caa_identities,
                external_account_required=external_account_required(profile),
            ),
        ),
    )
