"""Simulate a whole study folder from ``population.yml`` and its codebook."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.study.codebook import Codebook
from lib.study.simulate_missing import take_answers_away
from lib.study.simulate_roster import simulate_roster
from lib.study.simulate_students import simulate_students


def draw_students(population: dict, codebook: Codebook, *, n: int | None, seed: int) -> pd.DataFrame:
    """One draw of the students' table; see ``simulate``."""
    rng = np.random.default_rng(seed)
    population["scores"]["location"] = population["exposure"]["location"]
    roster = simulate_roster(population, codebook, n=n, rng=rng)
    students = simulate_students(roster, population, codebook, rng=rng)
    return take_answers_away(students, population["missing"], codebook, rng=rng)
