"""``privca.toml``: what a server is, as immutable tables; an unknown key is an error that names its path.

Tables: ``[server]``, ``[store]``, ``[validation]``, ``[lab]`` (made by ``privca up`` alone), ``[ca.NAME]``, ``[template.NAME]``,
``[profile.ID]``. Relative paths count from the directory of the file. Every error is one sentence: where, what, how to mend it.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from privca.base.names import dns_name
from privca.base.refused import Refused
from privca.issuance.consistency import faults
from privca.issuance.options import Struct
from privca.issuance.profile import CertificateAuthority, Profile, Template

SERVED_PROTOCOLS = frozenset({"acme", "cmp", "est", "scep"})
"""Protocols that this version has a service for (``server.Front``): a profile of another one would be an endpoint that nobody answers."""


class ConfigurationError(Exception):
    """The configuration is wrong: one sentence with the place, the fault and the cure."""


class Server(Struct, frozen=True):
    """``[server]``: where it listens and what it calls itself."""

    bind: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses to listen on."""
    https_port: int = 8443
    http_port: int = 8080
    """CRLs and CA certificates, without TLS; 0 means any free port, here and in the other ports."""
    admin_port: int = 8444
    """Health and metrics, on 127.0.0.1 only."""
    hosts: tuple[str, ...] = ("127.0.0.1", "::1", "localhost")
    """Names and addresses by which clients reach it, those of its certificate; the first stands in printed and certified URLs."""
    certificate: str = "keys/server.pem"
    """Certificate chain of the HTTPS listener, PEM, the server's own first. Read again when the file changes."""
    key: str = "keys/server.pem"
    """Its private key, PEM without a passphrase, mode 0600; may be the same file."""
    transcripts: str = "transcripts"
    """Directory of the records of every exchange; empty: none are written."""
    log: str = ""
    """File for the log; empty: standard error."""
    workers: int = 1
    """Processes that serve. With more than one, another one supervises them."""

    @property
    def https_url(self) -> str:
        """What URLs of the HTTPS listener begin with."""
        return _url("https", self.hosts[0], self.https_port, 443)

    @property
    def http_url(self) -> str:
        """What URLs of the HTTP listener begin with."""
        return _url("http", self.hosts[0], self.http_port, 80)


class StoreTable(Struct, frozen=True):
    """``[store]``: what has to be remembered."""

    database: str = "privca.db"
    keys: str = "keys"
    """Directory of the private keys of the CAs and of ``store.key``, which the secrets in the database are encrypted under."""
    durable: bool = True
    """Whether every answer waits for the disk, so that not even a power cut loses it."""


class Validation(Struct, frozen=True):
    """``[validation]``: how this server looks at the names that clients claim."""

    http01_port: int = 80
    tlsalpn01_port: int = 443
    resolver: str = ""
    """``HOST:PORT`` of a DNS server; empty: the system's (in a lab: the built-in one). For profiles that check CAA it has to be one that
    validates DNSSEC and is trusted, best on this very machine (RFC 8657 section 5.6): what does not validate, it answers with an error."""
    allow: tuple[str, ...] = ()
    """CIDR blocks that may be connected to although they are loopback, link-local or otherwise denied."""
    deny: tuple[str, ...] = ()
    """Further CIDR blocks that are never connected to."""


class Lab(Struct, frozen=True):
    """``[lab]``: what only a lab has. ``privca serve`` refuses a configuration with this table."""

    resolver: bool = True
    """Whether the built-in resolver runs, which answers 127.0.0.1 for every name."""
    resolver_port: int = 8053
    faults: bool = False
    """Whether profiles with ``faults`` are served; without it there are none."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A whole configuration that is consistent in itself. ``path`` is the file that it came from."""

    path: Path
    server: Server = Server()
    store: StoreTable = StoreTable()
    validation: Validation = Validation()
    lab: Lab | None = None
    ca: dict[str, CertificateAuthority] = {}
    template: dict[str, Template] = {}
    profile: dict[str, Profile] = {}

    def file(self, name: str) -> Path:
        """A path of the configuration, made absolute."""
        return (self.path.parent / name).absolute()


def _url(scheme: str, host: str, port: int, usual: int) -> str:
    bracketed = f"[{host}]" if ":" in host else host
    return f"{scheme}://{bracketed}" if port == usual else f"{scheme}://{bracketed}:{port}"


T = TypeVar("T")


