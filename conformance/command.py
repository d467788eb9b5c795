"""The examiner on the command line.

Exit status: 0 conformant, 1 nonconformity or refusal, 2 usage, 3 the harness failed, 4 nothing can be concluded (the server cannot be
reached), 5 nothing was selected.
"""

from __future__ import annotations

import warnings

import click
from cryptography.utils import CryptographyDeprecationWarning

from conformance.commands.curl import curl
from conformance.commands.evidence import evidence
from conformance.commands.issue import issue
from conformance.commands.look import catalogue, diff, explain, mutations, show
from conformance.commands.look import list_cases as list_
from conformance.commands.prove import gauntlet, kill_matrix
from conformance.commands.run import report, run


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Examine a certificate enrollment server by its URL.

    Every case cites the requirement that it examines, every refusal is shown beside the same request unspoilt, and the examiner shares no
    code with any server.
    """
    # What a parser only warns of in a certificate is a matter of the lints; a user is to see their words, not its.
    warnings.simplefilter("ignore", CryptographyDeprecationWarning)


for command in (run, report, evidence, curl, list_, show, explain, catalogue, diff, gauntlet, kill_matrix, issue, mutations):
    main.add_command(command)
