"""What ``privca up`` says when it is ready: the first thing that anybody sees, and the files that scripts read instead."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from privca.config import Config

_LABEL = 13
_NEXT_LINE = f" \\\n{' ' * (_LABEL + 4)}"
"""Goes on with a command in the next line, as a shell reads it."""


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
    server, validation = config.server, config.validation

    def line(label: str, *parts: str | tuple[str, str]) -> None:
        text = Text(f"  {label:<{_LABEL}}", style="dim")
        for part in parts:
            words, style = part if isinstance(part, tuple) else (part, "")
            text.append(words, style=f"not dim {style}")
        out.print(text, soft_wrap=True)

    out.print()
    what = "a new lab in " if made else "the lab in "
    out.print(
        Text.assemble(("  privca is ready", "bold green"), "  ", what, (f"{_short(config.path.parent)}/", "bold")), soft_wrap=True
    )
    for warning in warnings:
        line("warning", (warning, "yellow"))
    out.print()
    line("trust", (_short(config.file("ca.pem")), "bold"), ("  root certificate of everything below", "dim"))
    line("CAs", *_tree(config))
    for profile in profiles:
        out.print()
        line("ACME", (str(profile["url"]), "bold cyan"), (f"  {_purpose(profile)}", "dim"))
        for client, command in commands(config, profile):
            first, *rest = command
            line(client, (first, "green"), *((f"{_NEXT_LINE}{words}", "green") for words in rest))
    out.print()
    if not resolver:
        line("names", "the system's DNS servers are asked")
    elif config.lab is not None and config.lab.resolver:
        line("names", "127.0.0.1 for every name", (f"  says the resolver at {resolver}", "dim"))
    else:
        line("names", f"the DNS server at {resolver} is asked")
    line("challenges", f"http-01 at port {validation.http01_port}, tls-alpn-01 at port {validation.tlsalpn01_port}, dns-01")
    line("CRLs", "  ".join(f"{server.http_url}/crl/{name}.crl" for name in _issuing(config)))
    line(
        "admin", f"http://127.0.0.1:{server.admin_port}", ("  health, metrics, and DNS answers as for pebble-challtestsrv", "dim")
    )
    if server.transcripts:
        where = f"{_short(config.file(server.transcripts))}/"
        line("transcripts", where, ("  every exchange: octets, decision, RFC clause", "dim"))
    line("stop", "Ctrl-C")
    out.print()


def commands(config: Config, profile: Mapping[str, object]) -> list[tuple[str, list[str]]]:
    """A command for each of the usual clients, ready to be pasted: (client, lines of the command)."""
    anchor, url = shlex.quote(str(config.file("ca.pem"))), shlex.quote(str(profile["url"]))
    port, mail = config.validation.http01_port, "you@example.test"
    bound = "kid" in profile
    # Another name, so that certbot does not find that it has a certificate for it already.
    name = "eab.example.test" if bound else "www.example.test"
    binding = [f"--eab-kid {profile['kid']}", f"--eab-hmac-key {profile['hmac_key']}"] if bound else []
    certbot = [
        f"REQUESTS_CA_BUNDLE={anchor} certbot certonly --standalone --http-01-port {port}",
        f"-n --agree-tos -m {mail} --config-dir certbot --work-dir certbot --logs-dir certbot",
        *binding,
        f"--server {url} -d {name}",
    ]
    if bound:
        return [("certbot", certbot)]
    lego = [
        f"LEGO_CA_CERTIFICATES={anchor} lego --accept-tos --email {mail} --http --http.port :{port}",
        f"--server {url} --domains {name} run",
    ]
    acme_sh = [f"acme.sh --issue --standalone --httpport {port} --ca-bundle {anchor}", f"--server {url} -d {name}"]
    return [("certbot", certbot), ("lego", lego), ("acme.sh", acme_sh)]


def _tree(config: Config) -> list[str | tuple[str, str]]:
    """The CAs in one line, each root before what is below it."""
    parts: list[str | tuple[str, str]] = []
    for name, authority in config.ca.items():
        parts += [", " if parts else "", name, (f" {authority.key}", "dim")]
    return parts


def _purpose(profile: Mapping[str, object]) -> str:
    return "accounts bound by the key below" if "kid" in profile else "for any new account"


def _issuing(config: Config) -> list[str]:
    return sorted({profile.issuer for profile in config.profile.values()})


def _short(path: Path) -> str:
    """A path as a person would type it from here."""
    try:
        return f"./{path.relative_to(Path.cwd())}"
    except ValueError:
        return str(path)
