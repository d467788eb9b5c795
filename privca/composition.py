"""The CA put together from a configuration, without a network: what commands use, and what ``server`` builds on."""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding

from privca.acme.ports import ExternalKey
from privca.base.clock import Clock, SystemClock
from privca.base.entropy import Entropy, SystemEntropy, token
from privca.base.exchange import Exchange
from privca.config import Config, ConfigurationError, load
from privca.enrollment.authentication import Authentication
from privca.enrollment.credentials import Credentials
from privca.enrollment.ports import Code, Passcode
from privca.enrollment.secrets import generated
from privca.issuance.authorities import Authorities
from privca.issuance.delegates import Delegates, Lock
from privca.issuance.issue import Issuer
from privca.issuance.ports import Keys
from privca.issuance.profile import Profile, Template
from privca.issuance.publication import PublicUrls
from privca.issuance.revocation import Revocation
from privca.issuance.revocation_lists import RevocationLists
from privca.keys.secrets import SecretBox
from privca.keys.software import SoftwareKeys
from privca.store import Store

STORE_KEY = "store.key"
# RFC 7518 section 3.2: a key for HS512 has at least 64 octets, and a client may choose it.
_EAB_OCTETS = 64

T = TypeVar("T")
Offload = Callable[[Callable[[], bytes]], Awaitable[bytes]]


@dataclass
class Parts:
    """Everything of a CA but its network."""

    config: Config
    clock: Clock
    entropy: Entropy
    secrets: SecretBox
    store: Store
    keys: Keys
    authorities: Authorities
    delegates: Delegates
    issuer: Issuer
    revocation: Revocation
    lists: RevocationLists
    credentials: Credentials

    def exchange(self, profile_id: str) -> Exchange:
        """An exchange for what an operator does by hand."""
        return Exchange(token(self.entropy, 12), self.clock.now(), self.entropy, profile_id)


async def directly(work: Callable[[], bytes]) -> bytes:
    """Offload for where nobody else waits: call it here."""
    return work()


def run(work: Coroutine[Any, Any, T] | Awaitable[T]) -> T:
    """Drive to its end a coroutine that never has to wait, as all do that are built with :func:`directly`."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("a command came upon something to wait for")


def compose(
    config: Config,
    offload: Offload,
    *,
    create: bool = False,
    lock: Lock = nullcontext,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
) -> Parts:
    """Open keys and store, and build the CA on them.

    :param create: make the directory of the keys and the key of the store if they are absent, as only ``up`` and the first
        ``ca rollover`` do.
    :param lock: makes locks; the default is for where nobody else waits.
    :param clock: None for the machine's, and so is ``entropy``: only what has to be the same each time sets them.
    :raises Refused: if keys or database are not as they should be.
    """
    clock, entropy = clock or SystemClock(), entropy or SystemEntropy()
    secrets = SecretBox(config.file(config.store.keys) / STORE_KEY, create=create)
    keys = SoftwareKeys(config.file(config.store.keys), offload)
    alone = config.server.workers == 1
    store = Store.open(config.file(config.store.database), secrets, durable=config.store.durable, clock=clock, alone=alone)
    authorities = Authorities(store, keys, config.ca, clock, PublicUrls(config.server.http_url), entropy)
    delegates = Delegates(store, keys, authorities, clock, entropy, lock)
    issuer, revocation = Issuer(store, keys, authorities), Revocation(store)
    lists = RevocationLists(store, keys, authorities, offload)
    credentials = Authentication(store)
    return Parts(config, clock, entropy, secrets, store, keys, authorities, delegates, issuer, revocation, lists, credentials)


@contextmanager
def opened(path: Path, *, create: bool = False) -> Iterator[Parts]:
    """The CA of a configuration file, for one command."""
    config = load(path)
    if not create and not config.file(config.store.database).exists():
        raise ConfigurationError(
            f"{config.file(config.store.database)}: there is no database yet; 'privca check' says what is missing"
        )
    parts = compose(config, directly, create=create)
    try:
        yield parts
    finally:
        parts.store.close()


def add_profiles(parts: Parts, profiles: Mapping[str, tuple[Profile, Template]]) -> list[str]:
    """Store the profiles of the configuration that the store does not know yet; the IDs of those that differ from what is stored.

    What is stored wins, since ``profile apply`` and ``profile disable`` act there: a restart must not undo them.
    """
    different = []
    for id, (profile, template) in profiles.items():
        stored = run(parts.store.profile(id))
        if stored is None:
            run(parts.store.save_profile(id, profile, template))
        elif (stored.profile, stored.template) != (profile, template):
            different.append(id)
    return different


def issue_external_key(parts: Parts, profile_id: str, life: timedelta) -> ExternalKey:
    """Make and store an external account binding key (RFC 8555 section 7.3.4) that can bind one account within ``life``."""
    now = parts.clock.now()
    kid, secret = token(parts.entropy), parts.entropy.octets(_EAB_OCTETS)
    # Either is pasted behind an option, where a client would take a leading hyphen for another option.
    while kid.startswith("-") or urlsafe_b64encode(secret).startswith(b"-"):
        kid, secret = token(parts.entropy), parts.entropy.octets(_EAB_OCTETS)
    key = ExternalKey(kid, profile_id, secret, now, now + life, None)
    run(parts.store.commit(key))
    return key


def set_code(parts: Parts, profile_id: str, reference: str, value: bytes, *, lab: bool = False) -> Code:
    """Set the global code of a reference, in place of the one that is there. :param lab: whether a lab makes it by itself."""
    former = run(parts.store.code(profile_id, reference))
    code = Code(profile_id, reference, value, parts.clock.now(), lab, former.version if former else 0)
    run(parts.store.save_code(code))
    return code


def issue_passcode(parts: Parts, profile_id: str, reference: str, life: timedelta) -> Passcode:
    """Make and store a passcode for one request within ``life``; an unspent one of the same reference is revoked."""
    now = parts.clock.now()
    passcode = Passcode(parts.entropy.octets(6).hex(), profile_id, reference, generated(parts.entropy), now, now + life)
    run(parts.store.add_passcode(passcode))
    return passcode


def write_trust_anchor(parts: Parts) -> None:
    """``ca.pem`` of a lab: the self-signed certificates of all roots, former keys included, since what they certified is still about."""
    roots = [name for name, authority in parts.config.ca.items() if not authority.parent]
    keys = [key for name in roots for key in run(parts.authorities.generations(name))]
    replace_file(parts.config.file("ca.pem"), b"".join(key.certificate.public_bytes(Encoding.PEM) for key in keys), mode=0o644)


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file whole or not at all, in place of what was there; it never has more rights than ``mode``, not for a moment."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    # What a process of this number left behind when it was killed may have other rights, or be a link.
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    os.replace(temporary, path)
