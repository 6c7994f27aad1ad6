"""Reads npz files that hold pickled dictionaries, without running what a stranger may have put in them.

The field's files (VideoPose3D, P-STMO) are npz archives of 0-d object arrays: pickles. Unpickling runs code, so the
library `pickle` has no part in this. A pickle is a list of small operations; those that build data (numbers, text,
containers, NumPy's arrays from plain bytes) are carried out here on objects that nothing else can see, and all others
are refused. A name in a file stays a name and never becomes a function or class.

Nothing is made larger than the file allows: members are measured before they are unpacked, and what a pickle builds is
counted against its bytes, so that neither a bomb nor lists within lists take memory that the file has not paid for.
"""

import io
import math
import pickletools
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np

from poseformer_lite.checked import reading

UNPACKED = 100  # members may be at most that many times as large as the file: repeated numbers pack well
PLAIN = (str, bytes, int, float, complex, type(None), np.generic)  # what dictionaries and sets may be keyed by


class UnsafeFileError(ValueError):
    """A file asks for code to be run, or for a class that data has no need of."""


def load_npz(path: str | Path) -> dict:
    """All entries of an npz file; pickled dictionaries come back as dictionaries, and no code is run.

    :param path: the file.
    :returns: {name: array or dictionary}.
    :raises FileNotFoundError: where there is no file
    :raises UnsafeFileError: for a file that wants to run code
    :raises ValueError: for one that is empty, cut off, no npz, or would unpack to far more; each names the file.
    """
    with reading(path, "npz file", UnsafeFileError) as path, zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len({member.filename for member in members}) < len(members):
            raise ValueError("it holds two arrays of one name")
        if (size := sum(member.file_size for member in members)) > (most := UNPACKED * path.stat().st_size):
            raise ValueError(f"it would unpack to {size:,} bytes, more than the {most:,} that are allowed")
        return {member.filename.removesuffix(".npy"): read_array(_unpack(archive, member)) for member in members}


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{member.filename} is packed in a way that NumPy does not use")
    with archive.open(member) as stream:
        return stream.read(member.file_size)  # never more, whatever is packed there


def read_array(raw: bytes):
    """What the bytes of an npy file hold. Raises ValueError, and what else a broken header makes NumPy raise."""
    stream = io.BytesIO(raw)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(stream)
    held = len(raw) - stream.tell()
    if dtype.hasobject:
        array = _Pickle(stream, held).read()
        return array.item() if shape == () else array
    if math.prod(shape) * dtype.itemsize != held or max(shape, default=0) > len(raw):
        raise ValueError(f"an array {shape} of {dtype} is announced, and {held:,} bytes follow")
    return np.lib.format.read_array(io.BytesIO(raw), allow_pickle=False)


class _Name(tuple):
    """The module and name by which a pickle calls a function or class; looked up in `_Pickle.CALLS` alone."""


class _Made:
    """An array, or a type of arrays: a pickle says first that there is one, and later what it is."""

    value: np.ndarray | np.dtype


