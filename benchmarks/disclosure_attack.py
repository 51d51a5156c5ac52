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


def attack_table(
    seed: int, n: int, columns: tuple[str, ...], oracle: Oracle, *, judged: bool
) -> tuple[dict, dict]:
    """Hidden counts of one random study's table and how many are recovered; the same by those whom others wrote."""
    students, counts, seen = protected(seed, n, columns)
    adding_up = relations(seen, students)
    hidden, recovered = attack(counts, seen, adding_up)
    asked: dict[str, int] = {}
    if not lacking("pytauargus"):
        attacked, taken = attack(counts, seen, adding_up, oracle.bounds)
        asked |= {"hidden_cells_attacked_by_pytauargus": attacked, "recovered_by_pytauargus": taken}
    if judged and not lacking("acro"):
        inner = {key: count < K for key, count in counts.items() if len(key) == len(columns)}
        differ = oracle.suppressed(students, columns, k=K) ^ {key for key, few in inner.items() if few}
        asked |= {"inner_cells_judged_by_acro": len(inner), "judged_otherwise_by_acro": len(differ)}
    return {"hidden_cells": hidden, "recovered_cells": recovered}, asked


def run(studies: int, seed: int) -> Iterator[tuple[dict, dict]]:
    """Hidden cells and small sets of the studies so far, and how many were recovered; what the oracles said."""
    own, others = Counter(), Counter()
    with Oracle() as oracle:
        for study in range(studies):
            n = int(np.random.default_rng(seed + study).integers(200, 2001))
            judged = study % ACRO_EVERY == 0
            found, asked = attack_table(seed + study, n, TABLES[study % 2], oracle, judged=judged)
            sets, derived = attack_lattice(seed + study, n)
            own.update(found | {"small_sets": sets, "derived_sets": derived})
            others.update(asked)
            if (study + 1) % EVERY == 0 or study + 1 == studies:
                so_far = {"asked": studies, "studies": study + 1}
                yield so_far | own, so_far | others if others else {}


def main() -> int:
    given = [int(value) for value in sys.argv[1:]]
    studies, seed = given + [1000, 20260302][len(given) :]
    for own, others in run(studies, seed):
        write_result("disclosure_attack", seed=seed, result=own)
        if others:
            write_result("disclosure_oracles", seed=seed, result=others)
    names = ("recovered_cells", "derived_sets", "recovered_by_pytauargus", "judged_otherwise_by_acro")
    return int(any((own | others).get(name, 0) for name in names))


if __name__ == "__main__":
    sys.exit(main())
