"""Ties of two populations in one model, against lavaan and by identities."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.analysis.associations import associations
from lib.analysis.complete_cases import (
    associations_complete,
    direct_effects_complete,
    mediated_effects_complete,
)
from lib.analysis.design import Design
from lib.analysis.effects import covariates_by_outcome, direct_effects, path_label, populations, reportable
from lib.analysis.estimates import estimates
from lib.analysis.mediation import mediated_effects, resampling_units
from lib.analysis.multigroup import compared_effects, effect_of, fit_pair, pooled_sd
from lib.analysis.multigroup_mediation import compared_mediation
from lib.analysis.pairs import GROUP, Pair, corrected_tests, pair_of, tail_p
from lib.errors import ModelError, StudyError, TooFewError
from lib.sem.hypotheses import wald_test
from lib.study.load import Population

HERE = Path(__file__).parent / "reference"
LAVAAN = json.loads((HERE / "differences_lavaan.json").read_text())
CONSTANT = ["female", "ell", "school_2", "school_3", "school_4"]
NUMBERS = ["estimate", "std_error", "p_value", "n_obs"]


def pair_from(*frames: pd.DataFrame) -> Pair:
    parts = [
        Population(key, key, frame.reset_index(drop=True))
        for key, frame in zip(("black", "white"), frames, strict=True)
    ]
    return Pair(*parts, pd.concat([one.frame.assign(**{GROUP: one.key}) for one in parts], ignore_index=True))


@pytest.fixture(scope="module")
def held(study):
    return covariates_by_outcome(study, "C_ENV", records="C_GRADE")


@pytest.fixture(scope="module")
def fitted(study):
    """The model of the R script, on the same students."""
    students = pd.read_csv(HERE / "sem_study.csv")
    pair = pair_from(*(students[students.race == race] for race in ("black", "white")))
    paths = [
        ("env_teacher_expect", "hqc"),
        ("env_peer_learning", "env_teacher_expect"),
        ("env_peer_learning", "hqc"),
    ]
    designs = tuple(Design(one.frame[CONSTANT].astype(float)) for one in pair.both)
    return fit_pair(study, pair, paths, held=designs, missing="listwise", clustered=False)


def test_the_smaller_group_needs_students_for_each_parameter_of_its_own(study, fitted):
    """D7, group by group: half of the model's parameters are a group's, and the smaller one decides."""
    least, own = min(fitted.problem.sample.n), fitted.n_parameters / 2
    assert least < fitted.n_obs / 2
    for each, enough in ((0.99 * least / own, True), (1.01 * least / own, False)):
        limits = dataclasses.replace(study.codebook.disclosure, latent_n_per_parameter=each)
        if enough:
            assert reportable(fitted, limits) is fitted
        else:
            with pytest.raises(TooFewError):
                reportable(fitted, limits)


LABELS = {
    "a": ("env_teacher_expect", "hqc"),
    "b": ("env_peer_learning", "env_teacher_expect"),
    "c": ("env_peer_learning", "hqc"),
}


@pytest.mark.parametrize("path", LABELS)
def test_paths_standardized_within_groups_are_lavaans(fitted, path):
    for group in (1, 2):
        found = effect_of(fitted, path_label(*LABELS[path], group=group), 0.95, group=group - 1)
        expected = LAVAAN["standardized"][f"{path}{group}"]
        assert found["estimate"] == pytest.approx(expected["estimate"], abs=1e-5)
        assert found["std_error"] == pytest.approx(expected["std_error"], rel=1e-4)
        assert found["n_obs"] == LAVAAN["n"][group - 1]


def test_equal_paths_are_tested_as_lavaan_does(fitted):
    for name, key in (("a", "a"), ("b", "b"), ("direct", "c")):
        one, two = (path_label(*LABELS[key], group=group) for group in (1, 2))
        found = effect_of(fitted, f"{one} - {two}", 0.95, scale=2.0)
        # lavaan's optimiser stops a little short: the gap is counted in standard errors
        expected = np.sqrt(LAVAAN["wald"][name]["statistic"])
        assert abs(found["statistic"]) == pytest.approx(expected, abs=1e-4)
        assert found["p_value"] == pytest.approx(LAVAAN["wald"][name]["p_value"], abs=1e-4)
        assert wald_test(fitted, f"{one} == {two}").statistic == pytest.approx(found["statistic"] ** 2)
        plain = LAVAAN["plain"][f"{key}1"]["estimate"] - LAVAAN["plain"][f"{key}2"]["estimate"]
        assert found["estimate"] == pytest.approx(2.0 * plain, abs=2e-5)  # in the unit that was asked for


def test_the_standardized_difference_has_lavaans_delta_test(fitted):
    one, two = (path_label(*LABELS["a"], group=group) for group in (1, 2))
    found = effect_of(fitted, f"{one} - {two}", 0.95)
    assert found["estimate"] == pytest.approx(LAVAAN["standardized"]["gap_a"]["estimate"], abs=1e-5)
    assert found["std_error"] == pytest.approx(LAVAAN["standardized"]["gap_a"]["std_error"], rel=1e-4)


def test_the_pooled_spread_of_an_observed_variable_is_that_of_the_sample(fitted):
    students = pd.read_csv(HERE / "sem_study.csv")
    whole = students.dropna(
        subset=[*CONSTANT, *(one for pair in LABELS.values() for one in pair if one != "hqc")]
    )
    indicators = [name for name in students if name.startswith("hq_")]
    whole = whole.dropna(subset=indicators)
    parts = [whole.loc[whole.race == race, "env_teacher_expect"] for race in ("black", "white")]
    pooled = np.sqrt(sum(part.var(ddof=0) * len(part) for part in parts) / sum(map(len, parts)))
    # loadings held equal move the implied variance a little away from the sample's
    assert pooled_sd(fitted)["env_teacher_expect"] == pytest.approx(pooled, rel=0.01)


def test_a_group_does_not_differ_from_itself(study, held):
    frame = study.population("focal").frame
    pair = pair_from(frame, frame)
    settings = dict(
        outcomes=["ms_mastery"], covariates=held, conf_level=0.95, missing="listwise", clustered=False
    )
    direct = compared_effects(study, pair, **settings)
    gaps = direct[direct["group"] != ""]
    assert np.allclose(gaps["estimate"], 0, atol=1e-6) and (gaps["p_value"] > 0.999).all()
    through = compared_mediation(study, pair, mediators=["personalization"], seed=1, draws=2000, **settings)
    gap = through[through["contrast"] == "difference indirect"].iloc[0]
    assert gap["estimate"] == pytest.approx(0, abs=1e-6) and gap["conf_low"] < 0 < gap["conf_high"]
    own = through.set_index(["population", "contrast"])["estimate"]["black"]
    assert own["total"] == pytest.approx(own["a"] * own["b"] + own["direct"])


def test_paths_without_a_common_unit_are_not_compared(study, held):
    rows = compared_effects(
        study, pair_of(study, "focal", "reference"), outcomes=["ms_mastery"], covariates=held, conf_level=0.95,
        missing="listwise", metric=False,
    ).set_index("contrast")  # fmt: skip
    assert rows.loc["difference", "status"] == "not_comparable" and pd.isna(
        rows.loc["difference", "estimate"]
    )
    assert rows.loc["standardized difference", "status"] == "ok"


def test_a_group_under_the_least_size_gives_no_numbers(study, held):
    frame = study.population("focal").frame
    rows = compared_effects(
        study, pair_from(frame, frame.head(90)), outcomes=["ms_mastery"], covariates=held, conf_level=0.95,
        missing="listwise",
    )  # fmt: skip
    assert set(rows["status"]) == {"too_few"} and rows["estimate"].isna().all()


def test_populations_with_common_students_are_refused(study):
    with pytest.raises(StudyError, match="'black' and 'school_1' have students in common"):
        pair_of(study, "focal", "school_1")


def test_models_fitted_side_by_side_are_those_fitted_alone(study, held):
    groups = populations(study, "all", "focal")
    settings = dict(covariates=held, conf_level=0.95)
    alone = dict(missing="listwise")
    outcomes = ["ms_mastery", "grade_math_or_ela"]
    pairs = [
        (direct_effects_complete(study, groups, outcomes=outcomes, **settings),
         direct_effects(study, groups, outcomes=outcomes, **settings, **alone)),
        (associations_complete(study, groups, features=["env_peer_support"], outcomes=outcomes[:1], **settings),
         associations(study, groups, features=["env_peer_support"], outcomes=outcomes[:1], **settings, **alone)),
    ]  # fmt: skip
    through = dict(mediators=["personalization"], outcomes=outcomes, seed=1, **settings)
    pairs.append(
        (
            mediated_effects_complete(study, groups, **through),
            mediated_effects(study, groups, **through, **alone),
        )
    )
    for fast, slow in pairs:
        fast = fast.set_index("row_id").loc[slow["row_id"]]
        assert (fast["status"].to_numpy() == slow["status"].to_numpy()).all()
        drawn = slow["interval_method"].eq("Monte Carlo").to_numpy()
        assert np.allclose(fast[NUMBERS][~drawn], slow.loc[~drawn, NUMBERS], atol=2e-5, equal_nan=True)
        assert np.allclose(fast["estimate"][drawn], slow.loc[drawn, "estimate"], rtol=1e-4)
        assert np.allclose(fast["conf_low"][drawn], slow.loc[drawn, "conf_low"], rtol=0.03, atol=0.01)


def test_a_bootstrap_draws_classes_within_schools(study):
    frame = study.population("all").frame
    units = resampling_units(study, frame)
    assert units["cluster"].equals(frame["class_id"]) and set(units["strata"]) == set(
        frame["school"].astype(str)
    )


def test_an_unknown_interval_is_refused(study, held):
    with pytest.raises(
        ModelError, match="interval='jackknife' is not known; choose from monte carlo, bootstrap"
    ):
        mediated_effects(
            study, populations(study, "all"), mediators=["personalization"], outcomes=["ms_mastery"], covariates=held,
            conf_level=0.95, seed=1, interval="jackknife",
        )  # fmt: skip


def test_tests_are_corrected_within_their_domain(study):
    tests = [
        {"population": "black", "group": "white", "contrast": "difference", "model": "direct", "term": term, "p_value": p}
        for term, p in (("ms_task_value", 0.01), ("ms_mastery", 0.04), ("ms_social_se", 0.03))
    ]  # fmt: skip
    found = corrected_tests(estimates(tests), study.codebook).set_index("term")
    assert found.loc["ms_task_value", ["p_holm", "p_bh"]].tolist() == pytest.approx(
        [0.02, 0.02]
    )  # by hand, of two
    assert found.loc["ms_mastery", ["p_holm", "p_bh"]].tolist() == pytest.approx([0.04, 0.04])
    assert found.loc["ms_social_se", "p_holm"] == pytest.approx(0.03)  # alone in its domain here


def test_the_p_value_belongs_to_the_percentile_interval():
    drawn = np.arange(1000) - 24.5  # 25 of 1,000 draws are below zero: the 95 % interval just touches it
    assert tail_p(drawn) == pytest.approx(2 * 26 / 1001)
