"""Loading: scores by hand, populations, labels, and every way a table may be written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from lib.errors import StudyError
from lib.study.load import folder_hash, load_study, study_folder
from lib.study.read_codebook import load_codebook
from lib.study.validate import check_study

ROOT = Path(__file__).parents[1]
CODEBOOK = {
    "title": "Four scales",
    "synthetic": True,
    "files": {"students": "students.csv"},
    "respondents": {"answered": True},
    "populations": {"all": {"label": "All"}, "left": {"label": "Left", "where": {"side": "l"}}},
    "columns": {
        "id": {"label": "Student", "role": "id"},
        "side": {"label": "Side", "levels": {"l": "Left side", "r": "Right side"}},
        "answered": {"label": "Answered", "levels": {"yes": "Yes", "no": "No"}},
        "mark": {"label": "Mark", "type": "number", "role": "outcome", "low": 0, "high": 100, "missing_codes": [-9]},
    },
    "domains": {"both": {"label": "Both", "role": "mindset"}},
    "scales": {
        "a": {"label": "A", "role": "mindset", "domain": "both", "low": 1, "high": 4, "min_answered": 2,
              "items": ["a1", "a2", "a3"], "reversed": ["a3"], "missing_codes": [-9]},
        "b": {"label": "B", "role": "mindset", "domain": "both", "low": 1, "high": 4, "items": ["b1"]},
    },
    "disclosure": {"k": 3},
}  # fmt: skip
ROWS = pd.DataFrame(
    {
        "id": ["p", "q", "r", "s", "t"],
        "side": ["l", "r", "l", "r", "l"],
        "answered": ["yes", "yes", "yes", "yes", "no"],
        "mark": ["80.5", "-9", "70", "", "60"],
        "a1": ["4", "-9", "1", "2", ""],
        "a2": ["3", "", "2", "2", ""],
        "a3": ["1", "2", "-9", "4", ""],
        "b1": ["2", "3", "", "1", ""],
    }
)


def write(folder: Path, codebook: dict = CODEBOOK, rows: pd.DataFrame = ROWS) -> Path:
    (folder / "codebook.yml").write_text(yaml.safe_dump(codebook, sort_keys=False), encoding="utf-8")
    rows.to_csv(folder / "students.csv", index=False)
    return folder


def test_scores_are_the_mean_of_items_after_reversal(tmp_path):
    study = load_study(write(tmp_path))
    # by hand: p (4, 3, 5-1) -> 11/3; q one answer of three -> missing; r (1, 2) -> 1.5; s (2, 2, 5-4) -> 5/3
    np.testing.assert_allclose(study.students["a"], [11 / 3, np.nan, 1.5, 5 / 3, np.nan])
    np.testing.assert_allclose(
        study.students["both"], [(11 / 3 + 2) / 2, np.nan, np.nan, (5 / 3 + 1) / 2, np.nan]
    )
    np.testing.assert_allclose(study.items("a")["a3"], [4, 3, np.nan, 1, np.nan])
    np.testing.assert_allclose(study.students["a3"], [1, 2, np.nan, 4, np.nan])
    assert study.students["mark"].isna().sum() == 2


def test_populations_hold_survey_respondents_only(tmp_path):
    study = load_study(write(tmp_path))
    assert list(study.population("all").frame["id"]) == ["p", "q", "r", "s"]
    assert list(study.population("left").frame["id"]) == ["p", "r"]
    with pytest.raises(StudyError, match="no population 'lefft'; did you mean 'left'?"):
        study.population("lefft")


def test_labels(tmp_path):
    codebook = load_study(write(tmp_path)).codebook
    assert [codebook.label(key) for key in ("a", "both", "mark", "side=l", "left")] == [
        "A",
        "Both",
        "Mark",
        "Left side",
        "Left",
    ]
    with pytest.raises(StudyError, match="no entry 'sied'; did you mean 'side'?"):
        codebook.label("sied")
    with pytest.raises(StudyError, match="no level 'x'"):
        codebook.label("side=x")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_a_table_may_be_written_in_any_declared_dialect(tmp_path, delimiter, encoding):
    rows = ROWS.assign(id=["é1", "é2", "é3", "é4", "é5"])
    declared = {"path": "students.csv", "delimiter": delimiter, "encoding": encoding.removesuffix("-sig")}
    write(tmp_path, CODEBOOK | {"files": {"students": declared}})
    rows.to_csv(tmp_path / "students.csv", sep=delimiter, encoding=encoding, index=False)
    study = load_study(tmp_path)
    assert list(study.students["id"]) == list(rows["id"]) and study.students["a"].iloc[0] == pytest.approx(
        11 / 3
    )


def test_decimal_commas_are_read_where_declared(tmp_path):
    declared = {"path": "students.csv", "delimiter": ";", "decimal": ","}
    write(tmp_path, CODEBOOK | {"files": {"students": declared}})
    ROWS.replace("80.5", "80,5").to_csv(tmp_path / "students.csv", sep=";", index=False)
    assert load_study(tmp_path).students["mark"].iloc[0] == 80.5


@pytest.mark.parametrize("in_parts", [False, True])
def test_parquet_keeps_the_same_study(tmp_path, in_parts):
    csv_study = load_study(write(tmp_path))
    path = tmp_path / ("parts" if in_parts else "students.parquet")
    typed = ROWS.apply(
        lambda column: (
            pd.to_numeric(column, errors="coerce")
            if column.name[0] in "abm" and column.name != "answered"
            else column
        )
    )
    if in_parts:
        path.mkdir()
        typed.iloc[:2].to_parquet(path / "0.parquet")
        typed.iloc[2:].to_parquet(path / "1.parquet")
    else:
        typed.to_parquet(path)
    write(tmp_path, CODEBOOK | {"files": {"students": path.name}})
    study = load_study(tmp_path)
    pd.testing.assert_frame_equal(study.students, csv_study.students)
    assert study.data_hash != csv_study.data_hash


def test_the_shipped_study_keeps_its_codebook_and_counts():
    study = load_study(ROOT / "data")
    # Exhibits 6 and 7, and line 1887 of the report
    assert (len(study.students), len(study.population("all").frame), len(study.teachers)) == (892, 869, 138)
    counts = {name: len(study.population(name).frame) for name in ("math", "ela", "school_1", "school_4")}
    assert counts == {"math": 432, "ela": 429, "school_1": 312, "school_4": 149}
    assert round(100 * (study.students["race"] == study.codebook.focal).mean()) == 46
    assert study.teachers["subject"].value_counts().loc[["math", "ela"]].to_list() == [29, 25]
    assert study.published.shape[0] == 197 and len(study.findings["key_findings"]) == 27


def test_populations_by_role_are_the_codebooks():
    study = load_study(ROOT / "data")
    assert (study.population("focal").key, study.population("reference").key) == ("black", "white")
    assert len(study.codebook.scales_with("exposure")) == 8
    assert len(study.codebook.scales_with("environment")) == 7
    assert len(study.codebook.scales_with("mindset")) == 6
    assert study.codebook.outcomes == ("grade_math_or_ela", "absences")


def test_where_the_study_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LWO_STUDY", raising=False)
    with pytest.raises(StudyError, match="no project here"):
        study_folder()
    with pytest.raises(StudyError, match="no study folder 'nowhere'"):
        study_folder("nowhere")
    monkeypatch.setenv("LWO_STUDY", str(tmp_path))
    assert study_folder() == tmp_path
    with pytest.raises(StudyError, match=r"no codebook\.yml"):
        load_study()


def test_text_in_a_label_cannot_become_a_formula_or_markup(tmp_path):
    for label in ("=1+1", "@x", "-x", "a <b>"):
        changed = {**CODEBOOK, "title": label}
        assert [fault.column for fault in check_study(write(tmp_path, changed))] == ["title"]


def test_importing_the_room_loads_nothing_slow():
    code = "import sys, lib.study.load, lib.study.init, lib.study.simulate; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert not {"pandera", "scipy", "statsmodels", "jsonschema", "rich", "pyarrow.parquet"} & set(
        loaded.split()
    )


@pytest.mark.parametrize(
    ("name", "counts", "column", "mean"),
    [
        # lavaan's documentation of its data: 156 and 145 students; mean of x1 4.936
        ("holzinger_swineford", {"pasteur": 156, "grant_white": 145}, "visual_perception", 4.936),
        # R: table(answers$gender) and mean(answers$A2) of the exported file
        ("bfi", {"women": 326, "men": 174}, "inquiry", 4.796),
    ],
)
def test_a_foreign_study_needs_only_a_codebook(name, counts, column, mean):
    folder = ROOT / "tests/studies" / name
    assert check_study(folder) == []
    study = load_study(folder)
    assert {key: len(study.population(key).frame) for key in counts} == counts
    assert study.students[column].mean() == pytest.approx(mean, abs=5e-4)
    assert sorted(path.suffix for path in folder.iterdir()) in (
        [".R", ".csv", ".yml"], [".R", ".tsv", ".yml"],
    )  # fmt: skip


def test_cells_that_a_build_has_checked_are_not_checked_again(tmp_path, monkeypatch):
    """One fault, seen by every process but those told that these very bytes have been checked."""
    wrong = write(tmp_path, rows=ROWS.assign(a1=["9", *ROWS["a1"][1:]]))
    good = load_codebook(wrong)
    monkeypatch.setenv("LWO_CHECKED", "another study's hash")
    with pytest.raises(StudyError, match=r"'a1' is outside 1\.\.4"):
        load_study(wrong)
    monkeypatch.setenv("LWO_CHECKED", folder_hash(wrong, good))
    assert load_study(wrong).students["a1"][0] == 9
    (wrong / "students.csv").write_text((wrong / "students.csv").read_text() + "\n")
    with pytest.raises(StudyError):
        load_study(wrong)


def test_alias_bombs_are_refused_before_they_unfold(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    (tmp_path / "codebook.yml").write_text("\n".join(lines))
    with pytest.raises(StudyError, match="anchors or aliases"):
        load_codebook(tmp_path)


def test_copying_the_study_keeps_its_hash(tmp_path):
    study = load_study(write(tmp_path))
    other = shutil.copytree(tmp_path, tmp_path.parent / "again")
    assert load_study(other).data_hash == study.data_hash and len(study.data_hash) == 64


def test_a_codebook_that_sets_no_threshold_gets_the_stated_ones():
    # STATISTICS.md: smallest difference of interest 0.10 SD, or 5 points for shares
    thresholds = load_study(ROOT / "tests/studies/bfi").codebook.thresholds
    assert (thresholds["sesoi"], thresholds["sesoi_points"]) == (0.1, 5)
