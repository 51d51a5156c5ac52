"""What each column must hold, as pandera checks made from the codebook.

Every rule has a name, a message and a remedy; a check's failures are only ever counted.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.study.codebook import Codebook, Column
from lib.study.faults import Fault
from lib.study.tables import as_number

DATE = r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T].*)?$"
DECIMAL_COMMA = r"^[+-]?\d+,\d+$"
FORMULA = r"^\s*(?:[=@]|[+-](?![\d.]))"
MARKUP = r"<\s*[A-Za-z/!?]"
CONTROL = "[\x00-\x08\x0b\x0c\x0e-\x1f]"
MAX_TEXT = 2000

RULES = {
    "date": ("holds dates", "export the column as numbers; a spreadsheet may have turned them into dates"),
    "decimal comma": ("is written with decimal commas", "declare `decimal: ','` for the file in codebook.yml"),
    "number": ("is not a number", "correct them, or declare the code as missing under missing_codes in codebook.yml"),
    "finite": ("is infinite", "correct them, or leave the cells empty"),
    "whole number": ("is not a whole number", "correct them, or declare the column's type as number in codebook.yml"),
    "range": ("is outside {span}", "correct them or declare the code as missing under missing_codes in codebook.yml"),
    "level": ("holds a level that is not declared", "correct the spelling, or declare the level in codebook.yml"),
    "required": ("is empty", "give every row its value"),
    "unique": ("repeats an id", "keep one row per id, or correct the ids"),
    "formula": ("begins like a spreadsheet formula", "remove the leading = + - or @"),
    "markup": ("holds markup", "remove the tags"),
    "plain text": ("holds control characters or over 2,000 characters", "keep plain text of usual length"),
}  # fmt: skip
WHOLE_COLUMN = {
    "answered": ("has no value in any row", "fill it, or remove it from codebook.yml"),
    "varies": (
        "holds one and the same value in every row",
        "remove it from codebook.yml; nothing can be learned from it",
    ),
}


def column_faults(cells: pd.DataFrame, codebook: Codebook, kind: str) -> list[Fault]:
    """Faults of the cells of one table.

    Parameters
    ----------
    cells : DataFrame
        Text cells with the missing codes taken out; columns of the codebook, as far as they are there.
    codebook : Codebook
        What each column may hold.
    kind : str
        Which of the codebook's files it is.
    """
    spec, columns = codebook.files[kind], codebook.columns_of(kind)
    faults = [
        _fault(columns[key], rule, count, len(cells), spec.path)
        for (key, rule), count in _failures(cells, [columns[key] for key in cells], spec.decimal).items()
    ]
    varying = _must_vary(codebook, kind)
    for key in cells:
        for rule, count in _whole_column(cells[key], columns[key], key in varying):
            faults.append(_fault(columns[key], rule, count, len(cells), spec.path))
    return faults


def _failures(cells: pd.DataFrame, columns: list[Column], decimal: str) -> dict[tuple[str, str], int]:
    """Failing cells by column and rule.

    All cells are checked as one long column, because a pandera check costs the same for one cell as for all.
    """
    import pandera.pandas as pa
    from pandera.errors import SchemaErrors

    long = pd.DataFrame({"cell": cells.to_numpy(dtype=object).ravel(order="F")}, dtype="str")
    of = np.repeat(np.arange(len(columns)), len(cells))
    checks = [
        pa.Check(lambda cell, keeps=keeps: keeps.loc[cell.index], error=rule, ignore_na=True, name=rule)
        for rule, keeps in _kept(long["cell"], of, columns, decimal).items()
    ]
    try:
        pa.DataFrameSchema({"cell": pa.Column(nullable=True, checks=checks)}).validate(long, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
        places = cells.columns.to_numpy()[of[cases["index"].to_numpy(dtype=int)]]
        return cases.groupby([places, cases["check"]], sort=False).size().to_dict()
    return {}


def _kept(cell: pd.Series, of: np.ndarray, columns: list[Column], decimal: str) -> dict[str, pd.Series]:
    """For each rule, whether each cell keeps it (a missing one always does); ``of`` is the cell's column."""

    def of_type(*types: str) -> np.ndarray:
        return np.isin(of, [place for place, column in enumerate(columns) if column.type in types])

    def where(asked: np.ndarray, holds: pd.Series) -> pd.Series:
        return pd.Series(True, index=cell.index).mask(
            asked & cell.notna(), holds.reindex(cell.index, fill_value=True)
        )

    numeric, text = of_type("number", "ordinal"), cell[of_type("text")]
    number = as_number(cell[numeric], decimal=decimal)
    odd = cell[numeric][number.isna() & cell[numeric].notna()]
    dates, commas = odd.str.match(DATE), odd.str.match(DECIMAL_COMMA) & (decimal == ".")
    spans = np.array([_span(column) for column in columns], dtype=float)[of[numeric]]
    beyond = (number.to_numpy() < spans[:, 0]) | (number.to_numpy() > spans[:, 1])
    levels = {(place, level) for place, column in enumerate(columns) for level in column.levels}
    named = cell[of_type("category")]
    return {
        "date": where(numeric, ~dates),
        "decimal comma": where(numeric, ~commas),
        "number": where(numeric, dates | commas),
        "finite": where(numeric, ~number.isin([np.inf, -np.inf])),
        "whole number": where(of_type("ordinal"), number.isna() | (number % 1 == 0)),
        "range": where(numeric, pd.Series(~beyond | np.isinf(number.to_numpy()), index=number.index)),
        "level": where(
            of_type("category"),
            pd.Series(
                [pair in levels for pair in zip(of[named.index], named, strict=True)], index=named.index
            ),
        ),
        "formula": where(of_type("text"), ~text.str.contains(FORMULA, regex=True, na=False)),
        "markup": where(of_type("text"), ~text.str.contains(MARKUP, regex=True, na=False)),
        "plain text": where(
            of_type("text"), ~text.str.contains(CONTROL, regex=True, na=False) & ~(text.str.len() > MAX_TEXT)
        ),
    }


