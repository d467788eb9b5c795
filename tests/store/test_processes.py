"""Several processes on one database: a command that comes and goes must not take the WAL from under a server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from privca.store import Store

# What a command does: open, read, close. As the last to close it would fold the WAL into the file and delete it.
COMMAND = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT count(*) FROM sqlite_master').fetchone(); c.close()"
)


def test_a_second_store_in_a_process_leaves_its_locks(open_store: Callable[[], Store], path: Path) -> None:
    # POSIX locks belong to the process: closing any descriptor of the file gives all of them up.
    open_store()
    open_store()
    wal = path.with_name(path.name + "-wal")
    before = os.stat(wal).st_ino
    subprocess.run([sys.executable, "-c", COMMAND, str(path)], check=True, timeout=60)
    assert wal.exists(), "the other process saw no lock, took itself for the last one and deleted the WAL"
    assert os.stat(wal).st_ino == before
