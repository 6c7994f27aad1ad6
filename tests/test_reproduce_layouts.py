"""The tables from the benchmarks' own files: the stand-ins have their layouts, so the whole way is walked."""

from dataclasses import replace

import pytest

from poseformer_course.reproduce import Laboratory, Source
from poseformer_course.reproduce.laboratory import STARTS
from poseformer_course.reproduce.scales import SCALES
from poseformer_course.reproduce.tables import table1, table3, table7

SCALE = replace(
    SCALES["quick"],
    base={"num_frames": 9, "spatial_dim": 4, "spatial_depth": 1, "temporal_depth": 1, "num_heads": 2, "drop_path": 0.0},
    settings=replace(SCALES["quick"].settings, windows_per_epoch=32, batch_size=16, validation=0.0),
    seeds=(0,),
    test_frames=400,
)


@pytest.fixture
def formats(shared):
    return shared / "reference" / "formats"


def test_table_1_from_human36m(formats, tmp_path):
    one, two = table1(Laboratory(SCALE, Source.named("human36m", formats), tmp_path, progress=False))
    assert "cpn_ft_h36m_dbb" in one.how and "not Human3.6M" not in one.how
    assert len(one.columns) == 16 and one.rows[-1].printed["Photo"] == 51.6
    assert two.rows[-1].ours["Average"][0] < one.rows[-1].ours["Average"][0]


def test_table_3_from_mpi_inf_3dhp(formats, tmp_path):
    benchmark, other = table3(Laboratory(SCALE, Source.named("mpi_inf_3dhp", formats), tmp_path, progress=False))
    assert benchmark.rows[-1].printed == {"PCK": 88.6, "AUC": 56.4, "MPJPE": 77.1} and not benchmark.notes
    assert other.rows[-1].ours["PCK"][0] >= benchmark.rows[-1].ours["PCK"][0]


def test_table_7_from_humaneva_after_human36m(formats, tmp_path):
    (table,) = table7(Laboratory(SCALE, Source.named("human36m", formats), tmp_path, progress=False))
    assert [row.label for row in table.rows] == list(STARTS)
    assert {"Walking S1", "Jog S3"} < set(table.columns)
    assert table.rows[0].printed["Walking S3"] == 47.1 and table.rows[2].printed["Jog S1"] == 22.7
