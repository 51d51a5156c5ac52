"""What a reader is told about a table's hidden values, without the counts that were hidden (D14)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from lib.disclosure.members import members
from lib.disclosure.rules import CAUTION, SYNTHETIC_ONLY, TOGETHER, units_behind
from lib.study.load import Study

HIDDEN = ("hidden", "too_few")
STEP = 5


def table_notes(rows: pd.DataFrame, study: Study) -> tuple[str, ...]:
    """Sentences under a table: how much is hidden, whom that costs, which values need caution.

    Parameters
    ----------
    rows : DataFrame
        Rows after the gate.
    study : Study
    """
    hidden = rows["status"].isin(HIDDEN)
    notes = []
    if hidden.any():
        notes.append(f"{int(hidden.sum())} of {len(rows)} values are not shown.")
        of_students = units_behind(rows) == "students"
        cost = (
            equity_cost(rows[of_students], hidden[of_students], study) if (hidden & of_students).any() else ""
        )
        notes += [cost] if cost else []
    joined = rows[rows["status_reason"].str.contains(TOGETHER, regex=False) & (rows["status"] == "ok")]
    for name in dict.fromkeys(
        name for pair in zip(joined["group"], joined["term"], strict=True) for name in pair if "|" in name
    ):
        notes.append(f"Counted together, since each alone is too small to be shown: {_levels(name, study)}.")
    cautious = rows["status_reason"].str.contains(CAUTION, regex=False)
    for units, count in units_behind(rows[cautious]).value_counts(sort=False).items():
        notes.append(
            f"{count} of {len(rows)} values rest on fewer than "
            f"{study.codebook.disclosure.caution_n} {units}: {CAUTION}."
        )
    lost = rows["status_reason"].str.contains(SYNTHETIC_ONLY, regex=False)
    if lost.any():
        notes.append(
            f"{int(lost.sum())} of {len(rows)} values are shown because the study is synthetic and its report "
            "prints them or others beside them; on student records they would be hidden."
        )
    return tuple(notes)


def _levels(name: str, study: Study) -> str:
    column, _, levels = name.partition("=")
    return ", ".join(study.codebook.label(f"{column}={level}") for level in levels.split("|"))


def equity_cost(rows: pd.DataFrame, hidden: pd.Series, study: Study) -> str:
    """Share of the focal and of the reference group's students hidden by a table, as one sentence."""
    parts = [
        f"{f'at most {bound:.0f} percent' if bound else 'none'} of what it holds on {study.codebook.label(key)}"
        for key, bound in hidden_shares(rows, hidden, study).items()
    ]
    return f"To protect students, this table hides {parts[0]} and {parts[1]}." if len(parts) == 2 else ""


def hidden_shares(rows: pd.DataFrame, hidden: pd.Series, study: Study) -> dict[str, float]:
    """Percent of what rows hold on the focal and on the reference group that is hidden; 0 for nothing.

    Each row counts its members of the group. Shares are rounded up in steps of 5 percent or of k
    students, whichever is larger, so that they give no hidden count away. A group of nobody is left out.
    """
    named = list(zip(rows["population"], rows["group"], strict=True))
    behind = {pair: members(study, *pair) for pair in dict.fromkeys(named)}
    found = {}
    for key in (study.codebook.focal, study.codebook.reference):
        group = members(study, key)
        if group is None or not group.any():
            continue
        inside = {pair: 0.0 if mask is None else float((mask & group).sum()) for pair, mask in behind.items()}
        sizes = np.array([inside[pair] for pair in named])
        share = sizes[hidden.to_numpy()].sum() / max(sizes.sum(), 1.0)
        step = max(STEP, 100 * study.codebook.disclosure.k / group.sum())
        found[key] = float(min(100, math.ceil(step * math.ceil(round(100 * share / step, 9)))))
    return found
