"""Two populations side by side: who is compared, on which columns, and with which correction.

The first population is the focal one and the second the reference: a difference is first minus second.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lib.analysis.multiplicity import benjamini_hochberg, family_of, holm
from lib.errors import StudyError
from lib.study.codebook import Codebook
from lib.study.load import Population, Study

GROUP = "group_"  # column of a pair's data; no codebook key ends so
TOO_FEW = "not estimated: too few students"


@dataclass(frozen=True)
class Pair:
    """Two populations without common students.

    Attributes
    ----------
    first, second : Population
    frame : DataFrame
        Students of both, the first population's above; column ``GROUP`` holds the population's key.
    """

    first: Population
    second: Population
    frame: pd.DataFrame = field(repr=False)

    @property
    def both(self) -> tuple[Population, Population]:
        """The two populations, in order."""
        return self.first, self.second

    @property
    def keys(self) -> dict[str, str]:
        """Row columns of a comparison."""
        return {"population": self.first.key, "group": self.second.key}


def pair_of(study: Study, first: str, second: str) -> Pair:
    """Two named populations to compare.

    Raises
    ------
    StudyError
        If a name is unknown, or the two have students in common.
    """
    found = [study.population(name) for name in (first, second)]
    ids = next(key for key, column in study.codebook.columns_of("students").items() if column.role == "id")
    if found[0].frame[ids].isin(found[1].frame[ids]).any():
        raise StudyError(
            f"populations {found[0].key!r} and {found[1].key!r} have students in common; name two that have none"
        )
    frames = [one.frame.assign(**{GROUP: one.key}) for one in found]
    return Pair(*found, pd.concat(frames, ignore_index=True))


def corrected_tests(rows: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Rows with Holm's and Benjamini and Hochberg's p-values of their tests of a difference.

    A family is the construct domain within what is compared; rows of one population alone are no such test.
    """
    rows = rows.copy()
    tests = rows[(rows["group"] != "") & rows["p_value"].notna() & (rows["status"] == "ok")]
    if tests.empty:
        return rows
    for _, members in tests.groupby(family_of(tests, codebook, by="domain")):
        p = members["p_value"].to_numpy(float)
        rows.loc[members.index, "p_holm"] = holm(p)
        rows.loc[members.index, "p_bh"] = benjamini_hochberg(p)
    return rows


def tail_p(drawn: np.ndarray) -> float:
    """Two-sided p-value that belongs to a percentile interval: twice the smaller tail beyond zero."""
    beyond = min((drawn <= 0).sum(), (drawn >= 0).sum()) + 1
    return float(min(1.0, 2 * beyond / (len(drawn) + 1)))
