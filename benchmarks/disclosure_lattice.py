"""Campaign: how much of the filters' lattice stays published, and what is hidden of the focal and reference group.

    python -m benchmarks.disclosure_lattice

For the shipped study: the codebook's offer, its free columns combined by two and by three, and all columns in any
number. Shares are weighted by students; what the study's own report has printed is counted in.
"""

from __future__ import annotations

import sys
import time

from benchmarks.record import write_result
from lib.disclosure.lattice import choose_lattice
from lib.study.load import Study, load_study

OFFERED, LEAST = "the offer", 0.8


def lattices(study: Study) -> dict[str, dict]:
    """Arguments of ``choose_lattice`` by what they stand for."""
    settings = study.codebook.disclosure
    every = (*settings.filter_columns, *settings.filter_alone)
    return {
        OFFERED: {},
        "two columns": {"columns": settings.filter_columns, "max_depth": 2},
        "three columns": {"columns": settings.filter_columns, "max_depth": 3},
        "all columns": {"columns": every, "max_depth": len(every)},
    }


def measured(study: Study, **asked) -> dict:
    """States with k students or more, how many are published, and the shares kept and hidden."""
    start = time.process_time()
    lattice = choose_lattice(study, **asked)
    focal, reference = lattice.hidden_shares
    return {
        "states": len(lattice.states), "published": len(lattice.offered),
        "kept_share": round(lattice.kept_share, 4), "hidden_share_focal": round(focal, 4),
        "hidden_share_reference": round(reference, 4), "cpu_seconds": round(time.process_time() - start, 1),
    }  # fmt: skip


def main() -> int:
    study = load_study()
    result = {name: measured(study, **asked) for name, asked in lattices(study).items()}
    write_result("disclosure_lattice", seed=0, result={"least_share": LEAST} | result)
    return int(result[OFFERED]["kept_share"] < LEAST)


if __name__ == "__main__":
    sys.exit(main())