def _whole_column(cells: pd.Series, column: Column, must_vary: bool) -> list[tuple[str, int]]:
    """Rules about a column as a whole, with the number of rows concerned."""
    if column.role == "id":
        empty, repeated = int(cells.isna().sum()), int(cells.dropna().duplicated().sum())
        return [("required", empty)] * bool(empty) + [("unique", repeated)] * bool(repeated)
    distinct = cells.nunique()
    if distinct == 0:
        return [("answered", len(cells))]
    return [("varies", len(cells))] if distinct == 1 and must_vary else []


def _must_vary(codebook: Codebook, kind: str) -> set[str]:
    """Columns that a constant makes useless: items, outcomes and members of a covariate set."""
    members = {key for names in codebook.covariate_sets.values() for key in names}
    return {
        key
        for key, column in codebook.columns_of(kind).items()
        if column.role in ("item", "outcome") or (kind == "students" and key in members)
    }


def _span(column: Column) -> tuple[float | None, float | None]:
    """Ends of a column's range; of an ordinal column without one, its lowest and highest level."""
    levels = [float(level) for level in column.levels if level.replace(".", "", 1).lstrip("-").isdigit()]
    low = column.low if column.low is not None else min(levels, default=None)
    return low, column.high if column.high is not None else max(levels, default=None)


def _fault(column: Column, rule: str, count: int, n_rows: int, path: str) -> Fault:
    if rule in WHOLE_COLUMN:
        what, remedy = WHOLE_COLUMN[rule]
        return Fault(
            "error",
            path,
            column.key,
            rule,
            n_rows,
            f"{column.key!r} {what} ({n_rows} rows of {path})",
            remedy,
        )
    what, remedy = RULES[rule]
    low, high = _span(column)
    span = f"{low:g}..{high:g}" if low is not None and high is not None else "its range"
    message = f"{column.key!r} {what.format(span=span)} in {count} of {n_rows} rows of {path}"
    return Fault("error", path, column.key, rule, int(count), message, remedy)