def load(path: Path) -> Config:
    """Read, check and return the configuration in ``path``. :raises ConfigurationError: with the place and the cure."""
    document = read(path)
    tables: dict[str, Any] = {}
    for name, kind in (("server", Server), ("store", StoreTable), ("validation", Validation), ("lab", Lab)):
        if name in document:
            tables[name] = _convert(document.pop(name), kind, f"{path.name}: [{name}]")
    tables["ca"] = _convert_each(document.pop("ca", {}), CertificateAuthority, f"{path.name}: ca")
    tables["template"], tables["profile"] = profiles_of(document, path)
    config = Config(path=path.absolute(), **tables)
    _check_server(config, path.name)
    _check_issuance(config, config.template, config.profile, path.name)
    return config


def load_profiles(path: Path, config: Config) -> dict[str, tuple[Profile, Template]]:
    """The profiles in the file ``path`` for ``profile apply``, each with its template from that file or from ``config``.

    ``path`` may be a whole ``privca.toml``; its other tables are not looked at.
    """
    document = {key: value for key, value in read(path).items() if key not in {"server", "store", "validation", "lab", "ca"}}
    templates, profiles = profiles_of(document, path)
    if not profiles:
        raise ConfigurationError(f"{path.name}: there is no profile in it; write at least one table [profile.ID]")
    known = {**config.template, **templates}
    _check_issuance(config, known, profiles, path.name)
    return {id: (profile, known[profile.template]) for id, profile in profiles.items()}


def profiles_of(document: Mapping[str, Any], path: Path) -> tuple[dict[str, Template], dict[str, Profile]]:
    """The templates and profiles of a parsed file that has nothing else in it; files that they name are read."""
    where = path.name
    for key in document:
        if key not in {"template", "profile"}:
            raise ConfigurationError(f"{where}: there is no table [{key}]{_meant(key, Config.__struct_fields__)}")
    templates = _convert_each(document.get("template", {}), Template, f"{where}: template")
    profiles = _convert_each(document.get("profile", {}), Profile, f"{where}: profile")
    return templates, {id: _with_anchors(profile, path, f"{where}: [profile.{id}]") for id, profile in profiles.items()}


def _with_anchors(profile: Profile, path: Path, where: str) -> Profile:
    """A profile with the text of the files that ``vendor_anchors`` names: what is stored must not change with a file."""
    anchors = [one if "-----BEGIN" in one else _anchor_file(path.parent / one, where) for one in profile.vendor_anchors]
    return msgspec.structs.replace(profile, vendor_anchors=tuple(anchors)) if anchors else profile


