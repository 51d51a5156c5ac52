"""Shares, their differences, chi-square tests and spread over classes: against R and by hand."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib.analysis.frequencies import answer_shares, answers_met, category_terms, cut, share_differences
from lib.analysis.ratings import raters
from lib.analysis.spread import chi_square, spread_between
from lib.analysis.visits import activity_seen
from lib.disclosure.gate import release
from lib.errors import StudyError
from lib.show.words import label_of
from tests.conftest import ROOT

CONF = 0.95


@pytest.fixture(scope="module")
def r():
    return json.loads((ROOT / "tests" / "reference" / "frequencies.json").read_text())


@pytest.fixture(scope="module")
def students(study):
    return raters(study, "students")


def made(sample, **columns):
    """The same raters with other answers."""
    return dataclasses.replace(sample, frame=pd.DataFrame(columns))


def fourfold(sample, counts):
    """56 of 70 against 48 of 80 answers of 4 or more, as in Newcombe's (1998) first example."""
    (a, n), (b, m) = counts
    answers = [5.0] * a + [1.0] * (n - a) + [5.0] * b + [1.0] * (m - b)
    return made(sample, frequency=answers, subject=["ela"] * n + ["math"] * m)


def test_cuts_count_the_answer_they_begin_at():
    answers = pd.Series([1.0, 2.0, 3.0, 4.0, np.nan])
    assert answers_met(answers, "frequency>=3").tolist()[:4] == [0, 0, 1, 1]
    assert answers_met(answers, "frequency<=2").tolist()[:4] == [1, 1, 0, 0]
    assert answers_met(answers, "frequency=2").tolist()[:4] == [0, 1, 0, 0]
    assert np.isnan(answers_met(answers, "frequency>=3")[4])


def test_a_cut_is_the_codebooks_threshold_and_reads_as_its_answer(study):
    assert cut(study, "frequency", at_least="weekly_min") == "frequency>=4"
    assert label_of("frequency>=4", study.codebook) == "Once a week or more"
    assert label_of("length>=4", study.codebook) == "Five class periods or more"  # the last answer
    with pytest.raises(StudyError, match="no threshold 'weekly'; did you mean 'weekly_min'"):
        cut(study, "frequency", at_least="weekly")


def test_newcombes_interval_is_the_one_he_printed(students):
    rows = share_differences(fourfold(students, [(56, 70), (48, 80)]), ["frequency>=4"], by="subject",
                             pair=("ela", "math"), conf_level=CONF)  # fmt: skip
    row = rows[(rows["contrast"] == "difference") & (rows["model"] == "share")].iloc[0]
    assert row["estimate"] == pytest.approx(20)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(
        (5.24, 33.39), abs=0.01
    )  # his Table II, method 10


def test_coxs_index_is_the_log_odds_ratio_over_1_65(students):
    rows = share_differences(fourfold(students, [(56, 70), (48, 80)]), ["frequency>=4"], by="subject",
                             pair=("ela", "math"), conf_level=CONF)  # fmt: skip
    index = rows[rows["contrast"] == "cox_index"].iloc[0]
    assert index["estimate"] == pytest.approx(np.log((56 / 14) / (48 / 32)) / 1.65)


def test_the_z_test_of_two_shares_is_the_chi_square_of_their_table(students):
    rows = share_differences(students, ["length>=4"], by="subject", pair=("ela", "math"), conf_level=CONF)
    frame = students.frame[students.frame["subject"].isin(["ela", "math"])].dropna(subset="length")
    table = pd.crosstab(frame["subject"].astype(str), frame["length"] >= 4)
    other = stats.chi2_contingency(table, correction=False)
    row = rows[(rows["contrast"] == "difference") & (rows["model"] == "share")].iloc[0]
    assert row["statistic"] ** 2 == pytest.approx(other.statistic)
    assert row["p_value"] == pytest.approx(other.pvalue)


