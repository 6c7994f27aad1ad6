"""Pickled dictionaries are read; whatever asks for code is refused by name, and damaged files say that they are."""

import io
import os
import pickle
import subprocess
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poseformer_lite.formats.safe_npz import UnsafeFileError, load_npz


class Calls:
    """Unpickling it calls `function(*arguments)`, and then sets the result's state where one is given."""

    def __init__(self, function, *arguments, state=None):
        self.call = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.call


def write_pickle(path, pickled: bytes) -> None:
    """An npz whose one entry, `data`, is an object array with these bytes as its pickle."""
    entry = io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": ()}
    np.lib.format.write_array_header_1_0(entry, header)
    entry.write(pickled)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.npy", entry.getvalue())


def write_hostile(path, thing) -> None:
    np.savez(path, data=np.array({"positions": [np.zeros(3), thing]}, dtype=object))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_the_fields_files_hold_comes_back(save, tmp_path):
    nested = {
        "S1": {"Walking 1": [np.arange(6, dtype=np.float32).reshape(3, 2)] * 4, "fps": 50, "ok": True, "none": None},
        "names": ("a", "ü", b"raw"),
        "numpy numbers": [np.float32(1.5), np.int64(7), np.bool_(True), np.str_("text")],
        "other": {"ordered": OrderedDict(a=1), "set": {1, 2}, "complex": 1 + 2j},
        "strings": np.array(["x", "yz"]),
        "objects": np.array([{"a": 1}, None], dtype=object),
        "big endian": np.arange(3, dtype=">f8"),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "empty": np.zeros((0, 17, 2)),
    }
    save(tmp_path / "data.npz", nested=np.array(nested, dtype=object), plain=np.eye(3), words=np.array("coco17"))
    loaded = load_npz(tmp_path / "data.npz")
    assert set(loaded) == {"nested", "plain", "words"}
    np.testing.assert_equal(loaded["nested"], nested)
    np.testing.assert_array_equal(loaded["plain"], np.eye(3))
    assert loaded["words"].item() == "coco17"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol(protocol, tmp_path):
    contents = {
        "S1": [np.arange(3.0), np.float32(2), np.zeros((0, 17, 2)), np.asfortranarray(np.eye(3, 2)), np.array("ü")],
        "objects": np.array([{"inner": np.arange(2)}, (np.ones(1),), {1, 2}], dtype=object),
        "raw": b"\x00\xff",
        "empty": b"",
    }
    write_pickle(tmp_path / "data.npz", pickle.dumps(np.array(contents, dtype=object), protocol=protocol))
    loaded = load_npz(tmp_path / "data.npz")["data"]
    np.testing.assert_equal(loaded.pop("objects").tolist(), contents.pop("objects").tolist())
    np.testing.assert_equal(loaded, contents)
    assert [type(x) for x in loaded["S1"]] == [type(x) for x in contents["S1"]]
    assert loaded["S1"][2].shape == (0, 17, 2) and loaded["S1"][3].flags.writeable


def test_object_array_with_a_shape(tmp_path):
    np.savez(tmp_path / "data.npz", ragged=np.array([np.zeros(2), np.zeros(3)], dtype=object))
    ragged = load_npz(tmp_path / "data.npz")["ragged"]
    assert [len(part) for part in ragged] == [2, 3]


def test_files_of_the_field(shared):
    """The same as NumPy's own unrestricted reading."""
    for path in sorted((shared / "reference" / "formats").glob("*.npz")):
        trusted = np.load(path, allow_pickle=True)
        loaded = load_npz(path)
        assert set(loaded) == set(trusted.files)
        for key in loaded:
            np.testing.assert_equal(loaded[key], trusted[key].item() if trusted[key].shape == () else trusted[key])


