"""What a learner writes travels: kept in a notebook when it passes, loaded by name later, and never in the way."""

import json
import os
import sys
from types import SimpleNamespace

import nbformat
import pytest
import torch
from lesson_notebooks import LESSONS, exercises
from nbclient import NotebookClient

import poseformer_lite as pfl
import run_notebooks
from poseformer_course.checks import check, classes, kept, verdict, yours, yours_or_reference
from poseformer_lite.model.attention import MultiHeadSelfAttention
from poseformer_lite.model.encoder import TransformerEncoder

SOLUTIONS = {exercise.number: exercise for path in LESSONS for exercise in exercises(path)}
ATTENTION = SOLUTIONS["03.5"].solution.replace('"""', '"""Mine. ', 1)


@pytest.fixture
def notebook(monkeypatch, tmp_path):
    """As in a notebook in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(kept.VARIABLE, raising=False)
    shell = SimpleNamespace(kernel=None)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    return tmp_path


def store(folder, **sources: str) -> None:
    """The file as it is after these classes have passed."""
    numbers = {part.__name__: number for part, number in classes.NETWORK.items()}
    entries = {numbers[name]: {"passed": True, "name": name, "source": text} for name, text in sources.items()}
    (folder / kept.FILE).write_text(json.dumps(entries))


def right(scores):
    return torch.softmax(scores, dim=-1)


def test_verdicts_are_remembered_and_the_best_stays(notebook, capsys):
    check("03.1", ...)
    assert list(notebook.iterdir()) == []  # nothing was answered, so nothing is written
    check("03.1", lambda scores: scores)
    assert kept.read() == {"03.1": {"passed": False}}
    assert "Your answers are kept in my_answers.json" in capsys.readouterr().out
    check("03.1", right)
    check("03.1", lambda scores: scores)
    assert kept.read()["03.1"]["passed"] is True
    assert "kept" not in capsys.readouterr().out


def test_nothing_is_kept_outside_of_a_notebook_or_where_the_variable_is_empty(notebook, monkeypatch, tmp_path):
    monkeypatch.setenv(kept.VARIABLE, "")
    check("03.1", right)
    assert kept.read() == {} and list(notebook.iterdir()) == []
    assert {kept.VARIABLE: ""} == run_notebooks.NO_ANSWERS
    monkeypatch.setenv(kept.VARIABLE, str(tmp_path / "elsewhere.json"))
    check("03.1", right)
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere.json"]
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    monkeypatch.delenv(kept.VARIABLE)
    check("03.1", right)
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere.json"]


@pytest.mark.parametrize("text", ["no json", "[1]", '{"03.1": 2}'])
def test_a_damaged_file_is_a_warning_and_stays_as_it_is(notebook, text, capsys):
    (notebook / kept.FILE).write_text(text)
    with pytest.warns(UserWarning, match="without your earlier answers"):
        assert yours("PoseFormer") is pfl.PoseFormer
    with pytest.warns(UserWarning, match="is not kept for later lessons"):
        check("03.1", right)
    assert (notebook / kept.FILE).read_text() == text
    assert "✓ Exercise 03.1: passed" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_a_warning(notebook, monkeypatch):
    monkeypatch.setenv(kept.VARIABLE, f"{os.devnull}/home/answers.json")
    with pytest.warns(UserWarning, match="is not kept for later lessons"):
        check("03.1", right)


# Loaded by name


def test_without_answers_the_package_stands_in(notebook, capsys):
    assert yours("TransformerEncoder") is TransformerEncoder
    assert capsys.readouterr().out == "TransformerEncoder: the package's; none is in my_answers.json.\n"
    with pytest.raises(ValueError, match="no part 'Encoder'.*choose one of MultiHeadSelfAttention"):
        yours("Encoder")


def test_the_package_is_made_of_the_learners_parts(notebook, capsys):
    store(notebook, MultiHeadSelfAttention=ATTENTION)
    encoder = yours("TransformerEncoder")
    assert capsys.readouterr().out == "TransformerEncoder: the package's, with your MultiHeadSelfAttention in it.\n"
    layer = encoder(8, depth=1, num_heads=2).blocks[0].attn
    assert type(layer).__doc__.startswith("Mine.") and type(layer).__module__ == "my_answers"
    assert type(TransformerEncoder(8, depth=1, num_heads=2).blocks[0].attn) is MultiHeadSelfAttention


def test_a_whole_network_of_the_learners_loads_shipped_weights_and_lifts_as_the_packages(notebook, capsys):
    numbers = {part.__name__: number for part, number in classes.NETWORK.items() if number}
    store(notebook, **{name: SOLUTIONS[number].solution for name, number in numbers.items()})
    mine = yours("PoseFormer")
    assert "PoseFormer: yours, with your MultiHeadSelfAttention, EncoderBlock, Spatial" in capsys.readouterr().out
    lite = pfl.PoseFormer.from_pretrained("lite")
    own = mine(**lite.config).eval()
    own.load_state_dict(lite.state_dict())
    assert {type(part).__module__ for part in own.modules()} & {"poseformer_lite.model.poseformer"} == set()
    poses_2d = 0.3 * torch.randn(20, 17, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(own.predict_sequence(poses_2d), lite.predict_sequence(poses_2d))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("class MultiHeadSelfAttention(helper): ...", "does not run outside of its lesson (NameError"),
        ("class MultiHeadSelfAttention(nn.Module): ...", "does not pass outside of its lesson"),
        ("1 / 0", "does not run outside of its lesson (ZeroDivisionError"),
        ("x = 1", "does not run outside of its lesson (KeyError"),
    ],
)
def test_an_answer_that_no_longer_works_is_said_and_replaced(notebook, source, says, capsys):
    store(notebook, MultiHeadSelfAttention=source)
    assert yours("MultiHeadSelfAttention") is MultiHeadSelfAttention
    assert says in capsys.readouterr().out


def test_functions_have_a_right_one_that_stands_in(capsys):
    def one_step(model, optimizer, poses_2d, target): ...

    assert verdict("06.5", yours_or_reference("06.5", one_step)).passed
    assert capsys.readouterr().out == "one_step: the checker's stands in until exercise 06.5 passes.\n"


@pytest.mark.slow
def test_from_one_notebook_to_the_next(tmp_path):
    """In real kernels: imports and helpers come along, also from other cells; values and magics do not hinder."""
    first = [
        "import torch\nfrom torch import Tensor, nn\nimport torch.nn.functional as F\n"
        "from poseformer_lite.model.attention import attention_weights\n"
        "from poseformer_course.checks import check",
        "import numpy as np\n\n\ndef even(n):\n    return n == 0 or odd(n - 1)\n\n\n"
        "def odd(n):\n    return n > 0 and even(n - 1)",
        "def far(x):\n    return torch.asarray(x * np.ones(1, dtype=np.float32)) if even(2) else None  # far",
        "%matplotlib inline\nsecret = 1\n\n\ndef helper(x):\n    return x  # a comment\n\n\n"
        + ATTENTION.replace("self.proj(", "helper(self.proj)(torch.ones(()) * far(1.0) * ")
        + '\n\ncheck("03.5", MultiHeadSelfAttention)',
        'check("03.7", 3)',
    ]
    second = [
        'from poseformer_course.checks import yours\nlayer = yours("MultiHeadSelfAttention")\nprint(layer.__doc__)'
    ]
    environment = {name: value for name, value in os.environ.items() if name != kept.VARIABLE}
    printed = []
    for sources in (first, second):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        where = {"metadata": {"path": str(tmp_path)}}
        client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources=where)
        client.execute(env=environment)
        printed.append("".join(o.get("text", "") for cell in notebook.cells for o in cell.outputs))
    assert "✓ Exercise 03.5: passed" in printed[0] and printed[0].count("are kept in my_answers.json") == 1
    assert printed[1].startswith("MultiHeadSelfAttention: yours.\nMine. ")
    entry = json.loads((tmp_path / kept.FILE).read_text(encoding="utf-8"))["03.5"]
    assert "return x  # a comment" in entry["source"] and "secret" not in entry["source"]
    assert all(entry["source"].count(f"def {name}(") == 1 for name in ("helper", "far", "even", "odd"))
