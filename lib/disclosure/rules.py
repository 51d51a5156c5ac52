"""Rules that look at one result row: who is too few, which share is lopsided, what is never shown.

Numbers of the rules: DISCLOSURE.md. Every function returns a mask over the rows or the words that
stand where a number is not shown (D12); none changes the rows.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from lib.analysis.estimates import ESTIMATE_COLUMNS, TEXT_COLUMNS, THEME
from lib.disclosure.members import members
from lib.study.codebook import Codebook, DisclosureSettings
from lib.study.load import Study

PERSONS = ("students", "teachers")
COUNTED_UNITS = (
    *PERSONS, "classrooms", "visits", "remarks", "focus groups", "interviews", "values", "filter states",
    "specifications", "percent of specifications",
)  # fmt: skip
PROTECTS = "not shown to protect another group"
SYNTHETIC_ONLY = "student records would hide it"
CAUTION = "interpret with caution"
TOGETHER = "small groups together"
LATENT = re.compile(r"\b(?:SEM|CFA|latent)\b|^(?:ML|MLR|FIML)$", re.IGNORECASE)
EXTREMES = frozenset({"min", "max", "minimum", "maximum", "range", "outlier"})
PERCENTILE = re.compile(r"^(?:p|q|percentile[ _]?)(\d{1,2})$|^(median)$")
SPREADS = re.compile(r"\b(?:icc|variance|var)\b|cluster", re.IGNORECASE)
NUMBERS = tuple(column for column in ESTIMATE_COLUMNS if column not in TEXT_COLUMNS)
NAMES = ("term", "contrast", "estimator", "model")


def too_few_words(settings: DisclosureSettings, units: str = "students") -> str:
    """The words for a group under k."""
    return f"not shown: fewer than {settings.k} {units}"


def caution_words(settings: DisclosureSettings, units: str = "students") -> str:
    """The reliability mark (D13)."""
    return f"{CAUTION}: fewer than {settings.caution_n} {units}"


def units_behind(rows: pd.DataFrame) -> pd.Series:
    """What ``n_obs`` counts, in words: by the unit of a count, else by what its model and group name."""
    named = (rows["model"] + " " + rows["estimator"] + " " + rows["group"]).str.lower()
    units = pd.Series("students", index=rows.index)
    units[named.str.contains(r"\bobservations?\b")] = "observations"
    units[named.str.contains(r"\bteachers?\b")] = "teachers"  # a word, not a part of a construct's key
    units[is_theme(rows)] = "focus groups or interviews"
    units[rows["unit"] == "remarks per pair"] = "pairs of focus groups"
    units[rows["unit"] == "remarks per student"] = "students"
    return rows["unit"].where(rows["unit"].isin(COUNTED_UNITS), units)


def is_theme(rows: pd.DataFrame) -> pd.Series:
    """Rows about coded remarks: what was said in focus groups and interviews, never counts of persons (D15)."""
    return rows["model"] == THEME


def is_person_count(rows: pd.DataFrame) -> pd.Series:
    """Rows whose estimate counts students or teachers."""
    return rows["unit"].isin(PERSONS)


def is_free_count(rows: pd.DataFrame) -> pd.Series:
    """Counts of focus groups, interviews, visits and remarks, and their shares, which are always shown (D15)."""
    return (rows["unit"].isin(COUNTED_UNITS) | is_theme(rows)) & ~is_person_count(rows)


def is_share(rows: pd.DataFrame) -> pd.Series:
    """Rows that give a share of the units behind them, not a share of an effect or a difference of shares."""
    of_an_effect = rows["contrast"].str.contains("share_explained") | rows["term"].str.contains(
        "share_explained"
    )
    compared = rows["contrast"].str.contains(r" - | vs\b|difference", regex=True)
    return (rows["unit"] == "percent") & ~of_an_effect & ~compared & ~is_theme(rows)


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
    found |= means & (rows["contrast"] == "") & (rows["unit"] == "points") & np.array(ends, dtype=bool)
    return found | _beside_telling(rows, found)


def _beside_telling(rows: pd.DataFrame, found: pd.Series) -> pd.Series:
    """Rows of other groups from which a group's hidden mean would follow: their means, and the differences."""
    units = units_behind(rows)
    grouped = rows["group"] != ""
    told = set(zip(rows.loc[found & grouped, "term"], units[found & grouped], strict=True))
    beside = [pair in told for pair in zip(rows["term"], units, strict=True)]
    return grouped & np.array(beside, dtype=bool) & ~rows["unit"].isin((*COUNTED_UNITS, "percent"))


def dominated(rows: pd.DataFrame, study: Study) -> pd.Series:
    """D9: spreads over clusters of which one holds nearly all students."""
    settings = study.codebook.disclosure
    found = pd.Series(False, index=rows.index)
    spreads = found.copy()
    for name in NAMES:
        spreads |= rows[name].str.contains(SPREADS)
    for place, row in rows[spreads & (rows["status"] == "ok")].iterrows():
        cluster = row["contrast"] if row["contrast"] in study.codebook.columns else study.codebook.cluster
        inside = members(study, row["population"], row["group"])
        if inside is not None and inside.any() and cluster in study.students:
            sizes = study.students.loc[inside, cluster].value_counts()
            found[place] = bool(len(sizes)) and sizes.iloc[0] > settings.max_cluster_share * sizes.sum()
    return found


def rounded(rows: pd.DataFrame, settings: DisclosureSettings) -> pd.DataFrame:
    """D17: estimates to a fixed number of decimals, the n of everything but counts and shares to the nearest 10."""
    rows = rows.copy()
    for column in ("estimate", "std_error", "statistic", "df", "conf_low", "conf_high"):
        rows[column] = rows[column].round(settings.decimals)
    modelled = ~rows["unit"].isin((*COUNTED_UNITS, "percent")) & ~is_theme(rows)
    step = settings.round_n
    rows.loc[modelled, "n_obs"] = (rows.loc[modelled, "n_obs"] / step).round() * step
    return rows
