"""The one row shape that carries every result.

Charts draw these rows, tables print them, sentences quote them, the findings page
judges them, and ``downloads/estimates.csv`` holds them.
"""

from __future__ import annotations

import pandas as pd

ESTIMATE_COLUMNS = (
    "row_id", "exhibit", "finding", "population", "group", "contrast", "model", "estimator", "term",
    "estimate", "std_error", "statistic", "df", "p_value", "p_holm", "p_bh", "conf_low", "conf_high",
    "interval_method", "n_obs", "n_clusters", "unit", "status", "status_reason",
)  # fmt: skip

TEXT_COLUMNS = (
    "row_id", "exhibit", "finding", "population", "group", "contrast", "model", "estimator", "term",
    "interval_method", "unit", "status", "status_reason",
)  # fmt: skip

NAMED_BY = ("model", "estimator", "population", "group", "contrast", "term")

MEDIATION = "mediation by "
DIFFERENCE, STANDARDIZED, HEDGES, COX = "difference", "standardized difference", "hedges_g", "cox_index"
THEME = "theme"

STATUSES = ("ok", "not_converged", "inadmissible", "not_comparable", "hidden", "too_few")


def estimates(rows: list[dict] | pd.DataFrame) -> pd.DataFrame:
    """Put result rows into the shared shape: every column present, in order, with a ``row_id``.

    Parameters
    ----------
    rows : list of dict, or DataFrame
        One entry per result; missing columns are filled (text with ``""``, numbers with NaN,
        ``status`` with ``"ok"``).

    Returns
    -------
    DataFrame
        Columns ``ESTIMATE_COLUMNS``; ``row_id`` names model, population, group, contrast and term,
        and is unique.

    Raises
    ------
    ValueError
        If a row has a column outside the shape, a status outside ``STATUSES``, or the ``row_id`` of
        another row.
    """
    table = pd.DataFrame(rows)
    unknown = sorted(set(table.columns) - set(ESTIMATE_COLUMNS))
    if unknown:
        raise ValueError(f"result rows have columns outside the row shape: {', '.join(unknown)}")
    text = {
        column: _texts(table[column]) if column in table else [""] * len(table) for column in TEXT_COLUMNS
    }
    text["status"] = [status or "ok" for status in text["status"]]
    wrong = sorted(set(text["status"]) - set(STATUSES))
    if wrong:
        raise ValueError(f"unknown status {wrong}; the row shape knows {', '.join(STATUSES)}")
    named = zip(*(text[column] for column in NAMED_BY), strict=True)
    text["row_id"] = [
        own or "|".join(filter(None, parts)) for own, parts in zip(text["row_id"], named, strict=True)
    ]
    if len(set(text["row_id"])) < len(table):
        ids = pd.Series(text["row_id"])
        twice = ids[ids.duplicated()].unique()
        raise ValueError(f"{len(twice)} row ids stand for more than one result, such as {twice[0]!r}")
    filled = {
        column: pd.array(text[column], dtype="str")
        if column in text
        else (pd.to_numeric(table[column]).to_numpy() if column in table else float("nan"))
        for column in ESTIMATE_COLUMNS
    }
    return pd.DataFrame(filled, index=range(len(table)))


def _texts(values: pd.Series) -> list[str]:
    """Cells as text, missing ones empty; by hand, because tables are short and there are many."""
    return [
        value if isinstance(value, str) else "" if pd.isna(value) else str(value)
        for value in values.to_numpy(object)
    ]


def mediated_by(mediator: str) -> str:
    """What the column ``model`` says of rows from a model with this mediator."""
    return f"{MEDIATION}{mediator}"


def mediator_of(model: str) -> str:
    """The mediator that a row's ``model`` names; empty where it names none."""
    return model.removeprefix(MEDIATION) if model.startswith(MEDIATION) else ""


def compared_contrast(contrast: str) -> str:
    """The contrast of the two estimates that a difference compares: ``a`` for ``difference a``.

    A standardized difference, Hedges' g and Cox's index compare what the plain difference does, estimates without a
    contrast.
    """
    return "" if contrast in (STANDARDIZED, HEDGES, COX) else contrast.removeprefix(DIFFERENCE).strip()
