"""The CA put together without a network."""

from __future__ import annotations

import asyncio
import errno
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from privca.base.refused import Refused
from privca.cli import lab
from privca.composition import add_profiles, compose, directly, issue_external_key, opened, replace_file, run
from privca.config import ConfigurationError, Lab, Server, Validation, load


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "privca.toml"
    file.write_text(lab.text(Server(), Validation(), Lab()))
    return file


class Scripted:
    """Entropy that was chosen."""

    def __init__(self, *octets: bytes) -> None:
        self._octets = list(octets)

    def octets(self, count: int) -> bytes:
        octets = self._octets.pop(0)
        assert len(octets) == count
        return octets


def test_a_key_and_its_identifier_never_look_like_options(path: Path) -> None:
    hyphen = b"\xf8"  # what base64url writes as "-"
    with opened(path, create=True) as parts:
        entropy = Scripted(hyphen * 16, bytes(64), bytes(16), hyphen * 64, b"\x01" * 16, b"\x02" * 64)
        key = issue_external_key(replace(parts, entropy=entropy), "lab-acme-eab", timedelta(days=1))
        assert (key.id[0], key.key) == ("A", b"\x02" * 64)
        assert run(parts.store.external_key("lab-acme-eab", key.id)) is not None


def test_what_the_store_knows_is_not_undone_by_a_restart(path: Path) -> None:
    config = load(path)
    wanted = {id: (profile, config.template[profile.template]) for id, profile in config.profile.items()}
    with opened(path, create=True) as parts:
        assert add_profiles(parts, wanted) == []
        assert add_profiles(parts, wanted) == []
        profile, template = wanted["lab-acme"]
        run(parts.store.save_profile("lab-acme", msgspec.structs.replace(profile, enabled=False), template))
        assert add_profiles(parts, wanted) == ["lab-acme"]
        stored = run(parts.store.profile("lab-acme"))
        assert stored is not None
        assert (stored.revision, stored.profile.enabled) == (2, False)


def test_a_command_makes_no_database(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no database yet"), opened(path):
        pass
    assert [file.name for file in path.parent.iterdir()] == ["privca.toml"]


def test_a_store_key_is_never_made_by_the_way(path: Path) -> None:
    with pytest.raises(Refused, match=r"store\.key"):
        compose(load(path), directly)


def test_what_waits_cannot_be_driven() -> None:
    with pytest.raises(RuntimeError, match="something to wait for"):
        run(asyncio.sleep(0))


def test_a_file_is_replaced_whole_with_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    file.chmod(0o666)
    replace_file(file, b"new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [file]


def test_what_a_killed_process_left_behind_gives_no_rights_away(tmp_path: Path) -> None:
    file, victim = tmp_path / "key.pem", tmp_path / "victim"
    left = tmp_path / f".{file.name}.{os.getpid()}"
    left.touch(0o666)
    left.chmod(0o666)
    replace_file(file, b"secret")
    assert file.stat().st_mode & 0o777 == 0o600
    victim.write_text("mine")
    left.symlink_to(victim)
    replace_file(file, b"new")
    assert (file.is_symlink(), file.read_text(), victim.read_text()) == (False, "new", "mine")


def test_a_directory_that_cannot_be_closed_to_others_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, mode: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fchmod", refuse)
    with pytest.raises(ConfigurationError, match="closed to others"):
        lab.claim(tmp_path)
