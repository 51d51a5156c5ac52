"""Intervals, resampling, batches of fits and the invariance ladder."""

import numpy as np
import pandas as pd
import pytest

from lib.errors import ModelError
from lib.sem.batch import fit_many
from lib.sem.bootstrap import draw_weights, resample
from lib.sem.fit import fit
from lib.sem.hypotheses import difference_test, score_tests, wald_test
from lib.sem.invariance import adjust_holm, compare_invariance
from lib.sem.quantities import estimate_effect, ratio_interval, simulate_draws
from lib.sem.reliability import alpha, minres, omega
from lib.sem.second_opinion import second_opinion
from lib.sem.subsets import subset_moments

N = 500
MODEL = """
latent =~ item_1 + item_2 + item_3 + item_4
mediator ~ a*latent + age
outcome ~ b*mediator + c*latent + age
latent ~ age
indirect := a*b
total := c + a*b
"""


@pytest.fixture(scope="module")
def students() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    age, race = rng.normal(size=N), rng.choice(["black", "white"], N)
    latent = 0.3 * age + rng.normal(size=N)
    table = pd.DataFrame({f"item_{k}": latent * (0.7 + 0.1 * k) + rng.normal(size=N) for k in range(1, 5)})
    mediator = 0.5 * latent + 0.1 * age + rng.normal(size=N)
    outcome = 0.4 * mediator + 0.2 * latent + rng.normal(size=N)
    classroom = rng.integers(0, 30, N)
    return table.assign(
        age=age, race=race, mediator=mediator, outcome=outcome, classroom=classroom, school=classroom % 3
    )


@pytest.fixture(scope="module")
def fitted(students):
    return fit(MODEL, students)


def test_the_delta_method_is_sobels_formula(fitted):
    """With a and b estimated independently, se(ab)^2 = b^2 se(a)^2 + a^2 se(b)^2 (Sobel, 1982)."""
    students = pd.DataFrame(np.random.default_rng(3).normal(size=(300, 3)), columns=["x", "m", "y"])
    students = students.assign(m=lambda d: d.m + d.x, y=lambda d: d.y + d.m)
    path = fit("m ~ a*x\ny ~ b*m\nab := a*b", students)
    a, b = path.row("m", "~", "x"), path.row("y", "~", "m")
    expected = np.sqrt(b.est**2 * a.se**2 + a.est**2 * b.se**2)
    assert path.row("ab", ":=").se == pytest.approx(expected, rel=1e-8)
    assert estimate_effect(path, "a*b", conf_level=0.95).std_error == pytest.approx(expected, rel=1e-8)


def test_groups_are_independent_in_a_difference_of_indirect_effects(students):
    model = "mediator ~ c(a1, a2)*age\noutcome ~ c(b1, b2)*mediator\ngap := a1*b1 - a2*b2"
    gap = fit(model, students, group="race").row("gap", ":=")
    alone = [
        fit("mediator ~ a*age\noutcome ~ b*mediator\nab := a*b", students[students.race == race]).row(
            "ab", ":="
        )
        for race in students.race.unique()
    ]
    assert gap.est == pytest.approx(alone[0].est - alone[1].est, abs=1e-7)
    assert gap.se == pytest.approx(np.hypot(alone[0].se, alone[1].se), rel=1e-6)


def test_monte_carlo_intervals_of_a_linear_quantity_are_normal(fitted):
    draws = simulate_draws(fitted, n_draws=200_000, seed=1)
    ours = estimate_effect(fitted, "a + 2*b", conf_level=0.9, method="monte_carlo", draws=draws)
    delta = estimate_effect(fitted, "a + 2*b", conf_level=0.9)
    # the simulation error of a 5 % quantile of 200,000 draws is 0.005 standard errors
    assert ours.conf_low == pytest.approx(delta.conf_low, abs=0.025 * delta.std_error)
    assert ours.conf_high == pytest.approx(delta.conf_high, abs=0.025 * delta.std_error)


def test_fiellers_limits_are_the_ratios_that_the_data_just_do_not_reject(fitted):
    ours = ratio_interval(fitted, "indirect", "total", conf_level=0.95)
    assert ours.status == "ok"
    for limit in (ours.conf_low, ours.conf_high):
        gap = estimate_effect(fitted, f"indirect - {limit:.12f}*total", conf_level=0.95)
        assert abs(gap.statistic) == pytest.approx(1.959964, abs=1e-4)


def test_a_ratio_over_nothing_is_unbounded(fitted):
    assert ratio_interval(fitted, "indirect", "0.001*a - 0.001*a", conf_level=0.95).status == "unbounded"