def hostile_calls(folder: str) -> dict:
    return {
        "os.mkdir": Calls(os.mkdir, folder),
        "os.system": Calls(os.system, f"mkdir {folder}"),
        "subprocess": Calls(subprocess.check_call, ["mkdir", folder]),
        "builtins.eval": Calls(eval, f"__import__('os').mkdir({folder!r})"),
        "builtins.exec": Calls(exec, f"import os; os.mkdir({folder!r})"),
        "builtins.getattr": Calls(getattr, os, "mkdir"),
        "builtins.__import__": Calls(__import__, "os"),
        "builtins.open": Calls(open, folder, "w"),
    }


@pytest.mark.parametrize("name", hostile_calls(""))
def test_code_is_refused_by_name_and_does_not_run(name, tmp_path):
    betrayal, path = tmp_path / "it-ran", tmp_path / "hostile.npz"
    thing = hostile_calls(str(betrayal))[name]
    if name == "builtins.getattr":  # a module cannot be pickled, so the call is spelled out
        write_pickle(path, b"cbuiltins\ngetattr\n(cos\npath\nS'mkdir'\ntR.")
    else:
        write_hostile(path, thing)
    with pytest.raises(UnsafeFileError, match="hostile.npz.*nothing was run") as caught:
        load_npz(path)
    assert name.split(".")[-1] in str(caught.value).replace("posix.", "os.")
    assert not betrayal.exists()


def test_the_same_file_would_have_run_elsewhere(tmp_path):
    """The hostile file of these tests is hostile: an unrestricted reader runs it."""
    write_hostile(tmp_path / "hostile.npz", Calls(os.mkdir, str(tmp_path / "it-ran")))
    np.load(tmp_path / "hostile.npz", allow_pickle=True)["data"]
    assert (tmp_path / "it-ran").exists()


CORE = np.core if np.__version__.startswith("1.") else np._core  # where NumPy 1 has both, the second is a stub
OBJECTS = Calls(np.dtype, "O", False, True)
RECORD = (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0)  # an object in 8 raw bytes, with its flags forged


def array_of(dtype) -> Calls:
    """How NumPy pickles an array: made empty, then given its shape, type and bytes."""
    return Calls(CORE.multiarray._reconstruct, np.ndarray, (0,), b"b", state=(1, (), dtype, False, b"\x41" * 8))


POINTERS = {
    "array over a buffer": Calls(np.ndarray, (), OBJECTS, b"\x41" * 8),
    "scalar": Calls(CORE.multiarray.scalar, OBJECTS, b"\x41" * 8),
    "buffer": Calls(CORE.numeric._frombuffer, b"\x41" * 8, OBJECTS, (1,), "C"),
    "record": array_of(Calls(np.dtype, "V8", False, True, state=RECORD)),
    "record spelled out": array_of(Calls(np.dtype, "O,i4", False, True)),
}


@pytest.mark.parametrize("forged", POINTERS.values(), ids=POINTERS)
def test_bytes_are_never_taken_for_pointers(forged, tmp_path):
    """Forged arguments make NumPy's own classes point wherever a file says; merely printing such an array crashes."""
    write_pickle(tmp_path / "forged.npz", pickle.dumps(forged))
    with pytest.raises(ValueError, match="forged.npz"):
        load_npz(tmp_path / "forged.npz")


def test_records_and_dates_are_refused_as_what_they_are(tmp_path):
    for array in (np.zeros(2, dtype="i4,f4"), np.zeros(2, dtype="M8[ns]")):
        np.savez(tmp_path / "odd.npz", data=np.array({"array": array}, dtype=object))
        with pytest.raises(UnsafeFileError, match="with fields or units"):
            load_npz(tmp_path / "odd.npz")


@pytest.mark.parametrize("name", ["numpy.ndarray.tofile", "numpy.load", "numpy.core.multiarray.fromfile"])
def test_neighbours_of_what_is_admitted_are_refused(name, tmp_path):
    module, _, attribute = name.partition(".ndarray") if "ndarray" in name else name.rpartition(".")
    attribute = "ndarray" + attribute if "ndarray" in name else attribute
    pickled = b"\x80\x04\x8c" + bytes([len(module)]) + module.encode()
    pickled += b"\x8c" + bytes([len(attribute)]) + attribute.encode() + b"\x93."  # protocol 4: STACK_GLOBAL
    write_pickle(tmp_path / "sly.npz", pickled)
    with pytest.raises(UnsafeFileError, match=attribute.rpartition(".")[2]):
        load_npz(tmp_path / "sly.npz")


