"""What ``privca up`` says when it is ready: the first thing that anybody sees, and the files that scripts read instead."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from privca.cli.clients import commands
from privca.config import Config

_LABEL = 13
_CLAIMED = frozenset({"lab-est", "lab-est-approval", "lab-est-strict"})
_CLAIMS = (
    *("ca-label", "csr-template", "csrattrs", "fullcmc", "http-authentication", "linking-required", "manual-authorization"),
    *("serverkeygen", "serverkeygen-encrypted"),
)
"""What these profiles of a new lab have of the optional parts of EST, as the examiner calls them."""
_WIDTH = 120
"""Of what goes into a pipe or file."""
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


_SPECIAL = frozenset({"kid", "always_valid", "rate_limited"})
"""Keys of the ACME profiles that are not the one to examine as a whole."""


def target(config: Config, profiles: Sequence[Mapping[str, object]]) -> bytes:
    """``target.toml``: this server as the conformance kit wants it described."""
    profiles = [p for p in profiles if "faults" not in p]
    directory = next((p["url"] for p in profiles if p["protocol"] == "acme" and not _SPECIAL & p.keys()), None)
    lines = ['name = "privca lab"', f"trust_anchor = {json.dumps(str(config.file('ca.pem')))}"]
    if directory is not None:
        lines += ["", "[acme]", f"directory = {json.dumps(directory)}", f"http01_port = {config.validation.http01_port}"]
        lines.append(f"tlsalpn01_port = {config.validation.tlsalpn01_port}")
        if config.lab is not None and config.lab.resolver:
            lines.append(f'dns_api = "http://127.0.0.1:{config.server.admin_port}"')
        lines += [f"rate_limited = {json.dumps(p['url'])}" for p in profiles if "rate_limited" in p][:1]
    for protocol in ("est", "scep", "cmp"):
        found = [p for p in profiles if p["protocol"] == protocol]
        for profile in sorted(found, key=lambda p: (protocol == "scep" and "strict" not in p, "default" not in p))[:1]:
            lines += ["", f"[{protocol}]", *_credentials(profile)]
            for waiting in [p for p in found if protocol == "scep" and "approval" in p][:1]:
                lines += [f"approval_{key} = {json.dumps(waiting[key])}" for key in ("url", "code")]
                # The person who decides is the examiner, by the same command that a person has.
                decide = [
                    sys.executable,
                    "-m",
                    "privca",
                    "request",
                    "{decision}",
                    "--subject",
                    "{subject}",
                    "--config",
                    str(config.path),
                ]
                lines.append(f"decide = {json.dumps(decide)}")
            if protocol == "est":
                lines.append(f"plain = {json.dumps(config.server.http_url)}")
                lines += [
                    f"{key} = {json.dumps(profile[key])}" for key in ("decrypt_key_identifier", "decrypt_key") if key in profile
                ]
                for other in (one for one in found if one is not profile):
                    lines += ["", "[[est.others]]", *_credentials(other)]
    for key, name in (("lightweight", "lightweight"), ("delays", "delayed"), ("ra", "ra")):
        for profile in [p for p in profiles if key in p][:1]:
            lines += ["", f"[cmp.{name}]", *_credentials(profile)]
    # The CA with all kinds of lists, if there is one, rather than that of [acme].
    for profile in [
        *(p for p in profiles if "always_valid" in p and p["id"] in config.profile),
        *(p for p in profiles if p["url"] == directory and p["id"] in config.profile),
    ][:1]:
        lines += ["", "[status]", *_status(config, profile)]
    if _CLAIMED & {p["id"] for p in profiles} == _CLAIMED:
        lines += ["", "[claims]", *(f"{name} = true" for name in _CLAIMS)]
    return "\n".join(lines).encode() + b"\n"


def _credentials(profile: Mapping[str, object]) -> list[str]:
    return [f"{key} = {json.dumps(profile[key])}" for key in ("url", "username", "reference", "code") if key in profile]


def _status(config: Config, profile: Mapping[str, object]) -> list[str]:
    """Where the status of certificates by an ACME profile's CA is asked for; by that profile an examiner has some issued."""
    url, issuer = config.server.http_url, config.profile[str(profile["id"])].issuer
    found: dict[str, object] = {
        "ocsp": f"{url}/ocsp/{issuer}",
        "crl": f"{url}/crl/{issuer}.crl",
        "issuer": f"{url}/ca/{issuer}.cer",
        "directory": profile["url"],
        "lightweight": True,
    }
    if "always_valid" in profile:
        found["always_valid"] = True
    return [f"{key} = {json.dumps(value)}" for key, value in found.items()]


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
            # What is dim is a remark: it goes where there is room for it.
            if style != "dim" or text.cell_len + len(words) <= out.width or not out.is_terminal:
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
    for profile in (one for one in profiles if "faults" not in one):
        out.print()
        line(str(profile["protocol"]).upper(), (str(profile["url"]), "bold cyan"), (f"  {_purpose(profile)}", "dim"))
        for client, command in commands(config, profile):
            first, *rest = _filled(command, (out.width if out.is_terminal else _WIDTH) - _LABEL - 8)
            line(client, (first, "green"), *((f"{_NEXT_LINE}{words}", "green") for words in rest))
    out.print()
    faulty = sum(1 for profile in profiles if "faults" in profile)
    if faulty:
        line("faults", f"{faulty} profiles, one for each", ("  privca faults lists them, endpoints.json has their URLs", "dim"))
    if not resolver:
        line("names", "the system's DNS servers are asked")
    elif config.lab is not None and config.lab.resolver:
        line("names", "127.0.0.1 for every name", (f"  says the resolver at {resolver}", "dim"))
    else:
        line("names", f"the DNS server at {resolver} is asked")
    line("challenges", f"http-01 at port {validation.http01_port}, tls-alpn-01 at port {validation.tlsalpn01_port}, dns-01")
    line("CRLs", f"{server.http_url}/crl/{_either(_issuing(config))}.crl")
    line("OCSP", f"{server.http_url}/ocsp/{_either(_issuing(config))}")
    line(
        "admin", f"http://127.0.0.1:{server.admin_port}", ("  health, metrics, and DNS answers as for pebble-challtestsrv", "dim")
    )
    if server.transcripts:
        where = f"{_short(config.file(server.transcripts))}/"
        line("transcripts", where, ("  every exchange: octets, decision, RFC clause", "dim"))
    line("stop", "Ctrl-C")
    out.print()


