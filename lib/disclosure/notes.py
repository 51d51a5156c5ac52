"""What a reader is told about a table's hidden values, without the counts that were hidden (D14)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from lib.disclosure.members import members
from lib.disclosure.rules import COUNTED_UNITS, caution_words
from lib.study.load import Study

HIDDEN = ("hidden", "too_few")
STEP = 5
OTHER_UNITS = tuple(unit for unit in COUNTED_UNITS if unit != "students")


def table_notes(rows: pd.DataFrame, study: Study, *, printed: int) -> tuple[str, ...]:
    """Sentences under a table: how much is hidden, whom that costs, which values need caution.

    Parameters
    ----------
    rows : DataFrame
        Rows after the gate.
    study : Study
    printed : int
        Values that are shown only because the study is synthetic and its own report prints them (D16).
    """
    hidden = rows["status"].isin(HIDDEN)
    notes = []
    if hidden.any():
        notes.append(f"{int(hidden.sum())} of {len(rows)} values are not shown.")
        of_students = ~rows["unit"].isin(OTHER_UNITS)
        cost = (
            equity_cost(rows[of_students], hidden[of_students], study) if (hidden & of_students).any() else ""
        )
        notes += [cost] if cost else []
    cautious = rows["status_reason"].str.contains(caution_words(study.codebook.disclosure), regex=False)
    if cautious.any():
        notes.append(
            f"{int(cautious.sum())} of {len(rows)} values rest on fewer than "
            f"{study.codebook.disclosure.caution_n} students: interpret with caution."
        )
    if printed:
        notes.append(
            f"{printed} of {len(rows)} values are shown because the study's own report prints them; "
            "on student records they would be hidden."
        )
    return tuple(notes)


def equity_cost(rows: pd.DataFrame, hidden: pd.Series, study: Study) -> str:
    """Share of the focal and of the reference group's students hidden by a table, as one sentence.

    Each row counts its members of the group. Shares are rounded up in steps of 5 percent or of k
    students, whichever is larger, so that the sentence gives no hidden count away.
    """
    behind = [members(study, row.population, row.group) for row in rows.itertuples()]
    parts = []
    for key in (study.codebook.focal, study.codebook.reference):
        group = members(study, key)
        if group is None or not group.any():
            return ""
        sizes = np.array([0.0 if mask is None else float((mask & group).sum()) for mask in behind])
        share = sizes[hidden.to_numpy()].sum() / max(sizes.sum(), 1.0)
        step = max(STEP, 100 * study.codebook.disclosure.k / group.sum())
        bound = min(100, math.ceil(step * math.ceil(round(100 * share / step, 9))))
        amount = f"at most {bound} percent" if share else "none"
        parts.append(f"{amount} of what it holds on {study.codebook.label(key)}")
    return f"To protect students, this table hides {parts[0]} and {parts[1]}."
