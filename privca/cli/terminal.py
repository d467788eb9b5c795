"""What a person types: a secret, without showing it."""

from __future__ import annotations

import sys
import termios

import click

from privca.cli.output import Failed


def typed_twice(prompt: str) -> str:
    """A secret that is typed at the terminal that standard input is, twice. :raises Failed: if it is none, or the two differ.

    Standard input and nothing else: who runs this in the background or in a pipe is told so, and never waited for at ``/dev/tty``.
    """
    if not sys.stdin.isatty():
        raise Failed("standard input is no terminal to type at; use --stdin or --generate")
    first = _typed(prompt)
    if _typed(f"{prompt} again") != first:
        raise Failed("the two differ; nothing was changed")
    return first


def _typed(prompt: str) -> str:
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    silent = [*before]
    silent[3] &= ~termios.ECHO
    try:
        # Before it asks: who types at once is not shown either.
        termios.tcsetattr(descriptor, termios.TCSADRAIN, silent)
        click.echo(f"{prompt}: ", nl=False, err=True)
        line = sys.stdin.readline()
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        click.echo(err=True)
    return line.removesuffix("\n")
