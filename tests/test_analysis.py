"""Results as rows: effects, mediation, samples, and the covariates behind them."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from lib.analysis.design import design
from lib.analysis.effects import covariates_by_outcome, direct_effects, populations
from lib.analysis.estimates import ESTIMATE_COLUMNS, estimates, mediated_by, mediator_of
from lib.analysis.evidence_rq1 import ties_of
from lib.analysis.intervals import share_interval
from lib.analysis.mediation import mediated_effects
from lib.analysis.samples import counts_by_school, group_shares, level_parts
from lib.errors import StudyError

OUTCOMES = ["ms_social_se", "absences"]


@pytest.fixture(scope="module")
def held(study):
    return covariates_by_outcome(study, "C_ENV", records="C_GRADE")


@pytest.fixture(scope="module")
def mediated(study, held):
    """Effects through one mediator, by term and quantity."""
    rows = mediated_effects(
        study, populations(study, "all"), mediators=["personalization"], outcomes=OUTCOMES, covariates=held,
        conf_level=0.95, seed=1, missing="listwise",
    )  # fmt: skip
    return rows.set_index(["term", "contrast"])


def test_total_is_direct_plus_indirect_and_indirect_is_a_times_b(mediated):
    estimate = mediated["estimate"]["ms_social_se"]
    assert estimate["total"] == pytest.approx(estimate["direct"] + estimate["indirect"])
    assert estimate["indirect"] == pytest.approx(estimate["a"] * estimate["b"])
    assert estimate["share_explained"] == pytest.approx(100 * estimate["indirect"] / estimate["total"])


def test_intervals_hold_their_estimates_and_follow_the_coverage_asked_for(study, held, mediated):
    assert (mediated["conf_low"] < mediated["estimate"])[mediated["status"] == "ok"].all()
    narrow, wide = (
        direct_effects(study, populations(study, "all"), outcomes=OUTCOMES[:1], covariates=held, conf_level=level,
                       missing="listwise").iloc[0]
        for level in (0.5, 0.95)
    )  # fmt: skip
    ratio = (wide.conf_high - wide.conf_low) / (narrow.conf_high - narrow.conf_low)
    assert ratio == pytest.approx(1.959964 / 0.674490, rel=1e-5)  # quantiles of the normal distribution


def test_a_share_of_a_total_that_may_be_zero_is_not_expressed(mediated):
    share = mediated.loc[("absences", "share_explained")]
    assert share["status"] == "inadmissible" and "interval includes zero" in share["status_reason"]


def test_an_outcome_the_codebook_does_not_know_is_met_with_the_nearest(study, held):
    with pytest.raises(StudyError, match="'social_se'; did you mean 'ms_social_se'"):
        direct_effects(
            study, populations(study, "all"), outcomes=["social_se"], covariates=held, conf_level=0.95
        )


def test_a_model_that_cannot_be_fitted_gives_a_row_that_says_so(study, held):
    few = dataclasses.replace(study.population("all"), frame=study.population("all").frame.head(9))
    row = direct_effects(study, [few], outcomes=OUTCOMES[:1], covariates=held, conf_level=0.95).iloc[0]
    assert row["status"] == "not_converged" and pd.isna(row["estimate"])
    assert row["status_reason"].startswith("not estimated: ")


def test_covariates_single_out_no_small_group_and_do_not_repeat_each_other(study):
    frame = study.population("all").frame.copy()
    frame["race"] = ["black"] * (len(frame) - 9) + ["asian"] * 9
    frame["ell"] = "no"
    frame["special_ed"] = frame["gender"].map({"female": "no", "male": "yes"})
    held = design(frame, study.codebook, "C_ENV")
    assert "race_asian: fewer than 10 students" in held.left_out
    assert any(
        reason.startswith(("special_ed_yes: constant", "special_ed_no: constant")) for reason in held.left_out
    )
    assert not [name for name in held.columns if name.startswith(("ell", "race", "special"))]


def test_an_unknown_covariate_set_is_refused(study):
    with pytest.raises(StudyError, match="no covariate set 'C_NONE'; it has C_ENV, C_GRADE, C_RACE"):
        design(study.students, study.codebook, "C_NONE")


def test_counts_are_those_the_study_printed(study):
    parts = {"answered_survey=yes": {"answered_survey": "yes"}} | level_parts(
        study, "subject", answered_survey="yes"
    )
    rows = counts_by_school(study, "students", parts, school="school", unit="students", exhibit="6")
    counts = rows.set_index(["term", "contrast"])["estimate"]
    assert counts["answered_survey=yes"].to_dict() == {
        "count": 869,
        "fewest": 149,
        "most": 312,
    }  # P035, P044, P045
    assert counts["answered_survey=yes & subject=math"].to_dict() == {"count": 432, "fewest": 79, "most": 157}
    assert counts["answered_survey=yes & subject=ela"].to_dict() == {"count": 429, "fewest": 62, "most": 155}


def test_ties_that_no_page_has_shown_are_those_of_the_chapters_model(study, held):
    school = study.population("school_1")
    settings = dict(covariates=held, conf_level=0.95)
    known = direct_effects(study, [study.population("all"), school], outcomes=OUTCOMES[:1], **settings)
    shown = ties_of(study, school, among=known, conf_level=0.95)
    assert shown["row_id"].tolist() == known["row_id"].tolist()[1:]
    anew = ties_of(study, school, among=known[:1], conf_level=0.95).set_index("row_id")
    assert anew.loc[shown["row_id"].item(), "estimate"] == pytest.approx(shown["estimate"].item())
    assert len(anew) > 10


def test_a_population_named_twice_counts_once(study):
    """The focal population goes by two names."""
    focal = study.codebook.focal
    assert [one.key for one in populations(study, "focal", focal, "", "all")] == [focal, "all"]


def test_shares_of_a_group_column_add_up(study):
    shares = group_shares(study, populations(study, "all"), "race", conf_level=0.95)
    assert shares["estimate"].sum() == pytest.approx(100)
    assert round(shares.set_index("term").loc["race=black", "estimate"]) == 46  # P197


def test_the_share_interval_is_wilsons():
    found = share_interval(81, 263, conf_level=0.95)  # Newcombe (1998), example a: 0.2553 to 0.3662
    assert (round(found["conf_low"], 2), round(found["conf_high"], 2)) == (25.53, 36.62)
    assert share_interval(0, 0, conf_level=0.95)["status"] == "too_few"


def test_rows_of_another_shape_are_refused():
    assert tuple(estimates([{"term": "a"}]).columns) == ESTIMATE_COLUMNS
    with pytest.raises(ValueError, match="outside the row shape: student"):
        estimates([{"term": "a", "student": 1}])
    with pytest.raises(ValueError, match="1 row ids stand for more than one result"):
        estimates([{"term": "a"}, {"term": "a"}])
    with pytest.raises(ValueError, match="unknown status"):
        estimates([{"term": "a", "status": "fine"}])


def test_a_mediator_is_named_and_read_back():
    assert mediator_of(mediated_by("personalization")) == "personalization"
    assert mediator_of("direct") == ""


def test_a_model_on_fewer_than_two_students_for_each_parameter_is_not_estimated(study):
    """D7: the model has 8 loadings less one, 8 residuals, 2 more variances and a path, 18 in all."""
    everyone = study.population("all")
    few = dataclasses.replace(everyone, frame=everyone.frame.head(110))
    none = {outcome: "" for outcome in study.codebook.outcomes}
    book, outcome = study.codebook, study.codebook.outcomes[0]

    def fitted(per_parameter: float):
        rules = dataclasses.replace(book.disclosure, latent_n_per_parameter=per_parameter)
        other = dataclasses.replace(study, codebook=dataclasses.replace(book, disclosure=rules))
        table = direct_effects(
            other, [few], outcomes=[outcome], covariates=none, conf_level=0.95, missing="listwise"
        )
        return table.iloc[0]

    n = fitted(2.0)["n_obs"]
    assert fitted(n / 18)["status"] == "ok"
    assert fitted(n / 18 + 0.01)["status"] == "too_few"
    assert fitted(n / 18 + 0.01)["status_reason"] == "not estimated: too few students"
