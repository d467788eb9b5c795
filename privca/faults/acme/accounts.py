"""Faults of accounts (RFC 8555 section 7.3)."""

from __future__ import annotations

from privca.faults.acme.naming import fault
from privca.faults.edits import ending, instead, unchecked

_AUTHENTICATION = "acme.rfc8555.authentication"

FAULTS = (
    fault(
        "account.existing-created-again",
        "A known key gets 201",
        "7.3.1",
        instead("acme.rfc8555.account:new", "return answer(200, found, ", "return answer(201, found, "),
    ),
    fault(
        "account.existing-overwritten",
        "newAccount with a known key changes its contacts",
        "7.3.1",
        instead(
            "acme.rfc8555.account:new",
            "check_active(found)",
            "check_active(found)\n"
            "        given = decode(_new_account, call.payload, 'RFC 8555 section 7.3')\n"
            "        if given.contact:\n"
            "            found = replace(found, contact=tuple(given.contact))\n"
            "            await call.core.store.commit(found)",
        ),
    ),
    fault(
        "account.only-existing-ignored",
        "onlyReturnExisting makes an account",
        "7.3",
        unchecked("acme.rfc8555.account:new", "has no account"),
    ),
    fault(
        "account.fields-reflected",
        "Fields that nobody knows are reflected",
        "7.3",
        ending(
            "acme.rfc8555.account:new",
            'result = type(result)(result.status, result.headers, result.body[:-1] + b\',"nickname":"x"}\')',
        ),
    ),
    fault(
        "account.orders-taken-over",
        "orders is what the client says",
        "7.3",
        ending(
            "acme.rfc8555.account:new",
            "import re\n"
            'other = re.sub(rb\'"orders":"[^"]*"\', b\'"orders":"https://example.test/mine"\', result.body)\n'
            "result = type(result)(result.status, result.headers, other)",
        ),
    ),
    fault(
        "account.mailto-refused",
        "mailto is not supported",
        "7.3",
        instead("acme.rfc8555.contact:_check_one", "!= 'mailto'", "!= 'sip'"),
    ),
    fault(
        "account.any-contact",
        "Contacts are not looked at",
        "7.3",
        instead("acme.rfc8555.contact:check", "_check_one(contact)", "None"),
    ),
    fault(
        "account.update-lost",
        "An update of contacts is not kept",
        "7.3.2",
        instead(
            "acme.rfc8555.account:update",
            "contact=contact.check(wanted.contact, call.options.contacts_maximum)",
            "contact=account.contact or contact.check(wanted.contact, call.options.contacts_maximum)",
        ),
    ),
    fault(
        "account.update-of-others",
        "An account updates another one",
        "7.3.6",
        unchecked(f"{_AUTHENTICATION}:authenticate", "not the URL of the request"),
        unchecked("acme.rfc8555.account:_own", "not the account that signed"),
    ),
    fault(
        "account.status-settable",
        "An update with another status deactivates",
        "7.3.2",
        instead("acme.rfc8555.account:update", "wanted.status == AccountStatus.DEACTIVATED.value", "wanted.status is not None"),
    ),
    fault(
        "account.deactivated-lives",
        "A deactivated account goes on",
        "7.3.6",
        unchecked(f"{_AUTHENTICATION}:check_active", "the account is "),
    ),
    fault(
        "account.deactivated-found",
        "newAccount finds a deactivated account",
        "7.3.6",
        instead("acme.rfc8555.account:new", "check_active(found)", "None"),
    ),
    fault(
        "account.orders-empty",
        "The list of orders is always empty",
        "7.1.2.1",
        instead("acme.rfc8555.account:orders", "OrdersList(listed)", "OrdersList([])"),
    ),
)
