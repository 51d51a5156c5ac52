"""Figures that the study's own report has printed already (DISCLOSURE.md, D16)."""

from __future__ import annotations

import pandas as pd

from lib.disclosure.members import members
from lib.disclosure.rules import COUNTED_UNITS
from lib.study.load import Study

PUBLISHED = "published"


def printed_rows(rows: pd.DataFrame, study: Study) -> pd.Series:
    """Rows whose value stands in ``published.csv`` for the row's exhibit, to the decimals printed there.

    A row counts as printed when the study is synthetic, or when it is a quotation (``estimator`` is
    ``published``); a value recomputed from student records passes the gate like any other.
    """
    printed = pd.Series(False, index=rows.index)
    published = getattr(study, "published", None)
    if published is None:
        return printed
    values: dict[str, list[tuple[float, float, str]]] = {}
    for value, exhibits, unit in zip(
        published["value"], published["exhibit"], published["unit"], strict=True
    ):
        number = pd.to_numeric(value, errors="coerce")
        if pd.isna(number) or not isinstance(exhibits, str):
            continue
        half = 0.5 * 10.0 ** -len(str(value).partition(".")[2])
        for exhibit in exhibits.split(";"):
            values.setdefault(exhibit.strip(), []).append((float(number), half, str(unit)))
    ours = rows[rows["exhibit"].isin(values)]
    if not study.codebook.synthetic:
        ours = ours[ours["estimator"] == PUBLISHED]
    for place, exhibit, estimate, unit in ours[["exhibit", "estimate", "unit"]].itertuples(name=None):
        printed[place] = any(
            abs(estimate - value) <= half and _same_unit(unit, counted)
            for value, half, counted in values[exhibit]
        )
    return printed


def _same_unit(ours: str, printed: str) -> bool:
    """Whether a printed unit counts what the row counts; a range "per school" leaves the thing unsaid."""
    return ours not in COUNTED_UNITS or printed.startswith((ours, "per school"))


def printed_numbers(study: Study | None) -> frozenset[float] | None:
    """Numbers of persons that a synthetic study's own report prints; nothing for others, None without a study."""
    if study is None:
        return None
    published = getattr(study, "published", None)
    if published is None or not study.codebook.synthetic:
        return frozenset()
    persons = published["unit"].astype(str).str.contains("student|teacher|per school")
    values = pd.to_numeric(published.loc[persons, "value"], errors="coerce").dropna()
    return frozenset(float(value) for value in values)


def printed_populations(study: Study) -> list[dict[str, tuple[str, ...]]]:
    """Named populations whose number of respondents the study's own report prints: a prior release (D16)."""
    published = getattr(study, "published", None)
    if published is None:
        return []
    of_students = (published["unit"] == "students") & (published["statistic"] == "n")
    printed = set(pd.to_numeric(published.loc[of_students, "value"], errors="coerce").dropna())
    return [
        dict(population.where)
        for key, population in study.codebook.populations.items()
        if int(members(study, key).sum()) in printed
    ]
