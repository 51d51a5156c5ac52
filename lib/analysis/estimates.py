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

MEDIATION = "mediation by "
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
    table = pd.DataFrame(rows).copy()
    unknown = sorted(set(table.columns) - set(ESTIMATE_COLUMNS))
    if unknown:
        raise ValueError(f"result rows have columns outside the row shape: {', '.join(unknown)}")
    for column in ESTIMATE_COLUMNS:
        if column not in table:
            table[column] = "" if column in TEXT_COLUMNS else float("nan")
        if column in TEXT_COLUMNS:
            table[column] = table[column].fillna("").astype(str)
        else:
            table[column] = pd.to_numeric(table[column])
    table.loc[table["status"] == "", "status"] = "ok"
    wrong = sorted(set(table["status"]) - set(STATUSES))
    if wrong:
        raise ValueError(f"unknown status {wrong}; the row shape knows {', '.join(STATUSES)}")
    unnamed = table["row_id"] == ""
    parts = table.loc[unnamed, ["model", "estimator", "population", "group", "contrast", "term"]]
    table.loc[unnamed, "row_id"] = [
        "|".join(part for part in row if part) for row in parts.itertuples(index=False)
    ]
    if table["row_id"].duplicated().any():
        twice = table.loc[table["row_id"].duplicated(), "row_id"].unique()
        raise ValueError(f"{len(twice)} row ids stand for more than one result, such as {twice[0]!r}")
    return table[list(ESTIMATE_COLUMNS)].reset_index(drop=True)


def mediated_by(mediator: str) -> str:
    """What the column ``model`` says of rows from a model with this mediator."""
    return f"{MEDIATION}{mediator}"


def mediator_of(model: str) -> str:
    """The mediator that a row's ``model`` names; empty where it names none."""
    return model.removeprefix(MEDIATION) if model.startswith(MEDIATION) else ""
