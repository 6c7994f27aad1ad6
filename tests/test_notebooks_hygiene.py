"""Every committed notebook is run, frozen, readable and small; and the comparison of outputs can see a wrong one."""

import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import frozen_notebooks
import run_notebooks
import set_repository_address

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FENCED = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({})"
OUTPUT_MARKERS = ("NBVAL_IGNORE_OUTPUT", "NBVAL_SKIP", "NBVAL_RAISES_EXCEPTION", "PYTEST_VALIDATE_IGNORE_OUTPUT")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request) -> Path:
    return request.param


@pytest.fixture
def notebook(path):
    return frozen_notebooks.read(path)


def prose(notebook) -> str:
    """The text of all markdown cells, without fenced code."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return FENCED.sub("", "\n\n".join(cells))


def lines_of_code(notebook) -> list[int]:
    cells = frozen_notebooks.code_cells(notebook)
    return [sum(1 for line in cell.source.splitlines() if line.strip()) for cell in cells]


def nbval(*arguments, cwd=ROOT) -> subprocess.CompletedProcess:
    """The comparison that `make test` runs, on the given paths."""
    command = [sys.executable, "-m", "pytest", "-c", "nbval.ini", *map(str, arguments)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)


# The notebooks themselves


def test_the_course_starts_with_00():
    assert (ROOT / "notebooks" / "00_start_here.ipynb") in NOTEBOOKS


def test_names_give_the_order():
    numbers = [re.match(r"(\d\d)_[a-z0-9_]+$", path.stem) for path in NOTEBOOKS]
    assert all(numbers), "notebooks are named 00_lower_case.ipynb"
    order = [int(match[1]) for match in numbers]
    assert order == sorted(set(order))


def test_is_run_and_frozen(notebook):
    assert frozen_notebooks.find_problems(notebook) == []


def test_is_small(path):
    assert path.stat().st_size <= 1_500_000


def test_has_one_title(notebook):
    titles = re.findall(r"^# .+", prose(notebook), re.MULTILINE)
    assert len(titles) == 1
    assert notebook.cells[0].source.startswith(titles[0])


def test_pictures_have_alt_text(notebook):
    pictures = re.findall(r"!\[(.*?)\]\((.*?)\)", prose(notebook), re.DOTALL)
    assert [address for alt, address in pictures if len(alt.strip()) < 10] == []
    assert [tag for tag in re.findall(r"<img\b[^>]*>", prose(notebook)) if not re.search(r'alt="[^"]{10,}"', tag)] == []


def test_drawn_pictures_have_alt_text(notebook):
    """It is in the metadata, where nbconvert and the site look for it."""
    drawn = [
        c for c in frozen_notebooks.code_cells(notebook) if any("image/png" in o.get("data", {}) for o in c.outputs)
    ]
    assert len(drawn) >= 3
    assert [cell.id for cell in drawn if len(cell.metadata.get("alt", "")) < 20] == []


def test_alt_text_is_what_the_code_calls_the_picture():
    source = 'ax.set(title=f"Error of {name}")\nfigure.suptitle("All seeds")\nax.plot([1], label="x")\nplt.show()'
    assert frozen_notebooks.alt_text(source, "Seeds") == "Picture in the section “Seeds”: Error of; All seeds"
    assert frozen_notebooks.alt_text("plt.show()", "Seeds") == "Picture in the section “Seeds”"
    said = "# Picture: three bars\n# that rise\nax.set(title='Seeds')"
    assert frozen_notebooks.alt_text(said, "Seeds") == "three bars that rise"


def test_pictures_exist(path, notebook):
    addresses = re.findall(r"!\[.*?\]\(([^)\s]+)", prose(notebook), re.DOTALL)
    addresses += re.findall(r'<img\b[^>]*src="([^"]+)"', prose(notebook))
    local = [address for address in addresses if not address.startswith(("https://", "attachment:", "data:"))]
    assert [address for address in local if not (path.parent / address).is_file()] == []


def test_badge_opens_this_notebook_in_colab(path, notebook):
    slug = set_repository_address.repository_slug(ROOT)
    address = f"https://colab.research.google.com/github/{slug}/blob/main/notebooks/{path.name}"
    assert BADGE.format(address) in notebook.cells[0].source


def test_code_cells_are_short(notebook):
    lines = lines_of_code(notebook)
    assert statistics.median(lines) <= 8
    assert max(lines) <= 50


def test_few_outputs_are_exempt_from_comparison_and_each_says_why(notebook):
    cells = frozen_notebooks.code_cells(notebook)
    exempt = [cell for cell in cells if "NBVAL_IGNORE_OUTPUT" in cell.source]
    with_output = [cell for cell in cells if cell.outputs]
    assert len(exempt) <= 0.15 * len(with_output)
    assert [problem for cell in cells for problem in marker_problems(cell)] == []


def marker_problems(cell) -> list[str]:
    """nbval obeys a marker only where it is alone in its comment, so the reason is the comment line below it."""
    problems = [f"tag {tag}" for tag in cell.metadata.get("tags", []) if "nbval" in tag or tag == "raises-exception"]
    lines = [line.strip() for line in cell.source.splitlines()]
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if not any(marker in line for marker in OUTPUT_MARKERS):
            continue
        if line != "# NBVAL_IGNORE_OUTPUT":
            problems.append(f"{line!r}: only '# NBVAL_IGNORE_OUTPUT', alone on its line, is allowed")
        elif not re.match(r"# \w+ \w+", below):
            problems.append("the line below '# NBVAL_IGNORE_OUTPUT' gives no reason as a comment")
    return problems


@pytest.mark.parametrize(
    ("source", "fine"),
    [
        ("# NBVAL_IGNORE_OUTPUT\n# random numbers of another machine\nprint(1)", True),
        ("# NBVAL_IGNORE_OUTPUT\nprint(1)", False),
        ("# NBVAL_IGNORE_OUTPUT: random numbers\nprint(1)", False),
        ("# NBVAL_SKIP\n# takes a long time\nprint(1)", False),
    ],
)
def test_marker_rules(source, fine):
    assert (marker_problems(new_code_cell(source)) == []) is fine


# The comparison of stored outputs


RIGHT = {
    "print(6 * 7)": "42\n",
    "try:\n    Path('~/x').expanduser().mkdir(parents=True)\nexcept OSError:\n    print('no home')": "no home\n",
    "def f(x):\n    B, C = x.shape\n    return x.T  # (C, B)": "",
    "y = f(np.zeros((2, 3)))\nz = y + 1  # (3, 2), the second statement of a cell is seen, too": "",
}
ASKING = "try:\n    socket.create_connection(('192.0.2.1', 80), timeout=1)\nexcept OSError as error:\n    print(error)"
WRONG = {  # the cell, what is stored beside it, and what is said
    "output": ("print(6 * 7)", "41\n", "Cell outputs differ"),
    "network": (ASKING, "the network is off\n", "the network was asked for"),
    "shape": ("x = np.zeros((2, 3))  # (3, 2)", "", "the comment says (3, 2), it is (2, 3)"),
    "no_shape": ("x = 4  # (B, C)", "", "comments that met no tensor"),
    "file": ("Path('left.txt').touch()", "", "a lesson leaves files in the reader's folder"),
}


@pytest.mark.slow
def test_comparison_is_green_for_a_right_notebook_and_red_for_each_that_is_wrong(tmp_path):
    def write(name: str, cells: dict[str, str]) -> None:
        cells = {"import socket\nimport numpy as np\nfrom pathlib import Path": "", **cells}
        run = [
            new_code_cell(source, execution_count=number, outputs=[new_output("stream", text=text)] if text else [])
            for number, (source, text) in enumerate(cells.items(), start=1)
        ]
        nbformat.write(new_notebook(cells=[new_markdown_cell("# Tiny"), *run]), tmp_path / f"{name}.ipynb")

    write("right", RIGHT)
    for name, (source, stored, _) in WRONG.items():
        write(name, {source: stored})
    said = nbval(tmp_path).stdout
    assert re.findall(r"^FAILED .*?(\w+)\.ipynb", said, re.MULTILINE) == sorted(WRONG), said
    assert [words for *_, words in WRONG.values() if words not in said] == []


def test_only_how_long_it_took_may_differ():
    sanitized = frozen_notebooks.sanitized
    assert sanitized("trained in 12.3 s") == sanitized("trained in 9 s")
    assert sanitized("step took 15 ms") == sanitized("step took 7.5 ms")
    assert sanitized("<object at 0x7f00aa12bc>") == sanitized("<object at 0x7f11bb34cd>")
    assert sanitized("27 frames last 0.54 s") != sanitized("27 frames last 0.27 s")
    assert sanitized("MPJPE 51.2 mm in 3 s") != sanitized("MPJPE 51.3 mm in 3 s")


# Running and freezing


@pytest.fixture
def small_notebook(tmp_path):
    """A notebook as an editor leaves it: not run, random cell ids, metadata of the editor."""
    code = [new_code_cell("x = 6"), new_code_cell("print(x * 7)", metadata={"collapsed": True, "tags": ["keep"]})]
    notebook = new_notebook(cells=[new_markdown_cell("# Small\n\n**Time**:"), *code], metadata={"vscode": {}})
    path = tmp_path / "00_small.ipynb"
    nbformat.write(notebook, path)
    return path


def test_run_and_freeze(small_notebook):
    assert frozen_notebooks.find_problems(frozen_notebooks.read(small_notebook)) != []
    run_notebooks.run_and_freeze(small_notebook, "two CPU cores")
    notebook = frozen_notebooks.read(small_notebook)
    assert frozen_notebooks.find_problems(notebook) == []
    assert notebook.cells[2].outputs[0].text == "42\n"
    assert [cell.id for cell in notebook.cells] == ["cell-000", "cell-001", "cell-002"]
    assert notebook.cells[2].metadata == {"tags": ["keep"]}
    assert re.search(r"^\*\*Time\*\*: about \d+ s on two CPU cores \(measured\)$", notebook.cells[0].source, re.M)


def test_running_again_changes_only_what_is_new(small_notebook):
    notebook = frozen_notebooks.read(small_notebook)
    notebook.cells[2].source = "import time\nprint(f'took {time.perf_counter()} s')"
    nbformat.write(notebook, small_notebook)
    run_notebooks.run_and_freeze(small_notebook, "two CPU cores")
    first = frozen_notebooks.read(small_notebook).cells[2].outputs
    run_notebooks.run_and_freeze(small_notebook, "two CPU cores")
    assert frozen_notebooks.read(small_notebook).cells[2].outputs == first


def test_the_readme_shows_the_measured_times(tmp_path):
    cell = new_markdown_cell("# T\n\n**Time**: about 40 s on two CPU cores (measured)")
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "01_x.ipynb")
    text = "| a | b | time |\n|---|---|---|\n| [01_x](notebooks/01_x.ipynb) | look | 9 s |\n| [y](z) | stay | |\n"
    assert run_notebooks.with_times(text, tmp_path) == text.replace("9 s", "40 s")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert run_notebooks.with_times(readme, ROOT / "notebooks") == readme
    assert [path.name for path in NOTEBOOKS if f"(notebooks/{path.name})" not in readme] == []


def test_check_changes_nothing_and_says_no(small_notebook, capsys):
    before = small_notebook.read_bytes()
    assert run_notebooks.main(["--check", str(small_notebook)]) == 1
    assert "were not run" in capsys.readouterr().out
    assert small_notebook.read_bytes() == before


def test_a_failing_cell_leaves_the_file_alone(small_notebook, capsys):
    notebook = frozen_notebooks.read(small_notebook)
    notebook.cells[1].source = "x = 1 / 0"
    nbformat.write(notebook, small_notebook)
    before = small_notebook.read_bytes()
    assert run_notebooks.main([str(small_notebook)]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert small_notebook.read_bytes() == before


def executed_notebook(**output):
    """One executed cell with the given output, in the committed form but for that output."""
    cell = new_code_cell("1", execution_count=1, outputs=[new_output(**output)] if output else [])
    notebook = new_notebook(cells=[new_markdown_cell("# T\n\n**Time**: about 10 s on two CPU cores (measured)"), cell])
    frozen_notebooks.freeze(notebook)
    return notebook


def test_a_clean_notebook_has_no_problems():
    assert (
        frozen_notebooks.find_problems(executed_notebook(output_type="stream", text="see https://a.org/home/b")) == []
    )


def spoil_count(notebook):
    notebook.cells[1].execution_count = 2


def spoil_with_error(notebook):
    notebook.cells[1].outputs = [new_output("error", ename="ValueError", evalue="no", traceback=[])]


def spoil_with_state(notebook):
    notebook.metadata["widgets"] = {}


def spoil_with_view(notebook):
    notebook.cells[1].outputs = [new_output("display_data", data={frozen_notebooks.WIDGET_VIEW: {"model_id": "1"}})]


def spoil_with_path(notebook):
    notebook.cells[1].outputs = [new_output("stream", text="saved to /home/someone/x.npz")]


def spoil_time(notebook):
    notebook.cells[0].source = "# T\n\n**Time**: about an hour"


def spoil_ids(notebook):
    notebook.cells[0].id = "f00ba4"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_count, "not run once each"),
        (spoil_with_error, "is an error, ValueError"),
        (spoil_with_state, "metadata.widgets"),
        (spoil_with_view, "widget view"),
        (spoil_with_path, "path of one machine"),
        (spoil_time, "no measured"),
        (spoil_ids, "committed form"),
    ],
)
def test_problems_are_found(spoil, said):
    notebook = executed_notebook()
    spoil(notebook)
    problems = frozen_notebooks.find_problems(notebook)
    assert len(problems) == 1
    assert said in problems[0]


def test_freezing_keeps_the_still_twin_and_drops_the_widget():
    view = {frozen_notebooks.WIDGET_VIEW: {"model_id": "1"}, "image/png": "aGk=", "text/plain": "a viewer"}
    notebook = executed_notebook(output_type="display_data", data=view)
    assert notebook.cells[1].outputs[0].data == {"image/png": "aGk=", "text/plain": "a viewer"}


def test_a_viewer_says_itself_what_it_shows():
    words = {"image/png": {"alt": "Motion of 60 frames, frame 3"}}
    notebook = executed_notebook(output_type="display_data", data={"image/png": "aGk="}, metadata=words)
    assert notebook.cells[1].metadata.alt == "Motion of 60 frames, frame 3"


def test_a_widget_without_a_still_twin_is_refused():
    bare = {frozen_notebooks.WIDGET_VIEW: {"model_id": "1"}, "text/plain": "IntSlider(value=0)"}
    with pytest.raises(ValueError, match="still twin"):
        executed_notebook(output_type="display_data", data=bare)


def test_times_of_both_kinds_of_machine_are_kept():
    notebook = executed_notebook()
    frozen_notebooks.set_time(notebook, 33, "a GPU (NVIDIA T4)")
    frozen_notebooks.set_time(notebook, 124, "two CPU cores")
    text = "**Time**: about 2 min on two CPU cores; about 40 s on a GPU (NVIDIA T4) (measured)"
    assert notebook.cells[0].source.splitlines()[-1] == text
    frozen_notebooks.set_time(notebook, 124, "two CPU cores")
    assert notebook.cells[0].source.splitlines()[-1] == text


def test_a_notebook_without_a_time_line_is_refused():
    notebook = new_notebook(cells=[new_markdown_cell("# T")])
    with pytest.raises(ValueError, match=r"add '\*\*Time\*\*:'"):
        frozen_notebooks.set_time(notebook, 1, "two CPU cores")
