"""Changes of the terms of service (RFC 8555 section 7.3.3): an account remembers the URL of the terms that it agreed to.

How an account agrees to new ones is left to the server. Here it is an update of the account that says so and nothing else. An update that
also has other members may be a client's copy of the object that we sent, and its termsOfServiceAgreed is ignored (section 7.3.2), as
are all members of a newAccount for a key that has an account (section 7.3.1): nobody agrees by accident to what they have not read.
"""

from __future__ import annotations

from msgspec.structs import replace

from privca.acme.ports import Account
from privca.acme.rfc8555.call import Call
from privca.base.refused import Reason, Refused

CLAUSE = "RFC 8555 section 7.3.3"


def outdated(call: Call) -> bool:
    """Whether the profile has terms, and the account has not agreed to these."""
    return call.options.terms_of_service not in ("", call.account.terms)


def check(call: Call) -> None:
    """:raises Refused: ``TERMS_NOT_AGREED`` if the account has to agree first."""
    if outdated(call):
        before = call.account.terms
        raise Refused(
            Reason.TERMS_NOT_AGREED,
            CLAUSE,
            "the terms of service have changed" if before else "the account has not agreed to the terms of service",
            expected='an account update that is {"termsOfServiceAgreed": true} alone, once a person has read them',
            location=call.options.terms_of_service,
        )


def agreed(call: Call) -> Account:
    """The account after it agreed."""
    return replace(call.account, terms=call.options.terms_of_service)
