"""The filters' cube: its numbers are those of a direct computation, and only publishable states are in it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from lib.analysis.design import design
from lib.analysis.effects import covariates_by_outcome, direct_effects
from lib.analysis.mediation import mediated_effects
from lib.analysis.subgroup_differences import adjust
from lib.analysis.subgroup_invariance import measured_alike
from lib.analysis.subgroup_mediation import fieller
from lib.analysis.subgroup_relations import relations
from lib.analysis.subgroups import fit_paths, subgroups
from lib.disclosure.lattice import choose_lattice
from lib.errors import ModelError
from lib.sem.batch import fit_many
from lib.sem.fit import fit
from lib.sem.incomplete import fit_incomplete
from lib.sem.latent_paths import standardized, unstandardized
from lib.sem.subsets import subset_moments
from lib.show.cube import cube, lay_out, state_populations
from lib.study.load import Population
from tests.cube_numbers import results_of

MEDIATED = ("personalization", "ms_social_se")
STATES = (
    (),
    (("race", "black"),),
    (("race", "white"),),
    (("gender", "female"), ("grade_level", "9")),
    (("race", "asian"),),
)


@pytest.fixture(scope="module")
def held(study):
    return covariates_by_outcome(study, "C_ENV", records="C_GRADE")


@pytest.fixture(scope="module")
def lattice(study):
    """The shipped study's lattice with a handful of its states."""
    whole = choose_lattice(study)
    assert set(STATES) <= set(whole.offered)
    hidden = whole.states[int(np.flatnonzero(~whole.published)[0])]
    kept = [whole.states.index(state) for state in (*STATES, hidden)]
    return replace(
        whole, states=tuple(whole.states[place] for place in kept), published=whole.published[kept],
        students=whole.students[kept],
    )  # fmt: skip


@pytest.fixture(scope="module")
def content(study, held, lattice):
    outcomes = ["env_peer_support", "ms_social_se", "grade_math_or_ela"]
    tied = partial(
        relations, outcomes=outcomes, covariates=held, conf_level=0.95, mediated=[MEDIATED], seed=1
    )
    return cube(study, [tied], lattice=lattice).content


def cell(content: dict, name: str, place: int, key: str) -> dict:
    empty = dict.fromkeys(("estimate", "conf_low", "conf_high", "n_obs")) | {"why": 0}
    return results_of(content, name).get((place, key), empty)


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_state_says_what_the_chapters_model_says_of_the_same_students(study, held, lattice, content, place):
    groups, _ = state_populations(study, lattice, lattice.offered)
    direct = direct_effects(
        study,
        [groups[place]],
        outcomes=["env_peer_support", "grade_math_or_ela"],
        covariates=held,
        conf_level=0.95,
    )
    for row in direct.itertuples():
        found = cell(content, "own", place, f"direct||{row.term}")
        assert found["estimate"] == pytest.approx(1000 * row.estimate, abs=0.6)
        # the chapter's intervals rest on the observed information, these on the expected
        assert found["conf_low"] == pytest.approx(1000 * row.conf_low, abs=6)
        assert found["conf_high"] == pytest.approx(1000 * row.conf_high, abs=6)


def test_mediated_effects_are_those_of_the_chapters_model(study, held, lattice, content):
    groups, _ = state_populations(study, lattice, lattice.offered)
    expected = mediated_effects(
        study,
        groups[1:2],
        mediators=[MEDIATED[0]],
        outcomes=[MEDIATED[1]],
        covariates=held,
        conf_level=0.95,
        seed=1,
    )
    for row in expected[expected["status"] == "ok"].itertuples():
        found = cell(content, "own", 1, f"{row.model}|{row.contrast}|{row.term}")
        percent = row.unit == "percent"
        assert found["estimate"] == pytest.approx(1000 * row.estimate, abs=20 if percent else 0.7), (
            row.contrast
        )
        # Fieller's interval of a share stands beside percentiles of draws: within 2 points
        assert found["conf_low"] == pytest.approx(1000 * row.conf_low, abs=2000 if percent else 6), (
            row.contrast
        )


def test_everyone_else_is_everyone_else(study, held, content):
    everyone = study.population("all").frame
    rest = Population("rest", "rest", everyone[everyone["race"] != "black"])
    row = direct_effects(study, [rest], outcomes=["ms_social_se"], covariates=held, conf_level=0.95).iloc[0]
    found = cell(content, "rest", 1, "direct||ms_social_se")
    assert found["estimate"] == pytest.approx(1000 * row["estimate"], abs=0.6)
    assert found["n_obs"] == round(len(rest.frame) / 10) * 10


