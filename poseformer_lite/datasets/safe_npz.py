"""Reads npz files that hold pickled dictionaries, without running what a stranger may have put in them.

The field's files (VideoPose3D, P-STMO) are npz archives of 0-d object arrays: pickles. Unpickling runs code, so this
reader admits what such files consist of, namely arrays, dtypes and plain containers, and refuses everything else by
name.
"""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np

_ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("collections", "OrderedDict"),
    ("builtins", "complex"),
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("builtins", "slice"),
    ("builtins", "bytearray"),
    ("_codecs", "encode"),  # how Python 2 and protocol 2 spell bytes
}


class UnsafeFileError(ValueError):
    """A file asks for code to be run, or for a class that data has no need of."""


class _DataUnpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) not in _ADMITTED and not (module == "numpy.dtypes" and name.endswith("DType")):
            raise UnsafeFileError(
                f"the file asks for {module}.{name}, which is code and not data: it was refused and nothing was run. "
                "Use a file from a source you trust, or convert it to plain arrays"
            )
        return super().find_class(module, name)


def load_npz(path: str | Path) -> dict:
    """All entries of an npz file; pickled dictionaries come back as dictionaries.

    Raises FileNotFoundError, UnsafeFileError for a file that wants to run code, and ValueError for one that is empty,
    cut off or no npz at all; each names the file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                entry.filename.removesuffix(".npy"): _read_array(archive.read(entry)) for entry in archive.infolist()
            }
    except UnsafeFileError as error:
        raise UnsafeFileError(f"{path}: {error}") from None
    except (zipfile.BadZipFile, EOFError, ValueError, pickle.UnpicklingError, OSError, IndexError) as error:
        raise ValueError(
            f"{path} ({path.stat().st_size:,} bytes) is not a readable npz file ({error}): "
            "it may be cut off; copy or download it again"
        ) from error


def _read_array(raw: bytes):
    stream = io.BytesIO(raw)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(stream)
    if not dtype.hasobject:
        return np.lib.format.read_array(io.BytesIO(raw), allow_pickle=False)
    array = _DataUnpickler(stream, encoding="latin1").load()
    return array.item() if shape == () else array