def test_errors_by_class_leave_the_estimate_and_widen_the_interval(students):
    given = dict(by="subject", pair=("ela", "math"), conf_level=CONF)
    plain = share_differences(students, ["frequency>=4"], **given).iloc[0]
    by_class = share_differences(students, ["frequency>=4"], clustered=True, **given).iloc[0]
    assert by_class["estimate"] == pytest.approx(plain["estimate"])
    assert by_class["std_error"] > 1.2 * plain["std_error"]  # answers of a class have an ICC of .17


def test_chi_square_agrees_with_r_and_its_resampled_p_with_fishers(students, r):
    frame = pd.DataFrame(r["table"]["cells"], columns=["subject", "frequency", "n"])
    sample = made(students, **{
        column: np.repeat(frame[column].to_numpy(), frame["n"]) for column in ("subject", "frequency")
    })  # fmt: skip
    row = chi_square(sample, "frequency", by="subject", seed=7).iloc[0]
    assert row["statistic"] == pytest.approx(r["table"]["statistic"])
    assert row["estimate"] == pytest.approx(r["table"]["cramers_v"])
    # the resampled test orders tables by chi-square, like R's simulated one: 4 standard errors of 9,999 draws
    assert row["p_value"] == pytest.approx(r["table"]["simulated_p"], abs=4 * np.sqrt(0.25 / 9_999))
    assert "resampled" in row["estimator"]


def test_spread_over_classes_is_the_anova_of_r(students, r):
    made_of = r["nested"]
    frame = dict(frequency=made_of["value"], school=made_of["school"], class_id=made_of["class"])
    rows = spread_between(made(students, **frame), "frequency", place="school", conf_level=CONF).set_index(
        "contrast"
    )
    assert rows.loc["class_id", "estimate"] == pytest.approx(made_of["icc"])
    assert rows.loc["class_id", "statistic"] == pytest.approx(made_of["f"])
    assert rows.loc["school", "estimate"] == pytest.approx(made_of["eta_squared"])
    assert (rows.loc["class_id", "conf_low"], rows.loc["class_id", "conf_high"]) == pytest.approx(
        (made_of["low"], made_of["high"])
    )


def test_rare_answers_at_an_end_join_their_neighbours_but_never_cross_the_cut(students, study):
    few = made(students, frequency=[1.0] * 2 + [2.0] * 20 + [3.0] * 30 + [4.0] * 40 + [5.0] * 20 + [6.0] * 1)
    terms = category_terms(few, "frequency", before="frequency>=4")
    assert terms == ["frequency<=2", "frequency=3", "frequency=4", "frequency>=5"]
    shares = answer_shares(few, terms, conf_level=CONF)
    assert shares["estimate"].sum() == pytest.approx(100)
    assert (release(shares, study).rows["status"] == "ok").all()
    lopsided = made(students, frequency=[3.0] * 40 + [4.0] * 1 + [5.0] * 1)
    assert category_terms(lopsided, "frequency", before="frequency>=4")[-1] == "frequency>=4"


def test_visits_and_classrooms_are_counted_once_each(study):
    rows = activity_seen(
        study, "activity=collaborative", units={"visits": "visit_id", "classrooms": "class_id"}, place="school",
        conf_level=CONF,
    )  # fmt: skip
    counts = rows[rows["model"] == "observation count"].set_index(["unit", "contrast", "group"])["estimate"]
    assert counts["visits", "visited", ""] == 30  # printed, line 1425
    seen = [counts["classrooms", "seen", f"school=school_{one}"] for one in (1, 2, 3, 4)]
    visited = [counts["classrooms", "visited", f"school=school_{one}"] for one in (1, 2, 3, 4)]
    shares = [100 * one / all_of for one, all_of in zip(seen, visited, strict=True)]
    assert (round(min(shares)), round(max(shares))) == (25, 88)  # printed, lines 1430 and 1431
    assert counts["classrooms", "seen", ""] == sum(seen)