def test_a_difference_is_told_on_everyones_scale(study, held, content):
    """Both groups by themselves, the exposure's loadings held at those of the whole sample."""
    codebook = study.codebook
    exposure, _ = codebook.exposure
    indicators = [scale.key for scale in codebook.scales_with("exposure")]
    everyone = study.population("all").frame
    held_constant = ["gender", "ell", "special_ed", "grade_level", "school"]

    def columns(frame):
        made = pd.get_dummies(frame[held_constant].astype(object), drop_first=True).astype(float)
        made.columns = [name.replace(" ", "_") for name in made]
        race = pd.get_dummies(frame["race"].astype(object)).astype(float).add_prefix("race_")
        race = race.drop(columns=race.sum().idxmax())
        made = pd.concat([made, race], axis=1)
        made = made[[name for name in made if made[name].sum() >= codebook.disclosure.k]]
        return pd.concat([frame[[*indicators, "ms_social_se"]].astype(float), made], axis=1), " + ".join(made)

    def fitted(frame, loadings):
        table, constant = columns(frame)
        measured = " + ".join(f"{loadings[one]}*{one}" if loadings else one for one in indicators)
        model = f"{exposure} =~ {measured}\n{exposure} ~ {constant}\nms_social_se ~ b*{exposure} + {constant}"
        return fit(model, table, missing="ml.x", fixed_x=False).estimates

    whole = fitted(everyone, None)
    loadings = dict(zip(indicators, whole[whole["op"] == "=~"]["est"], strict=True))
    path = whole[whole["label"] == "b"].iloc[0]
    ratio = path["std_all"] / path["est"]
    told = []
    for inside in (everyone["race"] == "black", everyone["race"] != "black"):
        own = fitted(everyone[inside], loadings)
        told.append(own[own["label"] == "b"].iloc[0])
    expected = ratio * (told[0]["est"] - told[1]["est"])
    place = content["pairs"].index([1, -1])
    found = cell(content, "gap", place, "direct||ms_social_se")
    assert found["estimate"] == pytest.approx(1000 * expected, abs=1)
    z = abs(told[0]["est"] - told[1]["est"]) / np.hypot(told[0]["se"], told[1]["se"])
    spread = 1000 * abs(expected) / z
    assert found["conf_high"] - found["estimate"] == pytest.approx(1.96 * spread, rel=0.03)
    assert 0 <= found["p_value"] <= found["p_bh"] <= 1000


