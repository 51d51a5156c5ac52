"""Tables and lists of numbers inside what a site ships: CSV, records, columns of equal length, vectors."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pandas as pd

LEAST_ROWS = 2
DELIMITERS = ",;\t|"


def grids_of(text: str) -> Iterator[pd.DataFrame]:
    """The table of a delimited text, if it is one: three lines or more, each with the same number of fields."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if len(lines) < LEAST_ROWS + 1:
        return
    for delimiter in DELIMITERS:
        width = lines[0].count(delimiter)
        if width and sum(line.count(delimiter) >= width for line in lines) >= 0.95 * len(lines):
            rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter))
            even = [row for row in rows if len(row) == len(rows[0])]
            if len(even) >= 0.95 * len(rows) and len(even) > LEAST_ROWS:
                yield pd.DataFrame(even[1:], columns=unique_names(even[0]), dtype=object)
                return


def columns_of(table: pd.DataFrame) -> dict[str, list]:
    """Values of each column by its name, read at once."""
    return dict(zip(map(str, table), table.to_numpy(dtype=object).T.tolist(), strict=True))


def unique_names(names: list[str]) -> list[str]:
    """Column names told apart by a number where they repeat."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return made


def tables_in(data: object, path: str = "") -> Iterator[tuple[str, pd.DataFrame]]:
    """Tables of a parsed value: lists of records, lists of equal lists, and objects of equal columns."""
    if isinstance(data, list):
        if len(data) >= LEAST_ROWS and all(isinstance(one, dict) for one in data):
            yield path, pd.DataFrame(data, dtype=object)
        elif _even(data) and _flat(data[0]):
            yield path, pd.DataFrame(data, dtype=object).rename(columns=str)
        for number, one in enumerate(data):
            if isinstance(one, (list, dict)):
                yield from tables_in(one, f"{path}[{number}]")
    elif isinstance(data, dict):
        yield from _columnar(data, path)
        for key, one in data.items():
            if isinstance(one, (list, dict)):
                yield from tables_in(one, f"{path}.{key}")


def _even(data: list) -> bool:
    """Two rows or more, all of one length."""
    lists = len(data) >= LEAST_ROWS and all(isinstance(one, list) and one for one in data)
    return lists and len({len(one) for one in data}) == 1


def _flat(row: list) -> bool:
    return not any(isinstance(value, (list, dict)) for value in row)


def _columnar(data: dict, path: str) -> Iterator[tuple[str, pd.DataFrame]]:
    columns = {
        key: value
        for key, value in data.items()
        if isinstance(value, list) and len(value) >= LEAST_ROWS and _flat(value)
    }
    lengths = {len(value) for value in columns.values()}
    if len(columns) > 1 and len(lengths) == 1:
        yield path, pd.DataFrame(columns, dtype=object)
    elif len(columns) > 1:
        for length in lengths:
            same = {key: value for key, value in columns.items() if len(value) == length}
            if len(same) > 1:
                yield path, pd.DataFrame(same, dtype=object)
    split = data.get("data")
    names = data.get("columns")
    if isinstance(split, list) and isinstance(names, list) and _even(split) and len(split[0]) == len(names):
        yield path, pd.DataFrame(split, columns=[str(name) for name in names], dtype=object)


def vectors_in(data: object, path: str = "") -> Iterator[tuple[str, list]]:
    """Lists of numbers in a parsed value."""
    if isinstance(data, list):
        if len(data) >= LEAST_ROWS and all(
            isinstance(one, (int, float)) and not isinstance(one, bool) for one in data
        ):
            yield path, data
        else:
            for number, one in enumerate(data):
                if isinstance(one, (list, dict)):
                    yield from vectors_in(one, f"{path}[{number}]")
    elif isinstance(data, dict):
        for key, one in data.items():
            if isinstance(one, (list, dict)):
                yield from vectors_in(one, f"{path}.{key}")
