"""The gate: its rules on hand-made rows, and that there is no other door."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.analysis.estimates import estimates
from lib.disclosure.gate import NUMBER_COLUMNS, Released, ReleasedRow, release
from lib.disclosure.rules import units_behind
from lib.errors import DisclosureError, ReportError
from tests.disclosure_studies import CODEBOOK, STUDY, study_of

FEW = "not shown: fewer than 10 students"
PROTECTS = "not shown to protect another group"


def count(population: str, estimate: float, **more) -> dict:
    return {
        "model": "counts", "estimator": "count", "population": population, "term": "students", "unit": "students",
        "estimate": estimate, "n_obs": estimate,
    } | more  # fmt: skip


def share(term: str, estimate: float, n_obs: float, **more) -> dict:
    return {
        "model": "frequency", "estimator": "share", "population": "all", "term": term, "unit": "percent",
        "estimate": estimate, "n_obs": n_obs,
    } | more  # fmt: skip


def effect(term: str, n_obs: float, **more) -> dict:
    return {
        "model": "direct", "estimator": "SEM, maximum likelihood", "population": "all", "term": term,
        "unit": "SD per SD", "estimate": 0.12345, "std_error": 0.04, "n_obs": n_obs,
    } | more  # fmt: skip


def reasons(*rows: dict) -> list[str]:
    return [row.status_reason for row in release(estimates(list(rows)), STUDY)]


def test_groups_under_k_are_hidden_in_words():
    released = release(estimates([count("black", 9), count("white", 10), count("math", 300)]), STUDY)
    assert [row.status for row in released] == ["too_few", "ok", "ok"]
    hidden = released.row(population="black")
    assert hidden.status_reason == FEW
    assert all(np.isnan(hidden.values[column]) for column in NUMBER_COLUMNS)


def test_few_persons_counted_out_of_many_are_hidden_too():
    few_teachers = FEW.replace("students", "teachers")
    rows = [count("all", 5, n_obs=300), count("math", 5, n_obs=138, unit="teachers")]
    assert reasons(*rows) == [FEW, few_teachers]
    rating = effect("a", 9, model="teacher rating", estimator="mean", unit="points", population="")
    assert reasons(rating) == [few_teachers]


def test_focus_groups_and_remarks_are_counted_in_view():
    rows = [count("all", 3, unit="focus groups", n_obs=8), count("black", 2, unit="remarks", n_obs=20)]
    assert [row.status for row in release(estimates(rows), STUDY)] == ["ok", "ok"]


@pytest.mark.parametrize(
    ("n_obs", "low", "high"), [(400, 1, 99), (150, 2, 98), (60, 5, 95), (30, 10, 90), (12, 20, 80)]
)
def test_percentages_are_coded_at_both_ends_by_n(n_obs, low, high):
    assert reasons(share("a", low, n_obs))[0] == f"at most {low} percent"
    assert reasons(share("a", high, n_obs))[0] == f"at least {high} percent"
    inside = release(estimates([share("a", low + 5, n_obs)]), STUDY).row()
    assert inside.estimate == low + 5


def test_a_coded_share_cannot_be_had_from_the_others():
    shares = [share("a", 1, 200), share("b", 40, 200), share("c", 59, 200)]
    released = release(estimates(shares), STUDY)
    assert [row.status_reason for row in released] == ["at most 2 percent", PROTECTS, ""]


def test_a_share_explained_is_no_share_of_students():
    rows = [effect("grade_math_or_ela", 400, unit="percent", contrast="share_explained", estimate=100.0)]
    assert release(estimates(rows), STUDY).row().estimate == 100


def test_latent_models_need_their_students():
    assert reasons(effect("a", 99), effect("b", 100)) == ["not estimated: too few students", ""]


def test_extremes_and_outer_percentiles_are_never_shown():
    rows = [effect("minimum", 400, estimator="description"), effect("p95", 150, estimator="description")]
    assert reasons(*rows) == [PROTECTS, PROTECTS]
    assert reasons(effect("p95", 400, estimator="description")) == [""]


def test_spreads_need_three_clusters():
    rows = [effect("icc", 400, n_clusters=2), effect("icc", 400, n_clusters=3, population="math")]
    assert reasons(*rows) == [PROTECTS, ""]


def test_a_mean_without_variance_is_hidden():
    mean = {"estimator": "mean", "unit": "points"}
    top = CODEBOOK.scales["env_peer_support"].high
    rows = [effect("hq_exchange", 40, **mean, std_error=0.0)]
    rows += [effect("env_peer_support", 40, **mean, estimate=top, population="math")]
    assert reasons(*rows) == [PROTECTS, PROTECTS]


def test_estimates_are_rounded_and_small_samples_marked():
    row = release(estimates([effect("a", 147)]), STUDY).row()
    assert (row.estimate, row.n_obs) == (0.123, 150)
    cautious = release(estimates([effect("a", 40, estimator="mean")]), STUDY).row()
    assert cautious.shown and cautious.caution
    assert cautious.status_reason == "interpret with caution: fewer than 62 students"
    rating = effect("a", 29, model="teacher rating", estimator="mean", unit="points", population="")
    released = release(estimates([rating]), STUDY)
    assert released.row().caution
    assert released.row().status_reason == "interpret with caution: fewer than 62 teachers"
    assert released.notes == ("1 of 1 values rest on fewer than 62 teachers: interpret with caution.",)


def test_a_hidden_group_does_not_follow_from_the_total():
    students = pd.DataFrame({"race": ["black"] * 40 + ["white"] * 30 + ["asian"] * 6})
    study = study_of(students)
    rows = [count("all", 76), count("black", 40), count("white", 30), count("other", 6)]
    released = release(estimates(rows), study)
    assert [row.status_reason for row in released] == ["", "", PROTECTS, FEW]
    means = [row | {"unit": "points", "estimator": "mean", "estimate": 2.5} for row in rows]
    assert [row.status for row in release(estimates(means), study)] == ["ok", "ok", "hidden", "too_few"]


def test_notes_tell_the_cost_to_focal_and_reference_group_coarsely():
    students = pd.DataFrame({"race": ["black"] * 40 + ["white"] * 30 + ["asian"] * 6})
    rows = [count("all", 76), count("black", 40), count("white", 30), count("other", 6)]
    notes = release(estimates(rows), study_of(students)).notes
    assert notes[0] == "2 of 4 values are not shown."
    assert notes[1] == (
        "To protect students, this table hides none of what it holds on Black students "
        "and at most 67 percent of what it holds on White students."
    )


def test_figures_of_the_study_s_own_report_are_shown_only_where_the_study_is_synthetic():
    published = pd.DataFrame(
        {
            "value": ["4", "0.12", "6"],
            "exhibit": ["7", "7;9", "7"],
            "unit": ["teachers", "SD per SD", "focus groups"],
        }
    )
    teachers = {"unit": "teachers", "exhibit": "7"}
    row = [count("all", 4, **teachers), count("math", 5, **teachers), count("ela", 6, **teachers)]
    shown = {
        True: ["ok", "too_few", "too_few"],
        False: ["too_few"] * 3,
    }  # six focus groups are not six teachers
    for synthetic, expected in shown.items():
        codebook = dataclasses.replace(CODEBOOK, synthetic=synthetic)
        released = release(estimates(row), SimpleNamespace(codebook=codebook, published=published))
        assert [one.status for one in released] == expected


def test_there_is_no_other_door():
    released = release(estimates([count("math", 300), count("black", 4)]), STUDY)
    with pytest.raises(DisclosureError, match="release"):
        Released(pd.DataFrame(), CODEBOOK, ())
    for stored in (
        pickle.dumps,
        dataclasses.asdict,
        lambda one: dataclasses.replace(one, rows=pd.DataFrame()),
    ):
        with pytest.raises((DisclosureError, TypeError)):
            stored(released)
    with pytest.raises(DisclosureError):
        list(object.__new__(Released))
    with pytest.raises(DisclosureError):
        object.__new__(ReleasedRow).estimate  # noqa: B018
    with pytest.raises(DisclosureError):
        type("Free", (Released,), {"rows": pd.DataFrame()})
    assert copy.copy(released) is released and copy.deepcopy(released) is released
    for name in ("rows", "notes", "estimate"):
        with pytest.raises(AttributeError):
            setattr(released, name, "other")
        with pytest.raises(AttributeError):
            object.__setattr__(released, name, "other")


def test_what_is_handed_out_cannot_change_what_was_released():
    released = release(estimates([count("math", 300)]), STUDY)
    handed = released.rows
    handed.loc[0, "estimate"] = 4
    row = released.row()
    row.values["estimate"] = 4
    assert row.estimate == released.row().estimate == 300


def test_what_only_a_synthetic_study_may_show_is_marked_and_counted():
    """D16: the printed 8 is shown; on student records it would be hidden, and so would a neighbour of its sum."""
    printed = pd.DataFrame({"value": ["8"], "unit": ["students"], "exhibit": ["6"]})
    rows = [count("all", 320), count("math", 150), count("ela", 162), count("none", 8)]
    table = estimates([row | {"exhibit": "6", "group": "" if row["population"] == "all" else f"subject={row['population']}",
                              "population": "all"} for row in rows])  # fmt: skip
    shown = release(table, SimpleNamespace(codebook=CODEBOOK, published=printed, students=None))
    reasons = dict(zip(shown.rows["group"], shown.rows["status_reason"], strict=True))
    assert set(shown.rows["status"]) == {"ok"}
    assert reasons["subject=none"] == "published: student records would hide it"
    lost = [group for group, reason in reasons.items() if reason]
    assert len(lost) == 2 and f"{len(lost)} of 4 values are shown because" in " ".join(shown.notes)
    real = dataclasses.replace(CODEBOOK, synthetic=False)
    hidden = release(table, SimpleNamespace(codebook=real, published=printed, students=None)).rows
    assert set(hidden.loc[hidden["status"] != "ok", "group"]) == set(lost)


def test_a_row_cannot_be_made_from_values():
    row = release(estimates([count("math", 300)]), STUDY).row()
    with pytest.raises(DisclosureError, match="come from lib.disclosure.gate.release"):
        ReleasedRow(values=row.values | {"estimate": 4.0}, codebook=CODEBOOK)


POPULATIONS = ("all", "black", "white", "other", "math", "ela")


@st.composite
def tables(draw) -> pd.DataFrame:
    rows = []
    for population in draw(st.lists(st.sampled_from(POPULATIONS), unique=True, min_size=1)):
        for term in draw(st.lists(st.sampled_from(("a", "b", "c")), unique=True, min_size=1)):
            n = draw(st.integers(0, 120))
            unit = draw(st.sampled_from(("students", "percent", "points", "SD per SD", "teachers")))
            value = n if unit in ("students", "teachers") else draw(st.floats(0, 100))
            rows.append(count(population, value, term=term, unit=unit, n_obs=n))
    return estimates(rows)


@settings(max_examples=25, deadline=None)
@given(tables())
def test_property_never_fewer_than_k_and_releasing_twice_changes_nothing(table):
    released = release(table, STUDY)
    shown = released.rows[released.rows["status"] == "ok"]
    assert not (shown["n_obs"] < 10).any()
    assert not (shown["estimate"] < 10)[shown["unit"].isin(["students", "teachers"])].any()
    again = release(released.rows, STUDY)
    pd.testing.assert_frame_equal(again.rows, released.rows)
    assert again.notes == released.notes


@settings(max_examples=15, deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_property_the_order_of_rows_and_calls_does_not_matter(table, random):
    once = release(table, STUDY).rows.set_index("row_id")
    release(table.iloc[:1], STUDY)
    order = list(range(len(table)))
    random.shuffle(order)
    other = release(table.iloc[order], STUDY).rows.set_index("row_id")
    pd.testing.assert_frame_equal(other.loc[once.index], once)


def test_errors_are_the_project_s_own():
    assert issubclass(DisclosureError, ReportError)


def test_a_construct_named_after_teachers_does_not_make_students_teachers():
    rows = estimates(
        [
            {"model": "mediation by env_teacher_expect", "estimator": "SEM", "term": "a", "n_obs": 870},
            {"model": "teacher rating", "estimator": "mean", "term": "b", "n_obs": 54},
        ]
    )
    assert list(units_behind(rows)) == ["students", "teachers"]


def test_a_mean_without_variance_does_not_follow_from_the_other_group_and_the_difference():
    rating = {"model": "teacher rating", "estimator": "mean", "term": "item", "unit": "points", "n_obs": 40}
    rows = [
        rating | {"n_obs": 80, "estimate": 3.2, "std_error": 0.1},
        rating | {"group": "subject=math", "estimate": 2.4, "std_error": 0.1},
        rating | {"group": "subject=ela", "estimate": 3.9, "std_error": 0.0},
        rating
        | {
            "group": "subject=ela & subject=math",
            "contrast": "difference",
            "estimate": 1.5,
            "std_error": 0.1,
        },
    ]
    shown = release(estimates(rows), STUDY).rows["status"]
    assert list(shown) == ["ok", "hidden", "hidden", "hidden"]
