"""The CAs: their keys in generations, made from the configuration, rolled over, and the chains that lead up from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from privca.base.clock import Clock
from privca.base.durations import duration
from privca.base.entropy import Entropy, SystemEntropy
from privca.base.refused import Reason, Refused
from privca.issuance.ca_certificates import certify
from privca.issuance.ca_key import CaKey, SigningKey
from privca.issuance.chains import Chains
from privca.issuance.policy import Window
from privca.issuance.ports import Conflict, Generation, GenerationRole, IssuanceStore, Keys
from privca.issuance.profile import CertificateAuthority
from privca.issuance.publication import PublicUrls
from privca.pkix.rfc5280.names import distinguished_name

_FRESH = timedelta(seconds=5)
"""How long generations are kept in memory: a rollover by another process is noticed after that."""
_BACKDATE = timedelta(minutes=5)
_LONG_AGO = datetime.fromtimestamp(0, UTC)

# A rollover moves every role one step; what leaves PREVIOUS stays for status and chains.
_STEP = {
    GenerationRole.NEXT: GenerationRole.CURRENT,
    GenerationRole.CURRENT: GenerationRole.PREVIOUS,
    GenerationRole.PREVIOUS: GenerationRole.RETIRED,
    GenerationRole.RETIRED: GenerationRole.RETIRED,
}


class Authorities:
    """All CAs of a configuration. :raises Refused: from every method ``NOT_FOUND`` for a CA that is not configured or not made yet."""

    def __init__(
        self,
        store: IssuanceStore,
        keys: Keys,
        config: Mapping[str, CertificateAuthority],
        clock: Clock,
        urls: PublicUrls,
        entropy: Entropy | None = None,
    ) -> None:
        self._store = store
        self._keys = keys
        self._config = config
        self._clock = clock
        self._urls = urls
        self._entropy = entropy or SystemEntropy()
        self._known: dict[str, tuple[datetime, tuple[CaKey, ...]]] = {}
        self._chains: dict[str, tuple[tuple[tuple[CaKey, ...], ...], Chains]] = {}

    @property
    def urls(self) -> PublicUrls:
        """Where CRLs and certificates are published."""
        return self._urls

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the configured CAs."""
        return tuple(self._config)

    def configured(self, name: str) -> CertificateAuthority:
        """The configuration of a CA."""
        try:
            return self._config[name]
        except KeyError:
            raise Refused(Reason.NOT_FOUND, "profile: issuer", "no CA of this name", got=repr(name[:80])) from None

    async def generations(self, name: str) -> Sequence[CaKey]:
        """All keys of a CA, oldest first; empty if it is not made yet."""
        now = self._clock.now()
        known = self._known.get(name)
        if known is not None and known[0] <= now < known[0] + _FRESH:
            return known[1]
        config = self.configured(name)
        kept = {key.generation: key for key in known[1]} if known is not None else {}
        found = tuple(
            kept.get(generation) or CaKey.read(generation, config.signature_hash, self._urls, config.crl.partitions)
            for generation in await self._store.generations(name)
        )
        self._known[name] = (now, found)
        return found

    async def current(self, name: str) -> CaKey:
        """The key that a CA issues with."""
        for key in await self.generations(name):
            if key.generation.role is GenerationRole.CURRENT:
                return key
        raise Refused(Reason.NOT_FOUND, "profile: issuer", "this CA has no key yet", got=repr(name))

    async def generation(self, name: str, number: int) -> CaKey:
        """The key of a CA by its number."""
        for look in range(2):
            for key in await self.generations(name):
                if key.generation.number == number:
                    return key
            if look == 0:
                # Who names a number has seen it: another process has made it since we looked. What is known is not parsed again.
                _, keys = self._known[name]
                self._known[name] = (_LONG_AGO, keys)
        raise Refused(Reason.NOT_FOUND, "profile: issuer", "this CA has no key of this number", got=f"{name!r} {number}")

    async def create_missing(self) -> list[str]:
        """Make every configured CA that has no key yet, parents first; their names."""
        made: list[str] = []
        for name in self._config:
            await self._create(name, made)
        return made

    async def _create(self, name: str, made: list[str]) -> None:
        parent = self.configured(name).parent
        if parent:
            await self._create(parent, made)
        if await self.generations(name):
            return
        try:
            await self._store.save_generations([await self._make(name, 1, GenerationRole.CURRENT, None)])
            made.append(name)
        except Conflict:
            pass  # Another process made it at the same time; its key counts, ours is never used.
        self._known.pop(name, None)

    async def prepare_next(self, name: str) -> CaKey:
        """Make the next key of a CA with its certificates, without issuing with it yet; the one that is there already if there is one."""
        keys = await self._read_again(name)
        waiting = [key for key in keys if key.generation.role is GenerationRole.NEXT]
        if not waiting:
            old = await self.current(name)
            await self._save([await self._make(name, keys[-1].generation.number + 1, GenerationRole.NEXT, old)])
            waiting = [key for key in await self._read_again(name) if key.generation.role is GenerationRole.NEXT]
        return waiting[0]

    async def rollover(self, name: str) -> CaKey:
        """Issue with a new key from now on: the next one, which is made if there is none (RFC 4210 section 4.4.1). The new current key.

        :raises Refused: ``WRONG_STATE`` if somebody else rolls over at the same time.
        """
        await self.prepare_next(name)
        keys = await self._read_again(name)
        moved = [replace(key.generation, role=_STEP[key.generation.role]) for key in keys]
        if not any(generation.role is GenerationRole.CURRENT for generation in moved):
            raise self._changed_meanwhile()
        before = {key.generation for key in keys}
        await self._save([generation for generation in moved if generation not in before])
        return await self.current(name)

    @staticmethod
    def _changed_meanwhile() -> Refused:
        return Refused(Reason.WRONG_STATE, "RFC 4210 section 4.4", "the keys of this CA were changed meanwhile; try again")

    async def _read_again(self, name: str) -> Sequence[CaKey]:
        self._known.pop(name, None)
        keys = await self.generations(name)
        if not keys:
            raise Refused(Reason.NOT_FOUND, "profile: issuer", "this CA has no key yet", got=repr(name))
        return keys

    async def _save(self, generations: Sequence[Generation]) -> None:
        try:
            await self._store.save_generations(generations)
        except Conflict:
            raise self._changed_meanwhile() from None
        self._known.pop(generations[0].authority, None)

    async def _make(self, name: str, number: int, role: GenerationRole, old: CaKey | None) -> Generation:
        """A new key with its certificates, recorded as certificates but not yet as a generation."""
        config, now = self.configured(name), self._clock.now()
        reference = f"{name}-{number}-{self._entropy.octets(6).hex()}"
        spki = await self._keys.generate(reference, config.key)
        new = SigningKey.make(
            name,
            number,
            reference,
            distinguished_name(config.subject),
            spki,
            config.signature_hash,
            self._urls,
            config.crl.partitions,
        )
        parent = await self.current(config.parent) if config.parent else None
        if parent is not None and parent.not_after <= now:
            raise Refused(
                Reason.UNAVAILABLE, "RFC 5280 section 6.1.3", "the certificate of the parent CA has expired", got=config.parent
            )
        end = now + duration(config.validity)
        window = Window(now - _BACKDATE, end if parent is None else min(end, parent.not_after))

        async def certified(subject: SigningKey, signer: SigningKey, window: Window, purpose: str) -> bytes:
            return await certify(
                self._store,
                self._keys,
                self._entropy,
                subject=subject,
                signer=signer,
                window=window,
                longest=max(duration(config.validity) + _BACKDATE, window.not_after - window.not_before),
                path_length=config.path_length,
                key_encipherment=config.key_encipherment and config.key.startswith("RSA"),
                purpose=purpose,
                now=now,
            )

        certificate = await certified(new, new if parent is None else parent.signer, window, "certificate")
        crossed: tuple[bytes | None, bytes | None] = (None, None)
        if old is not None and parent is None and old.not_after > now:
            # RFC 4210 section 4.4.1: OldWithNew spans the validity of the old certificate, NewWithOld lasts to its end.
            old_window = Window(old.certificate.not_valid_before_utc, old.not_after)
            crossed = (
                await certified(new, old.signer, Window(window.not_before, min(window.not_after, old.not_after)), "new-with-old"),
                await certified(old.signer, new, old_window, f"old-with-new:{new.reference}"),
            )
        return Generation(name, number, role, reference, certificate, crossed[0], crossed[1], now)

    async def chains(self, name: str, number: int) -> Sequence[tuple[bytes, ...]]:
        """Ways from a CA key to a self-signed root, DER, the key's own certificate first, the root included last.

        The default first: each CA's own certificate. Then one for every other root key that a cross certificate leads to.
        """
        line: list[tuple[CaKey, ...]] = []
        above = name
        while above:
            line.append(tuple(await self.generations(above)))
            above = self.configured(above).parent
        known = self._chains.get(name)
        if known is None or known[0] != tuple(line):
            known = self._chains[name] = (tuple(line), Chains(line))
        key = await self.generation(name, number)
        return known[1].above(key.signer.facts.key_identifier, self._clock.now())
