"""Rows that the filters' cube holds beside effects, means and shares are those of the chapters' own functions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lib.analysis.associations import associations
from lib.analysis.effects import covariates_by_outcome, direct_effects
from lib.analysis.estimates import compared_contrast, estimates
from lib.analysis.evidence_rq1 import WITHOUT_PRIOR
from lib.analysis.frequencies import cut, share_differences
from lib.analysis.mediation import mediated_effects
from lib.analysis.ratings import paired_differences, raters
from lib.analysis.subgroup_associations import association_relations, standardized_slope
from lib.analysis.subgroup_means import paired_means
from lib.analysis.subgroup_relations import (
    complete_relations,
    not_comparable,
    part_relations,
    relations,
    sample_counts,
)
from lib.analysis.subgroup_results import relations_without_prior
from lib.analysis.subgroup_shares import share_means
from lib.disclosure.gate import release
from lib.disclosure.lattice import choose_lattice
from lib.sem.fit import fit
from lib.sem.incomplete import saturate_incomplete
from lib.show.cube import cube
from lib.study.load import Population

OUTCOMES = ["env_peer_support", "grade_math_or_ela"]
LEVEL = 0.95


@pytest.fixture(scope="module")
def held(study):
    return covariates_by_outcome(study, "C_ENV", records="C_GRADE")


@pytest.fixture(scope="module")
def groups(study):
    """Everyone, two groups that share nobody, and one that is too small for any row."""
    frame = study.population("all").frame
    parts = {"race=black": frame["race"] == "black", "race=white": frame["race"] == "white"}
    parts |= {"few": np.arange(len(frame)) < 60}
    return [study.population("all"), *(Population(key, key, frame[own]) for key, own in parts.items())]


PAIR = (1, 2)


@pytest.mark.parametrize(
    ("contrast", "of"),
    [
        ("difference", ""),
        ("difference a", "a"),
        ("difference indirect", "indirect"),
        ("standardized difference", ""),
        ("hedges_g", ""),
        ("indirect", "indirect"),
        ("", ""),
    ],
)
def test_a_difference_names_what_it_compares(contrast, of):
    assert compared_contrast(contrast) == of


def test_a_difference_stays_where_both_its_sides_are_shown(study, monkeypatch):
    whole = choose_lattice(study)
    kept = [whole.states.index(state) for state in ((("race", "black"),), (("race", "white"),))]
    lattice = replace(
        whole, states=tuple(whole.states[place] for place in kept), published=whole.published[kept],
        students=whole.students[kept],
    )  # fmt: skip

    def rows(study, groups, pairs):
        keys = [group.key for group in groups]
        own = [{"population": key, "contrast": name} for key in keys for name in ("", "a")]
        own.remove({"population": "race=white", "contrast": "a"})
        names = ("difference", "standardized difference", "hedges_g", "difference a")
        told = [(keys[one], keys[two]) for one, two in pairs]
        gaps = [{"population": one, "group": two, "contrast": name} for one, two in told for name in names]
        numbers = {"estimate": 0.1, "std_error": 0.05, "p_value": 0.05, "n_obs": 200, "unit": "SD per SD"}
        return estimates(pd.DataFrame(own + gaps).assign(model="direct", term="ms_social_se", **numbers))

    monkeypatch.setattr("lib.show.cube.encoded", lambda study, layout, released, family: released)
    released = cube(study, [rows], lattice=lattice).content
    shown = released[released["group"] != ""].groupby("contrast")["population"].apply(list).to_dict()
    every = ["race=black", "race=white", "race=black"]
    assert shown == {
        "difference": every, "standardized difference": every, "hedges_g": every, "difference a": every[:1],
    }  # fmt: skip


def test_a_standardized_difference_is_that_of_the_two_groups_paths(study, held, groups):
    settings = dict(outcomes=OUTCOMES, covariates=held, conf_level=LEVEL)
    rows = relations(study, groups, [PAIR], **settings)
    gaps = rows[rows["contrast"] == "standardized difference"].set_index("term")
    assert list(gaps.index) == OUTCOMES
    own = direct_effects(study, [groups[place] for place in PAIR], **settings)
    for term, two in own.groupby("term"):
        gap, (one, other) = gaps.loc[term], two.to_dict("records")
        assert gap["estimate"] == pytest.approx(one["estimate"] - other["estimate"], abs=0.001)
        error = np.hypot(one["std_error"], other["std_error"])
        # the chapter's errors rest on the observed information, these on the expected
        assert gap["std_error"] == pytest.approx(error, rel=0.04)
        assert gap["conf_high"] - gap["conf_low"] == pytest.approx(2 * 1.959964 * gap["std_error"])
        assert (gap["population"], gap["group"]) == ("race=black", "race=white")


@pytest.mark.parametrize("contrast", ["standardized difference", "difference a"])
def test_every_difference_is_barred_where_the_exposure_is_not_measured_alike(study, contrast):
    gaps = pd.DataFrame(
        {
            "population": ["ell=yes", "race=black"], "term": "ms_social_se", "contrast": contrast, "status": "ok",
            "status_reason": "",
        }
    )  # fmt: skip
    numbers = ["estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high"]
    told = not_comparable(study, gaps.assign(**dict.fromkeys(numbers, 0.1)))
    assert list(told["status"]) == ["not_comparable", "ok"]
    assert told.loc[0, numbers].isna().all() and told.loc[1, numbers].notna().all()


def test_what_runs_through_a_part_of_a_mediator_is_what_the_chapter_says(study, held, groups):
    run = dict(outcomes=["ms_social_se"], covariates=held, conf_level=LEVEL, seed=1)
    rows = part_relations(study, groups, [PAIR], parts=["env_needs_met", "env_teacher_support"], **run)
    assert set(rows["population"]) == {group.key for group in groups[:3]}
    assert set(rows["contrast"]) == {"indirect", "share_explained"} and len(rows) == 12
    rows = rows.set_index(["population", "contrast"])[
        rows["model"].to_numpy() == "mediation by env_needs_met"
    ]
    expected = mediated_effects(study, groups[:2], mediators=["env_needs_met"], **run)
    for row in expected[expected["contrast"].isin(["indirect", "share_explained"])].itertuples():
        found, percent = rows.loc[(row.population, row.contrast)], row.unit == "percent"
        assert found["status"] == row.status == "ok"
        assert found["estimate"] == pytest.approx(row.estimate, abs=0.02 if percent else 0.001)
        if not percent:  # draws around the expected information here, the observed there
            assert found["conf_low"] == pytest.approx(row.conf_low, abs=0.006)
            assert found["conf_high"] == pytest.approx(row.conf_high, abs=0.006)


@pytest.mark.parametrize("where", ["everywhere", "where a covariate's level is gone"])
def test_complete_cases_are_those_of_the_chapter(study, held, groups, where):
    """Also where nobody of a level of a covariate answered everything: that column is not held then."""
    own = groups[:3]
    if where != "everywhere":
        frame = groups[0].frame.copy()
        frame.loc[frame["grade_level"] == frame["grade_level"].iloc[0], "env_peer_support"] = np.nan
        study = replace(study, students=frame)
        own = [Population("all", "all", frame)]
    settings = dict(outcomes=OUTCOMES, covariates=held, conf_level=LEVEL)
    rows = complete_relations(study, own, [], **settings)
    assert len(rows) == len(own) * len(OUTCOMES) and set(rows["status"]) == {"ok"}
    expected = direct_effects(study, own, missing="listwise", **settings)
    found = rows.set_index("row_id").loc[expected["row_id"]]
    numbers = ["estimate", "std_error", "conf_low", "conf_high", "n_obs"]
    np.testing.assert_allclose(found[numbers], expected[numbers], atol=1e-5)


@pytest.mark.parametrize("n", range(102, 160, 6))
def test_complete_cases_need_as_many_students_as_the_chapters_model(study, held, n):
    """Where a parameter asks for three students, so that the number of parameters decides (D7)."""
    book = study.codebook
    strict = replace(book.disclosure, latent_n_per_parameter=3.0)
    study = replace(study, codebook=replace(book, disclosure=strict))
    everyone = study.population("all").frame
    some = [Population("some", "Some", everyone.iloc[:: len(everyone) // n][:n])]
    settings = dict(outcomes=["ms_social_se"], covariates=held, conf_level=LEVEL)
    chapter = direct_effects(study, some, missing="listwise", **settings)
    assert list(complete_relations(study, some, [], **settings)["status"]) == list(chapter["status"])


def test_counts_are_those_of_the_table_of_students_and_pass_the_gate(study, groups):
    rows = release(sample_counts(study, groups, [PAIR]), study).rows
    assert set(rows["status"]) == {"ok"} and set(rows["population"]) == {group.key for group in groups[:3]}
    told = rows.set_index(["population", "term"])["estimate"]
    for group in groups[:3]:
        answered = next(iter(study.codebook.respondents))
        assert told[group.key, answered] == pytest.approx(len(group.frame), abs=5)  # rounded to tens
        for outcome in study.codebook.outcomes:
            assert told[group.key, outcome] == pytest.approx(group.frame[outcome].count(), abs=5)
    assert (told % 10 == 0).all()


def test_a_count_is_of_one_name_for_all_groups_where_no_column_tells_who_answered(study, groups):
    without = replace(study, codebook=replace(study.codebook, respondents={}))
    rows = sample_counts(without, groups, [PAIR])
    assert set(rows["term"]) == {"all", *study.codebook.outcomes}
    sizes = [len(group.frame) for group in groups[:3]]
    assert list(rows.loc[rows["term"] == "all", "estimate"]) == pytest.approx(sizes, abs=5)


FEATURES, MINDS = ["personalization", "env_microaggression"], ["ms_social_se", "ms_task_value"]


def test_associations_are_those_of_the_chapter(study, held, groups):
    settings = dict(features=FEATURES, outcomes=MINDS, covariates=held, conf_level=LEVEL)
    rows = association_relations(study, groups, [PAIR], **settings)
    assert set(rows["status"]) == {"ok"} and len(rows) == 3 * len(FEATURES) * len(MINDS)
    expected = associations(study, groups[:2], **settings)
    found = rows.set_index("row_id").loc[expected["row_id"]].reset_index()
    np.testing.assert_allclose(found["estimate"], expected["estimate"], atol=1e-5)
    np.testing.assert_array_equal(found["n_obs"], expected["n_obs"])
    # errors here count those who answered everything, in the chapter every answer
    np.testing.assert_allclose(found["std_error"], expected["std_error"], rtol=0.04)


def test_errors_of_associations_are_the_chapters_where_nothing_is_missing(study, held, groups):
    frame = groups[0].frame.dropna(subset=[*FEATURES, *MINDS])
    whole = [Population("whole", "Whole", frame), Population("half", "Half", frame.iloc[::2])]
    settings = dict(features=FEATURES, outcomes=MINDS, covariates=held, conf_level=LEVEL)
    rows, expected = (
        association_relations(study, whole, [], **settings),
        associations(study, whole, **settings),
    )
    found = rows.set_index("row_id").loc[expected["row_id"]]
    numbers = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "n_obs"]
    np.testing.assert_allclose(found[numbers], expected[numbers], atol=1e-6)


def test_a_covariance_that_em_has_not_reached_is_not_shown():
    """Held to `lib.sem.fit`, which is held to lavaan; a third of the answers are missing."""
    random = np.random.default_rng(3)
    x = random.normal(size=300)
    data = pd.DataFrame({"x": x, "y": 0.5 * x + random.normal(size=300), "z": x + random.normal(size=300)})
    for name in ("x", "y"):
        data.loc[random.random(300) < 0.33, name] = np.nan
    inside, kept = np.ones((1, 300), bool), np.ones((1, 3), bool)
    few, many = (saturate_incomplete(data.to_numpy(), inside, kept=kept, rounds=rounds) for rounds in (2, 60))
    assert (few.status[0], many.status[0]) == ("not_converged", "ok")
    full = fit("y ~ b*x + z", data, missing="ml.x", fixed_x=False).estimates
    beta, _ = standardized_slope(many.cov, many.n_whole)
    assert beta[0] == pytest.approx(full.loc[full["label"] == "b", "std_all"].iloc[0], abs=1e-5)


def test_grades_without_earlier_grades_are_those_of_the_chapters_model(study, groups):
    record = study.codebook.outcomes[0]
    rows = relations_without_prior(study, groups, [PAIR], conf_level=LEVEL)
    assert set(rows["model"]) == {WITHOUT_PRIOR} and set(rows["term"]) == {record}
    own = rows[rows["group"] == ""].set_index("population")
    for group in groups[1:3]:
        alone = direct_effects(
            study, [group], outcomes=[record], covariates={record: "C_ENV"}, conf_level=LEVEL
        )
        assert own.loc[group.key, "estimate"] == pytest.approx(alone["estimate"].item(), abs=0.001)


def test_a_feature_lies_below_others_as_in_the_chapter(study, groups):
    term, *others = [scale.key for scale in study.codebook.scales_with("exposure")][:3]
    rows = paired_means(study, groups, [], term=term, others=others, conf_level=LEVEL)
    assert set(rows["population"]) == {group.key for group in groups[:3]}
    for group in groups[:3]:
        sample = raters(study, "students", population=group)
        expected = paired_differences(sample, term, others, conf_level=LEVEL).set_index("contrast")
        found = rows[rows["population"] == group.key].set_index("contrast")
        for name in ("conf_low", "conf_high", "n_obs"):
            assert found[name].to_dict() == pytest.approx(expected[name].to_dict(), abs=1e-9), name
        assert (
            found["estimate"].to_dict() == expected["estimate"].round(2).to_dict()
        )  # in hundredths, for n is exact


def test_differences_of_shares_are_told_as_in_the_chapter(study, groups):
    """With errors by class, independent, as Cox's index, and tested for equivalence."""
    term = cut(study, "frequency", at_least="weekly_min")
    rows = share_means(study, groups, [PAIR], terms=[term], conf_level=LEVEL)
    sample, levels = raters(study, "students"), [groups[place].key.partition("=")[2] for place in PAIR]
    by_class, alone = (
        share_differences(sample, [term], by="race", pair=levels, clustered=way, conf_level=LEVEL)
        for way in (True, False)
    )
    named = ["model", "contrast", "estimator"]
    expected = pd.concat([by_class[by_class["model"] == "share"], alone]).set_index(named)
    found = rows[rows["group"] != ""].set_index(named)
    assert set(found.index) == set(expected.index) and len(found) == 4
    for name in ("estimate", "conf_low", "conf_high"):
        assert found[name].to_dict() == pytest.approx(expected[name].to_dict(), abs=1e-9), name
    tested = ("share equivalence", "difference", found.index[1][2])
    assert found.loc[tested, "p_value"] == pytest.approx(expected.loc[tested, "p_value"], abs=1e-9)
