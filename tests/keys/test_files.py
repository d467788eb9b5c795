from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from privca.base.refused import Reason, Refused
from privca.keys import files


@pytest.fixture(params=[0o000, 0o022, 0o777], ids="{:04o}".format)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    try:
        yield request.param
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refused(path: Path, maximum: int = 100) -> Refused:
    with pytest.raises(Refused) as refusal:
        files.read_private(path, maximum)
    assert refusal.value.reason is Reason.INTERNAL
    return refusal.value


def test_a_file_is_the_owners_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    files.write_private(tmp_path / "key", b"secret")
    assert mode(tmp_path / "key") == 0o600
    assert files.read_private(tmp_path / "key", 100) == b"secret"
    assert os.listdir(tmp_path) == ["key"]


def test_it_is_never_open_to_others_not_even_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = os.open

    def watched(path: Path, flags: int, *rest: int) -> int:
        descriptor = real(path, flags, *rest)
        if flags & os.O_CREAT:
            seen.append((stat.S_IMODE(os.fstat(descriptor).st_mode), bool(flags & os.O_EXCL)))
        return descriptor

    monkeypatch.setattr(os, "open", watched)
    before = os.umask(0)
    try:
        files.write_private(tmp_path / "key", b"secret")
    finally:
        os.umask(before)
    assert seen == [(0o600, True)]


def test_what_is_written_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    sync, link = os.fsync, os.link

    def watch_sync(descriptor: int) -> None:
        steps.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else f"file of {os.fstat(descriptor).st_size}")
        sync(descriptor)

    def watch_link(source: Path, target: Path, **options: bool) -> None:
        steps.append("named")
        link(source, target, **options)

    monkeypatch.setattr(os, "fsync", watch_sync)
    monkeypatch.setattr(os, "link", watch_link)
    files.write_private(tmp_path / "key", b"secret")
    assert steps == ["file of 6", "named", "directory"]


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    files.write_private(tmp_path / "key", b"first")
    with pytest.raises(Refused, match="there already"):
        files.write_private(tmp_path / "key", b"second")
    assert files.read_private(tmp_path / "key", 100) == b"first"
    assert os.listdir(tmp_path) == ["key"]


def test_nothing_is_left_behind_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_private(tmp_path / "key", b"secret")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("open_to", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644])
def test_a_file_that_others_can_use_is_refused_and_the_cure_is_told(tmp_path: Path, open_to: int) -> None:
    files.write_private(tmp_path / "key", b"secret")
    (tmp_path / "key").chmod(open_to)
    refusal = refused(tmp_path / "key")
    assert f"chmod 0600 {tmp_path}/key" in refusal.detail
    assert refusal.got == f"{open_to:04o}"


def test_a_file_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_private(tmp_path / "key", b"secret")
    if os.geteuid() == 0:
        os.chown(tmp_path / "key", 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert "somebody else" in refused(tmp_path / "key").detail


def test_what_is_no_plain_file_is_refused_without_waiting(tmp_path: Path) -> None:
    files.write_private(tmp_path / "key", b"secret")
    (tmp_path / "link").symlink_to(tmp_path / "key")
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "directory").mkdir(mode=0o700)
    assert "cannot be opened" in refused(tmp_path / "link").detail
    assert "right type" in refused(tmp_path / "pipe").detail
    assert "right type" in refused(tmp_path / "directory").detail
    assert "cannot be opened" in refused(tmp_path / "absent").detail


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    files.write_private(tmp_path / "key", bytes(101))
    assert "too large" in refused(tmp_path / "key", 100).detail
    assert len(files.read_private(tmp_path / "key", 101)) == 101


def test_a_directory_is_made_for_us_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        files.private_directory(tmp_path / "keys")
    finally:
        os.umask(before)
    assert mode(tmp_path / "keys") == 0o700
    files.private_directory(tmp_path / "keys")


def test_a_directory_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys").chmod(0o750)
    with pytest.raises(Refused, match="chmod 0700"):
        files.private_directory(tmp_path / "keys")


def test_a_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "keys").symlink_to(tmp_path / "real")
    with pytest.raises(Refused, match="right type"):
        files.private_directory(tmp_path / "keys")
