"""What ``privca up`` says when it is ready: the first thing that anybody sees, and the files that scripts read instead."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from privca.config import Config

_INDENT = 13


def endpoints(config: Config, pid: int, resolver: str, profiles: list[dict[str, object]]) -> bytes:
    """``endpoints.json``: there when the server is ready, gone when it has stopped."""
    document = {
        "trust_anchor": str(config.file("ca.pem")),
        "pid": pid,
        "admin": f"http://127.0.0.1:{config.server.admin_port}",
        "resolver": resolver,
        "profiles": profiles,
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def target(config: Config, profiles: Sequence[Mapping[str, object]]) -> bytes:
    """``target.toml``: this server as the conformance kit wants it described."""
    directory = next((p["url"] for p in profiles if p["protocol"] == "acme" and "kid" not in p), None)
    lines = ['name = "privca lab"', f"trust_anchor = {json.dumps(str(config.file('ca.pem')))}"]
    if directory is not None:
        lines += ["", "[acme]", f"directory = {json.dumps(directory)}", f"http01_port = {config.validation.http01_port}"]
        if config.lab is not None and config.lab.resolver:
            lines.append(f'dns_api = "http://127.0.0.1:{config.server.admin_port}"')
    return "\n".join(lines).encode() + b"\n"


def welcome(
    out: Console,
    config: Config,
    profiles: Sequence[Mapping[str, object]],
    *,
    made: bool,
    resolver: str,
    warnings: Sequence[str],
) -> None:
    """Say what is there, how to use it, where to look and how to stop it."""
    here = _short(config.path.parent)
    validation = config.validation

    def line(label: str, *parts: str | tuple[str, str]) -> None:
        text = Text(f"  {label:<{_INDENT - 2}}", style="dim")
        for part in parts:
            text.append(*((part, "not dim") if isinstance(part, str) else (part[0], f"not dim {part[1]}")))
        out.print(text, soft_wrap=True)

    out.print()
    out.print(
        Text.assemble(("  privca", "bold"), "  is ready: ", ("a new lab" if made else "the lab"), " in ", (here, "bold")),
        soft_wrap=True,
    )
    for warning in warnings:
        line("warning", (warning, "yellow"))
    out.print()
    line("trust", (_short(config.file("ca.pem")), "bold"), "  the root of everything below")
    line("CAs", ", ".join(f"{name} ({authority.key})" for name, authority in config.ca.items()))
    for profile in profiles:
        out.print()
        line("ACME", (str(profile["url"]), "bold cyan"), f"  {_purpose(profile)}")
        for client, command in commands(config, profile):
            line(client, (command, "green"))
    out.print()
    names = "answers 127.0.0.1 for every name" if config.lab is not None and config.lab.resolver else "of yours is asked"
    line("names", f"the resolver at {resolver} {names}" if resolver else "the system's resolver is asked")
    line("challenges", f"http-01 looks at port {validation.http01_port}, tls-alpn-01 at port {validation.tlsalpn01_port}")
    line("revoked", "  ".join(f"{config.server.http_url}/crl/{name}.crl" for name in _issuing(config)))
    line(
        "admin",
        f"http://127.0.0.1:{config.server.admin_port}",
        "  health, metrics, and the resolver's answers as for pebble-challtestsrv",
    )
    if config.server.transcripts:
        line(
            "transcripts",
            f"{_short(config.file(config.server.transcripts))}/",
            "  every exchange, what was decided, and by which clause",
        )
    line("stop", "Ctrl-C")
    out.print()


def commands(config: Config, profile: Mapping[str, object]) -> list[tuple[str, str]]:
    """A command for each of the usual clients, ready to be pasted: (client, command)."""
    anchor, url = shlex.quote(str(config.file("ca.pem"))), shlex.quote(str(profile["url"]))
    port, name, mail = config.validation.http01_port, "www.example.test", "you@example.test"
    certbot, lego, acme_sh = "", "", ""
    if "kid" in profile:
        kid, key = shlex.quote(str(profile["kid"])), shlex.quote(str(profile["hmac_key"]))
        return [
            (
                "certbot",
                f"REQUESTS_CA_BUNDLE={anchor} certbot certonly -n --standalone --agree-tos -m {mail} --server {url} "
                f"--eab-kid {kid} --eab-hmac-key {key} --http-01-port {port} -d {name} {_CERTBOT_DIRECTORIES}",
            )
        ]
    certbot = (
        f"REQUESTS_CA_BUNDLE={anchor} certbot certonly -n --standalone --agree-tos -m {mail} --server {url} "
        f"--http-01-port {port} -d {name} {_CERTBOT_DIRECTORIES}"
    )
    lego = f"LEGO_CA_CERTIFICATES={anchor} lego --server {url} --accept-tos --email {mail} --http --http.port :{port} --domains {name} run"
    acme_sh = f"acme.sh --issue --standalone --httpport {port} --server {url} --ca-bundle {anchor} -d {name}"
    return [("certbot", certbot), ("lego", lego), ("acme.sh", acme_sh)]


_CERTBOT_DIRECTORIES = "--config-dir certbot --work-dir certbot --logs-dir certbot"
"""So that it runs without root's directories."""


def _purpose(profile: Mapping[str, object]) -> str:
    return "accounts bound by the key below" if "kid" in profile else "any new account"


def _issuing(config: Config) -> list[str]:
    return sorted({profile.issuer for profile in config.profile.values()})


def _short(path: Path) -> str:
    """A path as a person would type it from here."""
    try:
        return f"./{path.relative_to(Path.cwd())}"
    except ValueError:
        return str(path)
