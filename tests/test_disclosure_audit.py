"""The audit finds every seeded leak, nothing in clean sites, and says no student's value."""

from __future__ import annotations

import copy
import json
from functools import cache

import numpy as np
import pandas as pd
import pytest

from lib.analysis.estimates import estimates
from lib.disclosure.audit import audit_site
from lib.disclosure.leaks import Leak
from lib.errors import DisclosureError
from tests.disclosure_sites import COUNTS, KINDS, Site, clean_site, page, script
from tests.disclosure_studies import study_of

BY_RECORDS_ONLY = {"svg_title", "png_text", "search_index_rows", "aria_label", "meta_tag"}


@cache
def _clean(seed: int) -> Site:
    return clean_site(seed)


def clean(seed: int) -> Site:
    return copy.deepcopy(_clean(seed))


def audited(site: Site, folder, *, inside: bool = True) -> list[Leak]:
    if getattr(site, "released", None):
        site.study.folder = folder / "study"
        (site.study.folder / "releases").mkdir(parents=True)
        (site.study.folder / "releases" / "a.json").write_text(json.dumps({"populations": site.released}))
    return audit_site(site.write(folder / "site"), study=site.study if inside else None)


@pytest.mark.parametrize("seed", range(4))
def test_a_clean_site_has_no_leak(seed, tmp_path):
    assert audited(clean(seed), tmp_path) == []
    assert audited(clean(seed), tmp_path, inside=False) == []


def test_thirty_kinds_of_leak_are_seeded():
    assert len(KINDS) >= 30


@pytest.mark.parametrize("kind", KINDS)
def test_each_seeded_kind_is_caught(kind, tmp_path):
    site = clean(0)
    before = dict(site.files)
    KINDS[kind](site, np.random.default_rng(1))
    touched = {name for name, raw in site.files.items() if before.get(name) != raw}
    found = audited(site, tmp_path)
    assert found and {leak.file for leak in found} <= touched
    if kind not in BY_RECORDS_ONLY:
        assert audited(site, tmp_path, inside=False)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", COUNTS)
def test_planted_counts_are_found(kind, seed, tmp_path):
    site = clean(seed)
    COUNTS[kind](site, np.random.default_rng(seed))
    assert audited(site, tmp_path)


def test_no_message_repeats_a_value(tmp_path):
    site = clean(1)
    for plant in KINDS.values():
        plant(site, np.random.default_rng(2))
    words = " ".join(leak.message for leak in audited(site, tmp_path))
    ids = set(site.study.students["student_id"])
    assert not any(one in words for one in ids)
    assert "71." not in words


def canary_study(n: int = 120):
    """A study whose every cell is a marker that stands nowhere else."""
    rng = np.random.default_rng(5)
    students = clean(0).study.students.head(n).copy()
    for place, column in enumerate(("class_id", "student_id")):
        students[column] = [f"canary{place}x{i:04d}" for i in range(n)]
    for place, column in enumerate(("grade_math_or_ela", "env_peer_support_1", "absences")):
        students[column] = place + 1 + (rng.permutation(9000)[:n] * 10 + 1) / 1e5
    return study_of(students)


@pytest.mark.parametrize("column", ["class_id", "student_id", "grade_math_or_ela", "absences"])
def test_one_canary_in_a_page_is_found(column, tmp_path):
    study = canary_study()
    site = Site({"index.html": page("Report", "<p>Nothing here.</p>")}, study)
    assert audited(site, tmp_path) == []
    site.add_to("index.html", f'<img alt="{study.students[column].iloc[7]}">')
    assert [leak.kind for leak in audited(site, tmp_path)] == ["record"]


def test_an_attacker_finds_all_four_corners_of_a_sum(tmp_path):
    cube = {"race": ["all", "a", "all", "a"], "gender": ["all", "all", "f", "f"], "n": [124, 80, 80, 40]}
    site = Site({"index.html": page("Filter", script(cube))}, None)
    assert [leak.kind for leak in audited(site, tmp_path)] == ["differencing"]
    cube["n"] = [154, 80, 80, 40]
    site.files["index.html"] = page("Filter", script(cube))
    assert audited(site, tmp_path) == []


def test_figures_of_a_synthetic_study_s_own_report_are_no_leak(tmp_path):
    study = study_of(clean(0).study.students.head(50))
    site = Site({"index.html": page("Sample", "<p>8 students named no class.</p>")}, study)
    assert [leak.kind for leak in audited(site, tmp_path)] == ["small count"]
    study.published = pd.DataFrame(
        {"value": ["8"], "unit": ["students"], "statistic": ["n"], "exhibit": ["6"]}
    )
    assert audited(site, tmp_path) == []


