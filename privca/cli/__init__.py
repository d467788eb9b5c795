"""The ``privca`` command: each command opens the store of ``--dir`` or ``--config``, does one thing, and says in one sentence if it cannot."""
