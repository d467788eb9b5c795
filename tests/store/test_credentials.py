"""Codes, passcodes and waiting requests in the database: sealed, replaced by version, spent once, whoever asks and whatever dies."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from privca.enrollment.ports import Code, Decision, Full, Passcode, WaitingRequest
from privca.issuance.ports import Certificate, CertificateStatus, Conflict, Spent
from privca.store import Store

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
Run = Callable[[Any], Any]


def passcode(id: str = "one", reference: str = "device", **changes: Any) -> Passcode:
    made = Passcode(id, "p", reference, f"value of {id}".encode(), NOW, NOW + timedelta(hours=1))
    return msgspec.structs.replace(made, **changes)


def certificate(request_id: str, serial: int = 1) -> Certificate:
    return Certificate(
        serial=serial.to_bytes(20, "big"),
        authority="ca",
        generation=1,
        profile_id="p",
        profile_revision=1,
        protocol="est",
        request_id=request_id,
        identity="otp:device",
        subject="",
        names=(),
        spki_sha256=b"\0" * 32,
        not_before=NOW,
        not_after=NOW + timedelta(days=1),
        tbs=b"tbs",
        der=None,
        status=CertificateStatus.PREPARED,
        recorded=NOW,
    )


def waiting(request_id: str = "r", **changes: Any) -> WaitingRequest:
    made = WaitingRequest(
        id=f"id of {request_id}",
        profile_id="p",
        request_id=request_id,
        method="otp",
        identity="otp:device",
        ra=False,
        certificate=b"",
        vendor=b"",
        renews=b"",
        info=b"info",
        subject="CN=a",
        names=(),
        proven=(),
        spki_sha256=b"\0" * 32,
        not_before=None,
        not_after=NOW,
        created=NOW,
        expires=NOW + timedelta(days=7),
    )
    return msgspec.structs.replace(made, **changes)


def count(store: Store, table: str, condition: str = "1") -> int:
    row = store._database._connection.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()
    return int(row[0])


def test_a_code_is_sealed_and_found_by_its_value(store: Store, path: Path, run: Run) -> None:
    code = Code("p", "floor", b"correct horse battery", NOW)
    run(store.save_code(code))
    assert run(store.code("p", "floor")) == msgspec.structs.replace(code, version=1)
    assert run(store.code_by_value("p", code.value)) == run(store.code("p", "floor"))
    for other in (run(store.code("q", "floor")), run(store.code("p", "roof")), run(store.code_by_value("q", code.value))):
        assert other is None
    stored = b"".join(file.read_bytes() for file in path.parent.glob("privca.db*"))
    assert b"code p floor|" in stored
    assert code.value not in stored
    assert "horse" not in repr(code)


def test_a_code_is_replaced_by_who_read_it(store: Store, run: Run) -> None:
    run(store.save_code(Code("p", "floor", b"first", NOW)))
    read = run(store.code("p", "floor"))
    run(store.save_code(msgspec.structs.replace(read, value=b"second", lab=True)))
    assert run(store.code("p", "floor")).lab
    assert run(store.code_by_value("p", b"first")) is None
    for stale in (Code("p", "floor", b"third", NOW), msgspec.structs.replace(read, value=b"third")):
        with pytest.raises(Conflict):
            run(store.save_code(stale))
    assert [code.value for code in run(store.codes("p"))] == [b"second"]
    assert run(store.remove_code("p", "floor"))
    assert not run(store.remove_code("p", "floor"))


def test_a_passcode_is_sealed_and_found_by_its_value(store: Store, path: Path, run: Run) -> None:
    run(store.add_passcode(passcode()))
    assert run(store.passcode("one")) == passcode()
    assert run(store.passcode_by_value("p", b"value of one")) == passcode()
    assert run(store.newest_passcode("p", "device")) == passcode()
    assert run(store.passcode_by_value("q", b"value of one")) is None
    stored = b"".join(file.read_bytes() for file in path.parent.glob("privca.db*"))
    assert b"passcode one|" in stored
    assert b"value of one" not in stored


def test_a_new_passcode_takes_the_place_of_an_unspent_one(store: Store, run: Run) -> None:
    run(store.add_passcode(passcode("spent")))
    run(store.add_certificate(certificate("r"), spends="spent"))
    run(store.add_passcode(passcode("old")))
    run(store.add_passcode(passcode("new")))
    run(store.add_passcode(passcode("other", "other")))
    states = {one.id: one.state(NOW) for one in run(store.passcodes("p"))}
    assert states == {"spent": "spent", "old": "revoked", "new": "live", "other": "live"}
    assert run(store.newest_passcode("p", "device")).id == "new"


@pytest.mark.parametrize("spoilt", ["spent", "revoked", "locked", "expired", "of another profile", "unknown"])
def test_what_is_not_live_cannot_be_spent(store: Store, run: Run, spoilt: str) -> None:
    run(store.add_passcode(passcode(expires=NOW) if spoilt == "expired" else passcode()))
    if spoilt == "spent":
        run(store.add_certificate(certificate("before", 9), spends="one"))
    elif spoilt == "revoked":
        assert run(store.revoke_passcode("one", NOW))
    elif spoilt == "locked":
        for _ in range(5):
            run(store.count_failure("p", "device"))
    id = "two" if spoilt == "unknown" else "one"
    profile = "q" if spoilt == "of another profile" else "p"
    with pytest.raises(Spent):
        run(store.add_certificate(msgspec.structs.replace(certificate("r"), profile_id=profile), spends=id))
    with pytest.raises(Spent):
        run(store.add_waiting_request(waiting(profile_id=profile), 10, spends=id))
    # Nothing of it is left.
    assert count(store, "certificate", "request_id = 'r'") == count(store, "waiting_request") == 0


def test_the_same_request_twice_is_a_conflict_before_its_passcode_is(store: Store, run: Run) -> None:
    run(store.add_passcode(passcode()))
    run(store.add_certificate(certificate("r", 1), spends="one"))
    with pytest.raises(Conflict):
        run(store.add_certificate(certificate("r", 2), spends="one"))
    run(store.add_passcode(passcode("two")))
    run(store.add_waiting_request(waiting("w"), 10, spends="two"))
    with pytest.raises(Conflict):
        run(store.add_waiting_request(waiting("w", id="another"), 10, spends="two"))


def test_waiting_requests_come_back_as_they_were(store: Store, run: Run) -> None:
    run(store.add_waiting_request(waiting(), 10))
    stored = msgspec.structs.replace(waiting(), version=1)
    assert run(store.waiting_request("p", "r")) == stored
    assert run(store.waiting_request_by_id("id of r")) == stored
    assert run(store.waiting_requests()) == run(store.waiting_requests("p")) == [stored]
    assert run(store.waiting_requests("q")) == []
    decided = msgspec.structs.replace(stored, decision=Decision.APPROVED, decided=NOW, decided_by="me", reason="why")
    run(store.decide_request(decided))
    assert run(store.waiting_request("p", "r")) == msgspec.structs.replace(decided, version=2)
    with pytest.raises(Conflict):
        run(store.decide_request(decided))


def test_a_certificate_needs_its_approval_in_the_same_moment(store: Store, run: Run) -> None:
    run(store.add_waiting_request(waiting(), 10))
    with pytest.raises(Conflict):
        run(store.add_certificate(certificate("r"), approval="id of r"))
    assert count(store, "certificate") == 0
    record = run(store.waiting_request("p", "r"))
    run(store.decide_request(msgspec.structs.replace(record, decision=Decision.APPROVED)))
    run(store.add_certificate(certificate("r"), approval="id of r"))
    # And what is answered is not decided any more.
    with pytest.raises(Conflict):
        run(store.decide_request(msgspec.structs.replace(record, decision=Decision.REJECTED, version=2)))


def test_how_many_wait_and_how_long(store: Store, run: Run) -> None:
    for n in range(2):
        run(store.add_waiting_request(waiting(f"{n}"), 2))
    with pytest.raises(Full):
        run(store.add_waiting_request(waiting("2"), 2))
    run(store.add_waiting_request(waiting("2", profile_id="q"), 2))
    later = NOW + timedelta(days=7)
    run(store.add_waiting_request(waiting("3", created=later, expires=later + timedelta(days=7)), 2))
    assert [one.request_id for one in run(store.waiting_requests("p"))] == ["3"]
    assert len(run(store.waiting_requests("q"))) == 1


PRELUDE = """
import sys
from pathlib import Path

