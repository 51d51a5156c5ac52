"""Values printed in 2018, beside which the computed ones are drawn (rule D16)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from lib.disclosure.gate import ReleasedRow
from lib.errors import ShowError
from lib.show.words import label_of, population_label

EFFECTS = ("std_beta", "r_or_std_beta")
MEASURE = re.compile(r"(?:->| with )\s*([^,]+)")

__all__ = ["printed_values"]


def printed_values(
    published: Mapping[str, float] | pd.DataFrame | None, rows: Iterable[ReleasedRow], *, exhibit: int | None
) -> dict[str, float]:
    """Printed value of each row that has one, by ``row_id``.

    Parameters
    ----------
    published : mapping, DataFrame or None
        Values by term, by (group or population, term) or by ``row_id``; or the study's
        ``published.csv``, of which the standardized effects of this exhibit are taken. Its rows are
        matched by their ``term`` and ``population`` where it has these columns, else by the words of
        ``measure`` and ``group`` and the codebook's labels.
    rows : iterable of ReleasedRow
    exhibit : int or None
        The study's number of the exhibit.
    """
    rows = list(rows)
    if published is None:
        return {}
    if isinstance(published, pd.DataFrame):
        named = _by_words(published, exhibit)
        keys = {row.row_id: _words(row) for row in rows}
        return {row_id: named[key] for row_id, key in keys.items() if key in named} | _by_term(
            published, rows, exhibit
        )
    if not isinstance(published, Mapping):
        raise ShowError("published= takes study.published or values by term, not " + type(published).__name__)
    found = {}
    for row in rows:
        for key in (row.row_id, (row.group, row.term), (row.population, row.term), row.term):
            if key in published:
                found[row.row_id] = float(published[key])
                break
    return found


def _of_exhibit(published: pd.DataFrame, exhibit: int | None) -> pd.DataFrame:
    listed = published["exhibit"].fillna("").astype(str).str.split(";")
    of_it = listed.map(lambda numbers: str(exhibit) in [number.removesuffix(".0") for number in numbers])
    return published[of_it & published["statistic"].isin(EFFECTS)]


def _by_words(published: pd.DataFrame, exhibit: int | None) -> dict[tuple[str, str], float]:
    named = {}
    for line in _of_exhibit(published, exhibit).itertuples():
        match = MEASURE.search(str(line.measure))
        if match:
            named[str(line.group).lower(), match[1].strip().lower()] = float(line.value)
    return named


def _by_term(published: pd.DataFrame, rows: list[ReleasedRow], exhibit: int | None) -> dict[str, float]:
    if not {"term", "population"} <= set(published.columns):
        return {}
    chosen = _of_exhibit(published, exhibit)
    named = dict(zip(zip(chosen["population"], chosen["term"], strict=True), chosen["value"], strict=True))
    return {
        row.row_id: float(named[row.population, row.term])
        for row in rows
        if (row.population, row.term) in named
    }


def _words(row: ReleasedRow) -> tuple[str, str]:
    return population_label(row).lower(), label_of(row.term, row.codebook).lower()
