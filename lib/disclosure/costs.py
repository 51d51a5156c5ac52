"""What protection costs: filter states left out and values hidden, in all and for the two groups compared.

Shares are rounded, to steps of at least k students, away from what would flatter the gate; no hidden count
follows from them (D14).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from lib.analysis.estimates import estimates
from lib.disclosure.gate import HIDDEN, Released
from lib.disclosure.lattice import choose_lattice
from lib.disclosure.notes import hidden_shares
from lib.disclosure.rules import SYNTHETIC_ONLY, units_behind
from lib.study.load import Study

FINEST = 0.1


def filter_costs(study: Study, *, max_filters: int | None = None) -> pd.DataFrame:
    """Filter states that may be published and those left out, as rows of the shared shape.

    Parameters
    ----------
    study : Study
    max_filters : int, optional
        Most columns in a state; by default the codebook's.

    Returns
    -------
    DataFrame
        Model ``filter states``: counts of states (contrast ``states`` and ``not shown``), the student-weighted
        share of states published (``published``), and the share left out of what all states hold on the focal
        and on the reference group (``not shown``, unit ``percent of states``).
    """
    columns = None if max_filters is None else study.codebook.disclosure.filter_columns
    lattice = choose_lattice(study, columns=columns, max_depth=max_filters)
    totals = lattice.students.sum(axis=0)
    steps = [max(FINEST, 100 * study.codebook.disclosure.k / max(total, 1.0)) for total in totals]
    kept = steps[0] * math.floor(round(100 * lattice.kept_share / steps[0], 9))
    base = {"model": "filter states", "estimator": "count", "term": "states", "population": ""}
    offered = len(lattice.offered)
    rows = [
        base | {"contrast": "states", "unit": "filter states", "estimate": offered},
        base | {"contrast": "not shown", "unit": "filter states", "estimate": len(lattice.states) - offered},
        base | {"contrast": "published", "unit": "percent of states", "estimate": kept, "estimator": "share"},
    ]
    groups = (study.codebook.focal, study.codebook.reference)
    for key, lost, step in zip(groups, lattice.hidden_shares, steps[1:], strict=True):
        share = step * math.ceil(round(100 * lost / step, 9))
        rows.append(
            base
            | {"population": key, "contrast": "not shown", "unit": "percent of states", "estimate": share}
            | {"estimator": "share"}
        )
    return estimates(rows)


def hiding_costs(pages: Mapping[str, Released], study: Study) -> pd.DataFrame:
    """How many values each page shows and hides, and whom that costs, as rows of the shared shape.

    Parameters
    ----------
    pages : mapping of str to Released
        What each page published, by its name.
    study : Study

    Returns
    -------
    DataFrame
        Model ``hidden values``; ``group`` names the page, and is empty for all pages together. Contrast
        ``values``, ``not shown`` and ``synthetic only`` (shown for no other reason, D16) are counts; for the focal
        and the reference population ``not shown`` is a share of what the page holds on the group's students.
    """
    tables = {page: released.rows for page, released in pages.items()}
    tables = {page: table for page, table in tables.items() if len(table)}
    if tables:
        tables[""] = pd.concat(tables.values(), ignore_index=True)
    rows = []
    for page, table in tables.items():
        base = {"model": "hidden values", "term": "values", "population": "", "group": page}
        hidden = table["status"].isin(HIDDEN)
        counts = {
            "values": len(table),
            "not shown": int(hidden.sum()),
            "synthetic only": int(table["status_reason"].str.contains(SYNTHETIC_ONLY, regex=False).sum()),
        }
        rows += [
            base | {"contrast": contrast, "unit": "values", "estimate": count}
            for contrast, count in counts.items()
        ]
        of_students = units_behind(table) == "students"
        for key, share in hidden_shares(table[of_students], hidden[of_students], study).items():
            rows.append(
                base
                | {"population": key, "contrast": "not shown", "unit": "percent of values", "estimate": share}
            )
    return estimates(rows)
