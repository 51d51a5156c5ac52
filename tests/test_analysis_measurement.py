"""Measurement as rows: reliability, factors, invariance and differential items.

`reference/measurement_r.json` is what `reference/measurement.R` wrote with psych 2.2.9, MASS and lavaan 0.6-14.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.analysis.dif import FLAGGED, STEPS, differential_items
from lib.analysis.exploratory import exploratory, random_eigenvalues
from lib.analysis.factors import confirmatory, reliability
from lib.analysis.ladder import FAILS, TOO_FEW
from lib.analysis.measurement import comparability, comparable
from lib.analysis.ordinal_logit import fit_ordinal
from lib.disclosure.gate import release
from lib.errors import StudyError
from lib.sem.ordinal import polychoric_correlations
from lib.study.codebook import PopulationRule, Scale
from lib.study.load import add_scores

HERE = Path(__file__).parent / "reference"
STORED = json.loads((HERE / "measurement_r.json").read_text())
ITEMS = ("A2", "A3", "A4", "A5")
COVERED = {"conf_level": 0.95}


def study_of(study, table, scales, *, groups=None, high=4.0):
    """The shipped study with other students, scales and groups; its exposure is a latent behind all scales."""
    described = {
        key: Scale(key, key.capitalize(), items=tuple(items), high=high) for key, items in scales.items()
    }
    populations = {"all": PopulationRule("Everyone", {})}
    for name, level in (groups or {}).items():
        populations[name] = PopulationRule(name.capitalize(), {"group": (level,)})
    first, second = (*(groups or {}), "all", "all")[:2]
    codebook = dataclasses.replace(
        study.codebook, scales=described, domains={}, populations=populations, focal=first, reference=second,
        respondents={}, exposure=("whole", "The whole"),
    )  # fmt: skip
    students = table.assign(student_id=[f"s{place}" for place in range(len(table))])
    return dataclasses.replace(study, codebook=codebook, students=add_scores(students, codebook, "students"))


@pytest.fixture(scope="module")
def agreeable(study):
    """Answers of 800 persons to four items on six points, as R has them."""
    table = pd.read_csv(HERE / "sem_bfi.csv")
    table["group"] = table["gender"].astype(str)
    return study_of(study, table, {"agreeable": ITEMS}, groups={"men": "1", "women": "2"}, high=6.0)


def planted_study(study, size):
    """Two groups 0.4 SD apart on scales of ordered answers; one item of the second is easier in one group by ``size``."""
    rng = np.random.default_rng(4)
    n = 900
    group, answers = np.repeat(["a", "b"], n // 2), {}
    for scale, count in (("fair", 4), ("odd", 4), ("short", 3)):
        latent = rng.normal(size=n) + 0.4 * (group == "a")
        for k in range(1, count + 1):
            shift = size * (scale == "odd" and k == 3) * (group == "a")
            response = 0.8 * latent + shift + 0.6 * rng.normal(size=n)
            answers[f"{scale}_{k}"] = 1.0 + np.searchsorted((-1.2, 0.0, 1.2), response)
    scales = {name: [item for item in answers if item.startswith(name)] for name in ("fair", "odd", "short")}
    return study_of(
        study, pd.DataFrame(answers).assign(group=group), scales, groups={"first": "a", "second": "b"}
    )


@pytest.fixture(scope="module")
def planted(study):
    return planted_study(study, 0.5)


def compared(study, scales, **settings):
    return comparability(
        study, scales, *(study.population(name) for name in ("focal", "reference")), **settings
    )


@pytest.fixture(scope="module")
def ladder(planted):
    return compared(planted, ["fair", "odd", "short"], alpha=0.05)


def test_alpha_and_its_interval_are_those_of_psych(agreeable):
    row = reliability(agreeable, agreeable.population("all"), ["agreeable"], **COVERED).iloc[0]
    assert row.contrast == "alpha" and row.estimate == pytest.approx(STORED["alpha"], abs=1e-9)
    assert [row.conf_low, row.conf_high] == pytest.approx(STORED["feldt"], abs=1e-9)


def test_omega_and_loadings_are_those_of_lavaan(agreeable):
    everyone = agreeable.population("all")
    row = reliability(agreeable, everyone, ["agreeable"], **COVERED).set_index("contrast").loc["omega"]
    # lavaan's optimiser stops a little short
    assert [row.estimate, row.std_error] == pytest.approx(STORED["omega"], abs=2e-5)
    fit = confirmatory(agreeable, everyone, ["agreeable"], **COVERED).set_index("contrast")["estimate"]
    assert fit["cfi"] == pytest.approx(STORED["cfi"], abs=1e-4)
    assert fit["rmsea"] == pytest.approx(STORED["rmsea"], abs=1e-4)
    assert fit["lowest loading"] == pytest.approx(min(STORED["standardized"].values()), abs=1e-4)


def test_steps_of_the_ladder_and_the_latent_mean_are_those_of_lavaan(agreeable):
    rows = compared(agreeable, ["agreeable"], alpha=0.001).set_index(["model", "contrast"])
    for place, step in enumerate(("metric", "scalar")):
        row = rows.loc[("invariance", step)]
        assert row.statistic == pytest.approx(STORED["lr"][place], rel=2e-3)
        assert row.df == STORED["lr_df"][place]
        assert row.p_value == pytest.approx(STORED["lr_p"][place], abs=1e-3)
        for name, key in (("", "cfi_steps"), (" rmsea", "rmsea_steps"), (" srmr", "srmr_steps")):
            change = STORED[key][place + 1] - STORED[key][place]
            assert rows.loc[("invariance", f"{step}{name}")].estimate == pytest.approx(change, abs=2e-4)
    mean = rows.loc[("latent mean", "difference")]
    # first minus second, and lavaan's mean is the second group's
    assert [-mean.estimate, mean.std_error] == pytest.approx(STORED["latent_mean"], abs=2e-4)


def test_logistic_regression_is_that_of_mass(agreeable):
    groups = [agreeable.population(name) for name in ("women", "men")]
    rows = differential_items(agreeable, ["agreeable"], *groups, alpha=0.05).set_index(["term", "contrast"])
    for item, (uniform, non_uniform, gain, log_odds) in STORED["logits"].items():
        # polr stops when the deviance changes by less than one part in 1e8
        assert rows.loc[(item, "uniform")].statistic == pytest.approx(uniform, abs=1e-3)
        assert rows.loc[(item, "non-uniform")].statistic == pytest.approx(non_uniform, abs=1e-3)
        assert rows.loc[(item, "uniform")].estimate == pytest.approx(gain, abs=1e-6)
        assert rows.loc[(item, "log odds")].estimate == pytest.approx(log_odds, abs=1e-3)


def test_proportional_odds_are_those_of_statsmodels():
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    rng = np.random.default_rng(2)
    predictors = rng.normal(size=(400, 2))
    codes = np.searchsorted((-1.0, 0.3, 1.5), predictors @ (0.8, -0.5) + rng.logistic(size=400))
    ours = fit_ordinal(codes, predictors)
    theirs = OrderedModel(codes, predictors, distr="logit").fit(method="bfgs", disp=0, gtol=1e-8)
    assert ours.converged and ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-6)
    assert ours.coefficients == pytest.approx(theirs.params[:2], abs=1e-4)


def test_the_planted_item_fails_its_scale_at_scalar_and_is_freed(ladder):
    assert comparable(ladder, "fair", "strict") and comparable(ladder, "odd", "metric")
    assert not comparable(ladder, "odd", "scalar")
    failing = ladder[(ladder["contrast"] == "scalar") & (ladder["status_reason"] == FAILS)]
    assert failing["term"].tolist() == ["odd"] and (failing["estimate"] < -0.010).all()
    freed = ladder[ladder["model"] == "freed parameter"]
    assert set(freed["term"]) == {"odd_3"} and "intercept" in set(freed["contrast"])
    mean = ladder[(ladder["model"] == "latent mean") & (ladder["term"] == "odd")].iloc[0]
    assert mean.conf_low < 0.4 < mean.conf_high  # planted; an ordinary mean would hold the item's shift too


def test_a_scale_of_three_items_starts_at_metric(ladder):
    steps = ladder[(ladder["term"] == "short") & (ladder["model"] == "invariance")]
    assert not steps["contrast"].str.startswith("configural").any()
    assert comparable(ladder, "short", "scalar")


def test_logistic_regression_flags_the_planted_item_alone(study):
    strong = planted_study(study, 0.9)
    groups = [strong.population(name) for name in ("focal", "reference")]
    items = differential_items(strong, ["fair", "odd", "short"], *groups, alpha=0.05)
    flagged = items[items["contrast"].isin(STEPS) & items["status_reason"].eq(FLAGGED)]
    assert set(flagged["term"]) == {"odd_3"}
    assert items.set_index(["term", "contrast"]).loc[("odd_3", "log odds")].estimate > 0


def test_too_few_students_in_one_group_are_said_and_not_estimated(planted):
    few = planted.students[lambda table: (table["group"] == "a") | (table.groupby("group").cumcount() < 60)]
    small = dataclasses.replace(planted, students=few)
    rows = compared(small, ["fair", "odd"], alpha=0.05)
    assert set(rows["status_reason"]) == {TOO_FEW} and set(rows["status"]) == {"too_few"}
    assert not comparable(rows, "fair", "metric")
    assert release(rows, small).rows["estimate"].isna().all()


@pytest.mark.parametrize(("each", "status"), [(66.0, "ok"), (67.0, "too_few")])
def test_a_factor_needs_students_for_each_of_its_parameters(agreeable, each, status):
    """Four loadings, four residual variances and four intercepts; 800 persons (D7)."""
    limits = dataclasses.replace(agreeable.codebook.disclosure, latent_n_per_parameter=each)
    strict = dataclasses.replace(
        agreeable, codebook=dataclasses.replace(agreeable.codebook, disclosure=limits)
    )
    everyone = strict.population("all")
    rows = reliability(strict, everyone, ["agreeable"], **COVERED).set_index("contrast")
    assert (rows.loc["omega", "status"], rows.loc["alpha", "status"]) == (status, "ok")
    assert set(confirmatory(strict, everyone, ["agreeable"], **COVERED)["status"]) == {status}
    assert (rows.loc["omega", "status_reason"] == TOO_FEW) == (status == "too_few")


def test_an_item_without_variance_takes_its_scale_out_and_no_other(planted):
    students = planted.students.assign(
        odd_1=planted.students["odd_1"].mask(planted.students["group"] == "b", 1.0)
    )
    rows = compared(dataclasses.replace(planted, students=students), ["fair", "odd"], alpha=0.05)
    assert comparable(rows, "fair", "scalar") and not comparable(rows, "odd", "metric")
    assert "one answer only" in rows[rows["term"] == "odd"].iloc[0].status_reason


def test_groups_that_share_students_are_refused(planted):
    with pytest.raises(StudyError, match="share 450 students"):
        comparability(planted, ["fair"], planted.population("first"), planted.population("all"), alpha=0.05)


def parts_study(study, latents):
    """Four parts of two items each, part k measuring latents[k]."""
    rng = np.random.default_rng(8)
    drawn = rng.normal(size=(600, max(latents) + 1))
    answers = {}
    for part, latent in enumerate(latents):
        for item in "xy":
            answers[f"p{part}_{item}"] = 1.0 + np.searchsorted(
                (-1.0, 0.0, 1.0), 0.8 * drawn[:, latent] + 0.6 * rng.normal(size=600)
            )
    scales = {f"p{part}": (f"p{part}_x", f"p{part}_y") for part in range(len(latents))}
    return study_of(study, pd.DataFrame(answers), scales)


@pytest.mark.parametrize(
    ("latents", "expected"), [((0, 0, 0, 0), 1), ((0, 0, 0, 1, 1, 1), 2), ((0, 1, 2, 3), 0)]
)
def test_parallel_analysis_finds_the_factors_that_were_built_in(study, latents, expected):
    built = parts_study(study, latents)
    rows = exploratory(built, built.population("all"), n_draws=200, seed=1).set_index(
        ["estimator", "contrast"]
    )
    if expected:
        assert rows.loc[("minres, subscales, Pearson", "factors"), "estimate"] == expected
    else:  # independent parts: no eigenvalue is far from chance
        assert rows.loc[("minres, subscales, Pearson", "first over second"), "estimate"] < 1.3
    for kind in ("Pearson", "polychoric"):
        found = rows.loc[(f"minres, items, {kind}", "factors"), "estimate"]
        assert found == len(set(latents))


def test_chance_of_polychoric_correlations_is_that_of_full_estimation(planted):
    items = planted.population("all").frame[[f"fair_{k}" for k in range(1, 5)]]
    mixed = pd.DataFrame(np.random.default_rng(5).permuted(items.to_numpy(), axis=0), columns=list(items))
    full = np.linalg.eigvalsh(polychoric_correlations(mixed, list(items)).correlations)[::-1]
    quick = random_eigenvalues(items, kind="polychoric", n_draws=1, seed=5)[0]
    # one scoring step from zero leaves an error of second order in correlations of about .03
    assert quick == pytest.approx(full, abs=2e-3)


def test_no_correlation_is_given_out_but_the_ends(study):
    built = parts_study(study, (0, 0, 0, 0))
    rows = exploratory(built, built.population("all"), n_draws=20, seed=1)
    named = {contrast.rstrip("0123456789 ") for contrast in rows["contrast"]}
    assert named == {
        "eigenvalue", "random", "factors", "first over second", "loading", "lowest correlation",
        "highest correlation", "share of correlations above zero",
    }  # fmt: skip


def test_a_small_part_of_the_campaign_finds_the_planted_item():
    from benchmarks.measurement_invariance import draw_study, run_draw

    found = run_draw(draw_study(7), "hq_exclusion_3")
    assert found["scale_fails"] and found["planted_freed"] and found["planted_flagged"]
    assert found["exposure_metric"] and not found["exposure_scalar"]
    assert found["fair_failed"] <= 1