def test_bca_and_percentile_intervals_of_a_mean_are_scipys():
    from scipy import stats

    values = np.random.default_rng(5).exponential(size=80)
    mean = fit("y ~ m*1", pd.DataFrame({"y": values}))
    draws = resample(mean, n_boot=4000, seed=2)
    for method, name in (("percentile", "percentile"), ("bca", "BCa")):
        ours = estimate_effect(mean, "m", conf_level=0.95, method=method, draws=draws)
        theirs = stats.bootstrap(
            (values,), np.mean, n_resamples=20000, method=name, rng=np.random.default_rng(1)
        )
        # Monte Carlo error of a 2.5 % quantile with 4,000 draws is about 0.04 standard errors
        assert ours.conf_low == pytest.approx(theirs.confidence_interval.low, abs=0.15 * ours.std_error)
        assert ours.conf_high == pytest.approx(theirs.confidence_interval.high, abs=0.15 * ours.std_error)


def test_a_resample_is_repeatable_and_keeps_classes_whole(fitted, students):
    one = draw_weights(fitted, n_boot=5, seed=3, cluster=students.classroom, strata=students.school)
    again = draw_weights(fitted, n_boot=5, seed=3, cluster=students.classroom, strata=students.school)
    np.testing.assert_array_equal(one, again)
    for weight in one:
        assert pd.Series(weight).groupby(students.classroom.to_numpy()).nunique().max() == 1
        drawn = (
            pd.Series(weight).groupby(students.classroom.to_numpy()).first().groupby(lambda c: c % 3).sum()
        )
        assert drawn.tolist() == students.groupby("school").classroom.nunique().tolist()


def test_strata_that_cut_through_classes_are_refused(fitted, students):
    with pytest.raises(ModelError, match="use strata that hold whole clusters"):
        draw_weights(fitted, n_boot=5, seed=3, cluster=students.classroom, strata=students.race)


def test_incomplete_data_are_resampled_by_pattern(students):
    holes = students.assign(item_2=students.item_2.where(np.arange(N) % 7 > 0))
    fiml = fit(MODEL, holes, missing="ml.x", fixed_x=False)
    draws = resample(fiml, n_boot=3, seed=1)
    weights = draw_weights(fiml, n_boot=3, seed=1)
    for tau, weight in zip(draws.tau, weights, strict=True):
        again = fit(
            MODEL, holes.loc[np.repeat(np.arange(N), weight.astype(int))], missing="ml.x", fixed_x=False
        )
        assert np.abs((tau - again.tau) / np.sqrt(np.diag(again.vcov))).max() < 1e-3


def test_the_bootstrap_fills_the_table(students):
    boot = fit(MODEL, students, bootstrap=200, seed=1)
    plain = fit(MODEL, students)
    row, other = boot.row("indirect", ":="), plain.row("indirect", ":=")
    assert row.est == other.est
    # 200 resamples know a standard error to 5 %
    assert row.se == pytest.approx(other.se, rel=0.2)
    assert row.ci_lower < row.est < row.ci_upper


def test_a_wald_test_of_one_parameter_is_its_squared_z(fitted):
    assert wald_test(fitted, "b == 0").statistic == pytest.approx(
        fitted.row("outcome", "~", "mediator").z ** 2
    )


def test_redundant_hypotheses_are_refused(fitted):
    with pytest.raises(ModelError, match="only 1 independent"):
        wald_test(fitted, "a == 0", "2*a == 0")


def test_score_difference_and_wald_tests_agree_on_a_small_departure(students):
    """The three are asymptotically the same statistic (Buse, 1982)."""
    model = "outcome ~ c(b1, b2)*mediator"
    free = fit(model, students, group="race")
    equal = fit("outcome ~ mediator", students, group="race", group_equal=("regressions",))
    wald = wald_test(free, "b1 == b2").statistic
    assert difference_test(equal, free).statistic == pytest.approx(wald, rel=0.02)
    assert score_tests(equal).chisq.iloc[0] == pytest.approx(wald, rel=0.02)


def test_models_of_other_cases_are_not_compared(fitted, students):
    with pytest.raises(ModelError, match="other cases or variables"):
        difference_test(fitted, fit(MODEL, students.iloc[:400]))


def test_many_fits_are_the_fits_one_by_one(students):
    rng = np.random.default_rng(1)
    subsets = np.vstack([np.ones(N, bool), rng.random((20, N)) < 0.5, np.arange(N) < 6])
    many = fit_many(MODEL, subset_moments(MODEL, students, subsets))
    assert many.status.tolist() == ["ok"] * 21 + ["too_few"]
    effects = many.effects(["indirect"], conf_level=0.95)
    standard = many.effects(["indirect"], conf_level=0.95, standardized=True)
    for b in (0, 7, 20):
        one = fit(MODEL, students[subsets[b]]).row("indirect", ":=")
        assert effects.estimate[b] == pytest.approx(one.est, abs=1e-4 * one.se)
        assert effects.std_error[b] == pytest.approx(one.se, rel=1e-4)
        assert standard.estimate[b] == pytest.approx(one.std_all, abs=1e-4 * one.se)
        assert standard.std_error[b] == pytest.approx(one.std_se, rel=1e-4)
    assert np.isnan(effects.estimate[21])


