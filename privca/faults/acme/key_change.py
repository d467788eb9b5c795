"""Faults of account key rollover (RFC 8555 section 7.3.5)."""

from __future__ import annotations

from privca.faults.acme.naming import fault
from privca.faults.edits import instead, unchecked

FAULTS = (
    fault(
        "key-change.inner-nonce-accepted",
        "The inner JWS may have a nonce",
        "7.3.5",
        unchecked("acme.rfc8555.keychange:change", "has no nonce"),
    ),
    fault(
        "key-change.inner-url-unchecked",
        "The inner url is not compared",
        "7.3.5",
        unchecked("acme.rfc8555.keychange:change", "different urls"),
    ),
    fault(
        "key-change.inner-jwk-error",
        "An inner JWS without jwk is an error of the server",
        "7.3.5",
        instead(
            "acme.rfc8555.keychange:change",
            "Reason.MALFORMED, CLAUSE, 'the inner JWS has the new key in jwk, and no kid'",
            "Reason.INTERNAL, CLAUSE, 'the inner JWS has the new key in jwk, and no kid'",
        ),
    ),
    fault(
        "key-change.inner-signature-unchecked",
        "The inner signature is not verified",
        "7.3.5",
        instead("acme.rfc8555.keychange:change", "rfc7515.verify(inner, new_key)", "None"),
    ),
    fault(
        "key-change.account-unchecked",
        "The inner account is not compared",
        "7.3.5",
        unchecked("acme.rfc8555.keychange:change", "account is not the URL"),
    ),
    fault(
        "key-change.old-key-unchecked",
        "oldKey is not compared",
        "7.3.5",
        unchecked("acme.rfc8555.keychange:change", "oldKey is not"),
    ),
    fault(
        "key-change.old-key-lives",
        "The key is not changed",
        "7.3.5",
        instead("acme.rfc8555.keychange:change", "await call.core.store.commit(changed)", "None"),
    ),
    fault(
        "key-change.key-in-use-forgotten",
        "A key that has an account is a conflict that names no account",
        "7.3.5",
        instead("acme.rfc8555.keychange:change", "location=call.urls.account(holder.id)", "location=None"),
    ),
    fault(
        "key-change.contacts-lost",
        "A change of key takes the contacts away",
        "7.3.5",
        instead("acme.rfc8555.keychange:change", "jwk=new_key.canonical", "jwk=new_key.canonical, contact=()"),
    ),
)
