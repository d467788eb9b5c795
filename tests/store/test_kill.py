"""A kill -9 at any moment loses nothing that was answered: a process that writes is killed, and everything it had confirmed is there."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from privca.store import Store

WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from privca.acme.ports import Authorization, AuthorizationState, Order
from privca.base.names import Name, NameKind
from privca.store import Store


class NoSealing:
    def seal(self, plaintext, context):
        raise AssertionError
    open = seal


def run(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value


now = datetime(2026, 1, 1, tzinfo=UTC)
store = Store.open(Path(sys.argv[1]), NoSealing(), durable=False)
name = Name(NameKind.DNS, "a.test")
for n in range(1_000_000):
    z = Authorization(f"z{n}", "acct", "p", name, False, AuthorizationState.PENDING, now + timedelta(days=1), (), now)
    o = Order(f"o{n}", "acct", "p", (name,), (f"z{n}",), None, None, now + timedelta(days=1), now)
    run(store.commit(o, z))
    sys.stdout.write(f"{n}\\n")
    sys.stdout.flush()
"""


def test_kill_loses_nothing_that_was_answered(path: Path, open_store: Callable[[], Store], run: Callable[[Any], Any]) -> None:
    root = Path(__file__).parents[2]
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=root)
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) == 300:
            break
    writer.send_signal(signal.SIGKILL)
    answered = 300 + len(writer.stdout.read().split("\n")[:-1])
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    store = open_store()
    assert store._database._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    for n in range(answered + 1):
        order = run(store.order("p", f"o{n}"))
        (authorization,) = run(store.authorizations(order))
        assert (order.id, authorization.id) == (f"o{n}", f"z{n}")
    stored = {
        table: store._database._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("acme_order", "acme_authorization")
    }
    assert stored["acme_order"] == stored["acme_authorization"]
