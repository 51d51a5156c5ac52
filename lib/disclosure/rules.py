"""Rules that look at one result row: who is too few, which share is lopsided, what is never shown.

Numbers of the rules: DISCLOSURE.md. Every function returns a mask over the rows or the words that
stand where a number is not shown (D12); none changes the rows.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from lib.analysis.estimates import ESTIMATE_COLUMNS, TEXT_COLUMNS
from lib.study.codebook import Codebook, DisclosureSettings

PERSONS = ("students", "teachers")
COUNTED_UNITS = (*PERSONS, "classrooms", "visits", "remarks", "focus groups", "interviews")
PROTECTS = "not shown to protect another group"
LATENT = re.compile(r"\b(?:SEM|CFA|latent)\b|^(?:ML|MLR|FIML)$", re.IGNORECASE)
EXTREMES = frozenset({"min", "max", "minimum", "maximum", "range", "outlier"})
PERCENTILE = re.compile(r"^(?:p|q|percentile[ _]?)(\d{1,2})$|^(median)$")
SPREADS = re.compile(r"\b(?:icc|variance|var)\b|cluster", re.IGNORECASE)
NUMBERS = tuple(column for column in ESTIMATE_COLUMNS if column not in TEXT_COLUMNS)
NAMES = ("term", "contrast", "estimator", "model")


def too_few_words(settings: DisclosureSettings) -> str:
    """The words for a group under k."""
    return f"not shown: fewer than {settings.k} students"


def caution_words(settings: DisclosureSettings) -> str:
    """The reliability mark (D13)."""
    return f"interpret with caution: fewer than {settings.caution_n} students"


def is_person_count(rows: pd.DataFrame) -> pd.Series:
    """Rows whose estimate counts students or teachers."""
    return rows["unit"].isin(PERSONS)


def is_free_count(rows: pd.DataFrame) -> pd.Series:
    """Counts of focus groups, interviews, visits and remarks, which are always shown (D15)."""
    return rows["unit"].isin(COUNTED_UNITS) & ~is_person_count(rows)


def is_share(rows: pd.DataFrame) -> pd.Series:
    """Rows that give a share of the units behind them, not a share of an effect or a difference of shares."""
    of_an_effect = rows["contrast"].str.contains("share_explained") | rows["term"].str.contains(
        "share_explained"
    )
    compared = rows["contrast"].str.contains(r" - | vs\b|difference", regex=True)
    return (rows["unit"] == "percent") & ~of_an_effect & ~compared


def numerators(rows: pd.DataFrame) -> pd.Series:
    """Units counted by a share, NaN elsewhere."""
    return (rows["estimate"] * rows["n_obs"] / 100).round().where(is_share(rows))


def few(rows: pd.DataFrame, settings: DisclosureSettings) -> pd.Series:
    """D1: fewer than k behind the row, or fewer than k students or teachers counted by it."""
    behind = (rows["n_obs"] < settings.k) & ~is_free_count(rows)
    counted = is_person_count(rows) & (rows["estimate"] < settings.k)
    return behind | counted


def latent_few(rows: pd.DataFrame, settings: DisclosureSettings) -> pd.Series:
    """D7: a latent model on fewer students than it needs, whatever its number of parameters."""
    latent = rows["estimator"].str.contains(LATENT) & ~rows["unit"].isin((*COUNTED_UNITS, "percent"))
    latent |= rows["contrast"].eq("share_explained")
    return latent & (rows["n_obs"] < settings.latent_min_n)


def lopsided(rows: pd.DataFrame, settings: DisclosureSettings) -> pd.Series:
    """D2: numerator or complement of a share below m."""
    counted = numerators(rows)
    return (counted < settings.m) | (rows["n_obs"] - counted < settings.m)


def coding_words(rows: pd.DataFrame, settings: DisclosureSettings) -> pd.Series:
    """D5: ``at most 1 percent`` or ``at least 99 percent`` for shares at either end, ``""`` elsewhere."""
    ends = pd.Series(np.nan, index=rows.index)
    for smallest, points in sorted(settings.percent_coding):
        ends = ends.where(~(rows["n_obs"] >= smallest), points)
    shares = is_share(rows) & (rows["status"] == "ok")
    low, high = shares & (rows["estimate"] <= ends), shares & (rows["estimate"] >= 100 - ends)
    words = pd.Series("", index=rows.index)
    words[low] = [f"at most {end:.0f} percent" for end in ends[low]]
    words[high] = [f"at least {100 - end:.0f} percent" for end in ends[high]]
    return words


def telling(rows: pd.DataFrame, codebook: Codebook) -> pd.Series:
    """D7 to D9: extremes, percentiles near an end, spreads over too few clusters, means without variance."""
    settings = codebook.disclosure
    means = ~rows["unit"].isin((*COUNTED_UNITS, "percent"))
    found = pd.Series(False, index=rows.index)
    for name in NAMES:
        words = rows[name].str.lower()
        found |= words.isin(EXTREMES) & means
        percentile = words.str.extract(PERCENTILE)
        rank = pd.to_numeric(percentile[0]).where(percentile[1].isna(), 50.0)
        found |= means & (np.minimum(rank, 100 - rank) / 100 * rows["n_obs"] < settings.k)
        found |= rows[name].str.contains(SPREADS) & (rows["n_clusters"] < settings.min_clusters)
    found |= means & (rows["std_error"] == 0)
    ends = [
        term in codebook.scales and estimate in (codebook.scales[term].low, codebook.scales[term].high)
        for term, estimate in zip(rows["term"], rows["estimate"], strict=True)
    ]
    return found | (
        means & (rows["contrast"] == "") & (rows["unit"] == "points") & np.array(ends, dtype=bool)
    )


def may_stand(values: dict, codebook: Codebook) -> bool:
    """Whether one stored row could have passed the gate: the rules D1 and D2, and no number in a hidden row.

    Where the study is synthetic, small numbers of its own report are shown as printed (D16).
    """
    settings = codebook.disclosure
    told = {
        name: values[name]
        for name in NUMBERS
        if values.get(name) is not None and values[name] == values[name]
    }
    if values["status"] != "ok":
        return not told
    n, estimate, unit = told.get("n_obs", np.inf), told.get("estimate", np.inf), values["unit"]
    small = (n < settings.k and (unit in PERSONS or unit not in COUNTED_UNITS)) or (
        unit in PERSONS and estimate < settings.k
    )
    share = unit == "percent" and values["contrast"] == "" and np.isfinite(n) and np.isfinite(estimate)
    counted = round(estimate * n / 100) if share else n
    return codebook.synthetic or not (small or (share and min(counted, n - counted) < settings.m))


def rounded(rows: pd.DataFrame, settings: DisclosureSettings) -> pd.DataFrame:
    """D17: estimates to a fixed number of decimals, the n of everything but counts and shares to the nearest 10."""
    rows = rows.copy()
    for column in ("estimate", "std_error", "statistic", "df", "conf_low", "conf_high"):
        rows[column] = rows[column].round(settings.decimals)
    modelled = ~rows["unit"].isin((*COUNTED_UNITS, "percent"))
    step = settings.round_n
    rows.loc[modelled, "n_obs"] = (rows.loc[modelled, "n_obs"] / step).round() * step
    return rows