def _anchor_file(file: Path, where: str) -> str:
    try:
        # What stands around the certificates (openssl prints their contents before each) is left out.
        return "".join(re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", file.read_text(), re.DOTALL))
    except OSError as error:
        raise ConfigurationError(f"{where}: vendor_anchors: {file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{where}: vendor_anchors: {file}: is not text; write certificates in PEM") from None


def _check_issuance(config: Config, templates: Mapping[str, Template], profiles: Mapping[str, Profile], where: str) -> None:
    for id, profile in profiles.items():
        if profile.protocol not in SERVED_PROTOCOLS:
            raise ConfigurationError(
                f"{where}: [profile.{id}]: this version does not serve protocol {profile.protocol!r}; it serves {_listed(SERVED_PROTOCOLS)}"
            )
    for fault in faults(config.ca, templates, profiles, lab=config.lab is not None):
        raise ConfigurationError(f"{where}: {fault}")
    for id, profile in profiles.items():
        if profile.faults:
            _check_faults(profile, f"{where}: [profile.{id}]: faults")


def _check_faults(profile: Profile, where: str) -> None:
    # Imported here: only a lab has such profiles, and nobody else has this package in memory.
    from privca.faults import faults as known

    for name in profile.faults:
        fault = known().get(name)
        if fault is None:
            raise ConfigurationError(f"{where}: there is no fault {name!r}{_meant(name, known())}; 'privca faults' lists them")
        if not fault.fits(profile.protocol):
            raise ConfigurationError(f"{where}: {name!r} is a fault of {fault.protocol}")


def read(path: Path) -> dict[str, Any]:
    """The TOML document in ``path``. :raises ConfigurationError: if it cannot be read or is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path}: there is no such file; 'privca up' makes a lab, and --dir or --config names an existing one"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is not UTF-8 text; TOML is (save it as UTF-8)") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from None


def _check_server(config: Config, where: str) -> None:
    server = config.server
    ports = {
        "server": ("https_port", "http_port", "admin_port"),
        "validation": ("http01_port", "tlsalpn01_port"),
        "lab": ("resolver_port",),
    }
    for table, keys in ports.items():
        for key in keys:
            port = getattr(getattr(config, table), key, 0)
            if not 0 <= port <= 65535:
                raise ConfigurationError(
                    f"{where}: [{table}] {key} = {port} is no port; write a number from 1 to 65535, or 0 for any free one"
                )
    for address in server.bind:
        _check_address(address, f"{where}: [server] bind")
    if not server.bind or not server.hosts:
        raise ConfigurationError(f"{where}: [server] bind and hosts need at least one entry each")
    for host in server.hosts:
        check_host(host, f"{where}: [server] hosts")
    if not 1 <= server.workers <= 64:
        raise ConfigurationError(f"{where}: [server] workers = {server.workers}; write a number from 1 to 64")
    for key, blocks in (("allow", config.validation.allow), ("deny", config.validation.deny)):
        for block in blocks:
            _check_cidr(block, f"{where}: [validation] {key}")
    if config.validation.resolver:
        host_and_port(config.validation.resolver, f"{where}: [validation] resolver")


def check_host(host: str, where: str) -> None:
    """Whether ``host`` is an IP address or a DNS name in canonical form."""
    try:
        canonical = str(ipaddress.ip_address(host))
    except ValueError:
        try:
            canonical = dns_name(host).value
        except Refused as refused:
            raise ConfigurationError(f"{where}: {host!r} is neither a DNS name nor an IP address: {refused.detail}") from None
    if canonical != host:
        raise ConfigurationError(f"{where}: {host!r} is written {canonical!r}")


def host_and_port(text: str, where: str) -> tuple[str, int]:
    """``HOST:PORT`` (an IPv6 address in brackets) as a pair."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ConfigurationError(f"{where}: {text!r} is not ADDRESS:PORT, as in '192.0.2.53:53' or '[2001:db8::53]:53'")
    _check_address(host, where)
    return host, int(port)


def _check_address(text: str, where: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ConfigurationError(f"{where}: {text!r} is not an IP address, as in '192.0.2.1' or '2001:db8::1'") from None


def _check_cidr(text: str, where: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise ConfigurationError(f"{where}: {error}; write a block as in '192.0.2.0/24' or '2001:db8::/32'") from None


def _convert_each(tables: Any, kind: type[T], where: str) -> dict[str, T]:
    if not isinstance(tables, dict):
        raise ConfigurationError(f"{where}: is a family of tables; write [{where.rpartition(' ')[2]}.NAME]")
    file, _, family = where.rpartition(" ")
    return {name: _convert(table, kind, f"{file} [{family}.{name}]") for name, table in tables.items()}


def _convert(table: Any, kind: type[T], where: str) -> T:
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{where}: {_explained(str(error), kind)}") from None


def _explained(message: str, kind: type) -> str:
    """What msgspec says, in the words of TOML: its path without ``$``, and for an unknown key the nearest known one."""
    fault, _, at = message.partition(" - at `")
    path = at.removesuffix("`").removeprefix("$").removeprefix(".")
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", fault)
    if unknown:
        key = f"{path}.{unknown[1]}" if path else unknown[1]
        return f"there is no key {key!r}{_meant(unknown[1], _fields(kind, path))}"
    missing = re.fullmatch(r"Object missing required field `(.*)`", fault)
    if missing:
        key = f"{path}.{missing[1]}" if path else missing[1]
        return f"the key {key!r} is missing"
    for theirs, ours in (("Invalid enum value", "there is no choice"), ("`object`", "`table`"), ("`", "'")):
        fault = fault.replace(theirs, ours)
    return f"{path}: {fault}" if path else fault


def _fields(kind: type, path: str) -> Iterable[str]:
    """The keys of the table at ``path`` inside ``kind``, where they are known."""
    here: Any = kind
    for step in filter(None, path.split(".")):
        found = {field.name: field.type for field in msgspec.structs.fields(here)} if _is_struct(here) else {}
        here = found.get(step)
    return [field.name for field in msgspec.structs.fields(here)] if _is_struct(here) else []


def _is_struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _meant(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "none"
