"""``privca up``: a lab in one directory, made on the first run and served until it is stopped."""

from __future__ import annotations

import ipaddress
import os
import sys
from base64 import urlsafe_b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from privca.cli import lab, welcome
from privca.cli.output import DEFAULT_DIRECTORY, Misused, console
from privca.composition import (
    Parts,
    add_profiles,
    compose,
    directly,
    issue_external_key,
    replace_file,
    run,
    set_code,
    write_trust_anchor,
)
from privca.config import SERVED_PROTOCOLS, Config, Lab, Server, StoreTable, Validation, check_host, load
from privca.enrollment.secrets import generated
from privca.issuance.profile import Profile, Revisioned, Template
from privca.server_certificate import UnusableCertificateError, fits, issue_server_certificate, read_server_certificate
from privca.sockets import LOOPBACK, Sockets, bind, port_of

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_EAB_LIFE = timedelta(days=30)
_EXAMINED = 40
"""External account keys more that a lab with faults gives for each of its profiles: enough for an examiner who comes back a few times."""
_PORT = click.IntRange(0, 65535)


@click.command
@click.option(
    "--dir", "directory", type=click.Path(path_type=Path), default=DEFAULT_DIRECTORY, show_default=True, help="Where the lab is."
)
@click.option("--bind", "bind_", metavar="ADDR", multiple=True, help="Address to listen on (default: 127.0.0.1 and ::1).")
@click.option("--https-port", type=_PORT, help="Port of ACME and EST (default: 8443; 0: any free one, here and below).")
@click.option("--http-port", type=_PORT, help="Port of SCEP, CMP, CRLs and CA certificates (default: 8080).")
@click.option("--http01-port", type=click.IntRange(1, 65535), help="Port at which http-01 looks (default: 5002).")
@click.option("--tlsalpn01-port", type=click.IntRange(1, 65535), help="Port at which tls-alpn-01 looks (default: 5001).")
@click.option("--admin-port", type=_PORT, help="Port of health, metrics and the resolver's API (default: 8444).")
@click.option("--resolver", metavar="HOST:PORT", help="Ask this DNS server instead of the built-in one.")
@click.option("--no-resolver", is_flag=True, help="Ask the system's DNS servers.")
@click.option("--resolver-port", type=_PORT, help="Port of the built-in resolver (default: 8053).")
@click.option("--host", "hosts", metavar="NAME", multiple=True, help="Another name or address under which clients reach it.")
@click.option("--expose-lab", is_flag=True, help="Allow --bind to an address that other machines reach.")
@click.option("--faults", is_flag=True, help="Serve one more profile for each named fault: a server that errs in one way.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that serve (default: 1).")
def command(directory: Path, **given: Any) -> None:
    """Make a lab in DIR if there is none, and serve it.

    It runs until SIGINT (Ctrl-C) or SIGTERM. To begin anew, remove DIR.
    """
    path = directory.absolute() / lab.CONFIG
    made = not path.exists()
    config = _changed(_new(path) if made else load(path), given)
    exposed = [address for address in config.server.bind if not ipaddress.ip_address(address).is_loopback]
    if exposed and not given["expose_lab"]:
        raise Misused(
            f"--bind {exposed[0]} lets others reach a lab, which gives certificates to anybody; if that is meant, add --expose-lab"
        )
    sockets = bind(config)
    try:
        config = _with_ports(config, sockets)
        held = lab.claim(directory)
        try:
            # That of a run that was killed; until this one is ready there is none.
            config.file("endpoints.json").unlink(missing_ok=True)
            sys.exit(_serve(config, sockets, made))
        finally:
            config.file("endpoints.json").unlink(missing_ok=True)
            os.close(held)
    finally:
        sockets.close()


def _new(path: Path) -> Config:
    """The configuration of a lab that is not there yet, but for its CAs and profiles."""
    return Config(
        path=path,
        server=Server(),
        store=StoreTable(durable=False),
        validation=Validation(http01_port=5002, tlsalpn01_port=5001),
        lab=Lab(),
    )


