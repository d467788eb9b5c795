"""Files that hold secrets: nobody but their owner can read them, from the first octet on, and they are whole or not there."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from privca.base.refused import Reason, Refused

_CLAUSE = "keys: file permissions"


def _refuse(path: Path, detail: str, *, expected: str | None = None, got: str | None = None) -> Refused:
    return Refused(Reason.INTERNAL, _CLAUSE, f"{path}: {detail}", expected=expected, got=got)


def private_directory(directory: Path) -> None:
    """Make ``directory`` with mode 0700 unless it is there, and refuse one that others can enter or that is somebody else's.

    :raises Refused: ``INTERNAL``; the detail says which ``chmod`` mends it.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check(directory, os.stat(directory, follow_symlinks=False), stat.S_ISDIR, "0700")


def write_private(path: Path, octets: bytes) -> None:
    """Make a new file of mode 0600, whatever the umask is; when this returns, it survives a power failure.

    :raises Refused: ``INTERNAL`` if there is a file of that name: a key is never overwritten.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(octets)
            file.flush()
            os.fsync(descriptor)
        # A hard link, unlike a rename, fails if the name is taken.
        os.link(unfinished, path, follow_symlinks=False)
    except FileExistsError:
        raise _refuse(path, "is there already") from None
    finally:
        os.unlink(unfinished)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def read_private(path: Path, maximum: int) -> bytes:
    """The octets, at most ``maximum``, of a file that only its owner, we or root, can read.

    :raises Refused: ``INTERNAL`` if it is not there, no plain file, too large, somebody else's, or open to others.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _refuse(path, f"cannot be opened ({error.strerror})") from None
    try:
        # The open file is what is checked, not the name: between the two, the name could be given to another file.
        _check(path, os.fstat(descriptor), stat.S_ISREG, "0600")
        octets = os.read(descriptor, maximum + 1)
    finally:
        os.close(descriptor)
    if len(octets) > maximum:
        raise _refuse(path, "is too large", expected=f"at most {maximum} octets")
    return octets


def _check(path: Path, status: os.stat_result, right_type: Callable[[int], bool], mode: str) -> None:
    if not right_type(status.st_mode):
        raise _refuse(path, "is not of the right type (plain file, directory)")
    if status.st_uid not in (os.geteuid(), 0):
        raise _refuse(path, "belongs to somebody else")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise _refuse(
            path,
            f"is open to others; mend it with: chmod {mode} {path}",
            expected=mode,
            got=f"{stat.S_IMODE(status.st_mode):04o}",
        )
