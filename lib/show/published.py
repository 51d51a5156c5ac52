"""Values printed in 2018, beside which the computed ones are drawn (rule D16)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from lib.analysis.estimates import mediator_of
from lib.disclosure.gate import ReleasedRow
from lib.errors import ShowError
from lib.show.words import default_spec, label_of, number, population_label, term_label

EFFECTS = ("std_beta", "r_or_std_beta")
SHARE = "pct_explained"
MEASURE = re.compile(r"(?:->| with )\s*(?P<outcome>[^,]+?)\s*(?:,\s*mediator (?P<mediator>.+))?(?:,.*)?$")

__all__ = ["printed_text", "printed_values"]


def printed_values(
    published: Mapping[str, float] | pd.DataFrame | None, rows: Iterable[ReleasedRow], *, exhibit: int | None
) -> dict[str, float]:
    """Printed value of each row that has one, by ``row_id``.

    Parameters
    ----------
    published : mapping, DataFrame or None
        Values by term, by (group or population, term) or by ``row_id``; or the study's
        ``published.csv``, whose standardized effects and shares explained are matched to rows by the
        words of ``group`` and ``measure`` and the codebook's labels; where a value was printed for
        several exhibits, this one's counts. A line that names a ``row_id`` is matched by that.
    rows : iterable of ReleasedRow
    exhibit : int or None
        The study's number of the exhibit.
    """
    rows = list(rows)
    if published is None:
        return {}
    if isinstance(published, pd.DataFrame):
        named = _by_words(published, exhibit)
        keys = {row.row_id: key for row in rows for key in _words(row) if key in named}
        by_id = _by_row(published)
        found = {row.row_id: by_id[row.row_id] for row in rows if row.row_id in by_id}
        return {row_id: named[key] for row_id, key in keys.items()} | found
    if not isinstance(published, Mapping):
        raise ShowError("published= takes study.published or values by term, not " + type(published).__name__)
    found = {}
    for row in rows:
        for key in (row.row_id, (row.group, row.term), (row.population, row.term), row.term):
            if key in published:
                found[row.row_id] = float(published[key])
                break
    return found


def printed_text(row: ReleasedRow, printed: Mapping[str, float]) -> str:
    """The value printed in 2018 for a row, in the row's unit; empty where there is none."""
    if row.row_id not in printed:
        return ""
    return number(printed[row.row_id], default_spec(row)) + ("%" if row.unit == "percent" else "")


def _by_row(published: pd.DataFrame) -> dict[str, float]:
    if "row_id" not in published:
        return {}
    told = published[published["row_id"].notna()]
    values = pd.to_numeric(told["value"], errors="coerce")
    return {row_id: value for row_id, value in zip(told["row_id"], values, strict=True) if value == value}


def _by_words(published: pd.DataFrame, exhibit: int | None) -> dict[tuple[str, ...], float]:
    chosen = published[published["statistic"].isin([*EFFECTS, SHARE])]
    named, here = {}, {}
    for line in chosen.itertuples():
        match = MEASURE.search(str(line.measure).lower())
        if match is None:
            continue
        kind = SHARE if line.statistic == SHARE else ""
        key = (str(line.group).lower(), kind, match["outcome"], match["mediator"] or "")
        of_it = [number.removesuffix(".0") for number in str(line.exhibit).split(";")]
        (here if str(exhibit) in of_it else named)[key] = float(line.value)
    return named | here


def _words(row: ReleasedRow) -> list[tuple[str, ...]]:
    """How a printed line would name the row, the least telling name first."""
    if row.contrast not in ("", "before", "share_explained"):
        return []
    share = row.contrast == "share_explained"
    mediator = label_of(mediator_of(row.model), row.codebook).lower() if share else ""
    outcome = term_label(row).lower()
    names = [outcome]
    if row.term in row.codebook.outcomes:  # "grades" and "current grades" are the codebook's "Course grades"
        last = outcome.split(" ")[-1]
        names = [last, f"current {last}", outcome]
    who = population_label(row).lower()
    return [(who, SHARE if share else "", name, mediator) for name in names]
