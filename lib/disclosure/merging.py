"""Small groups together (DISCLOSURE.md, D4): levels too small to be shown, added up where they can be.

Counts of students by the levels of one column, and shares of each level, add up, since no student has two levels (a
teacher of two classes may). Where two levels or more are too small and hold enough together, one row for all of them
is offered to the gate beside theirs.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from lib.disclosure.rules import TOGETHER, is_share, numerators, units_behind
from lib.study.codebook import Codebook

LEVEL = r"^(\w+)=([^|&=<>]+)$"
ROLES = ("group", "covariate")
NAMES = ("model", "estimator", "unit", "contrast")
COUNTS = ("", "count")
STUDENTS = "students"


def small_groups_together(
    rows: pd.DataFrame, open_to: pd.Series, codebook: Codebook
) -> Iterator[tuple[dict, tuple[str, ...]]]:
    """Rows that say of several small levels together what may not be said of each.

    Only where a table has one line of levels: the same levels in several lines (a crossed table) hang together
    with other sums.

    Parameters
    ----------
    rows : DataFrame
        The shared row shape, before anything is hidden.
    open_to : Series of bool
        Rows that count: with a number, and not printed before.
    codebook : Codebook

    Yields
    ------
    tuple of dict and tuple of str
        A row, whose ``group`` or ``term`` joins the levels with ``|``; ids of the rows that it adds up.
    """
    open_to = open_to & (units_behind(rows) == STUDENTS)
    counts = (rows["unit"] == STUDENTS) & rows["contrast"].isin(COUNTS)
    shares = is_share(rows) & (rows["contrast"] == "")
    sizes = rows["estimate"].where(counts, rows["n_obs"])
    if (open_to & (counts | shares) & (sizes < codebook.disclosure.k)).sum() < 2:
        return
    for dimension, other in (("group", "term"), ("term", "group")):
        adding_up = counts | shares if dimension == "group" else counts
        named = rows.loc[open_to & adding_up, dimension].str.extract(LEVEL).dropna()
        named = named[[_is_of_groups(name, codebook) for name in named[0]]]
        if len(named) < 2:
            continue
        lines = rows.loc[named.index].assign(column=named[0], level=named[1])
        for _, line in lines.groupby([*NAMES, "column"], sort=True):
            one = len(line[["population", other]].drop_duplicates()) == 1 and line["level"].is_unique
            small = line[one & (sizes[line.index] < codebook.disclosure.k)]
            added = _added_up(small, k=codebook.disclosure.k) if len(small) > 1 else None
            if added:
                yield _named(small, dimension, codebook) | added, tuple(sorted(small["row_id"]))


def _is_of_groups(name: str, codebook: Codebook) -> bool:
    column = codebook.columns.get(name)
    return column is not None and column.role in ROLES and bool(column.levels)


def _added_up(small: pd.DataFrame, *, k: int) -> dict | None:
    """Estimate and n of levels together; None where they hold too few or do not add up."""
    n = small["n_obs"].sum()
    if small["unit"].iloc[0] == STUDENTS:
        total, own = small["estimate"].sum(), (small["n_obs"] == small["estimate"]).all()
        n = n if own else small["n_obs"].iloc[0]
        return (
            {"estimate": total, "n_obs": n} if total >= k and (own or small["n_obs"].nunique() == 1) else None
        )
    counted = numerators(small).sum()
    return {"estimate": 100 * counted / n, "n_obs": n} if counted >= k and n - counted >= k else None


def _named(small: pd.DataFrame, dimension: str, codebook: Codebook) -> dict:
    """Names of the levels together."""
    column, first = small["column"].iloc[0], small.iloc[0]
    levels = [level for level in codebook.columns[column].levels if level in set(small["level"])]
    shared = {name: first[name] for name in (*NAMES, "population", "group", "term")}
    kept = {name: first[name] if small[name].nunique() == 1 else "" for name in ("exhibit", "finding")}
    return shared | kept | {
        "row_id": " + ".join(sorted(small["row_id"])), dimension: f"{column}={'|'.join(levels)}",
        "status": "ok", "status_reason": TOGETHER,
    }  # fmt: skip