class _Pickle:
    """A pickle, carried out operation by operation; stack, marks and memo are those of any unpickler."""

    VALUES = {
        "INT", "LONG", "LONG1", "LONG4", "BININT", "BININT1", "BININT2", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
        "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "UNICODE", "BINUNICODE",
        "SHORT_BINUNICODE", "BINUNICODE8",
    }  # fmt: skip
    CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
    EMPTY = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": set}
    TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
    GATHERED = {
        "LIST": list,
        "TUPLE": tuple,
        "DICT": lambda items: dict(_pairs(items)),
        "FROZENSET": lambda items: frozenset(map(_key, items)),
    }

    def __init__(self, stream: io.BytesIO, size: int):
        self.stream, self.size, self.left = stream, size, 1000 + 4 * size
        self.stack, self.marks, self.memo = [], [], {}

    def read(self):
        """What the pickle holds, made anew, with arrays in the place of what is said of them."""
        for operation, argument, _ in pickletools.genops(self.stream):
            self._do(operation.name, argument)
        return self._built(self.stack.pop())

    def _do(self, name: str, argument) -> None:
        stack = self.stack
        if name in self.VALUES:
            stack.append(argument)
        elif name in self.CONSTANTS:
            stack.append(self.CONSTANTS[name])
        elif name in self.EMPTY:
            stack.append(self.EMPTY[name]())
        elif name in self.TUPLES:
            stack.append(tuple(self._from(-self.TUPLES[name])))
        elif name in self.GATHERED:
            stack.append(self.GATHERED[name](self._from(self.marks.pop())))
        elif name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[len(self.memo) if argument is None else argument] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            stack.append(self._name(*(argument.split(" ", 1) if argument else self._from(-2))))
        elif name == "MARK":
            self.marks.append(len(stack))
        elif name in ("APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS"):
            items = self._from({"APPEND": -1, "SETITEM": -2}[name] if name[-1] != "S" else self.marks.pop())
            self._fill(stack[-1], items)
        elif name == "REDUCE":
            called, arguments = self._from(-2)
            if not isinstance(called, _Name):
                raise UnsafeFileError(f"the file calls a {type(called).__name__}, which was refused")
            stack.append(self.CALLS[called](self, *arguments))
        elif name == "BUILD":
            self._build(*self._from(-1), stack[-1])
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise UnsafeFileError(f"the file asks for {name} {argument or ''}, which data has no need of")

    def _from(self, place: int) -> list:
        items = self.stack[place:]
        del self.stack[place:]
        return items

    def _spend(self, number: int) -> None:
        """Count what is made against what the pickle's bytes can pay for."""
        self.left -= number
        if self.left < 0:
            raise ValueError(f"its {self.size:,} bytes hold the same things within each other again and again")

    @staticmethod
    def _name(module: str, name: str) -> _Name:
        home = module.removeprefix("numpy.core.").removeprefix("numpy._core.").replace("__builtin__", "builtins")
        if (home, name) not in _Pickle.CALLS:
            raise UnsafeFileError(
                f"the file asks for {module}.{name}, which is code and not data: it was refused and nothing was run. "
                "Use a file from a source you trust, or convert it to plain arrays"
            )
        return _Name((home, name))

    @staticmethod
    def _fill(container, items: list) -> None:
        if type(container) is list:
            container.extend(items)
        elif isinstance(container, dict):
            container.update(_pairs(items))
        elif type(container) is set:
            container.update(map(_key, items))
        else:
            raise ValueError(f"a {type(container).__name__} is filled as a container")

    def _build(self, state: tuple, target) -> None:
        """Of all that is on the stack, only arrays and their types have a state."""
        if not isinstance(target, _Made):
            raise UnsafeFileError(f"the file gives a state to a {type(target).__name__}, which has none")
        if not hasattr(target, "value"):
            _, shape, dtype, fortran, data = state
            target.value = self._shaped(self._flat(dtype, data), shape, "F" if fortran else "C")
        else:
            version, byte_order, *parts = state
            if version != 3 or parts[:3] != [None, None, None]:
                raise UnsafeFileError("the file has arrays with fields or units: only plain ones are read")
            target.value = target.value.newbyteorder(byte_order)

    def _dtype(self, code, align=False, copy=True) -> _Made:
        made = _Made()
        made.value = np.dtype(str(code))
        if made.value.names or made.value.subdtype:  # no records, whose raw bytes could hold pointers
            raise UnsafeFileError(f"the file has arrays of {made.value} with fields or units: only plain ones are read")
        return made

    def _flat(self, dtype: _Made, data) -> np.ndarray:
        if not dtype.value.hasobject:
            raw = self._bytes(data)
            return np.frombuffer(raw, dtype.value).copy() if raw else np.empty(0, dtype.value)
        self._spend(len(data))
        return _objects(data)

    def _shaped(self, flat: np.ndarray, shape, order: str = "C") -> np.ndarray:
        array = flat.reshape(shape, order=order)
        if max(array.shape, default=0) > self.size:
            raise ValueError(f"an array {array.shape} is announced, and {self.size:,} bytes follow")
        return array

    def _frombuffer(self, data, dtype: _Made, shape, order, axis_order=None) -> _Made:
        made, plain = _Made(), axis_order is None
        array = self._shaped(self._flat(dtype, data), shape, order if plain else "C")
        made.value = array if plain else array.transpose(axis_order)
        return made

    def _bytes(self, data=b"", encoding=None) -> bytes:
        """As `bytes` makes them, but never of a number, which would be that many zeros."""
        if not isinstance(data, (str, bytes, bytearray, list)):
            raise ValueError(f"expected bytes, found a {type(data).__name__}")
        self._spend(len(data))
        return data.encode("latin1") if isinstance(data, str) else bytes(data)  # text: Python 2 and protocol 2

    def _keys(self, items=()) -> list:
        self._spend(len(items))
        return [_key(item) for item in items]

    CALLS = {
        ("numpy", "dtype"): _dtype,
        ("numpy", "ndarray"): None,  # what the next one is told to make
        ("multiarray", "_reconstruct"): lambda self, kind, shape, code: _Made(),
        ("multiarray", "scalar"): lambda self, dtype, data: self._flat(dtype, data)[0],
        ("numeric", "_frombuffer"): _frombuffer,
        ("_codecs", "encode"): _bytes,
        ("builtins", "bytes"): _bytes,
        ("builtins", "bytearray"): lambda self, *given: bytearray(self._bytes(*given)),
        ("builtins", "set"): lambda self, *given: set(self._keys(*given)),
        ("builtins", "frozenset"): lambda self, *given: frozenset(self._keys(*given)),
        ("builtins", "complex"): lambda self, real, imaginary: complex(real, imaginary),
        ("builtins", "slice"): lambda self, *given: slice(*given),
        ("collections", "OrderedDict"): lambda self, pairs=(): OrderedDict((_key(key), value) for key, value in pairs),
    }

    def _built(self, value):
        if isinstance(value, _Made):
            value = value.value
        if isinstance(value, (_Name, np.dtype)):
            raise UnsafeFileError(f"the file holds {value} where data is expected")
        if isinstance(value, dict):
            self._spend(len(value))
            return type(value)((key, self._built(item)) for key, item in value.items())
        if isinstance(value, (list, tuple)):
            self._spend(len(value))
            return type(value)(self._built(item) for item in value)
        if isinstance(value, np.ndarray) and value.dtype.hasobject:
            return _objects(self._built(list(value.flat))).reshape(value.shape)
        return value


def _objects(items: list) -> np.ndarray:
    """(N,) objects, whatever they are: NumPy would make lists of equal lengths further axes."""
    flat = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        flat[i] = item
    return flat


def _key(value):
    """What may key a dictionary; no tuples within tuples, whose hash would take for ever."""
    if not all(isinstance(part, PLAIN) for part in (value if type(value) is tuple else [value])):
        raise ValueError(f"a dictionary or set is keyed by a {type(value).__name__}")
    return value


def _pairs(items: list):
    return ((_key(key), value) for key, value in zip(items[::2], items[1::2], strict=True))
