"""Campaign: attackers that share no code with the gate try to recover what it hides.

    [LWO_ORACLES=PYTHON] python -m benchmarks.disclosure_attack [STUDIES] [SEED]

Each study of 200 to 2,000 students gives a protected count table, attacked by linear programming with and
without the wording of its hidden cells, and a lattice of filter states, attacked by rank. Where they are installed
(see tests/disclosure_oracles.py), pytauargus attacks the same table, and of every fifth study acro, which takes half a
second for a table, says which inner cells are too small.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

import numpy as np

from benchmarks.record import write_result
from lib.disclosure.differencing import cells_of, small_sets
from lib.disclosure.lattice import choose_lattice
from tests.disclosure_attacker import in_real_span, relations
from tests.disclosure_oracles import Oracle, lacking
from tests.disclosure_studies import random_students, study_of
from tests.test_disclosure_complementary import TABLES, attack, protected
from tests.test_disclosure_differencing import sets_by_students

COLUMNS = ("race", "gender", "grade_level", "school")
K, EVERY, ACRO_EVERY = 10, 20, 5


def attack_lattice(seed: int, n: int) -> tuple[int, int]:
    """Small sets of one random study, and how many lie in the span of the states chosen."""
    students = random_students(seed, n)
    lattice = choose_lattice(study_of(students), columns=COLUMNS, max_depth=2)
    cells = cells_of(students, COLUMNS)
    published = np.array([cells.indicator(lattice.rule(state)) for state in lattice.offered])
    targets = sets_by_students(cells, small_sets(cells, k=K))
    return len(targets), int(in_real_span(targets, published).sum()) if len(targets) else 0


def attack_tables(
    seed: int, n: int, columns: tuple[str, ...], oracle: Oracle, *, judged: bool
) -> dict[str, int]:
    """Hidden counts of one random study's table, what each attacker recovers, and where acro disagrees."""
    students, counts, seen = protected(seed, n, columns)
    adding_up = relations(seen, students)
    hidden, recovered = attack(counts, seen, adding_up)
    found = {"hidden_cells": hidden, "recovered_cells": recovered}
    if not lacking("pytauargus"):
        attacked, taken = attack(counts, seen, adding_up, oracle.bounds)
        found |= {"hidden_cells_pytauargus_attacked": attacked, "recovered_by_pytauargus": taken}
    if judged and not lacking("acro"):
        inner = {key: count < K for key, count in counts.items() if len(key) == len(columns)}
        small = {key for key, few in inner.items() if few}
        differ = len(oracle.suppressed(students, columns, k=K) ^ small)
        found |= {"inner_cells_acro_judged": len(inner), "inner_cells_acro_judged_otherwise": differ}
    return found


def run(studies: int, seed: int) -> Iterator[dict]:
    """Hidden cells and small sets of the studies so far, and how many were recovered."""
    total: Counter = Counter()
    left_out = [lacking(name) for name in ("pytauargus", "acro") if lacking(name)]
    with Oracle() as oracle:
        for study in range(studies):
            n = int(np.random.default_rng(seed + study).integers(200, 2001))
            total.update(
                attack_tables(seed + study, n, TABLES[study % 2], oracle, judged=study % ACRO_EVERY == 0)
            )
            sets, derived = attack_lattice(seed + study, n)
            total.update({"small_sets": sets, "derived_sets": derived})
            if (study + 1) % EVERY == 0 or study + 1 == studies:
                yield {"asked": studies, "studies": study + 1, **total, "left_out": left_out}


def main() -> int:
    given = [int(value) for value in sys.argv[1:]]
    studies, seed = given + [1000, 20260302][len(given) :]
    for result in run(studies, seed):
        write_result("disclosure_attack", seed=seed, result=result)
    found = (
        "recovered_cells",
        "derived_sets",
        "recovered_by_pytauargus",
        "inner_cells_acro_judged_otherwise",
    )
    return int(any(result.get(name, 0) for name in found))


if __name__ == "__main__":
    sys.exit(main())