@pytest.mark.parametrize("n", [98, 106, 112, 124, 132, 140, 146])
def test_a_view_needs_as_many_students_as_the_chapters_model(study, held, n):
    """Some of these sizes are enough for a path alone, some for one through a mediator, some for none (D7)."""
    everyone = study.population("all")
    group = Population("some", "Some", everyone.frame.iloc[:: len(everyone.frame) // n][:n])
    settings = dict(covariates=held, conf_level=0.95)
    mediator, outcome = MEDIATED
    run = dict(mediators=[mediator], outcomes=[outcome], seed=1)
    chapter = [direct_effects(study, [group], outcomes=[outcome], **settings)]
    chapter.append(mediated_effects(study, [group], **run, **settings).query("contrast == 'a'"))
    parts = subgroups(study, [group], covariates=sorted(set(held.values())))
    view = [
        fit_paths(parts, names, covariates=held[outcome])[1][0] for names in ([outcome], [mediator, outcome])
    ]
    assert [table["status"].iloc[0] == "too_few" for table in chapter] == view


def test_a_subgroup_too_small_for_the_model_has_a_reason_and_no_number(content):
    found = cell(content, "own", 4, "direct||ms_social_se")
    assert found["estimate"] is None and found["n_obs"] is None
    assert content["reasons"][found["why"]] == "not estimated: too few students"


def test_only_states_that_the_lattice_publishes_are_there(study, content):
    whole = choose_lattice(study)
    names = [dim["name"] for dim in content["dims"]]
    values = {dim["name"]: dim["values"] for dim in content["dims"]}
    told = [
        tuple((name, values[name][code]) for name, code in zip(names, codes, strict=True) if code)
        for codes in zip(*(content["cube"][name] for name in names), strict=True)
    ]
    assert set(told) <= set(whole.offered) and len(told) == len(STATES)
    assert len(content["hidden"]) == 1
    assert all(n % study.codebook.disclosure.round_n == 0 for n in content["cube"]["n"])


def test_merged_levels_have_a_readable_label(content):
    labels = [label for dim in content["dims"] for label in dim["labels"]]
    assert not any("+" in label or "_" in label for label in labels)


def test_differences_are_barred_where_the_exposure_cannot_be_shown_to_be_measured_alike(study):
    why = measured_alike(study, ["race", "ell"], alpha=0.05)
    assert why["race"] == ""
    assert why["ell"].startswith("not comparable: too few students")


def test_p_values_are_adjusted_within_a_family():
    from statsmodels.stats.multitest import multipletests

    p = [0.001, 0.04, 0.03, 0.5, 0.02]
    rows = pd.DataFrame({"p_value": [*p, 0.01, np.nan], "p_bh": np.nan})
    adjusted = adjust(rows, pd.Series(["a"] * 5 + ["b"] * 2))["p_bh"]
    np.testing.assert_allclose(adjusted[:5], multipletests(p, method="fdr_bh")[1])
    assert adjusted[5] == 0.01 and np.isnan(adjusted[6])


def test_fieller_is_unbounded_where_the_total_may_be_zero():
    """Fieller (1954) with independent parts: bounds solve (x - r y)^2 = z^2 (v + r^2 w)."""
    numerator, denominator = np.array([1.0, 1.0]), np.array([2.0, 0.1])
    cov = np.array([np.diag([0.01, 0.04])] * 2)
    low, high = fieller(numerator, denominator, cov, conf_level=0.95)
    for bound in (low[0], high[0]):
        assert (1 - 2 * bound) ** 2 == pytest.approx(1.959964**2 * (0.01 + bound**2 * 0.04))
    assert np.isnan(low[1]) and np.isnan(high[1])


def latent_table(seed: int, n: int = 400) -> pd.DataFrame:
    """A factor with four indicators that a covariate moves, a mediator and an outcome; some answers missing."""
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    factor = 0.5 * x + random.normal(size=n)
    data = pd.DataFrame({f"i{k}": (0.8 - 0.1 * k) * factor + random.normal(size=n) for k in range(4)})
    data["m"] = 0.5 * factor - 0.3 * x + random.normal(size=n)
    data["y"] = 0.3 * factor + 0.4 * data["m"] + 0.2 * x + random.normal(size=n)
    data["x"] = x
    data.loc[random.random(n) < 0.05, "y"] = np.nan
    data.loc[random.random(n) < 0.03, "i1"] = np.nan
    return data


@pytest.mark.parametrize("outcomes", [["y"], ["m", "y"]])
def test_subsets_have_the_full_information_estimates(outcomes):
    """Held to `lib.sem.fit`, which is held to lavaan."""
    data = latent_table(7)
    paths = {1: ["y ~ b*f"], 2: ["m ~ a*f", "y ~ b*m + c*f"]}[len(outcomes)]
    model = "\n".join(["f =~ i0 + i1 + i2 + i3", "f ~ x", *(f"{path} + x" for path in paths)])
    columns = ["i0", "i1", "i2", "i3", *outcomes, "x"]
    inside = np.vstack([np.ones(len(data), bool), np.arange(len(data)) < 250])
    kept = np.ones((2, len(columns)), bool)
    many = fit_incomplete(
        data[columns].to_numpy(), inside, indicators=4, outcomes=len(outcomes), kept=kept, rounds=25
    )
    told, cov = standardized(many.latent, many.n_whole)
    assert list(many.status) == ["ok", "ok"]
    for place, rows in enumerate(inside):
        full = fit(model, data.loc[rows, columns], missing="ml.x", fixed_x=False).estimates
        for at, label in enumerate(("b",) if len(outcomes) == 1 else ("a", "b", "c")):
            expected = full[full["label"] == label].iloc[0]
            assert told[place, at] == pytest.approx(expected["std_all"], abs=1e-6)


@pytest.mark.parametrize("outcomes", [["y"], ["m", "y"]])
def test_standard_errors_are_those_of_the_expected_information(outcomes):
    data = latent_table(8).dropna()
    columns = ["i0", "i1", "i2", "i3", *outcomes, "x"]
    paths = {1: ["y ~ b*f"], 2: ["m ~ a*f", "y ~ b*m + c*f"]}[len(outcomes)]
    model = "\n".join(["f =~ i0 + i1 + i2 + i3", "f ~ x", *(f"{path} + x" for path in paths)])
    inside = np.ones((1, len(data)), bool)
    one = fit_incomplete(
        data[columns].to_numpy(), inside, indicators=4, outcomes=len(outcomes),
        kept=np.ones((1, len(columns)), bool),
    )  # fmt: skip
    told, cov = standardized(one.latent, one.n_whole)
    labels = ["b"] if len(outcomes) == 1 else ["a", "b", "c"]
    many = fit_many(model, subset_moments(model, data[columns], inside))
    for at, row in enumerate(many.effects(labels, conf_level=0.95, standardized=True).itertuples()):
        assert told[0, at] == pytest.approx(row.estimate, abs=1e-6)
        assert np.sqrt(cov[0, at, at]) == pytest.approx(row.std_error, abs=1e-6)


def test_loadings_that_are_held_stay_and_the_raw_path_has_the_error_of_the_expected_information():
    data = latent_table(9).dropna()
    columns = ["i0", "i1", "i2", "i3", "y", "x"]
    held = np.array([1.0, 0.7, 0.9, 0.4])
    inside = np.ones((1, len(data)), bool)
    kept = np.ones((1, len(columns)), bool)
    one = fit_incomplete(data[columns].to_numpy(), inside, indicators=4, outcomes=1, kept=kept, loading=held)
    measured = " + ".join(f"{value}*i{k}" for k, value in enumerate(held))
    model = f"f =~ {measured}\nf ~ x\ny ~ b*f + x"
    many = fit_many(model, subset_moments(model, data[columns], inside))
    row = many.effects(["b"], conf_level=0.95).iloc[0]
    path, cov = unstandardized(one.latent, one.n_whole, loadings_held=True)
    np.testing.assert_allclose(one.latent.loading[0], held)
    assert path[0, 0] == pytest.approx(row["estimate"], abs=1e-6)
    assert np.sqrt(cov[0, 0, 0]) == pytest.approx(row["std_error"], abs=1e-6)


def test_a_table_in_which_nobody_answered_everything_is_refused():
    data = np.array([[1.0, np.nan, 3.0, 1.0], [np.nan, 1.0, 2.0, 5.0]] * 20)
    with pytest.raises(ModelError, match="none of 40 students answered everything"):
        fit_incomplete(data, np.ones((1, 40), bool), indicators=3, outcomes=1, kept=np.ones((1, 4), bool))


def test_a_difference_of_indirect_effects_is_that_of_the_two_groups_by_themselves(
    study, held, content, lattice
):
    """Raw products at everyone's loadings and in everyone's SD, the draws of the two groups independent."""
    layout = lay_out(study, lattice)
    keys = {group.key: place for place, group in enumerate(layout.groups)}
    pair = (keys["race=black"], keys["race=white"])
    mediator, outcome = MEDIATED
    exposure, _ = study.codebook.exposure
    indicators = [scale.key for scale in study.codebook.scales_with("exposure")]

    def fitted(population, loadings):
        model = design(population.frame, study.codebook, held[outcome]).columns
        data = pd.concat([population.frame[[*indicators, mediator, outcome]].astype(float), model], axis=1)
        constant = " + ".join(model)
        measured = " + ".join(f"{loadings[one]}*{one}" if loadings else one for one in indicators)
        text = (
            f"{exposure} =~ {measured}\n{exposure} ~ {constant}\n{mediator} ~ a*{exposure} + {constant}\n"
            f"{outcome} ~ b*{mediator} + {exposure} + {constant}"
        )
        return fit(text, data, missing="ml.x", fixed_x=False).estimates

    whole = fitted(study.population("all"), None)
    loadings = dict(zip(indicators, whole[whole["op"] == "=~"]["est"], strict=True))
    labelled = whole[whole["label"].isin(["a", "b"])]
    each = (labelled["std_all"] / labelled["est"]).to_numpy()
    ratio, products, variance, sides = each.prod(), [], 0.0, []
    for place in pair:
        own = fitted(layout.groups[place], loadings)
        a, b = (own[own["label"] == label].iloc[0] for label in ("a", "b"))
        sides.append(each * np.array([[a["est"], b["est"]], [a["se"], b["se"]]]))
        products.append(ratio * a["est"] * b["est"])
        variance += ratio**2 * (
            (a["est"] * b["se"]) ** 2 + (b["est"] * a["se"]) ** 2 + (a["se"] * b["se"]) ** 2
        )
    place = content["pairs"].index(list(pair))
    found = cell(content, "gap", place, f"mediation by {mediator}|indirect|{outcome}")
    assert found["estimate"] == pytest.approx(1000 * (products[0] - products[1]), abs=1.5)
    # Sobel's (1982) standard error with Goodman's (1960) term
    width = (found["conf_high"] - found["conf_low"]) / 2
    assert width == pytest.approx(1.96 * 1000 * np.sqrt(variance), rel=0.08)
    gap, error = sides[0][0] - sides[1][0], np.hypot(sides[0][1], sides[1][1])
    for at, contrast in enumerate(("a", "b")):
        found = cell(content, "gap", place, f"mediation by {mediator}|{contrast}|{outcome}")
        assert found["estimate"] == pytest.approx(1000 * gap[at], abs=1)
        # the interval there rests on the observed information, this one on the expected
        assert found["conf_high"] - found["estimate"] == pytest.approx(1960 * error[at], rel=0.04)
