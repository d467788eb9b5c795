"""Faults of orders, authorizations, finalize and certificates (RFC 8555 sections 7.1, 7.4, 7.5.2 and 9.1)."""

from __future__ import annotations

from privca.faults.acme.naming import fault
from privca.faults.edits import ending, instead, replying, unchecked

FAULTS = (
    fault(
        "order.shown-to-others",
        "Orders are shown to every account",
        "6.3",
        unchecked("acme.rfc8555.order:load", "another account"),
    ),
    fault(
        "order.without-expires",
        "Orders do not say when they expire",
        "7.1.3",
        replying("acme.rfc8555.order:answer", '"expires"', '"ends"'),
    ),
    fault(
        "order.authorizations-change",
        "The authorizations of an order are others each time",
        "7.1.3",
        replying("acme.rfc8555.order:show", "/authz/", "/authz/x"),
    ),
    fault(
        "order.name-error",
        "A name that cannot be certified is an error of the server",
        "7.1.4",
        instead(
            "acme.rfc8555.identifier:names_of", "raise together(failures, clause)", "raise Refused(Reason.INTERNAL, clause, 'no')"
        ),
    ),
    fault(
        "order.nothing-ordered",
        "An order for nothing is an error of the server",
        "7.4",
        instead(
            "acme.rfc8555.identifier:names_of",
            "Reason.MALFORMED, clause, 'identifiers is empty'",
            "Reason.INTERNAL, clause, 'no'",
        ),
    ),
    fault(
        "order.any-type",
        "Whatever has a type that nobody knows is taken for a DNS name",
        "9.7.7",
        instead("acme.rfc8555.identifier:_name", "wanted.type not in _READERS or wanted.type not in kinds", "False"),
        instead("acme.rfc8555.identifier:_name", "_READERS[wanted.type][1]", "_READERS.get(wanted.type, _READERS['dns'])[1]"),
    ),
    fault(
        "order.wrong-type-error",
        "An identifier of an unknown type is malformed",
        "6.7",
        instead("acme.rfc8555.identifier:_name", "Reason.UNSUPPORTED_IDENTIFIER", "Reason.MALFORMED"),
    ),
    fault(
        "order.members-any-case",
        "Members may be written with a capital",
        "RFC 8259 section 8.3",
        instead("acme.rfc8555.neworder:new", "call.payload", "call.payload.replace(b'\"Identifiers\"', b'\"identifiers\"')"),
    ),
    fault(
        "order.dates-ignored",
        "notBefore and notAfter are passed over",
        "7.4",
        instead(
            "acme.rfc8555.neworder:new",
            "call.payload",
            "call.payload.replace(b'\"notBefore\"', b'\"x\"').replace(b'\"notAfter\"', b'\"y\"')",
        ),
    ),
    fault(
        "authorization.shown-to-others",
        "Authorizations and challenges are shown to every account",
        "6.3",
        unchecked("acme.rfc8555.authorization:load", "another account"),
    ),
    fault(
        "certificate.shown-to-others",
        "Certificates are handed to every account",
        "6.3",
        unchecked("acme.rfc8555.certificate:show", "another account"),
    ),
    fault(
        "finalize.twice-accepted",
        "An order that is valid may be finalized again",
        "7.4",
        instead(
            "acme.rfc8555.finalize:finalize",
            "if not ORDER.allows(current, OrderEvent.FINALIZE):",
            "if current.value == 'valid':\n"
            "        call.exchange.decided('order shown', CLAUSE)\n"
            "        return order.answer(200, call, found, authorizations)\n"
            "    if not ORDER.allows(current, OrderEvent.FINALIZE):",
        ),
    ),
    fault(
        "finalize.bad-csr-malformed",
        "Whatever is wrong with a CSR is malformed",
        "7.4",
        instead(
            "acme.rfc8555.problem:problem",
            "TABLE[refused.reason]",
            "{**TABLE, Reason.BAD_CSR: ('malformed', 400)}[refused.reason]",
        ),
    ),
    fault(
        "authorization.wildcard-unmarked",
        "The authorization for a wildcard is not marked",
        "7.1.3",
        instead("acme.rfc8555.authorization:object_of", "wildcard=authorization.wildcard", "wildcard=False"),
    ),
    fault(
        "authorization.wildcard-shown",
        "The authorization for a wildcard has the wildcard",
        "7.1.3",
        ending(
            "acme.rfc8555.authorization:show",
            "if b'\"wildcard\":true' in result.body:\n"
            '    other = result.body.replace(b\'"value":"\', b\'"value":"*.\')\n'
            "    result = type(result)(result.status, result.headers, other)",
        ),
    ),
    fault(
        "authorization.always-wildcard",
        "Every authorization is marked as wildcard",
        "7.1.4",
        instead("acme.rfc8555.authorization:object_of", "wildcard=authorization.wildcard", "wildcard=True"),
    ),
    fault(
        "authorization.without-expires",
        "Authorizations do not say until when",
        "7.1.4",
        replying("acme.rfc8555.authorization:show", '"expires"', '"ends"'),
    ),
    fault(
        "authorization.of-others",
        "An account deactivates authorizations of others",
        "7.5.2",
        unchecked("acme.rfc8555.authorization:load", "another account"),
    ),
    fault(
        "authorization.deactivated-counts",
        "A deactivated authorization stays valid",
        "7.5.2",
        instead("acme.rfc8555.authorization:update", "await call.core.store.commit(authorization)", "None"),
    ),
    fault(
        "authorization.new-authz-valid",
        "newAuthz gives authorizations that are valid",
        "7.4.1",
        replying("acme.rfc8555.newauthz:new", '"pending"', '"valid"'),
    ),
    fault(
        "authorization.wildcard-accepted",
        "newAuthz takes wildcards",
        "7.1.4",
        unchecked("acme.rfc8555.newauthz:new", "wildcard cannot"),
    ),
    fault(
        "finalize.not-ready-accepted",
        "An order that is not ready is finalized",
        "7.4",
        unchecked("acme.rfc8555.finalize:finalize", "not ready"),
    ),
    fault(
        "finalize.bad-csr-invalidates",
        "A bad CSR makes the order invalid",
        "7.4",
        instead(
            "acme.rfc8555.finalize:finalize",
            "csrs.check(csr, found)",
            "try:\n"
            "        csrs.check(csr, found)\n"
            "    except Refused as refused:\n"
            "        await call.core.store.commit(replace(found, error='{}'))\n"
            "        raise",
        ),
    ),
    fault(
        "finalize.wrong-csr-error",
        "A CSR that cannot be parsed is an error of the server",
        "7.4",
        instead(
            "acme.rfc8555.csr:read",
            "raise about_csr(refused) from None",
            "raise Refused(Reason.INTERNAL, refused.clause, 'no') from None",
        ),
    ),
    fault(
        "finalize.wrong-names-error",
        "A CSR for other names is an error of the server",
        "7.4",
        instead("acme.rfc8555.csr:check", "Reason.BAD_CSR", "Reason.INTERNAL"),
    ),
    fault(
        "finalize.account-key-accepted",
        "An account key is certified",
        "11.1",
        instead("acme.rfc8555.finalize:finalize", "await _check_key(call, csr)", "None"),
    ),
    fault(
        "certificate.text-around",
        "A certificate file has text around its certificates",
        "9.1",
        ending(
            "acme.rfc8555.certificate:show", "result = type(result)(result.status, result.headers, b'subject=a\\n' + result.body)"
        ),
    ),
    fault(
        "certificate.chain-reversed",
        "The issuer comes first",
        "9.1",
        instead(
            "acme.rfc8555.certificate:show",
            "_pem(record.der) + ''.join((pem_of_authority(der) for der in issuers))",
            "''.join((pem_of_authority(der) for der in issuers)) + _pem(record.der)",
        ),
    ),
)
