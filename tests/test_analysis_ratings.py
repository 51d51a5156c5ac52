"""Mean ratings, differences and order: against statsmodels and Hedges' exact factor, by identity, and by planted truth."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from lib.analysis.contrasts import difference
from lib.analysis.ratings import (
    compared_levels,
    lowest_of,
    mean_ratings,
    paired_differences,
    raters,
    rating_differences,
)
from lib.errors import StudyError

CONF = 0.95


@pytest.fixture(scope="module")
def teachers(study):
    return raters(study, "teachers")


@pytest.fixture(scope="module")
def areas(study):
    return [scale.key for scale in study.codebook.scales_with("teacher_quality")]


@pytest.fixture(scope="module")
def pair(study, areas):
    return compared_levels(study, "teachers", "subject", areas)


def groups(sample, term, pair):
    """The answers of the first and of the second group."""
    frame = sample.frame
    return [frame.loc[frame["subject"] == level, term].dropna().astype(float) for level in pair]


def test_independent_ratings_take_welchs_test_and_hedges_g(teachers, areas, pair):
    rows = rating_differences(teachers, areas, by="subject", pair=pair, conf_level=CONF)
    for term in areas:
        one, two = groups(teachers, term, pair)
        statistic, p, df = CompareMeans(DescrStatsW(one), DescrStatsW(two)).ttest_ind(usevar="unequal")
        row = rows.query("model == 'teacher rating' and contrast == 'difference' and term == @term").iloc[0]
        assert row["estimate"] == pytest.approx(one.mean() - two.mean())
        assert row["statistic"] == pytest.approx(statistic)
        assert row["df"] == pytest.approx(df)
        assert row["p_value"] == pytest.approx(p)
        g = rows.query("contrast == 'hedges_g' and term == @term").iloc[0]
        pooled = np.sqrt(
            (one.var() * (len(one) - 1) + two.var() * (len(two) - 1)) / (n := len(one) + len(two) - 2)
        )
        exact = np.exp(gammaln(n / 2) - gammaln((n - 1) / 2)) / np.sqrt(n / 2)  # Hedges (1981), equation 4
        assert g["estimate"] == pytest.approx(exact * row["estimate"] / pooled, rel=1e-3)
        assert g["n_obs"] == len(one) + len(two)


def test_equivalence_is_two_one_sided_tests_against_a_tenth_of_a_standard_deviation(teachers, areas, pair):
    rows = rating_differences(teachers, areas[:1], by="subject", pair=pair, conf_level=CONF)
    one, two = groups(teachers, areas[0], pair)
    compared = CompareMeans(DescrStatsW(one), DescrStatsW(two))
    margin = teachers.codebook.thresholds["sesoi"] * np.sqrt(
        ((len(one) - 1) * one.var() + (len(two) - 1) * two.var()) / (len(one) + len(two) - 2)
    )
    p = compared.ttost_ind(-margin, margin, usevar="unequal")[0]
    row = rows[rows["model"] == "teacher rating equivalence"].iloc[0]
    assert row["p_value"] == pytest.approx(p)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(
        compared.tconfint_diff(alpha=0.10, usevar="unequal")
    )


def test_holm_counts_the_areas_of_one_domain_of_the_scales_they_mirror(teachers, areas, pair):
    rows = rating_differences(teachers, areas, by="subject", pair=pair, conf_level=CONF)
    rows = rows[(rows["model"] == "teacher rating") & (rows["contrast"] == "difference")]
    book = teachers.codebook
    for domain in ("structural", "dynamic"):
        own = rows[[book.scales[book.scales[term].counterpart].domain == domain for term in rows["term"]]]
        least = own["p_value"].min()
        assert own.loc[own["p_value"].idxmin(), "p_holm"] == pytest.approx(min(1, len(own) * least))
        assert own["p_bh"].max() == pytest.approx(own["p_value"].max())


def test_a_single_regression_gives_each_levels_own_mean(study):
    sample = raters(study, "observations")
    item = study.codebook.scales_with("observed")[0].items[0]
    rows = mean_ratings(sample, [item], by="activity", conf_level=CONF).set_index("group")["estimate"]
    means = sample.frame.groupby("activity", observed=True)[item].mean()
    assert dict(rows) == pytest.approx({f"activity={level}": mean for level, mean in means.items()})


def test_ratings_of_one_visit_are_one_cluster_and_answers_of_one_class_another(study):
    assert raters(study, "observations").cluster == "visit_id"
    assert raters(study, "students").cluster == "class_id"
    assert raters(study, "teachers").cluster == ""
    assert raters(study, "students", clustered=False).cluster == ""
    item = study.codebook.scales_with("observed")[0].items[0]
    row = mean_ratings(raters(study, "observations"), [item], conf_level=CONF).iloc[0]
    assert (row["n_obs"], row["n_clusters"]) == (150, 30)


def test_few_clusters_leave_an_estimate_without_interval(study):
    scale = study.codebook.scales_with("exposure")[0].key
    row = mean_ratings(raters(study, "students", population="school_4"), [scale], conf_level=CONF).iloc[0]
    assert row["status"] == "ok" and row["n_clusters"] < 20
    assert np.isnan(row["conf_low"]) and "no interval" in row["status_reason"]


def test_a_planted_difference_is_found_and_none_where_none_is_planted(study):
    rng = np.random.default_rng(4)
    sample = raters(study, "students")
    inside = sample.frame["subject"].isin(["math", "ela"])
    frame = sample.frame[inside].reset_index(drop=True)
    frame["planted"] = rng.normal(size=len(frame)) + 0.5 * (frame["subject"] == "ela")
    frame["nothing"] = rng.normal(size=len(frame))
    planted = dataclasses.replace(sample, frame=frame)
    rows = rating_differences(
        planted, ["planted", "nothing"], by="subject", pair=("ela", "math"), conf_level=CONF
    )
    found = rows[(rows["contrast"] == "difference") & (rows["model"] == "mean rating")].set_index("term")
    assert found.loc["planted", "conf_low"] < 0.5 < found.loc["planted", "conf_high"]
    assert found.loc["planted", "p_value"] < 1e-6 < 0.01 < found.loc["nothing", "p_value"]


def test_order_is_tested_by_the_same_raters_answers(teachers, areas):
    lowest, others = lowest_of(teachers, areas)
    rows = paired_differences(teachers, lowest, others, conf_level=CONF)
    assert len(rows) == len(areas) - 1 and (rows["estimate"] < 0).all()
    for row in rows.itertuples():
        both = teachers.frame[[lowest, row.contrast.removeprefix("below ")]].dropna()
        _, p, _ = DescrStatsW(both.iloc[:, 0] - both.iloc[:, 1]).ttest_mean(0)
        assert row.p_value == pytest.approx(p)
    assert rows["p_holm"].min() == pytest.approx(len(rows) * rows["p_value"].min())


def test_a_group_under_k_is_said_and_not_estimated(study):
    values = pd.Series(np.arange(30.0))
    row = difference(values, values < 9, None, held=pd.DataFrame(index=values.index), codebook=study.codebook,
                     conf_level=CONF)  # fmt: skip
    assert row["status"] == "too_few" and "estimate" not in row


def test_missing_files_and_columns_without_two_levels_are_refused(study, areas):
    with pytest.raises(StudyError, match="no file of teachers"):
        raters(dataclasses.replace(study, teachers=None), "teachers")
    with pytest.raises(StudyError, match="answered from 1 levels of 'answered_survey'"):
        compared_levels(study, "students", "answered_survey", [study.codebook.scales_with("exposure")[0].key])
