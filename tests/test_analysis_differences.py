"""Adjusted means of two populations: identities, planted differences and the gate of invariance."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from lib.analysis.design import design
from lib.analysis.estimates import estimates
from lib.analysis.group_differences import common_support, mean_differences
from lib.analysis.pairs import GROUP, pair_of
from lib.disclosure.gate import release
from lib.show.compared import NOT_ALONE, crossing, two_groups, widest

SCALE = "hq_exchange"


@pytest.fixture(scope="module")
def pair(study):
    return pair_of(study, "focal", "reference")


def rows_of(study, pair, **settings):
    found = mean_differences(
        study, pair, **{"scales": [SCALE], "covariates": "C_RACE", "conf_level": 0.95} | settings
    )
    return found[~found["model"].str.endswith("equivalence")].set_index(["population", "contrast"])


def test_without_covariates_adjusted_means_are_means_and_g_is_hedges(study, pair):
    found = rows_of(study, pair, covariates="")
    one, two = (population.frame[SCALE].dropna() for population in pair.both)
    assert found.loc[(pair.first.key, ""), "estimate"] == pytest.approx(one.mean())
    assert found.loc[(pair.second.key, ""), "estimate"] == pytest.approx(two.mean())
    df = len(one) + len(two) - 2
    pooled = np.sqrt(((len(one) - 1) * one.var() + (len(two) - 1) * two.var()) / df)
    hedges = (1 - 3 / (4 * df - 1)) * (one.mean() - two.mean()) / pooled  # Hedges (1981)
    assert found.loc[(pair.first.key, "hedges_g"), "estimate"] == pytest.approx(hedges)


def test_adjusted_means_average_predictions_over_both_groups_covariates(study, pair):
    found = rows_of(study, pair)
    first = (pair.frame[GROUP] == pair.first.key).astype(float)
    columns = design(pair.frame, study.codebook, "C_RACE").columns.assign(first=first, one=1.0)
    whole = pair.frame[SCALE].notna() & columns.notna().all(axis=1)
    fitted = sm.OLS(pair.frame.loc[whole, SCALE].astype(float), columns[whole]).fit()
    for key, value in ((pair.first.key, 1.0), (pair.second.key, 0.0)):
        predicted = fitted.predict(columns[whole].assign(first=value)).mean()
        assert found.loc[(key, ""), "estimate"] == pytest.approx(predicted)


def test_a_planted_difference_is_found(study, pair):
    frame = pair.frame.copy()
    frame[SCALE] += 0.25 * (frame[GROUP] == pair.first.key)
    planted = rows_of(study, dataclasses.replace(pair, frame=frame)).loc[(pair.first.key, "difference")]
    before = rows_of(study, pair).loc[(pair.first.key, "difference")]
    assert planted["estimate"] - before["estimate"] == pytest.approx(0.25)
    assert planted["std_error"] == pytest.approx(before["std_error"])


def ladder_of(*, latent):
    base = {"population": "black", "group": "white", "term": SCALE, "n_obs": 617}
    steps = [
        base | {"model": "invariance", "contrast": "metric"},
        base | {"model": "invariance", "contrast": "scalar", "status_reason": "does not hold"},
    ]
    gap = base | {"model": "latent mean", "contrast": "difference", "unit": "SD"}
    gap |= {"estimate": 0.31, "std_error": 0.1, "p_value": 0.002} if latent else {"status": "not_comparable"}
    return estimates([*steps, gap])


def test_items_that_do_not_measure_alike_compare_nothing(study, pair):
    found = rows_of(study, pair, ladder=ladder_of(latent=False))
    assert set(found["status"]) == {"not_comparable"} and found["estimate"].isna().all()


def test_under_partial_invariance_the_latent_difference_decides(study, pair):
    found = rows_of(study, pair, ladder=ladder_of(latent=True))
    gap = found.loc[(pair.first.key, "difference")]
    assert (gap["estimate"], gap["unit"], gap["status"]) == (0.31, "SD", "ok")
    assert found.loc[(pair.second.key, ""), "status"] == "not_comparable"


def test_schools_are_compared_without_the_columns_that_tell_them_apart(study):
    found = rows_of(study, pair_of(study, "school_1", "school_2"))
    assert set(found["status"]) == {"ok"} and found["std_error"].notna().all()


def test_a_tiny_group_gives_no_mean(study, pair):
    few = pd.concat(
        [pair.first.frame.assign(**{GROUP: "black"}), pair.second.frame.head(9).assign(**{GROUP: "white"})]
    )
    found = rows_of(study, dataclasses.replace(pair, frame=few.reset_index(drop=True)))
    assert set(found["status"]) == {"too_few"}


def test_support_is_whole_where_both_groups_are_alike(study, pair):
    twin = dataclasses.replace(pair.second, frame=pair.first.frame)
    frame = pd.concat(
        [pair.first.frame.assign(**{GROUP: one.key}) for one in (pair.first, twin)], ignore_index=True
    )
    same = dataclasses.replace(pair, second=twin, frame=frame)
    assert common_support(study, same, covariates="C_RACE", conf_level=0.95)["estimate"].tolist() == [
        100,
        100,
    ]


def tie(population, estimate, error, p, *, group=""):
    base = {
        "population": population,
        "group": group,
        "model": "direct",
        "term": "grade_math_or_ela",
        "n_obs": 300,
    }
    base |= {"contrast": "difference" if group else "", "unit": "SD per SD", "estimator": "SEM"}
    reach = 1.96 * error
    return base | {
        "estimate": estimate, "std_error": error, "p_value": p, "conf_low": estimate - reach, "conf_high": estimate + reach
    }  # fmt: skip


@pytest.mark.parametrize(("gap", "p", "said"), [(0.1, 0.2, True), (0.3, 0.001, False)])
def test_significant_here_and_not_there_is_called_no_difference(study, gap, p, said):
    rows = [
        tie("black", 0.2, 0.05, 0.001),
        tie("white", 0.1, 0.07, 0.15),
        tie("black", gap, 0.08, p, group="white"),
    ]
    words = two_groups(*release(estimates(rows), study), alpha=0.05).markdown
    assert (NOT_ALONE in words) is said


def test_verdicts_that_hang_on_a_choice_are_named(study):
    rows = [
        tie("black", 0.2, 0.05, 0.04),
        tie("black", 0.15, 0.05, 0.06) | {"estimator": "SEM, complete answers only"},
    ]
    released = release(estimates(rows), study)
    assert [row.term for row in crossing(released, alpha=0.05)] == ["grade_math_or_ela"]
    assert not crossing(released, alpha=0.10)
    assert [row.estimate for row in widest(released)] == [0.2, 0.15]