def _changed(config: Config, given: dict[str, Any]) -> Config:
    """``config`` with what the command line says instead."""
    if config.lab is None:
        raise Misused(f"{config.path}: is no lab, since it has no table [lab]; run it with: privca serve --config {config.path}")
    if given["resolver"] and given["no_resolver"]:
        raise click.UsageError("--resolver and --no-resolver exclude each other")
    server = {key: given[key] for key in ("https_port", "http_port", "admin_port", "workers") if given[key] is not None}
    if given["bind_"]:
        server["bind"] = given["bind_"]
    if given["hosts"]:
        for host in given["hosts"]:
            check_host(host, "--host")
        server["hosts"] = tuple(dict.fromkeys((*given["hosts"], *_LOOPBACK)))
    validation = {key: given[key] for key in ("http01_port", "tlsalpn01_port", "resolver") if given[key] is not None}
    if given["no_resolver"]:
        validation["resolver"] = ""
    in_lab: dict[str, Any] = {"resolver": False} if given["no_resolver"] or given["resolver"] else {}
    if given["faults"]:
        in_lab["faults"] = True
    if given["resolver_port"] is not None:
        in_lab["resolver_port"] = given["resolver_port"]
    return msgspec.structs.replace(
        config,
        server=msgspec.structs.replace(config.server, **server),
        validation=msgspec.structs.replace(config.validation, **validation),
        lab=msgspec.structs.replace(config.lab, **in_lab),
    )


def _with_ports(config: Config, sockets: Sockets) -> Config:
    """``config`` with the ports that were really bound."""
    assert config.lab is not None
    server = msgspec.structs.replace(
        config.server,
        https_port=port_of(sockets.https),
        http_port=port_of(sockets.http),
        admin_port=port_of(sockets.admin),
    )
    resolver = msgspec.structs.replace(config.lab, resolver_port=port_of(sockets.resolver)) if sockets.resolver else config.lab
    return msgspec.structs.replace(config, server=server, lab=resolver)


def _serve(config: Config, sockets: Sockets, made: bool) -> int:
    """Make what is missing, and serve; the exit status."""
    if made:
        assert config.lab is not None
        replace_file(config.path, lab.text(config.server, config.validation, config.lab).encode())
        replace_file(config.file(".gitignore"), b"*\n")
        # Whether there are faults is said anew for each run.
        config = msgspec.structs.replace(load(config.path), lab=config.lab)
    config = _with_rules(_with_lists(config))
    entries, warnings = _prepare(config)
    resolver = _resolver(config)
    # Imported after everything else is known to be right: the reactor comes with it.
    from privca import server

    def ready() -> None:
        replace_file(config.file("target.toml"), welcome.target(config, entries))
        replace_file(config.file("endpoints.json"), welcome.endpoints(config, os.getpid(), resolver, entries))
        welcome.welcome(console(), config, entries, made=made, resolver=resolver, warnings=[*sockets.warnings, *warnings])

    return server.serve(config, sockets, ready=ready)


def _prepare(config: Config) -> tuple[list[dict[str, object]], list[str]]:
    """CAs, profiles, trust anchor and server certificate, as far as they are not there yet: endpoints, and what to warn of."""
    warnings = []
    parts = compose(config, directly, create=True)
    try:
        run(parts.authorities.create_missing())
        for id in add_profiles(parts, {id: (p, config.template[p.template]) for id, p in config.profile.items()}):
            warnings.append(
                f"profile {id}: the store has another revision than {lab.CONFIG}, and is followed; see 'privca check'"
            )
        faulty = _faulty_profiles(config)
        add_profiles(parts, faulty)
        if faulty:
            # An examiner looks at the certificate of a coming rollover, too.
            for name in sorted({profile.issuer for profile in config.profile.values() if profile.protocol == "scep"}):
                run(parts.authorities.prepare_next(name))
        write_trust_anchor(parts)
        try:
            chain, _ = read_server_certificate(config)
            usable = fits(chain[0], config, parts.clock.now())
        except UnusableCertificateError:
            usable = False
        if not usable:
            run(issue_server_certificate(parts))
        served = [
            p
            for p in run(parts.store.profiles())
            if p.profile.enabled
            and p.profile.protocol in SERVED_PROTOCOLS
            and (not p.profile.faults or p.id in faulty)
            # A lab that had faults before has a profile more, of a CA that is not there now.
            and p.profile.issuer in config.ca
        ]
        order = ("acme", "est", "scep", "cmp")
        entries = [_endpoint(parts, known) for known in sorted(served, key=lambda p: order.index(p.profile.protocol))]
        return [*entries, *_faulty_status(config)], warnings
    finally:
        parts.store.close()


def _with_lists(config: Config) -> Config:
    """With a CA that publishes every kind of CRL, in a lab with faults that has the CA and the template which that needs."""
    if config.lab is None or not config.lab.faults or "lab-root" not in config.ca or "tls" not in config.template:
        return config
    from privca.faults.status import lab as lists

    more = msgspec.structs.replace(config, ca={**config.ca, lists.CA: lists.authority("lab-root")})
    return msgspec.structs.replace(more, profile={**config.profile, lists.PROFILE: lists.profile("tls")})


