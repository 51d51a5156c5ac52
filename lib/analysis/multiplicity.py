"""p-values corrected for the tests made beside them.

Benjamini and Hochberg (1995) control the false discovery rate and Holm (1979) the chance of any false rejection.
A family is the construct domain within an exhibit: what a reader sees side by side and takes as one
question.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from lib.study.codebook import Codebook


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Adjusted p-values, n; NaN stays NaN and is no test."""
    return _stepwise(
        p, lambda ordered, n: np.minimum.accumulate((ordered * n / np.arange(1, n + 1))[::-1])[::-1]
    )


def holm(p: np.ndarray) -> np.ndarray:
    """Adjusted p-values, n; NaN stays NaN and is no test."""
    return _stepwise(p, lambda ordered, n: np.maximum.accumulate(ordered * (n - np.arange(n))))


def _stepwise(p: np.ndarray, adjust) -> np.ndarray:
    adjusted = np.full(len(p), np.nan)
    tests = np.flatnonzero(~np.isnan(p))
    order = tests[np.argsort(p[tests], kind="stable")]
    if len(order):
        adjusted[order] = np.minimum(adjust(p[order], len(order)), 1)
    return adjusted


def p_values(rows: pd.DataFrame) -> np.ndarray:
    """Two-sided p-values of rows; one with an interval only gets the normal p of its estimate, NaN where neither is."""
    p = rows["p_value"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.abs(rows["estimate"].to_numpy(float) / rows["std_error"].to_numpy(float))
    normal = np.array([math.erfc(one / math.sqrt(2)) if np.isfinite(one) else np.nan for one in z])
    return np.where(np.isnan(p), normal, p)


def family_of(rows: pd.DataFrame, codebook: Codebook, *, by: str) -> pd.Series:
    """The family of each row: its exhibit (its model, where it belongs to none), who is compared, and its construct.

    Parameters
    ----------
    rows : DataFrame
        Rows of the shared shape.
    codebook : Codebook
    by : {"domain", "role"}
        The construct is the domain of the row's scale, or its role.
    """
    construct = {}
    for scale in codebook.scales.values():
        construct[scale.key] = (scale.domain or scale.key) if by == "domain" else scale.role
        construct |= dict.fromkeys(scale.items, scale.key if by == "domain" else scale.role)
    terms = [construct.get(term, "") for term in rows["term"]]
    place = rows["exhibit"].where(rows["exhibit"] != "", rows["model"])
    named = [place, rows["population"], rows["group"], rows["contrast"], pd.Series(terms, index=rows.index)]
    return pd.Series(["|".join(parts) for parts in zip(*named, strict=True)], index=rows.index, dtype=object)


def corrected(
    selections: Mapping[str, pd.DataFrame], rows: pd.DataFrame, *, families: pd.Series | None
) -> dict[str, pd.DataFrame]:
    """Selected rows with ``adjusted_bh`` and ``adjusted_holm``.

    Parameters
    ----------
    selections : mapping of str to DataFrame
        Rows that a rule selects.
    rows : DataFrame
        All results: a family may hold rows that the rule does not look at.
    families : Series or None
        The family of each row, as of ``family_of``; None makes one family of all that the rule selects.

    Returns
    -------
    dict
        The selections; corrections that a row brings itself (``p_bh``, ``p_holm``) stand.
    """
    if families is None:
        pool = pd.concat(selections.values()).drop_duplicates("row_id") if selections else rows.iloc[:0]
        families = pd.Series("", index=pool.index)
    else:
        wanted = {row for chosen in selections.values() for row in chosen["row_id"]}
        inside = set(families[rows["row_id"].isin(wanted)])
        pool = rows[families.isin(inside) & (rows["status"] == "ok")]
        families = families[pool.index]
    adjusted = {}
    for _, members in pool.groupby(families.to_numpy()) if len(pool) else ():
        p = p_values(members)
        for row, bh, by_holm in zip(members["row_id"], benjamini_hochberg(p), holm(p), strict=True):
            adjusted[row] = (bh, by_holm)
    return {name: _with(chosen, adjusted) for name, chosen in selections.items()}


def _with(rows: pd.DataFrame, adjusted: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    found = [adjusted.get(row, (np.nan, np.nan)) for row in rows["row_id"]]
    bh, by_holm = (np.array([pair[place] for pair in found], float) for place in (0, 1))
    return rows.assign(
        adjusted_bh=np.where(rows["p_bh"].isna(), bh, rows["p_bh"]) if len(rows) else [],
        adjusted_holm=np.where(rows["p_holm"].isna(), by_holm, rows["p_holm"]) if len(rows) else [],
    )
