"""Coded remarks and teachers' ratings as rows: counts that were printed, exact tests by enumeration, what may be told."""

from __future__ import annotations

import dataclasses
import math
from itertools import product

import pandas as pd
import pytest
from scipy import stats

from lib.analysis.evidence import evidence
from lib.analysis.findings import judge, missing_rows
from lib.analysis.teachers import place_of, ratings_by_group, ratings_in_order
from lib.analysis.themes import (
    GROUPS,
    INTERVIEWS,
    poisson_interval,
    sign_flip_p,
    theme_contrasts,
    theme_counts,
    theme_views,
)
from lib.disclosure.gate import release
from lib.disclosure.summaries import remark_summaries
from lib.errors import StudyError

CHAPTERS = ("rq1-voices", "rq2-perspectives", "rq3-beliefs", "rq3-school-factors", "rq3-leaders")
DECIDED = (
    "1a-s3", "1c-4", "1c-s9", "1c-s10", "1c-s11", "1c-s13", "2c-1", "3a-1", "3a-2", "3a-s1", "3a-s2", "3a-s3",
    "3b-1", "3b-2", "3b-s1", "3b-s2", "3b-s3", "3c-1", "3c-s1",
)  # fmt: skip


@pytest.fixture(scope="module")
def rows(study):
    """All rows of these chapters."""
    return evidence(study, conf_level=0.95, seed=1, missing="listwise", chapters=CHAPTERS)


def with_remarks(study, remarks: list[tuple[str, str, int, str]]):
    """The study with other remarks of focus groups: type, school, students in the group, theme."""
    table = pd.DataFrame(remarks, columns=["group_type", "school", "participants", "theme"])
    table["source"], table["speaker_type"], table["subject"] = "focus_group", "student", None
    table["unit_id"] = table["group_type"] + table["school"]
    table["excerpt_id"] = [f"X{number}" for number in range(len(table))]
    table["summary"] = "Said something."
    return dataclasses.replace(study, excerpts=table)


def test_every_count_that_the_report_prints_is_counted(study):
    printed = study.published[study.published["row_id"].fillna("").str.startswith("theme|")]
    counted = [theme_counts(study, unit=unit, conf_level=0.95) for unit in (GROUPS, INTERVIEWS)]
    found = pd.concat(counted).set_index("row_id")["estimate"]
    assert len(printed) == 27
    assert found[printed["row_id"]].to_list() == pd.to_numeric(printed["value"]).to_list()


def test_the_denominators_are_those_printed(study, rows):
    n = rows.set_index("row_id")["n_obs"]
    assert n["theme|source=focus_group|groups|theme=exclusion"] == 8  # line 1217
    assert n["theme|group_type=mixed|groups|theme=exclusion"] == 4
    assert n["theme|source=interview|groups|theme=facilitator"] == 28  # line 1597
    assert n["theme|source=interview|groups within|theme=designs_relevant"] == 15  # line 1568
    assert n["theme|group_type=focal_only|rate|theme=exclusion"] == 26  # line 339


@pytest.mark.parametrize(
    "differences", [(4, 4, 4, 4), (7, -1, 5, 0), (2, 1, 2, -1), (0, 0), (-3, 1, 2, 2, -5)]
)
def test_the_sign_flip_p_is_that_of_all_sign_patterns(differences):
    flipped = [
        sum(sign * one for sign, one in zip(signs, differences, strict=True))
        for signs in product((1, -1), repeat=len(differences))
    ]
    expected = sum(one >= sum(differences) for one in flipped) / len(flipped)
    assert sign_flip_p(differences) == expected


def test_four_pairs_cannot_go_below_one_in_sixteen(study, rows):
    floor = rows[rows["contrast"] == "floor"].iloc[0]
    assert (floor["estimate"], floor["p_value"], floor["n_obs"]) == (16, 0.0625, 4)
    assert sign_flip_p([1, 1, 1, 1]) == 0.0625 and sign_flip_p([50, 20, 1, 3]) == 0.0625
    pairs = rows[(rows["contrast"] == "difference") & (rows["model"] == "theme")]
    assert (pairs["p_value"] >= 0.0625).all()


def test_poisson_intervals_are_those_of_the_tables():
    low, high = poisson_interval(0, conf_level=0.95)
    assert low == 0 and high == pytest.approx(-math.log(0.025))
    assert poisson_interval(10, conf_level=0.95) == pytest.approx(
        (4.795, 18.390), abs=5e-4
    )  # Garwood's table


def test_differences_are_paired_by_school_and_rates_weigh_by_students(study):
    kinds = {
        "focal_only": {"school_1": (6, 3), "school_2": (4, 0)},
        "mixed": {"school_1": (5, 1), "school_2": (5, 1)},
    }
    remarks = [
        (kind, school, size, theme)
        for kind, places in kinds.items()
        for school, (size, count) in places.items()
        for theme in ["exclusion"] * count + ["self_taught"]
    ]
    other = with_remarks(study, remarks)
    table = theme_contrasts(other, themes=["exclusion"], conf_level=0.9).set_index("contrast")
    assert (
        table.loc["difference", "estimate"] == 0.5 and table.loc["difference", "p_value"] == 0.5
    )  # +2 and -1
    assert table.loc["rate ratio", "estimate"] == 1.5  # 3 of 10 students against 2 of 10
    tail = sum(math.comb(5, k) for k in (0, 1, 2, 3, 4, 5)) / 2**5  # every outcome is as unlikely as 3 of 5
    assert table.loc["rate ratio", "p_value"] == pytest.approx(tail)
    counts = theme_counts(other, unit=GROUPS, themes=["exclusion"], conf_level=0.9).set_index(
        ["group", "contrast"]
    )
    assert counts.loc[("group_type=focal_only", "rate"), "estimate"] == 0.3
    assert counts.loc[("group_type=mixed", "groups"), ["estimate", "n_obs"]].to_list() == [2, 2]


