"""A seeded sample of the campaign: rules hold where the population has what they say, and not where it has nothing."""

from __future__ import annotations

import pytest

from benchmarks.findings_campaign import (
    FEWEST_REPLICATED,
    MOST_BY_CHANCE,
    compute,
    count_met,
    hangs_on_one_test,
    judged,
    missed,
    summary,
)
from lib.analysis.findings import PartResult

CHAPTERS = ("rq1-relationships", "rq2-frequency")
FOUND = {
    "1a-1",
    "1a-2",
    "1a-3",
    "1a-5",
    "1a-6",
    "1b-2",
    "1b-5",
    "1a-s1",
    "1a-s7",
}  # hold in nearly every replication
STUDIES = 3  # of either kind


@pytest.fixture(scope="module")
def runs(tmp_path_factory, study):
    store = tmp_path_factory.mktemp("campaign")
    found = {}
    for kind in ("null", "replication"):
        for index in range(STUDIES):
            compute(kind, index, seed=7, chapters=CHAPTERS, store=store)
        found[kind] = [
            judged(kind, index, chapters=CHAPTERS, store=store, study=study) for index in range(STUDIES)
        ]
    return found


def test_rules_hold_in_every_replication_and_never_where_there_is_nothing(runs):
    # by construction; a rule that held in 95 of 100 would fail here in 15 of 100 seeds, and these hold in all
    assert {key for key in FOUND for run in runs["replication"] if not run[key].held} == set()
    assert {key for key in FOUND for run in runs["null"] if run[key].held} == set()


def test_rates_leave_out_findings_whose_chapters_were_not_run(runs, study):
    rates = summary(runs, study)
    found = rates["1a-1"]
    assert (found["chance"], found["replicates"], found["replicates_of"]) == (0, 1, STUDIES)
    assert "chance" not in rates["2b-1"]


def test_each_test_of_a_part_is_counted_by_itself():
    # by construction: two of three studies meet the first test, one the second; a single test is no list
    found = [
        PartResult(None, False, met=("one",), missed=("two",), n=2),
        PartResult(None, True, met=("one", "two"), n=2),
        PartResult(None, False, missed=("one", "two"), n=2),
    ]
    assert count_met(found) == {"one": 2, "two": 1}
    assert count_met([PartResult(None, True, met=("one",), n=1)]) == {}


def test_a_finding_that_hangs_on_one_test_is_told_from_others(study):
    # 1a-s1 and 1c-s5 each name one path; 1c-1 asks for four scales, 1a-s4 asserts nothing, 1a-s2 has no test
    alone = {key for key, rule in study.rules.items() if hangs_on_one_test(rule)}
    assert {"1a-s1", "1c-s5", "2a-3"} <= alone and not {"1c-1", "1a-s4", "1a-s2", "1b-s4"} & alone
    entries = {
        "a": {"single_test": True, "chance": 0.1, "replicates": 0.73},
        "b": {"single_test": True, "chance": 0.09},
    }
    assert missed(entries) == {"over_by_chance": ["a"], "replicated_too_seldom": ["a"]}


def test_the_limits_are_those_of_the_exact_binomial():
    from scipy import stats

    assert stats.binom.sf(MOST_BY_CHANCE, 200, 0.05) == pytest.approx(0.003, abs=0.0005)
    assert stats.binom.cdf(FEWEST_REPLICATED - 1, 200, 0.8) == pytest.approx(0.01, abs=0.0005)


def test_a_study_that_is_not_complete_is_not_judged(tmp_path, study):
    assert judged("null", 0, chapters=CHAPTERS, store=tmp_path, study=study) is None
