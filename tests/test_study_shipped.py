"""The shipped study gives the values that the report prints, by the functions that the chapters call."""

from __future__ import annotations

import pandas as pd
import pytest

from lib.analysis.effects import covariates_by_outcome, direct_effects
from lib.analysis.mediation import mediated_effects
from lib.study.population import load_population

GRADE = "grade_math_or_ela"


def options(study, outcome: str) -> dict:
    covariates = covariates_by_outcome(study, "C_ENV", records="C_GRADE")
    return {"outcomes": [outcome], "covariates": covariates, "conf_level": 0.95}


@pytest.mark.parametrize(
    ("csv_id", "population", "outcome"),
    [
        ("P090", "all", "env_peer_support"),
        ("P092", "all", "env_social_comparison"),
        ("P099", "all", "ms_social_se"),
        ("P101", "all", GRADE),
        ("P111", "black", GRADE),
        ("P126", "white", "ms_social_se"),
        ("P127", "black", "ms_social_se"),
    ],
)
def test_path_rounds_to_the_printed_value_and_is_significant(study, csv_id, population, outcome):
    printed = float(study.published.set_index("id").loc[csv_id, "value"])
    row = direct_effects(study, [study.population(population)], **options(study, outcome)).iloc[0]
    assert round(row["estimate"], 2) == printed
    assert row["p_value"] < study.codebook.thresholds["alpha"]


@pytest.mark.parametrize(("population", "outcome"), [("all", "absences"), ("white", GRADE)])
def test_path_printed_as_not_significant_is_not(study, population, outcome):
    row = direct_effects(study, [study.population(population)], **options(study, outcome)).iloc[0]
    assert row["p_value"] >= study.codebook.thresholds["alpha"]


@pytest.mark.parametrize(
    ("csv_id", "population", "mediator", "outcome"),
    [
        ("P104", "all", "env_peer_learning", "ms_social_se"),
        ("P113", "black", "intrinsic_motivation", GRADE),
        ("P114", "black", "engagement", GRADE),
        ("P115", "black", "self_efficacy", GRADE),
    ],
)
def test_share_explained_rounds_to_the_printed_percent(study, csv_id, population, mediator, outcome):
    printed = float(study.published.set_index("id").loc[csv_id, "value"])
    groups = [study.population(population)]
    rows = mediated_effects(study, groups, mediators=[mediator], seed=1, **options(study, outcome))
    rows = rows.set_index("contrast")
    assert rows.loc["share_explained", "status"] == "ok"
    assert round(rows.loc["share_explained", "estimate"]) == printed
    assert rows.loc["indirect", "conf_low"] > 0
    if printed == 100:
        assert rows.loc["direct", "p_value"] >= study.codebook.thresholds["alpha"]


def test_grades_tie_is_not_significant_once_mind_sets_are_in(study):
    # line 1831 of the report
    groups, alpha = [study.population("all")], study.codebook.thresholds["alpha"]
    mediators = ["engagement", "self_efficacy"]
    rows = mediated_effects(study, groups, mediators=mediators, seed=1, **options(study, GRADE))
    assert (rows.loc[rows["contrast"] == "direct", "p_value"] >= alpha).all()
    assert (rows.loc[rows["contrast"] == "indirect", "conf_low"] > 0).all()


def test_about_half_of_the_students_work_together_weekly(study):
    # line 1413; "about half" is the codebook's tolerance
    answers = study.population("all").frame["frequency"].dropna()
    share = (answers >= study.codebook.thresholds["weekly_min"]).mean()
    assert abs(share - 0.5) <= study.codebook.thresholds["half_tol"]


def test_every_target_is_probable_under_the_population(study):
    """What a target is in 40,000 students lies in the 80 percent interval around the shipped value."""
    truth = pd.read_csv(study.folder / "truth.csv").astype({"mediator": "object"})
    targets = load_population(study.folder / "population.yml")["calibration"]["targets"]
    assert truth["value"].to_list() == [target["value"] for target in targets]
    for target, large in zip(targets, truth["truth"], strict=True):
        groups = [study.population(target["population"])]
        settings = options(study, target["outcome"]) | {"conf_level": 0.8}
        if target["quantity"] == "direct":
            row = direct_effects(study, groups, **settings).iloc[0]
        else:
            rows = mediated_effects(study, groups, mediators=[target["mediator"]], seed=1, **settings)
            row = rows.set_index("contrast").loc["share_explained"]
        assert row["conf_low"] <= large <= row["conf_high"], target