def test_the_rate_test_enumerates_the_binomial(rows):
    row = rows.set_index("row_id").filter(like="rate ratio|theme=lacks_relevance", axis=0).iloc[0]
    weights = [math.comb(24, k) for k in range(25)]
    assert row["p_value"] == pytest.approx(
        sum(w for w in weights if w <= weights[20]) / 2**24
    )  # 20 of 24 remarks
    assert row["estimate"] == 5 and row["n_obs"] == 24


def test_a_ratio_to_nothing_is_not_expressed(study):
    other = with_remarks(
        study, [("focal_only", "school_1", 6, "exclusion"), ("mixed", "school_1", 6, "self_taught")]
    )
    ratios = theme_contrasts(other, themes=["exclusion", "often"], conf_level=0.95).set_index(
        ["contrast", "term"]
    )
    assert ratios.loc[("rate ratio", "theme=exclusion"), "status"] == "inadmissible"
    assert ratios.loc[("rate ratio", "theme=often"), "status_reason"].endswith("no remark on this theme")


def test_views_face_each_other_and_count_among_those_who_spoke_of_it(study):
    views = theme_views(study, conf_level=0.95)
    counted = views[views["unit"] != "percent"]
    assert list(zip(counted["estimate"], counted["n_obs"], strict=True)) == [
        (13, 15),
        (7, 8),
        (20, 28),
        (6, 8),
    ]


def test_shares_of_groups_and_interviews_are_shown_without_a_mark_for_students(study, rows):
    released = release(rows[(rows["model"] == "theme") & (rows["unit"] == "percent")], study)
    assert len(released) > 50 and {row.status for row in released} == {"ok"} and not released.notes


def test_what_is_missing_is_named(study):
    silent = dataclasses.replace(study, excerpts=None)
    with pytest.raises(StudyError, match="no coded remarks of interviews"):
        theme_counts(silent, unit=INTERVIEWS, conf_level=0.95)
    lone = with_remarks(
        study, [("focal_only", "school_1", 6, "exclusion"), ("mixed", "school_2", 6, "exclusion")]
    )
    with pytest.raises(StudyError, match="2 types and 0 schools have both"):
        theme_contrasts(lone, themes=["exclusion"], conf_level=0.95)


def test_summaries_carry_the_type_of_group_and_no_place(study):
    told = study.excerpts.copy()
    told["summary"] = told["summary"].astype(object)
    of_theme = told.index[told["theme"] == "exclusion"]
    told.loc[of_theme[0], "summary"] = "At School 2 nobody listens."
    told.loc[of_theme[1], "summary"] = "The 3 of us were left out."
    found = remark_summaries(dataclasses.replace(study, excerpts=told), themes=["exclusion"])
    assert {tuple(entry) for entry in found} == {("theme", "group", "summary")}
    assert not [entry for entry in found if "School" in entry["summary"] or "3" in entry["summary"]]
    assert {"All-Black focus groups", "All-Black focus groups; Mixed-race focus groups"} == {
        entry["group"] for entry in found
    }


def test_ratings_stand_in_order_and_neighbours_are_compared_within_teachers(study):
    scales = study.codebook.scales_with("challenge")
    order = ratings_in_order(study, scales, conf_level=0.95)
    items = list(scales[0].items)
    expected = study.teachers[items].mean().sort_values(ascending=False)
    assert order["estimate"].to_list() == pytest.approx(expected.to_list())
    row = place_of(study, order, conf_level=0.95, place=1).iloc[0]
    both = study.teachers[order["term"].iloc[1:3].to_list()].dropna().astype(float)
    assert row["p_value"] == pytest.approx(stats.ttest_rel(*both.to_numpy().T).pvalue)


def test_subjects_differ_by_welch_and_the_second_comes_first(study):
    table = ratings_by_group(study, study.codebook.scales_with("benefit"), by="subject", conf_level=0.95)
    row = table.set_index("row_id").filter(like="difference|benefits", axis=0).iloc[0]
    parts = [
        study.teachers.loc[study.teachers["subject"] == one, "benefits"].dropna() for one in ("ela", "math")
    ]
    assert row["p_value"] == pytest.approx(stats.ttest_ind(*parts, equal_var=False).pvalue)
    assert row["estimate"] == pytest.approx(parts[0].mean() - parts[1].mean())


def test_the_findings_of_these_chapters_hold_in_the_shipped_study(study, rows):
    rules = {key: study.rules[key] for key in DECIDED}
    assert missing_rows(rules, rows) == {}
    assert {
        key: verdict.held for key, verdict in judge(rules, rows, study.codebook).items()
    } == dict.fromkeys(DECIDED, True)