def _filled(parts: Sequence[str], width: int) -> list[str]:
    """The parts in lines of at most ``width``, unless one alone is longer."""
    lines = [parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + 1 + len(part) <= width:
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    return lines


def _tree(config: Config) -> list[str | tuple[str, str]]:
    """The CAs in one line, each root before what is below it."""
    parts: list[str | tuple[str, str]] = []
    for name, authority in config.ca.items():
        parts += [", " if parts else "", name, (f" {authority.key}", "dim")]
    return parts


def _purpose(profile: Mapping[str, object]) -> str:
    if profile["protocol"] == "acme":
        if "always_valid" in profile:
            return "counts every challenge as met: for examiners"
        return "accounts bound by the key below" if "kid" in profile else "for any new account"
    if "approval" in profile:
        return "a person decides: privca request list"
    if "strict" in profile and profile["protocol"] == "est":
        return f"RFC 8951 and 9908 to the letter, linked to TLS; with the code {profile['code']}"
    if "strict" in profile and profile["protocol"] == "scep":
        return f"held to RFC 8894; with the code {profile['code']}"
    if "lightweight" in profile:
        return f"held to RFC 9483; with the code {profile['code']}"
    if "delays" in profile:
        return f"lets every client ask again; with the code {profile['code']}"
    if "ra" in profile:
        return f"certifies registration authorities; with the code {profile['code']}"
    return f"with the code {profile['code']}" if "code" in profile else "for who has a passcode or certificate"


def _either(names: Sequence[str]) -> str:
    """As curl and shells write alternatives."""
    return names[0] if len(names) == 1 else f"{{{','.join(names)}}}"


def _issuing(config: Config) -> list[str]:
    issuers = {profile.issuer for profile in config.profile.values()}
    return [name for name in config.ca if name in issuers] or list(config.ca)


def _short(path: Path) -> str:
    """A path as a person would type it from here."""
    try:
        return f"./{path.relative_to(Path.cwd())}"
    except ValueError:
        return str(path)
