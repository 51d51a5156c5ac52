"""Row-level data: tables with one row per person, and columns of answers.

By structure alone: an aggregated table names each group once, while a table of persons repeats every
combination of its categories and carries ids. With the study: columns that hold its records' values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from lib.analysis.estimates import ESTIMATE_COLUMNS
from lib.disclosure.grids import columns_of, vectors_in
from lib.disclosure.leaks import Leak, Records
from lib.disclosure.readers import Fragment
from lib.disclosure.smallcells import numbers

LEAST = 12
RUN = 20
CATEGORIES = 12
ID_NAME = re.compile(
    r"(?i)^(?:(?:student|pupil|respondent|participant|person|subject|teacher|case|record)"
    r"[_ ]?(?:id|uid|no|nr|number|key|code)|ssid|sid|upn|uid)$"
)
COUNTS = re.compile(
    r"(?i)^(?:n|n_obs|n_students|count|students|specifications|estimate|est|mean|percent|share|pct|std_error|se|conf_low|conf_high|lo|hi|low|high)$"
)
THINGS = re.compile(r"(?i)^(?:finding|page|exhibit|measure|scale|item|column|choice|filter)$")
RAW_NAME = re.compile(
    r"(?i)residual|factor[_ ]?score|fitted|influence|cook|leverage|raw[_ ]?(?:data|answers|responses)|answers|responses"
)
VECTOR = 50
DECIMAL = re.compile(r"\d\.\d")


def row_level(fragment: Fragment, records: Records) -> Iterator[Leak]:
    """Leaks of persons' rows in a table or parsed value."""
    if fragment.kind == "table":
        message = table_leak(fragment.content, records)
        if message:
            yield Leak("row-level", fragment.file, fragment.place, message)
        return
    for path, vector in vectors_in(fragment.content):
        message = _vector_leak(path, vector, records)
        if message:
            yield Leak("row-level", fragment.file, fragment.place + path, message)


def table_leak(table: pd.DataFrame, records: Records) -> str:
    """Why a table holds persons' rows, or an empty string."""
    names = [str(name) for name in table]
    ids = [name for name in names if ID_NAME.match(name) or name in records.names]
    if len(table) > 1 and any(_named_apart(table[name]) for name in ids):
        return f"{len(table)} rows with an id column; publish aggregated results only"
    if len(table) < LEAST:
        return ""
    figures = {name: numbers(values) for name, values in columns_of(table).items()}
    answers = [
        name
        for name in names
        if name in records.answers and _is_column_of(figures[name], records.columns[name])
    ]
    if answers:
        return f"{len(table)} rows that hold {len(answers)} columns of the study's answers; aggregate first"
    shaped = len(set(names) & set(ESTIMATE_COLUMNS)) > 1 or any(COUNTS.match(name) for name in names)
    if not shaped and not _one_thing_each(table) and _repeats_categories(table, figures):
        return f"{len(table)} rows that repeat their categories as persons do; aggregate first"
    if any(_runs_in(figures[name], records) for name in names):
        return f"{len(table)} rows whose numbers follow the study's records; aggregate first"
    return ""


def _one_thing_each(table: pd.DataFrame) -> bool:
    """Whether each row is about one finding, page or measure, named in the first column and once only."""
    first = table.iloc[:, 0].astype(str)
    return bool(THINGS.match(str(table.columns[0]))) and first.is_unique


def _named_apart(values: pd.Series) -> bool:
    told = values.dropna().astype(str)
    return len(told) > 1 and told.str.contains(r"\d").mean() > 0.5 and told.nunique() > 0.9 * len(told)


def _is_column_of(values: np.ndarray, column: pd.Series) -> bool:
    """Whether all values are values of the study's column, and as repetitive as answers are."""
    given = values[np.isfinite(values)]
    if len(given) < LEAST:
        return False
    return bool(np.isin(given, column.to_numpy(float)).all()) and len(np.unique(given)) > 1


def _repeats_categories(table: pd.DataFrame, figures: dict[str, np.ndarray]) -> bool:
    """Whether a table has two columns or more of few values, and its rows repeat their combinations."""
    if _is_drawing(table):
        return False
    texts = {name: list(map(str, values)) for name, values in columns_of(table).items()}
    if any(sum(map(len, told)) > 30 * len(told) for told in texts.values()):
        return False
    if sum(_is_short_scale(values) for values in figures.values()) > 1:
        return True
    few = [
        told
        for told in texts.values()
        if 1 < len(set(told)) <= min(CATEGORIES, len(told) / 2) and not _are_statistics(told)
    ]
    if len(few) < 2 or not any(np.isfinite(values).mean() > 0.7 for values in figures.values()):
        return False
    rows = list(zip(*few, strict=True))
    return 1 - len(set(rows)) / len(rows) > 0.2


def _are_statistics(told: list[str]) -> bool:
    """Numbers with decimals, such as fit measures, which are no categories however often they repeat."""
    return sum(bool(DECIMAL.search(one)) for one in told) > 0.5 * len(told)


def _is_short_scale(values: np.ndarray) -> bool:
    """Whole numbers from 1 on with at most seven values and no pattern, as answers are."""
    told = values[np.isfinite(values)]
    if len(told) < 0.5 * len(values) or len(told) < LEAST or np.any(told != np.round(told)):
        return False
    return bool(2 < len(np.unique(told)) <= 7 and told.min() >= 1 and told.max() <= 10 and not _regular(told))


def _is_drawing(table: pd.DataFrame) -> bool:
    """Rows of a chart's geometry, which repeat colours and anchors."""
    return len({"x", "y", "x2", "y2", "dx", "dy"} & {str(name) for name in table}) > 1


def _vector_leak(path: str, vector: list, records: Records) -> str:
    values = np.array(vector, dtype=float)
    if len(values) >= RUN and _runs_in(values, records):
        return f"{len(values)} numbers that follow the study's records in their order; aggregate first"
    name = path.rpartition(".")[2]
    if len(values) >= LEAST and RAW_NAME.search(name):
        return f"{len(values)} numbers under a name for one value per person; do not publish them"
    if len(values) >= VECTOR and _is_short_scale(values):
        return f"{len(values)} whole numbers on a short scale, as answers are; aggregate first"
    return ""


def _regular(values: np.ndarray) -> bool:
    """Codes of a crossed design or a sorted list, which repeat in a pattern."""
    if np.all(np.diff(values) >= 0) or np.all(np.diff(values) <= 0):
        return True
    changes = np.count_nonzero(np.diff(values)) / len(values)
    periods = (values[period:] == values[:-period] for period in range(1, min(len(values) // 2, 60)))
    return changes < 0.3 or any(same.mean() > 0.9 for same in periods)


def _runs_in(values: np.ndarray, records: Records) -> bool:
    """Whether twenty numbers in a row stand in this order, or all of them sorted, in a column of the records."""
    values = values[np.isfinite(values)]
    if len(values) < RUN or len(np.unique(values)) < 3 or np.all(np.diff(values) > 0):
        return False
    window = values[:RUN]
    if not records.numbers.issuperset(window.tolist()):
        return False
    spelled, ordered = window.tobytes(), np.sort(values)
    for known in records.series:
        place = known.tobytes().find(spelled)
        if place >= 0 and place % 8 == 0:
            return True
        if len(known) == len(ordered) and np.array_equal(np.sort(known), ordered):
            return True
    return False
