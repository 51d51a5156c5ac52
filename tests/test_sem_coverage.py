"""A small, seeded part of the known-truth campaign (`benchmarks/sem_coverage.py`)."""

import pytest

from benchmarks.sem_coverage import CONDITIONS, QUANTITIES, find_truth, run_condition

STUDIES = 40


@pytest.mark.parametrize("missing", [False, True])
def test_parameters_are_recovered_and_intervals_cover(missing):
    truth = CONDITIONS["all paths"]
    target = find_truth(truth, seed=2, classes=3000)
    found = run_condition(truth, target, missing=missing, studies=STUDIES, seed=2)
    assert found["failed"] == 0
    for name in QUANTITIES:
        # 40 intervals of 95 % cover at least 33 times but for one campaign in 10,000
        assert found["coverage"][name] >= 33 / STUDIES
        error = found["sd_estimate"][name] * (1 / STUDIES + 1 / 55) ** 0.5
        # the truth itself is estimated, from 55 times as many classes
        assert found["mean_estimate"][name] == pytest.approx(target[name], abs=4 * error)


def test_the_indirect_test_keeps_its_level_when_one_path_is_zero():
    truth = CONDITIONS["b is zero"]
    found = run_condition(
        truth, find_truth(truth, seed=2, classes=500), missing=False, studies=STUDIES, seed=3
    )
    # 8 or more rejections in 40 at a level of 5 % happen once in 1,000 campaigns
    assert max(found["indirect_excludes_0"].values()) < 8 / STUDIES
