"""``conformance issue``: one complete reference enrollment over ACME, every reply checked on the way."""

from __future__ import annotations

import contextlib
import ipaddress
import sys
from pathlib import Path

import click

from conformance.acme import enrollment
from conformance.acme.client import Client, Identifier, Problem
from conformance.acme.keys import Key, MacKey
from conformance.acme.responders import DnsResponder, HttpResponder, NoResponder, Responder, TlsAlpnResponder
from conformance.acme.transcript import Transcript
from conformance.transport import SocketTransport, Unreachable
from conformance.verdict import NONCONFORMANT, UNREACHABLE


@click.command()
@click.option("--acme", required=True, metavar="URL", help="Directory URL.")
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Trust anchors for TLS, PEM. [system's, SSL_CERT_FILE]",
)
@click.option(
    "--names",
    required=True,
    multiple=True,
    metavar="NAME",
    help="A DNS name or IP address; more may follow, or repeat the option.",
)
@click.argument("more", nargs=-1, metavar="[NAME]...")
@click.option(
    "--challenge",
    type=click.Choice(["http-01", "dns-01", "tls-alpn-01"]),
    default="http-01",
    show_default=True,
    help="How names are proven.",
)
@click.option("--bind", default="127.0.0.1", show_default=True, help="Address of our http-01 or tls-alpn-01 server.")
@click.option("--http01-port", type=int, default=5002, show_default=True, help="Port at which the server looks for http-01.")
@click.option(
    "--tlsalpn01-port", type=int, default=5001, show_default=True, help="Port at which the server looks for tls-alpn-01."
)
@click.option("--dns-api", metavar="URL", help="API like that of pebble-challtestsrv; needed for dns-01.")
@click.option("--always-valid", is_flag=True, help="The server counts every challenge as met: put nothing in place.")
@click.option(
    "--account-alg", type=click.Choice(["ES256", "ES384", "ES512", "RS256", "EdDSA"]), default="ES256", show_default=True
)
@click.option(
    "--key-alg",
    type=click.Choice(["ES256", "ES384", "RS256", "EdDSA"]),
    default="ES256",
    show_default=True,
    help="Certificate's key.",
)
@click.option("--eab-kid", metavar="KID", help="External account binding: key identifier.")
@click.option(
    "--eab-hmac-key", metavar="KEY", envvar="EAB_HMAC_KEY", help="External account binding: HMAC key, base64url. [EAB_HMAC_KEY]"
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write chain.pem and key.pem (mode 0600) there.")
@click.option("-v", "--verbose", is_flag=True, help="Show every message, decoded.")
def issue(
    acme: str,
    ca: Path | None,
    names: tuple[str, ...],
    more: tuple[str, ...],
    challenge: str,
    bind: str,
    http01_port: int,
    tlsalpn01_port: int,
    dns_api: str | None,
    always_valid: bool,
    account_alg: str,
    key_alg: str,
    eab_kid: str | None,
    eab_hmac_key: str | None,
    out: Path | None,
    verbose: bool,
) -> None:
    """Enroll once, in full, and show how it went."""
    if (eab_kid is None) != (eab_hmac_key is None):
        raise click.UsageError("--eab-kid and --eab-hmac-key belong together")
    if challenge == "dns-01" and not dns_api and not always_valid:
        raise click.UsageError("dns-01 needs --dns-api")
    binding = MacKey(eab_kid, eab_hmac_key) if eab_kid and eab_hmac_key else None
    identifiers = [identifier(name) for name in (*names, *more)]
    with contextlib.ExitStack() as stack:
        transport = stack.enter_context(SocketTransport(ca))
        responder: Responder
        if always_valid:
            responder = NoResponder()
        elif challenge == "http-01":
            responder = stack.enter_context(HttpResponder(bind, http01_port))
        elif challenge == "tls-alpn-01":
            responder = stack.enter_context(TlsAlpnResponder(bind, tlsalpn01_port))
        else:
            responder = DnsResponder(dns_api or "")
        transcript = Transcript(acme, click.echo, verbose=verbose)
        client = Client(transport, acme, transcript.observe)
        try:
            enrolled = enrollment.enroll(
                client,
                identifiers,
                responder,
                account_key=Key.make(account_alg),
                key=Key.make(key_alg),
                binding=binding,
                say=transcript.say,
            )
        except Unreachable as failure:
            click.echo(f"inconclusive: {failure}", err=True)
            sys.exit(UNREACHABLE)
        except (Problem, enrollment.Failed) as failure:
            click.echo(f"fail: {failure}", err=True)
            sys.exit(NONCONFORMANT)
        leaf = enrolled.certificates[0]
        click.echo(
            f"\nissued: serial {leaf.serial_number:x}, {len(enrolled.certificates)} certificates, until {leaf.not_valid_after_utc:%Y-%m-%d}"
        )
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            (out / "chain.pem").write_bytes(enrolled.chain)
            key_file = out / "key.pem"
            key_file.touch(mode=0o600)
            key_file.write_bytes(enrolled.key.pem())
            click.echo(f"written: {out / 'chain.pem'}, {key_file}")
        sys.exit(transcript.verdict())


def identifier(name: str) -> Identifier:
    """What a name on the command line means: an IP address if it reads as one, else a DNS name."""
    with contextlib.suppress(ValueError):
        return {"type": "ip", "value": str(ipaddress.ip_address(name))}
    return {"type": "dns", "value": name}