def test_without_the_study_what_a_page_marks_as_published_is_believed_and_nothing_else(tmp_path):
    """The remark is the gate's (D16); a bare small count beside another remark is a leak."""
    remark = "published: student records would hide it"
    row = {"n_obs": 8, "unit": "teachers", "estimate": 8, "status_reason": remark}
    rows = estimates([row | {"term": term} for term in ("math", "ela", "none")])

    def leaks(cell: str, table: pd.DataFrame) -> list[str]:
        counts = f"<table><thead><tr><th>Class</th><th>Count</th></tr></thead><tr><td>a</td><td>{cell}</td></tr></table>"
        files = {"index.html": page("Sample", counts), "rows.csv": table.to_csv(index=False).encode()}
        return [leak.file for leak in audited(Site(files, None), tmp_path, inside=False)]

    assert leaks(f"8 {remark}", rows) == []
    assert leaks("8 interpret with caution: fewer than 62 teachers", rows) == ["index.html"]
    assert leaks("12", rows.assign(status_reason="")) == ["rows.csv"]


def test_a_heading_says_what_its_column_counts(tmp_path):
    """Pairs, focus groups and interviews are counted in view (D15); teachers and students are not (D1)."""

    def leaks(heading: str) -> list[str]:
        lines = "".join(
            f"<tr><td>{name}</td><td>1.2</td><td>{n}</td></tr>" for name, n in (("a", 4), ("b", 8))
        )
        head = f"<thead><tr><th>Measure</th><th>Estimate</th><th>{heading}</th></tr></thead>"
        site = Site({"index.html": page("Themes", f"<table>{head}{lines}</table>")}, None)
        return [leak.kind for leak in audited(site, tmp_path, inside=False)]

    assert leaks("n (focus groups or interviews)") == leaks("n (pairs of focus groups)") == []
    assert leaks("n") == leaks("n (teachers)") == leaks("n (students)") == ["small count"]


@pytest.mark.parametrize(("cells", "found"), [(("3.00", "3.50"), []), (("3", "12"), ["small count"])])
def test_a_mean_that_is_a_whole_number_is_no_count(cells, found, tmp_path):
    """A column of means holds fractions; one of whole numbers, captioned as teachers by subject, holds counts."""
    lines = "".join(
        f"<tr><td>{name}</td><td>{cell}</td></tr>" for name, cell in zip("ab", cells, strict=True)
    )
    head = "<caption>Teachers by subject</caption><thead><tr><th>Measure</th><th>Estimate</th></tr></thead>"
    site = Site({"index.html": page("Ratings", f"<table>{head}{lines}</table>")}, None)
    assert [leak.kind for leak in audited(site, tmp_path, inside=False)] == found


def test_a_record_is_found_in_any_attribute_and_at_the_end_of_a_sentence(tmp_path):
    site = clean(0)
    known = str(site.study.students["student_id"].iloc[3])
    for words in (
        f"Asked was {known}.",
        f"Asked was {known}, twice",
        f"Asked\N{EN DASH}{known}\N{EN DASH}was",
    ):
        site.files["index.html"] = page("Report", f'<p data-a="none" data-b="{words}">Nothing.</p>')
        assert [leak.kind for leak in audited(site, tmp_path)] == ["record"]
    site.files["index.html"] = page("Report", f'<p data-b="x{known}">Nothing.</p>')
    assert audited(site, tmp_path) == []


def test_cells_beside_each_other_make_no_sentence_and_columns_that_are_no_parts_no_sum(tmp_path):
    rows = [("Answered", 869, 149, 312), ("No class named", 80, "not shown: fewer than 10 students", 78)]
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    head = "<thead><tr><th>Measure</th><th>Count</th><th>Fewest</th><th>Most</th></tr></thead>"
    body = f"<table><caption>Number of students</caption>{head}{lines}</table><table><tr><td>Items</td><td>6</td></tr>"
    site = Site(
        {
            "index.html": page(
                "Sample", body + "<tr><td>Perceived teacher support</td><td>x</td></tr></table>"
            )
        },
        None,
    )
    assert audited(site, tmp_path, inside=False) == []


def test_tables_of_statistics_are_no_persons_and_conversations_no_students(tmp_path):
    """Fit measures repeat; a caption counts focus groups (D15); a finding's name ends in a figure."""
    lines = [
        f"<tr><td>Scale {chr(65 + i)}</td><td>1.00{i % 2}</td><td>0.01{i % 3}</td></tr>" for i in range(20)
    ]
    head = "<thead><tr><th>Measure</th><th>CFI</th><th>SRMR</th></tr></thead>"
    words = (
        "<p>Themes, n = 8 to 28 focus groups or interviews.</p><p>2a-s1 Most interviewed teachers agree.</p>"
    )
    site = Site({"index.html": page("Fit", f"<table>{head}{''.join(lines)}</table>{words}")}, None)
    assert audited(site, tmp_path, inside=False) == []
    site.add_to("index.html", "<p>Here n = 8 to 28 in all. 4 interviewed teachers agree.</p>")
    assert [leak.kind for leak in audited(site, tmp_path, inside=False)] == ["small count"]


def test_no_site_is_an_error(tmp_path):
    with pytest.raises(DisclosureError, match="no site"):
        audit_site(tmp_path / "nowhere")
