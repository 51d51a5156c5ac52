"""What protection costs: counted by hand, and rounded so that no hidden count follows."""

from __future__ import annotations

import pytest

from lib.analysis.estimates import estimates
from lib.disclosure.costs import filter_costs, hiding_costs
from lib.disclosure.gate import release
from lib.disclosure.lattice import choose_lattice
from tests.disclosure_studies import CODEBOOK, random_students, study_of

FOCAL, REFERENCE = CODEBOOK.focal, CODEBOOK.reference


@pytest.fixture(scope="module")
def people():
    return study_of(random_students(4, 600))


def result(population: str, n_obs: float, **more) -> dict:
    return {
        "model": "direct", "estimator": "mean", "population": population, "term": "ms_mastery",
        "estimate": 0.3, "n_obs": n_obs, "unit": "points",
    } | more  # fmt: skip


def value(table, **equal) -> float:
    for column, wanted in equal.items():
        table = table[table[column] == wanted]
    assert len(table) == 1
    return table["estimate"].iloc[0]


def test_values_are_counted_by_page_and_by_group(people):
    """Page one hides one of two results on the focal group, of the same size each; page two hides nothing."""
    one = release(estimates([result(FOCAL, 4), result(FOCAL, 300, term="ms_task_value")]), people)
    two = release(estimates([result(REFERENCE, 300)]), people)
    costs = hiding_costs({"One": one, "Two": two}, people)
    assert value(costs, group="One", contrast="values") == 2
    assert value(costs, group="One", contrast="not shown", unit="values") == 1
    assert value(costs, group="", contrast="values") == 3
    assert value(costs, group="One", population=FOCAL) == 50
    assert value(costs, group="Two", population=REFERENCE) == 0
    assert (release(costs, people).rows["status"] == "ok").all()


def test_counts_of_teachers_cost_no_student(people):
    teachers = result(FOCAL, 4, unit="teachers", estimate=4, contrast="count")
    page = release(estimates([result(FOCAL, 300), teachers]), people)
    costs = hiding_costs({"One": page}, people)
    assert value(costs, group="One", contrast="not shown", unit="values") == 1
    assert value(costs, group="One", population=FOCAL) == 0


def test_filter_states_are_those_of_the_lattice_and_shares_are_rounded_against_it(people):
    lattice, costs = choose_lattice(people), filter_costs(people)
    assert value(costs, contrast="states") == len(lattice.offered)
    assert value(costs, contrast="states") + value(costs, unit="filter states", contrast="not shown") == len(
        lattice.states
    )
    kept = value(costs, contrast="published")
    assert kept <= 100 * lattice.kept_share < kept + 0.2
    for key, lost, total in zip(
        (FOCAL, REFERENCE), lattice.hidden_shares, lattice.students.sum(axis=0)[1:], strict=True
    ):
        told = value(costs, population=key)
        step = max(0.1, 100 * CODEBOOK.disclosure.k / total)
        assert 100 * lost <= told + 1e-9 and told / step == pytest.approx(round(told / step))
    assert (release(costs, people).rows["status"] == "ok").all()


def test_fewer_filters_have_fewer_states(people):
    states = [value(filter_costs(people, max_filters=depth), contrast="states") for depth in (1, 2)]
    assert states[0] < states[1]
