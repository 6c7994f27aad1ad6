"""Reads npz files that hold pickled dictionaries, without running what a stranger may have put in them.

The field's files (VideoPose3D, P-STMO) are npz archives of 0-d object arrays: pickles. Unpickling runs code, so this
reader admits what such files consist of, namely arrays and plain containers, and refuses everything else by name. Not
even NumPy's own classes are handed to a pickle: with forged arguments they take bytes for pointers. Stand-ins collect
what the pickle says of each array, and the arrays are built from plain bytes.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np


class UnsafeFileError(ValueError):
    """A file asks for code to be run, or for a class that data has no need of."""


class _Dtype:
    """Stands in for numpy.dtype: numbers, text and objects; no records, whose raw bytes could hold pointers."""

    def __init__(self, code, align=False, copy=True):
        self.dtype = np.dtype(str(code))
        self._refuse_unless(self.dtype.names is None and self.dtype.subdtype is None)

    def __setstate__(self, state):
        version, byte_order, *parts = state
        self._refuse_unless(version == 3 and parts[:3] == [None, None, None])
        self.dtype = self.dtype.newbyteorder(byte_order)

    def _refuse_unless(self, plain: bool) -> None:
        if not plain:
            raise UnsafeFileError(f"the file has arrays of {self.dtype} with fields or units: only plain ones are read")


class _Array:
    """Stands in for numpy.ndarray until the pickle has been read."""

    __hash__ = None

    def __setstate__(self, state):
        _, shape, stand_in, fortran, data = state
        if stand_in.dtype.hasobject:
            flat = np.empty(len(data), dtype=object)
            for i, item in enumerate(data):
                flat[i] = item
        else:
            flat = _from_bytes(data, stand_in)
        self.array = flat.reshape(shape, order="F" if fortran else "C")


def _from_bytes(data, stand_in: _Dtype) -> np.ndarray:
    raw = data.encode("latin1") if isinstance(data, str) else bytes(data)  # text is how Python 2 spells bytes
    return np.frombuffer(raw, stand_in.dtype).copy() if raw else np.empty(0, stand_in.dtype)


def _scalar(stand_in, data):
    return _from_bytes(data, stand_in)[0]


def _frombuffer(data, stand_in, shape, order, axis_order=None):
    if axis_order is not None:
        return _from_bytes(data, stand_in).reshape(shape).transpose(axis_order)
    return _from_bytes(data, stand_in).reshape(shape, order=order)


def _encode(text: str, encoding: str) -> bytes:
    return text.encode("latin1")


_ADMITTED = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Array,
    ("multiarray", "_reconstruct"): lambda kind, shape, code: _Array(),
    ("multiarray", "scalar"): _scalar,
    ("numeric", "_frombuffer"): _frombuffer,
    ("_codecs", "encode"): _encode,  # how protocol 2 spells bytes
    ("collections", "OrderedDict"): OrderedDict,
    **{("builtins", kind.__name__): kind for kind in (bytes, bytearray, complex, set, frozenset, slice)},
}


class _DataUnpickler(pickle.Unpickler):
    def find_class(self, module, name):
        home = module.removeprefix("numpy.core.").removeprefix("numpy._core.").replace("__builtin__", "builtins")
        known = _ADMITTED.get((home, name))
        if known is None:
            raise UnsafeFileError(
                f"the file asks for {module}.{name}, which is code and not data: it was refused and nothing was run. "
                "Use a file from a source you trust, or convert it to plain arrays"
            )
        return known


def _built(value):
    """`value` with an array in the place of each stand-in."""
    if isinstance(value, _Array):
        value = value.array
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        for i, item in enumerate(value.flat):
            value.flat[i] = _built(item)
    if isinstance(value, dict):
        return type(value)((key, _built(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return type(value)(_built(item) for item in value)
    return value


def load_npz(path: str | Path) -> dict:
    """All entries of an npz file; pickled dictionaries come back as dictionaries, and no code is run.

    :param path: the file.
    :returns: {name: array or dictionary}.
    :raises FileNotFoundError: where there is no file
    :raises UnsafeFileError: for a file that wants to run code
    :raises ValueError: for one that is empty, cut off or no npz at all; each names the file.
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
    except Exception as error:  # damage shows in many ways: in the zip, in a header, at any step of a pickle
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
    array = _built(_DataUnpickler(stream, encoding="latin1").load())
    return array.item() if shape == () else array
