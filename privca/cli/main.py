"""The ``privca`` command and its subcommands. Exit status: 0 done, 1 refused or failed, 2 usage."""

from __future__ import annotations

import importlib

import click

from privca import __version__
from privca.base.refused import Refused
from privca.cli.output import Failed
from privca.config import ConfigurationError
from privca.issuance.ports import Conflict
from privca.server_certificate import UnusableCertificateError
from privca.sockets import PortError
from privca.store import StoreError

# Where each command lives: only the one that is run is imported, since a server's imports would double the time of a small command.
_COMMANDS = {
    "up": "privca.cli.up",
    "serve": "privca.cli.serve",
    "check": "privca.cli.check",
    "profile": "privca.cli.profile",
    "cert": "privca.cli.cert",
    "ca": "privca.cli.ca",
    "eab": "privca.cli.eab",
    "code": "privca.cli.code",
    "otp": "privca.cli.otp",
    "request": "privca.cli.request",
    "faults": "privca.cli.faults",
    "cmp": "privca.cli.cmp",
    "replay": "privca.cli.replay",
}


class Commands(click.Group):
    """Subcommands by module, and errors as one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The order in which a newcomer needs them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command. ``worker`` is for workers alone, and not listed."""
        module = "privca.cli.worker" if cmd_name == "worker" else _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(module).command
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run it; what is known to go wrong is told in one sentence."""
        try:
            return super().invoke(ctx)
        except (ConfigurationError, PortError, StoreError, UnusableCertificateError) as error:
            raise Failed(str(error)) from None
        except Refused as refused:
            raise Failed(str(refused)) from None
        except Conflict:
            raise Failed(
                "somebody else changed the same thing at the same time; look at it again, and repeat the command"
            ) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="privca")
def main() -> None:
    """A private CA and enrollment server.

    'privca up' makes a lab and serves it, with nothing to configure.
    """
