"""The doctor says what works, and what to do about what does not."""

import os
import re
import sys
from collections import namedtuple

import pytest
from helpers_data import small_model, tiny_dataset

from poseformer_course import doctor
from poseformer_course.doctor import Finding, examine
from poseformer_lite.datasets import videopose3d
from poseformer_lite.datasets.sources import synthetic
from poseformer_lite.model import base


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.what: finding for finding in findings}


def test_this_machine_is_described():
    findings = by_name(examine())
    assert {"Python", "torch", "GPU", "weights", "cache", *doctor.PACKAGES} <= set(findings)
    assert findings["Python"].ok and findings["torch"].ok and findings["numpy"].ok
    assert sys.version.split()[0] in findings["Python"].words


def test_a_line_begins_with_ok_or_do():
    assert str(Finding(True, "cache", "is fine")).split() == ["OK", "cache", "is", "fine"]
    assert str(Finding(False, "cache", "is not")).split() == ["DO", "cache", "is", "not"]


def test_a_python_that_is_too_old_is_told_which_to_install(monkeypatch):
    version = namedtuple("version", "major minor micro")
    monkeypatch.setattr(sys, "version_info", version(3, 9, 1))
    finding = doctor._python()
    assert not finding.ok and "install a Python from 3.11 to 3.13" in finding.words


@pytest.mark.parametrize(
    ("extra", "words"),
    [("", 'pip install "nosuchthing"'), ("notebooks", 'pip install "poseformer-lite[notebooks]"')],
)
def test_a_missing_package_is_told_how_to_install(extra, words):
    finding = doctor._package("nosuchthing", extra)
    assert not finding.ok and words in finding.words


def test_all_weights_that_ship_are_well():
    """Networks of other classes among them."""
    finding = by_name(examine())["weights"]
    assert finding.ok and all(name in finding.words for name in ("small", "lite", "course-temporal"))


def test_shipped_weights_are_loaded_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(base, "SHIPPED_WEIGHTS", tmp_path)
    finding = by_name(examine())["weights"]
    assert not finding.ok and "install the package again" in finding.words

    model = small_model()
    model.save_pretrained(tmp_path / "lite")
    finding = by_name(examine())["weights"]
    assert finding.ok and f"lite ({model.num_parameters():,} parameters)" in finding.words

    weights = tmp_path / "lite" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    finding = by_name(examine())["weights"]
    assert not finding.ok and "install the package again" in finding.words

    weights.unlink()
    finding = by_name(examine())["weights"]
    assert not finding.ok and "model.safetensors" in finding.words


def test_the_detector_is_loaded_and_its_lack_is_no_fault(monkeypatch):
    pytest.importorskip("ai_edge_litert", reason="needs LiteRT: pip install -e '.[video]'")
    assert "the detector comes with the package" in str(doctor._video())
    version = doctor.metadata.version

    def without(name: str) -> str:
        if name == "ai-edge-litert":
            raise doctor.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor.metadata, "version", without)
    assert re.match(r"OK +video +ai-edge-litert is not installed, .*poseformer-lite\[video\]", str(doctor._video()))


def test_a_cache_that_cannot_be_written_is_told_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic, "cache_folder", lambda: tmp_path / "not" / "there" / "yet")
    assert by_name(examine())["cache"].ok
    monkeypatch.setattr(os, "access", lambda *_: False)
    finding = by_name(examine())["cache"]
    assert not finding.ok and "POSEFORMER_LITE_CACHE" in finding.words


def test_data_are_found_by_their_names(tmp_path):
    assert not by_name(examine(tmp_path / "nowhere"))["data"].ok
    finding = by_name(examine(tmp_path))["data"]
    assert not finding.ok and "data_3d_h36m.npz" in finding.words and "data/README.md" in finding.words

    videopose3d.write(tiny_dataset(num_frames=3), tmp_path, "h36m")
    (tmp_path / "01").mkdir()
    (tmp_path / "01" / "01_01.amc").touch()
    findings = by_name(examine(tmp_path))
    assert findings["Human3.6M"].ok and "1 files, data_3d_h36m.npz first" in findings["Human3.6M"].words
    assert findings["Human3.6M 2D"].ok and findings["CMU ASF/AMC"].ok
    assert "CMU BVH" not in findings and "data" not in findings