def test_many_fits_drop_what_a_subgroup_cannot_estimate(students):
    table = students.assign(ell=(students.race == "white") & (students.classroom > 15)).astype({"ell": float})
    model = MODEL.replace("+ age", "+ age + ell")
    inside = (table.race == "black").to_numpy()
    many = fit_many(model, subset_moments(model, table, np.vstack([np.ones(N, bool), inside])))
    assert many.kept.sum(1).tolist() == [8, 7]
    one = fit(model, table[inside]).row("indirect", ":=")
    assert many.effects(["indirect"], conf_level=0.95).estimate[1] == pytest.approx(
        one.est, abs=1e-4 * one.se
    )


def test_many_fits_do_not_depend_on_the_number_of_workers(students):
    moments = subset_moments(MODEL, students, np.random.default_rng(1).random((70, N)) < 0.6)
    np.testing.assert_array_equal(fit_many(MODEL, moments, jobs=2).tau, fit_many(MODEL, moments).tau)


def test_holms_correction_is_rs():
    # p.adjust(c(.01, .02, .03, .005), "holm") in R 4.2
    np.testing.assert_allclose(adjust_holm([0.01, 0.02, 0.03, 0.005]), [0.03, 0.04, 0.04, 0.02])
    np.testing.assert_allclose(adjust_holm([0.04, np.nan, 0.03]), [0.06, np.nan, 0.06])


@pytest.fixture(scope="module")
def ladder():
    rng = np.random.default_rng(11)
    n, items = 700, {}
    group = np.repeat(["black", "white"], n // 2)
    for scale in ("fair", "biased"):
        latent = rng.normal(size=n) + 0.4 * (group == "white")
        for k in range(1, 5):
            planted = 0.7 * (scale == "biased" and k == 3) * (group == "white")
            items[f"{scale}_{k}"] = 0.8 * latent + planted + 0.7 * rng.normal(size=n)
    table = pd.DataFrame(items).assign(race=group)
    scales = {scale: [f"{scale}_{k}" for k in range(1, 5)] for scale in ("fair", "biased")}
    return compare_invariance(scales, table, group="race")


def test_the_ladder_passes_an_invariant_scale(ladder):
    assert ladder.holds("fair", "strict", partial=False)


def test_the_partial_search_finds_the_planted_item(ladder):
    row = ladder.steps.query("scale == 'biased' and level == 'scalar'").iloc[0]
    assert (row.verdict, row.freed) == ("partial", "biased_3 ~1")
    assert ladder.holds("biased", "scalar") and not ladder.holds("biased", "scalar", partial=False)
    # planted: the groups differ by 0.4 SD on the latent
    assert ladder.fits["biased", "scalar"].row("factor", "~1", group="white").est == pytest.approx(
        0.4, abs=0.25
    )


def test_a_scale_that_cannot_be_estimated_is_named_and_climbs_no_further():
    rng = np.random.default_rng(0)
    # correlations that no factor gives
    cov = [[1, 0.3, 0.3], [0.3, 1, -0.3], [0.3, -0.3, 1]]
    table = pd.DataFrame(rng.multivariate_normal(np.zeros(3), cov, 400), columns=list("xyz"))
    steps = compare_invariance(
        {"odd": list("xyz")}, table.assign(race=["black", "white"] * 200), group="race"
    ).steps
    assert steps.verdict.tolist() == ["not estimated"]


def test_omega_and_alpha_of_equal_loadings_are_the_same():
    """For parallel items both are k r / (1 + (k - 1) r)."""
    rng = np.random.default_rng(2)
    draw = rng.normal(size=(200, 4))
    draw = (draw - draw.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(draw.T, bias=True))).T
    table = pd.DataFrame(
        draw @ np.linalg.cholesky(np.full((4, 4), 0.4) + 0.6 * np.eye(4)).T, columns=list("abcd")
    )
    expected = 4 * 0.4 / (1 + 3 * 0.4)
    assert omega(fit("f =~ a + b + c + d", table), "f").iloc[0] == pytest.approx(expected, abs=1e-6)
    assert alpha(table, list("abcd")) == pytest.approx(expected, abs=1e-9)
    found = minres(table.corr(), n_factors=1)
    np.testing.assert_allclose(found.loadings.iloc[:, 0], np.sqrt(0.4), atol=1e-5)


def test_semopy_says_the_same(fitted, students):
    ours = second_opinion(fitted, students)
    # semopy's optimiser stops at 1e-6 standard errors
    assert ours.difference.max() < 1e-4
    assert (ours.se / ours.se_semopy - 1).abs().max() < 1e-4


def test_semopy_is_not_asked_what_it_gets_wrong(students):
    with pytest.raises(ModelError, match="second opinion on several groups"):
        second_opinion(fit("outcome ~ mediator", students, group="race"), students)