def test_hostile_members_beside_a_good_one(tmp_path):
    np.savez(
        tmp_path / "hostile.npz",
        good=np.zeros(3),
        bad=np.array([Calls(os.mkdir, str(tmp_path / "it-ran"))], dtype=object),
    )
    with pytest.raises(UnsafeFileError, match="mkdir"):
        load_npz(tmp_path / "hostile.npz")
    assert not (tmp_path / "it-ran").exists()


def small_npz() -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(
        stream, plain=np.arange(30.0), data=np.array({"S1": {"a": [np.zeros((3, 17, 2))]}}, dtype=object)
    )
    return stream.getvalue()


SMALL = small_npz()


def refused_by_name(path, raw: bytes) -> None:
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=rf"{path.name} \({len(raw):,} bytes\) is not a readable npz file"):
        load_npz(path)


@pytest.mark.parametrize("keep", [0, 1, 4, 30, 100, 0.5, 0.9, -1])
def test_truncated(keep, tmp_path):
    refused_by_name(tmp_path / "cut.npz", SMALL[: int(keep * len(SMALL)) if isinstance(keep, float) else keep])


@pytest.mark.parametrize(
    "raw", [b"words", b"{}", b"\x93NUMPY\x01\x00", bytes(1000)], ids=["text", "json", "npy", "zeros"]
)
def test_other_files(raw, tmp_path):
    refused_by_name(tmp_path / "other.npz", raw)


def test_zip_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive:
        archive.writestr("readme.txt", "not an array")
    with pytest.raises(ValueError, match="not a readable npz file"):
        load_npz(tmp_path / "other.npz")


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.npz"):
        load_npz(tmp_path / "none.npz")


@pytest.mark.parametrize(
    "pickled",
    [
        b"",
        b"garbage",
        b".",
        b"cnumpy\nndarray\n(I1\ntR",  # no end
        b"cnumpy\nnosuchDType\n.",
        b"cnumpy.dtypes\nFloat64DType\n.",
        b"cnumpy\nndarray\nS'x'\nb.",  # sets the state of a class
        b"cnumpy\nndarray\n)R.",  # called without arguments
        b"I1\nI2\ns.",
        b"S'\\xff'\n0.",
        b"cnumpy\nndarray\n(L999999999999999999L\ntR.",  # more than any memory
    ],
    ids=range(11),
)
def test_broken_pickles(pickled, tmp_path):
    write_pickle(tmp_path / "broken.npz", pickled)
    with pytest.raises(ValueError, match="broken.npz"):
        load_npz(tmp_path / "broken.npz")


@settings(deadline=None, max_examples=200)
@given(st.integers(0, len(SMALL) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_harmless_or_refused(tmp_path_factory, place, change):
    raw = bytearray(SMALL)
    raw[place] ^= change
    path = tmp_path_factory.getbasetemp() / "flipped.npz"
    path.write_bytes(raw)
    try:
        load_npz(path)
    except ValueError as error:
        assert "flipped.npz" in str(error)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_flipped_byte_inside_a_pickle_is_harmless_or_refused(tmp_path_factory, data):
    """Inside an archive whose checksums are right: only the unpickler stands between the file and the reader."""
    contents = {"S1": {"a": [np.zeros((1, 2, 2)), np.float32(1)]}, "n": 3}
    raw = bytearray(pickle.dumps(np.array(contents, dtype=object)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "flipped.npz"
    write_pickle(path, bytes(raw))
    try:
        load_npz(path)
    except ValueError as error:
        assert "flipped.npz" in str(error)