def _with_rules(config: Config) -> Config:
    """With a profile that an examiner soon has made too many orders of, and one with terms of service, in a lab with faults."""
    like = config.profile.get("lab-acme")
    if config.lab is None or not config.lab.faults or like is None:
        return config
    from privca.faults.acme.limits import LIMITED, TERMS

    rules = {
        LIMITED: {"orders_limit": "3/1h", "website": like.acme.website or "https://ca.example.test/limits"},
        TERMS: {"terms_of_service": "https://ca.example.test/terms"},
    }
    more = {
        id: msgspec.structs.replace(like, default=False, acme=msgspec.structs.replace(like.acme, **changes))
        for id, changes in rules.items()
    }
    return msgspec.structs.replace(config, profile={**config.profile, **more})


def _faulty_status(config: Config) -> list[dict[str, object]]:
    """An entry for each fault of the status services; none unless they are asked for."""
    if config.lab is None or not config.lab.faults:
        return []
    from privca.faults.status import lab as lists

    return lists.entries(config.server.http_url) if lists.CA in config.ca else []


def _faulty_profiles(config: Config) -> dict[str, tuple[Profile, Template]]:
    """A profile for each fault, like the lab's own of its protocol; none unless they are asked for."""
    if config.lab is None or not config.lab.faults:
        return {}
    from privca.faults import faults

    found = {}
    for fault in faults().values():
        like = config.profile.get(fault.like)
        if like is not None:
            changed = msgspec.structs.replace(like, faults=(fault.name,), default=False)
            found[fault.profile_id] = (changed, config.template[like.template])
    return found


def _endpoint(parts: Parts, known: Revisioned) -> dict[str, object]:
    """The entry of a profile in endpoints.json, with the secrets that a client needs, which only a lab makes by itself."""
    protocol, methods, server = known.profile.protocol, known.profile.authentication, parts.config.server
    entry: dict[str, object] = {"id": known.id, "protocol": protocol}
    if known.profile.default:
        entry["default"] = True
    entry["url"] = {
        "acme": f"{server.https_url}/acme/{known.id}/directory",
        "est": f"{server.https_url}/.well-known/est/{known.id}",
        "scep": f"{server.http_url}/scep/{known.id}",
        "cmp": f"{server.http_url}/.well-known/cmp/p/{known.id}",
    }[protocol]
    if "open" in methods:
        entry["always_valid"] = True
    if protocol == "acme" and known.profile.acme.orders_limit:
        entry["rate_limited"] = entry["url"]
    if "eab" in methods:
        # One key binds one account, so each run gives a new one.
        key = issue_external_key(parts, known.id, _EAB_LIFE)
        entry |= {"kid": key.id, "hmac_key": urlsafe_b64encode(key.key).rstrip(b"=").decode()}
        if parts.config.lab is not None and parts.config.lab.faults:
            # An examiner makes several accounts.
            more = [issue_external_key(parts, known.id, _EAB_LIFE) for _ in range(_EXAMINED)]
            entry["bindings"] = [(one.id, urlsafe_b64encode(one.key).rstrip(b"=").decode()) for one in more]
    if "code" in methods:
        code = run(parts.store.code(known.id, lab.REFERENCE)) or set_code(
            parts, known.id, lab.REFERENCE, generated(parts.entropy)
        )
        if name := {"est": "username", "cmp": "reference"}.get(protocol):
            entry[name] = code.reference
        entry["code"] = code.value.decode()
    if protocol == "est" and known.profile.default and known.profile.est.server_keys != "none":
        entry |= lab.decryption_key(parts.config.file(parts.config.store.keys) / "est" / known.id)
    if known.profile.faults:
        entry["faults"] = list(known.profile.faults)
    if known.profile.approval_always:
        entry["approval"] = True
    if protocol == "cmp" and known.profile.cmp.rules == "rfc9483":
        entry["lightweight"] = True
    if protocol == "cmp" and known.profile.cmp.delayed:
        entry["delays"] = True
    if protocol == "cmp" and "cmcRA" in known.template.extended_key_usage:
        entry["ra"] = True
    if not known.profile.tolerant:
        entry["strict"] = True
    return entry


def _resolver(config: Config) -> str:
    """Who is asked for names, as HOST:PORT; empty: the system's."""
    if config.validation.resolver:
        return config.validation.resolver
    assert config.lab is not None
    return f"{LOOPBACK}:{config.lab.resolver_port}" if config.lab.resolver else ""
