"""Files that are either written whole or not at all."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`; when the block ends well, the file there takes `path`'s place at once.

    A block that fails, is interrupted or killed leaves what stood at `path` untouched. A full disk raises OSError with
    the size that was written so far and the room there is.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb+") as stream:
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
