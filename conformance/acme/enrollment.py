"""One complete reference enrollment, step by step as RFC 8555 tells it, and each step's reply checked on the way."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from conformance.acme import csr
from conformance.acme.client import Account, Client, Identifier, Problem
from conformance.acme.keys import Key, MacKey
from conformance.acme.responders import Responder
from conformance.transport import HttpResponse

Say = Callable[[str, str], None]
Wait = Callable[[float], None]
POLL_LIMIT = 120


class Failed(Exception):
    """The enrollment did not come to its end; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What came of it. ``chain`` is the PEM that was downloaded, ``certificates`` the same, parsed, end entity first."""

    account: Account
    order_url: str
    key: Key
    chain: bytes
    certificates: tuple[x509.Certificate, ...]
    alternates: tuple[str, ...]


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def _silent(step: str, clause: str) -> None:
    """Nothing is said."""


def enroll(
    client: Client,
    identifiers: Sequence[Identifier],
    responder: Responder,
    *,
    account: Account | None = None,
    account_key: Key | None = None,
    binding: MacKey | None = None,
    contact: Sequence[str] = (),
    key: Key | None = None,
    say: Say = _silent,
    wait: Wait = _pause,
) -> Enrolled:
    """Register if there is no account, order, prove, finalize, download, and check what was issued.

    :param responder: proves control; one whose ``challenge`` is empty takes the first challenge that is offered.
    :param say: is told each step and the clause that it follows.
    :param wait: lets that many seconds pass.
    :raises Problem: when a correct request is refused. :raises Failed: when the server gave up, or issued something else.
    """
    key = key or Key.make()
    if account is None:
        say("register an account: POST newAccount", "RFC 8555 section 7.3")
        account = client.register(account_key, contact=contact, binding=binding)
    say(f"order {', '.join(i['value'] for i in identifiers)}: POST newOrder", "RFC 8555 section 7.4")
    order_url, order = client.order(account, identifiers)
    return finish(client, account, order_url, order, identifiers, responder, key, say=say, wait=wait)


def finish(
    client: Client,
    account: Account,
    order_url: str,
    order: dict[str, Any],
    identifiers: Sequence[Identifier],
    responder: Responder,
    key: Key,
    *,
    say: Say = _silent,
    wait: Wait = _pause,
) -> Enrolled:
    """The rest of an enrollment, from an order that was just made. :raises Problem, Failed: as :func:`enroll` does."""
    for url in order["authorizations"]:
        prove(client, account, url, responder, say=say, wait=wait)
    say("wait until the order is ready: POST-as-GET", "RFC 8555 section 7.1.6")
    order = poll(client, account, order_url, lambda o: o["status"] != "pending", wait)
    if order["status"] != "ready":
        raise Failed(f"the order became {order['status']}, not ready: {order.get('error')}")
    say("send the certification request: POST finalize", "RFC 8555 section 7.4")
    client.perform(client.finalize(account, order["finalize"], csr.request(key, identifiers)))
    order = poll(client, account, order_url, lambda o: o["status"] not in {"ready", "processing"}, wait)
    if order["status"] != "valid":
        raise Failed(f"the order became {order['status']}, not valid: {order.get('error')}")
    say("download the certificate: POST-as-GET", "RFC 8555 section 7.4.2")
    response = client.perform(client.fetch(account, order["certificate"]))
    certificates = read_chain(response)
    check(certificates, key, identifiers)
    say(
        "the certificate holds the key and the names that were asked for, and each certificate is signed by the next",
        "RFC 8555 section 7.4",
    )
    return Enrolled(account, order_url, key, response.body, certificates, tuple(response.links("alternate")))


def prove(client: Client, account: Account, url: str, responder: Responder, *, say: Say = _silent, wait: Wait = _pause) -> None:
    """Fulfil one authorization. :raises Failed: if it does not become valid, or offers no challenge that ``responder`` can meet."""
    authorization = client.read(account, url)
    name = authorization["identifier"]["value"]
    if authorization["status"] == "valid":
        say(f"{name} is authorized already", "RFC 8555 section 7.1.4")
        return
    offered = [
        c for c in authorization["challenges"] if c["type"] == responder.challenge or (not responder.challenge and "token" in c)
    ]
    if not offered:
        raise Failed(
            f"no {responder.challenge} is offered for {name}, only {', '.join(c['type'] for c in authorization['challenges'])}"
        )
    challenge = offered[0]
    say(f"prove {name} by {challenge['type']}: POST challenge", "RFC 8555 section 7.5.1")
    responder.provision(authorization["identifier"], challenge["token"], account.key.key_authorization(challenge["token"]))
    try:
        client.perform(client.respond(account, challenge["url"]))
        done = poll(client, account, url, lambda a: a["status"] != "pending", wait)
    finally:
        responder.withdraw(authorization["identifier"], challenge["token"])
    if done["status"] != "valid":
        raise Failed(f"the authorization of {name} became {done['status']}: {[c.get('error') for c in done['challenges']]}")


def poll(
    client: Client, account: Account, url: str, done: Callable[[dict[str, Any]], bool], wait: Wait = _pause
) -> dict[str, Any]:
    """Read a resource until ``done``, honouring Retry-After in seconds (RFC 8555 sections 7.4 and 7.5.1). :raises Failed: after 120 reads."""
    for _ in range(POLL_LIMIT):
        response = client.perform(client.fetch(account, url))
        value = response.object
        if done(value):
            return value
        after = response.header("Retry-After") or ""
        wait(min(float(after), 5.0) if after.isdigit() else 0.25)
    raise Failed(f"{url} is still {value.get('status')} after {POLL_LIMIT} reads")


def read_chain(response: HttpResponse) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM chain. :raises Problem: for another media type or anything around the certificates (RFC 8555 section 9.1)."""
    if response.media_type != "application/pem-certificate-chain":
        raise Problem("a certificate comes as application/pem-certificate-chain", response)
    certificates = tuple(x509.load_pem_x509_certificates(response.body))
    written = b"".join(c.public_bytes(Encoding.PEM) for c in certificates)
    if response.body != written:
        raise Problem("a chain is strict PEM with nothing before, between or after the certificates", response)
    return certificates


def check(certificates: Sequence[x509.Certificate], key: Key, identifiers: Sequence[Identifier]) -> None:
    """What was issued is what was asked for. :raises Failed: if not."""
    leaf = certificates[0]
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if leaf.public_key().public_bytes(*form) != key.private.public_key().public_bytes(*form):
        raise Failed("the certificate holds another key than the request")
    issued = set(leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    asked = {csr.general_name(identifier) for identifier in identifiers}
    if issued != asked:
        raise Failed(f"the certificate names {sorted(map(str, issued))}, the order {sorted(map(str, asked))}")
    for below, above in itertools.pairwise(certificates):
        try:
            below.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature) as failure:
            raise Failed(
                f"a certificate of the chain is not signed by the next one: {type(failure).__name__} {failure}"
            ) from None
