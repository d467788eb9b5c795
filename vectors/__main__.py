"""``python -m vectors``."""

from vectors.cli import main

main(prog_name="python -m vectors")
