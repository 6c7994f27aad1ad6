"""A file is either written whole or the old one stays."""

import errno
import os
import stat

import pytest

from poseformer_lite.files import atomic_path


def test_a_block_that_ends_well_replaces_the_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "new folder" / "result.json"
    for text in ("first", "second"):
        with atomic_path(path) as temporary:
            assert temporary != path and temporary.parent == path.parent and temporary.suffix == ".json"
            temporary.write_text(text)
        assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


def test_the_old_file_stands_until_the_block_is_over(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("existed", [True, False])
def test_a_block_that_fails_leaves_what_stood_there(error, existed, tmp_path):
    path = tmp_path / "result.txt"
    if existed:
        path.write_text("old")
    with pytest.raises(error), atomic_path(path) as temporary:
        temporary.write_text("half of the n")
        raise error
    assert [p.name for p in tmp_path.iterdir()] == (["result.txt"] if existed else [])
    assert not existed or path.read_text() == "old"


@pytest.mark.parametrize("where", ["in the block", "at the end"])
def test_a_full_disk_is_said_with_figures_and_leaves_what_stood_there(where, tmp_path, monkeypatch):
    path = tmp_path / "result.txt"
    path.write_text("old")
    full = OSError(errno.ENOSPC, "No space left on device")

    def refuse(descriptor):
        raise full

    if where == "at the end":
        monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="the disk is full") as caught, atomic_path(path) as temporary:
        temporary.write_bytes(b"x" * 1234)
        if where == "in the block":
            raise full
    assert caught.value.errno == errno.ENOSPC and caught.value.__cause__ is full
    message = str(caught.value)
    assert str(path) in message and "unchanged" in message and "1,234 bytes" in message and "free" in message
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_another_error_of_the_system_passes_as_it_is(tmp_path):
    refused = PermissionError(errno.EACCES, "Permission denied")
    with pytest.raises(PermissionError) as caught, atomic_path(tmp_path / "result.txt"):
        raise refused
    assert caught.value is refused


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
def test_the_file_can_be_read_by_those_who_can_read_other_files(tmp_path):
    (tmp_path / "ordinary").write_text("")
    with atomic_path(tmp_path / "ours") as temporary:
        temporary.write_text("")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ordinary", "ours")]
    assert modes[0] == modes[1]
