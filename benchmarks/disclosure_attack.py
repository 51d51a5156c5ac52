"""Campaign: an attacker that shares no code with the gate tries to recover what it hides.

    python -m benchmarks.disclosure_attack [STUDIES] [SEED]

Each study of 200 to 2,000 students gives a protected count table, attacked by linear programming with and
without the wording of its hidden cells, and a lattice of filter states, attacked by rank.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from benchmarks.record import write_result
from lib.disclosure.differencing import cells_of, small_sets
from lib.disclosure.lattice import choose_lattice
from tests.disclosure_attacker import in_real_span
from tests.disclosure_studies import random_students, study_of
from tests.test_disclosure_complementary import TABLES, attack
from tests.test_disclosure_differencing import sets_by_students

COLUMNS = ("race", "gender", "grade_level", "school")
K, EVERY = 10, 20


def attack_lattice(seed: int, n: int) -> tuple[int, int]:
    """Small sets of one random study, and how many lie in the span of the states chosen."""
    students = random_students(seed, n)
    lattice = choose_lattice(study_of(students), columns=COLUMNS, max_depth=2)
    cells = cells_of(students, COLUMNS)
    published = np.array([cells.indicator(lattice.rule(state)) for state in lattice.offered])
    targets = sets_by_students(cells, small_sets(cells, k=K))
    return len(targets), int(in_real_span(targets, published).sum()) if len(targets) else 0


def run(studies: int, seed: int) -> Iterator[dict]:
    """Hidden cells and small sets of the studies so far, and how many were recovered."""
    hidden = recovered = sets = derived = 0
    for study in range(studies):
        n = int(np.random.default_rng(seed + study).integers(200, 2001))
        found = attack(seed + study, n, TABLES[study % 2])
        hidden, recovered = hidden + found[0], recovered + int(found[1])
        found = attack_lattice(seed + study, n)
        sets, derived = sets + found[0], derived + found[1]
        if (study + 1) % EVERY == 0 or study + 1 == studies:
            yield {
                "asked": studies, "studies": study + 1, "hidden_cells": hidden, "recovered_cells": recovered,
                "small_sets": sets, "derived_sets": derived,
                "left_out": "pytauargus and acro, which the lock file does not hold",
            }  # fmt: skip


def main() -> int:
    given = [int(value) for value in sys.argv[1:]]
    studies, seed = given + [1000, 20260302][len(given) :]
    for result in run(studies, seed):
        write_result("disclosure_attack", seed=seed, result=result)
    return 0 if result["recovered_cells"] == 0 and result["derived_sets"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
