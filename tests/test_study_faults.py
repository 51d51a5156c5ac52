"""Every seeded fault is found and worded: file, column, rule, count and remedy, and nothing of a student's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from lib.cli import main
from lib.errors import StudyError
from lib.study.fault_report import fault_page, print_faults, summary
from lib.study.faults import Fault, most_serious_first, refusing
from lib.study.load import load_study
from lib.study.validate import check_study
from tests.study_faults import FAULTS, SECRET, edit_table

DATA = Path(__file__).parents[1] / "data"
PER_CLASS = 4
SCALES = (
    "hq_exchange", "hq_inclusion", "hq_respectful", "env_peer_learning", "env_needs_met", "ms_mastery", "benefits",
    "obs_dynamic",
)  # fmt: skip


@pytest.fixture(scope="session")
def small_study(tmp_path_factory) -> Path:
    """Four students of each of the shipped study's 56 classes, and a third of its scales."""
    folder = tmp_path_factory.mktemp("small") / "study"
    folder.mkdir()
    codebook = yaml.safe_load((DATA / "codebook.yml").read_text())
    dropped = {key: scale for key, scale in codebook["scales"].items() if key not in SCALES}
    items = [item for scale in dropped.values() for item in scale["items"]]
    codebook["scales"] = {key: scale for key, scale in codebook["scales"].items() if key in SCALES}
    codebook["mediators"] = ["personalization", "env_peer_learning"]
    (folder / "codebook.yml").write_text(yaml.safe_dump(codebook, sort_keys=False))
    for kind in ("students", "teachers", "observations", "excerpts"):
        table = pd.read_csv(DATA / f"{kind}.csv", dtype=str, keep_default_na=False)
        if kind == "students":
            table = table[table["answered_survey"] == "yes"].groupby("class_id").head(PER_CLASS)
        table.drop(columns=items, errors="ignore").to_csv(folder / f"{kind}.csv", index=False)
    return folder


@pytest.fixture
def folder(small_study, tmp_path) -> Path:
    return shutil.copytree(small_study, tmp_path / "study")


def test_the_small_study_has_no_fault(small_study):
    assert check_study(small_study) == []


def test_at_least_eighty_faults_are_seeded():
    assert len({name for name, *_ in FAULTS}) == len(FAULTS) >= 80


@pytest.mark.parametrize("fault", FAULTS, ids=[name for name, *_ in FAULTS])
def test_seeded_fault_is_named(folder, fault):
    _, seed, file, column, rule, count = fault
    seed(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    faults = check_study(folder)
    wrong = refusing(faults)
    ids = set(pd.read_csv(DATA / "students.csv", dtype=str)["student_id"])
    words = " ".join(str(fault) for fault in faults)
    assert wrong, "the fault was not found"
    if rule is not None:
        named = [
            fault for fault in wrong if (fault.file, fault.rule) == (file, rule) and column in fault.column
        ]
        assert named, f"no fault names {file}, {column}, {rule}: {words[:400]}"
        assert count is None or count in {fault.count for fault in named}
        assert all(fault.message and fault.remedy for fault in named)
    assert SECRET not in words
    assert not ids & set(words.replace("'", " ").replace(",", " ").split())
    said = CliRunner().invoke(main, ["check", str(folder)])
    assert said.exit_code == 2 and "Traceback" not in said.output and SECRET not in said.output
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_study_with_faults_is_not_loaded(folder):
    edit_table(folder, lambda table: table.__setitem__("hq_exchange_2", SECRET))
    with pytest.raises(
        StudyError, match="'hq_exchange_2' is not a number in 224 of 224 rows of students.csv"
    ) as refused:
        load_study(folder)
    assert refused.value.exit_status == 2 and SECRET not in str(refused.value)


def test_misspelt_names_suggest_the_nearest(folder):
    table = pd.read_csv(folder / "students.csv", dtype=str, keep_default_na=False)
    table.rename(columns={"hq_exchange_2": "hq_exchnge_2"}).to_csv(folder / "students.csv", index=False)
    assert "did you mean 'hq_exchnge_2'?" in check_study(folder)[0].message


def test_faults_come_most_serious_first():
    mild = Fault("warning", "a.csv", "x", "r", 9, "m", "d")
    wide, narrow = (
        Fault("error", "a.csv", "x", "r", 5, "m", "d"),
        Fault("error", "a.csv", "y", "r", 2, "m", "d"),
    )
    fatal = Fault("fatal", "b.csv", "", "r", 1, "m", "d")
    assert most_serious_first([mild, narrow, fatal, wide, wide]) == [fatal, wide, narrow, mild]


def test_page_and_table_show_every_fault_and_escape_it():
    from io import StringIO

    from rich.console import Console

    fault = Fault(
        "error", "a.csv", "<b>x</b>", "range", 12, "'x' is outside 1..4 in 12 of 892 rows", "correct them"
    )
    page = fault_page([fault], title="Check of <study>")
    assert "<b>x" not in page and "&lt;b&gt;x" in page and "12 of 892" in page and "<script" not in page
    out = StringIO()
    print_faults([fault], console=Console(file=out, width=200))
    assert "outside 1..4 in 12 of 892 rows" in out.getvalue() and "1 fault keeps" in out.getvalue()
    assert summary([]) == "The study keeps its codebook: 0 faults."
