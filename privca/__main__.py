"""``python -m privca`` is the ``privca`` command."""

from privca.cli.main import main

main()