from privca.enrollment.ports import Passcode
from privca.issuance.ports import Spent
from privca.store import Store
from tests.store.test_credentials import certificate, passcode
from tests.store.conftest import PlainSealing


def run(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value


store = Store.open(Path(sys.argv[1]), PlainSealing(), durable=False)
"""
SPENDER = (
    PRELUDE
    + """
won = 0
sys.stdout.write("ready\\n")
sys.stdout.flush()
sys.stdin.readline()
for n in range(200):
    try:
        run(store.add_certificate(certificate(f"{sys.argv[2]} {n}", int(sys.argv[2]) * 1000 + n), spends=f"{n}"))
        won += 1
    except Spent:
        pass
print(won)
"""
)
WRITER = (
    PRELUDE
    + """
for n in range(1_000_000):
    run(store.add_passcode(passcode(f"{n}", f"device {n}")))
    run(store.add_certificate(certificate(f"r{n}", n + 1), spends=f"{n}"))
    sys.stdout.write(f"{n}\\n")
    sys.stdout.flush()
"""
)


def process(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    )


def test_of_two_processes_that_spend_a_passcode_one_wins(path: Path, open_store: Callable[[], Store], run: Run) -> None:
    store = open_store()
    for n in range(200):
        run(store.add_passcode(passcode(f"{n}", f"device {n}")))
    spenders = [process(SPENDER, str(path), f"{n}") for n in (1, 2)]
    for spender in spenders:
        assert spender.stdout is not None
        assert spender.stdout.readline() == "ready\n"
    won = [int(spender.communicate("\n", timeout=120)[0]) for spender in _begun(spenders)]
    assert sum(won) == 200
    assert count(store, "certificate") == 200
    spent = store._database._connection.execute("SELECT request_id FROM passcode WHERE spent IS NOT NULL").fetchall()
    issued = store._database._connection.execute("SELECT request_id FROM certificate").fetchall()
    assert sorted(spent) == sorted(issued)


def _begun(spenders: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    """Both are told to begin before either is waited for."""
    for spender in spenders:
        assert spender.stdin is not None
        spender.stdin.write("\n")
        spender.stdin.flush()
    return spenders


def test_a_kill_leaves_a_passcode_spent_with_its_certificate_or_not_at_all(
    path: Path, open_store: Callable[[], Store], run: Run
) -> None:
    writer = process(WRITER, str(path))
    assert writer.stdout is not None
    assert writer.stdin is not None
    for line in writer.stdout:
        if int(line) == 200:
            break
    writer.send_signal(signal.SIGKILL)
    answered = 200 + len(writer.stdout.read().split("\n")[:-1])
    writer.stdout.close()
    writer.stdin.close()
    assert writer.wait() == -signal.SIGKILL
    store = open_store()
    spent = store._database._connection.execute("SELECT request_id FROM passcode WHERE spent IS NOT NULL").fetchall()
    issued = store._database._connection.execute("SELECT request_id FROM certificate").fetchall()
    assert sorted(spent) == sorted(issued)
    assert {f"r{n}" for n in range(answered + 1)} <= {row[0] for row in issued}
