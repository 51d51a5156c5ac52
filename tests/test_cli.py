"""The command line: what it does, what it says of wrong input, and what it leaves behind."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import sys
import threading
import urllib.request

import nbformat
import pytest
import yaml
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from lib.cli import main
from lib.report.preview import serve
from tests.conftest import ROOT


@pytest.fixture
def lwo(monkeypatch):
    """Runs the command in the repository, in this process."""
    monkeypatch.chdir(ROOT)
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A project with one chapter whose code the test gives; returns a function that builds it."""
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    (tmp_path / "chapters").mkdir()
    book = {"project": {"type": "book"}, "book": {"title": "Small", "chapters": ["index.ipynb"]}}
    (tmp_path / "_quarto.yml").write_text(yaml.safe_dump(book))
    (tmp_path / "chapters" / "parameters.yml").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LWO_STUDY", str(ROOT / "data"))

    def build(*code: str):
        cells = [
            new_raw_cell('---\ntitle: "What?"\n---'),
            new_code_cell('population: str = "all"  # who', metadata={"tags": ["parameters"]}),
            new_markdown_cell("Words."),
            *map(new_code_cell, code),
        ]
        nbformat.write(new_notebook(cells=cells, metadata=metadata), tmp_path / "chapters" / "index.ipynb")
        return CliRunner().invoke(main, ["build", "--renderer", "embedded"])

    return build


def test_help_and_version_answer_a_newcomer(lwo):
    assert "Exit status: 0 success" in lwo("--help").output
    assert lwo("--version").output.startswith("lwo, version ")


def test_the_command_itself_imports_nothing_heavy():
    code = "import sys, lib.cli; print([m for m in ('numpy', 'pandas', 'papermill', 'altair', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["build", "--study", "nowhere"], 2, "there is no study folder 'nowhere'"),
        (["run", "rq1-relationship"], 1, "no chapter 'rq1-relationship'; did you mean 'rq1-relationships'?"),
        (["run", "rq1a", "-p", "populaton=all"], 1, "no parameter 'populaton'; did you mean 'population'?"),
        (["run", "rq1a", "-p", "conf_level=high"], 1, "'conf_level' must be of type float; got 'high'"),
        (["run", "rq1a", "-p", "population"], 2, "-p takes NAME=VALUE"),
        (["build", "--renderer", "word"], 1, "no renderer 'word'; choose auto, quarto or embedded"),
        (["build", "--only", "rq1z"], 1, "no page 'rq1z' in _quarto.yml; did you mean"),
        (["build", "--out", "lib"], 1, "is not a site; name an empty or new folder"),
        (["build", "--out", "."], 1, "the site cannot be written over"),
    ],
)
def test_wrong_input_is_answered_by_a_message_without_traceback(lwo, words, status, message):
    result = lwo(*words)
    assert message in result.output
    assert (result.exit_code, "Traceback" in result.output) == (status, False)


def test_a_site_that_would_give_a_student_away_is_not_published(small, tmp_path):
    """A path of the building machine in a figure's words; the audit runs on whatever the chapter shows."""
    site = tmp_path / "_site"
    site.mkdir()
    (site / "index.html").write_text("the old site")
    result = small("from lib.show.prose import prose", "prose('Drawn from /home/anna/records by hand.')")
    assert result.exit_code == 1 and "the site would give away" in result.output
    assert "path: index.html" in result.output
    assert (site / "index.html").read_text() == "the old site"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("_site")] == ["_site"]


@pytest.mark.parametrize(
    ("words", "kinds"), [("Nothing.", []), ("Only 4 students said so.", ["small count"])]
)
def test_an_audit_names_each_leak_with_its_place_and_ends_with_a_status(lwo, tmp_path, words, kinds):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text(f"<!doctype html><p>{words}</p>")
    result = lwo("audit", tmp_path / "site", "--json", tmp_path / "leaks.json")
    listed = json.loads((tmp_path / "leaks.json").read_text())
    assert [leak["kind"] for leak in listed] == kinds
    assert all({"file", "place", "message"} <= set(leak) for leak in listed)
    assert result.exit_code == int(bool(kinds)) and f"{len(kinds)} leaks found" in result.output
    assert not kinds or "index.html, words: a sentence counts fewer than 10 persons" in result.output


def test_params_lists_what_a_chapter_can_be_given(lwo):
    listed = {
        entry["name"]: entry for entry in json.loads(lwo("params", "rq1-relationships", "--json").output)
    }
    assert listed["conf_level"] == {
        "name": "conf_level", "type": "float", "default": 0.95, "help": "coverage of intervals, in (0, 1)",
    }  # fmt: skip
    table = lwo("params", "rq1b").output
    assert "population" in table and "'focal'" in table


