"""The options by which a command is told of a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from conformance import target

_Command = TypeVar("_Command", bound=Callable[..., Any])
_OPTIONS = (
    click.option(
        "--target", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The server, as target.toml."
    ),
    click.option("--name", metavar="WORDS", default="", help="What reports call the server. [its URL]"),
    click.option("--acme", metavar="URL", help="Directory URL of an ACME server."),
    click.option(
        "--est", metavar="URL", help="An EST server, down to the label if there is one: https://HOST/.well-known/est/LABEL."
    ),
    click.option("--scep", metavar="URL", help="A SCEP server, without '?operation='."),
    click.option("--cmp", metavar="URL", help="A CMP server."),
    click.option("--ocsp", metavar="URL", default="", help="An OCSP responder."),
    click.option("--crl", metavar="URL", default="", help="A complete CRL."),
    click.option("--issuer", metavar="FILE|URL", default="", help="OCSP, CRL: certificate of the CA."),
    click.option("--good", metavar="FILE|URL", default="", help="OCSP, CRL: a certificate that is good."),
    click.option("--revoked", metavar="FILE|URL", default="", help="OCSP, CRL: a certificate that is revoked."),
    click.option(
        "--ca", type=click.Path(exists=True, dir_okay=False), help="Trust anchors for TLS, PEM. [system's, SSL_CERT_FILE]"
    ),
    click.option("--http01-port", type=int, help="ACME: port at which the server looks for http-01."),
    click.option("--tlsalpn01-port", type=int, help="ACME: port at which the server looks for tls-alpn-01."),
    click.option("--dns-api", metavar="URL", default="", help="ACME: API like that of pebble-challtestsrv."),
    click.option("--always-valid", is_flag=True, help="ACME: the server counts every challenge as met."),
    click.option("--contact", metavar="URL", default="", help="ACME: contact of new accounts, for a server that wants one."),
    click.option("--username", metavar="NAME", default="", help="EST: the user that the code belongs to."),
    click.option("--reference", metavar="NAME", default="", help="CMP: the reference that the code belongs to."),
    click.option(
        "--code-env", metavar="VAR", default="", help="EST, SCEP, CMP: variable with the password, challengePassword, secret."
    ),
)


def server(command: _Command) -> _Command:
    """Give a command these options: it gets ``file``, and the others by their names, for :func:`described`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def described(file: Path | None, given: Mapping[str, Any]) -> target.Target:
    """The target of these options. :raises TargetError: if it cannot be used. :raises UsageError: if none is given, or two."""
    if (file is None) == (not any(given[name] for name in target.BARE)):
        raise click.UsageError("give either --target or the URL of a server")
    return target.read(file) if file else target.given(**given)
