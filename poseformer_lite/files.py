"""Files that are either written whole or not at all, in folders that one run holds at a time."""

import errno
import glob
import os
import platform
import re
import secrets
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`; when the block ends well, the file there takes `path`'s place at once.

    A block that fails, is interrupted or killed leaves what stood at `path` untouched; what a killed one left behind is
    removed by the next. A link is followed. A full disk raises OSError with the size that was written so far and the
    room there is.
    """
    path = _target(path)
    temporary = path.with_name(f".{path.name}.{_writer()}-{secrets.token_hex(4)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path)
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise OSError(error.errno, f"{path} cannot be written: {error.strerror}") from error
    try:
        yield temporary
        with open(temporary, "rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            written = temporary.stat().st_size if temporary.exists() else 0
            raise OSError(
                errno.ENOSPC,
                f"the disk is full: {path} was not written and what stood there is unchanged. Make room: it got to "
                f"{written:,} bytes, and {shutil.disk_usage(path.parent).free:,} are free",
            ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def check_output(path: str | Path, *endings: str, size: int = 0, inputs: tuple[str | Path, ...] = ()) -> None:
    """Try before the work whether its result can be written.

    :param path: the file to be
    :param endings: those that it may have; none for any
    :param size: bytes that are needed
    :param inputs: files that are read and must not be overwritten, however links name them.
    :raises ValueError: for another ending, or an input
    :raises OSError: where nothing can be written, or there is less room.
    """
    target = _target(path)
    if endings and target.suffix.lower() not in endings:
        raise ValueError(f"{path} ends in {target.suffix or 'nothing'}, expected {', '.join(endings)}")
    if target in [Path(os.path.realpath(file)) for file in inputs]:
        raise ValueError(f"{path} is read and would be overwritten: choose another output")
    folder = next(parent for parent in target.parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        raise OSError(error.errno, f"{path} cannot be written: {error.strerror}") from error
    if free < size:
        raise OSError(errno.ENOSPC, f"{path} needs {size:,} bytes and {free:,} are free on its disk: make room")


@contextmanager
def held(folder: str | Path) -> Iterator[None]:
    """A folder that no other run may hold meanwhile; ValueError says who does. The lock ends with its process."""
    from filelock import FileLock, Timeout

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lock, note = FileLock(folder / ".lock"), folder / ".in_use"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        holder = note.read_text().strip() if note.is_file() else "another run"
        raise ValueError(f"{folder} is in use by {holder}: stop that, wait, or choose another output folder") from None
    try:
        note.write_text(f"process {os.getpid()} on {platform.node()}\n")
        yield
    finally:
        note.unlink(missing_ok=True)
        with suppress(OSError):  # where a file that is open cannot be removed
            Path(lock.lock_file).unlink()
        lock.release()


def check_archive(path: Path) -> None:
    """Raises ValueError where a zip archive, such as torch writes, does not hold what its checksums say."""
    with zipfile.ZipFile(path) as archive:
        if damaged := archive.testzip():
            raise ValueError(f"the checksum of {damaged} is wrong")


def remove_leftovers(path: Path) -> None:
    """Remove the temporaries of `path` whose processes, of this machine, are no more."""
    import psutil

    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*"):
        writer = re.match(rf"\.{re.escape(path.name)}\.(.+)-(\d+)-", leftover.name)
        if writer and f"{writer[1]}-{os.getpid()}" == _writer() and not psutil.pid_exists(int(writer[2])):
            leftover.unlink(missing_ok=True)


def _writer() -> str:
    """Machine, space of process numbers (containers have their own), and process."""
    machine, space = re.sub(r"\W", "", platform.node())[:40], Path("/proc/self/ns/pid")
    return f"{machine}-{space.stat().st_ino if space.exists() else 0}-{os.getpid()}"


def _target(path: str | Path) -> Path:
    """Where a link leads; raises OSError for what can hold no file."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise IsADirectoryError(errno.EISDIR, f"{path} is a folder or device, expected the name of a file")
    return target