def test_a_failing_chapter_names_itself_its_cell_and_the_cause_and_leaves_the_site(small, tmp_path):
    site = tmp_path / "_site"
    site.mkdir()
    (site / "index.html").write_text("the old site")
    result = small("from lib.study.load import load_study", "study = 1\nload_study().population('nobody')")
    assert (
        "chapter index.ipynb (page index) failed in cell 5, `load_study().population('nobody')`"
        in result.output
    )
    assert "codebook.yml has no population 'nobody'" in result.output
    assert result.exit_code == 1 and "Traceback" not in result.output
    assert (site / "index.html").read_text() == "the old site"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("_site")] == ["_site"]


def test_a_message_that_may_quote_data_is_withheld(small):
    result = small("int('Jane Doe')")
    assert "cell 4" in result.output and "ValueError" in result.output
    assert "Jane Doe')`:\n  ValueError; its message is withheld" in result.output
    assert "invalid literal" not in result.output


def test_a_number_shown_past_the_gate_stops_the_build(small):
    result = small("print('0.61')")
    assert result.exit_code == 1 and "an output that lib.show did not make (text on stdout)" in result.output


def test_a_second_build_runs_nothing_again(small):
    code = "from lib.show.prose import prose\nprose('Words that need no row.')"
    assert "1 pages run, 0 as before" in small(code).output
    assert "0 pages run, 1 as before" in small(code).output
    assert "1 pages run, 0 as before" in small(code, "1 + 1;").output


SHOWN = """from lib.analysis.effects import populations
from lib.analysis.samples import sample_sizes
from lib.disclosure.gate import release
from lib.show.prose import prose
from lib.study.load import load_study

study = load_study()
rows = release(sample_sizes(study, populations(study, "all", "focal", "reference")), study)
everyone, focal, reference = rows.where(term="answered_survey")
prose("{all}, {some} and {others} students.", all=everyone, some=focal, others=reference)"""


def test_a_release_enters_the_ledger_and_one_that_opens_a_small_set_changes_nothing(
    small, tmp_path, monkeypatch
):
    """Where black students who named a class were shown before, the six who named none would follow."""
    folder = tmp_path / "study"
    shutil.copytree(ROOT / "data", folder)
    monkeypatch.setenv("LWO_STUDY", str(folder))
    assert small(SHOWN).exit_code == 0 and not (folder / "releases").exists()
    build = ["build", "--renderer", "embedded", "--release"]
    assert CliRunner().invoke(main, [*build, "a/b"]).exit_code == 1
    result = CliRunner().invoke(main, [*build, "spring"])
    assert result.exit_code == 0 and "releases/spring.json" in result.output
    ledger = json.loads((folder / "releases" / "spring.json").read_text())
    assert {"race": ["black"]} in ledger["populations"]
    again = CliRunner().invoke(main, [*build, "spring"])
    assert again.exit_code == 1 and "in the ledger already" in again.output

    named = {"race": ["black"], "subject": ["math", "ela"]}
    (folder / "releases" / "spring.json").write_text(json.dumps({"populations": [named]}))
    (tmp_path / "_site" / "index.html").write_text("the old site")
    refused = CliRunner().invoke(main, [*build, "autumn"])
    assert refused.exit_code == 1 and "fewer than 10 students would follow" in refused.output
    assert "(spring); leave out race=black" in refused.output
    assert (tmp_path / "_site" / "index.html").read_text() == "the old site"
    assert [path.name for path in (folder / "releases").iterdir()] == ["spring.json"]


def test_the_preview_serves_the_site_and_rebuilds_a_page_that_was_saved(small, tmp_path):
    assert small("from lib.show.prose import prose\nprose('The first words.')").exit_code == 0
    said, stop = queue.Queue(), threading.Event()
    serving = threading.Thread(target=serve, kwargs={"study": None, "port": 0, "say": said.put, "stop": stop})
    serving.start()
    try:
        assert "nothing run" in said.get(timeout=120)
        address = said.get(timeout=20).split()[0]
        assert "The first words." in read(address)
        before = read(f"{address}__built")
        notebook = tmp_path / "chapters" / "index.ipynb"
        notebook.write_text(notebook.read_text().replace("The first", "Other"))
        assert "(index)" in said.get(timeout=120)
        assert "Other words." in read(address) and read(f"{address}__built") != before
    finally:
        stop.set()
        serving.join(20)


def read(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read().decode()


def test_an_unreadable_students_file_is_named(lwo, tmp_path):
    shutil.copytree(ROOT / "data", tmp_path / "data")
    (tmp_path / "data" / "students.csv").write_bytes(b"\x00\xff\xfe not a table")
    result = lwo("check", tmp_path / "data")
    assert result.exit_code == 2 and "students.csv" in result.output and "Traceback" not in result.output
