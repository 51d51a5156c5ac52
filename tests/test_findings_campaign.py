"""A seeded sample of the campaign: rules hold where the population has what they say, and not where it has nothing."""

from __future__ import annotations

import pytest

from benchmarks.findings_campaign import FEWEST_REPLICATED, MOST_BY_CHANCE, compute, judged, summary

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


@pytest.fixture(scope="module")
def runs(tmp_path_factory, study):
    store = tmp_path_factory.mktemp("campaign")
    found = {}
    for kind in ("null", "replication"):
        compute(kind, 0, seed=7, chapters=CHAPTERS, store=store)
        found[kind] = [judged(kind, 0, chapters=CHAPTERS, store=store, study=study)]
    return found


def test_rules_hold_in_a_replication_and_not_where_there_is_nothing(runs):
    assert {key for key in FOUND if not runs["replication"][0][key].held} == set()
    assert {key for key in FOUND if runs["null"][0][key].held} == set()


def test_rates_leave_out_findings_whose_chapters_were_not_run(runs, study):
    rates = summary(runs, study)
    assert (rates["1a-1"]["chance"], rates["1a-1"]["replicates"], rates["1a-1"]["replicates_of"]) == (0, 1, 1)
    assert "chance" not in rates["2b-1"]


def test_the_limits_are_those_of_the_exact_binomial():
    from scipy import stats

    assert stats.binom.sf(MOST_BY_CHANCE, 200, 0.05) == pytest.approx(0.003, abs=0.0005)
    assert stats.binom.cdf(FEWEST_REPLICATED - 1, 200, 0.8) == pytest.approx(0.01, abs=0.0005)


def test_a_study_that_is_not_complete_is_not_judged(tmp_path, study):
    assert judged("null", 0, chapters=CHAPTERS, store=tmp_path, study=study) is None
