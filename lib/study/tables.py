"""Read a study's tables as the codebook says they are written, and convert their columns.

What keeps a file from being read at all becomes a Fault in our own words: a parser's message may
repeat a cell, and a cell may be a student's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lib.study.codebook import Column, FileSpec
from lib.study.faults import Fault

MAX_LINE = 1_000_000
PARQUET_MARK = b"PAR1"


def read_table(folder: Path, spec: FileSpec) -> tuple[pd.DataFrame | None, list[Fault]]:
    """A table with text cells (empty ones missing; Parquet keeps its types), or why it cannot be read."""
    fault = path_fault(folder, spec)
    if fault:
        return None, [fault]
    path = folder / spec.path
    if path.is_dir():
        return _read_parts(path, spec)
    if path.suffix == ".parquet":
        return _read_parquet(path, spec)
    return _read_csv(path, spec)


def _fatal(spec: FileSpec, rule: str, message: str, remedy: str, count: int = 1) -> Fault:
    return Fault("fatal", spec.path, "", rule, count, message, remedy)


def path_fault(folder: Path, spec: FileSpec) -> Fault | None:
    """Why the file that a codebook names may not be opened: absent, outside the folder, a link, empty."""
    path = folder / spec.path
    inside = [
        folder / Path(*Path(spec.path).parts[: depth + 1]) for depth in range(len(Path(spec.path).parts))
    ]
    if any(step.is_symlink() for step in inside) or (
        path.is_dir() and any(p.is_symlink() for p in path.rglob("*"))
    ):
        return _fatal(
            spec,
            "no links",
            f"{spec.path} is or holds a symbolic link (1)",
            "put the file itself into the folder",
        )
    if not path.resolve().is_relative_to(folder.resolve()):
        return _fatal(
            spec, "inside the folder", f"{spec.path} lies outside the study folder (1)", "move it inside"
        )
    if not path.exists():
        near = [
            one.name for one in sorted(folder.iterdir()) if one.suffix in (".csv", ".parquet", ".tsv", ".txt")
        ]
        known = f"; the folder holds {', '.join(near[:6])}" if near else ""
        remedy = "correct the path under files in codebook.yml, or add the file"
        return _fatal(spec, "file present", f"{spec.path} is missing (1 file){known}", remedy)
    if not (path.is_dir() or path.is_file()):
        return _fatal(
            spec, "plain file", f"{spec.path} is neither a file nor a folder (1)", "put a plain file there"
        )
    if path.is_file() and path.stat().st_size == 0:
        return _fatal(spec, "not empty", f"{spec.path} is empty (0 bytes)", "export the table again")
    return None


def _read_csv(path: Path, spec: FileSpec) -> tuple[pd.DataFrame | None, list[Fault]]:
    with path.open("rb") as handle:
        start = handle.read(1024)
    if start.startswith(PARQUET_MARK) or b"\x00" in start:
        message = f"{spec.path} is not a text file (1 file)"
        return None, [
            _fatal(spec, "CSV", message, "name a Parquet file .parquet, and save a spreadsheet as CSV")
        ]
    encoding = "utf-8-sig" if spec.encoding == "utf-8" else spec.encoding
    ragged, fault = _scan_csv(path, spec, encoding)
    if fault:
        return None, [fault]
    if ragged:
        message = f"{ragged} rows of {spec.path} have more or fewer cells than its header"
        remedy = "put cells that hold a delimiter in quotes, and export the table again"
        return None, [_fatal(spec, "rows as wide as the header", message, remedy, ragged)]
    table = pd.read_csv(
        path, sep=spec.delimiter, encoding=encoding, dtype=str, keep_default_na=False, na_values=[""],
        skip_blank_lines=True,
    )  # fmt: skip
    return _header_faults(table, spec)


def _scan_csv(path: Path, spec: FileSpec, encoding: str) -> tuple[int, Fault | None]:
    """How many rows are ragged, or what makes a text file unreadable."""
    import csv

    csv.field_size_limit(MAX_LINE)
    try:
        with path.open(encoding=encoding, newline="") as handle:
            rows = csv.reader(_short_lines(handle), delimiter=spec.delimiter, strict=True)
            header = next(rows, [])
            fault = _header_fault(header, spec)
            if fault:
                return 0, fault
            ragged = sum(bool(row) and len(row) != len(header) for row in rows)
    except UnicodeDecodeError:
        remedy = "save it as UTF-8, or declare `encoding: latin-1` for the file in codebook.yml"
        return 0, _fatal(spec, "encoding", f"{spec.path} is not {spec.encoding} text (1 file)", remedy)
    except _LongLine:
        message = f"{spec.path} has a line of more than {MAX_LINE:,} characters (1 line)"
        return 0, _fatal(
            spec, "line length", message, "check that the file has line ends and its quotes are closed"
        )
    except csv.Error:
        message = f"{spec.path} has a quote that is not closed or a cell that is no text (1 or more)"
        return 0, _fatal(spec, "quotes", message, "export the table again with cells in quotes")
    return ragged, None


class _LongLine(ValueError):
    """A line longer than any table needs."""


def _short_lines(handle):
    for line in iter(lambda: handle.readline(MAX_LINE + 1), ""):
        if len(line) > MAX_LINE:
            raise _LongLine
        yield line


def _header_fault(header: list[str], spec: FileSpec) -> Fault | None:
    """A header that shows a wrong delimiter or a repeated name."""
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        message = (
            f"{spec.path} has {len(twice)} column names more than once: {', '.join(map(repr, twice[:3]))}"
        )
        return _fatal(spec, "column names once", message, "rename or remove the repeated columns", len(twice))
    other = [mark for mark in (",", ";", "\t") if mark != spec.delimiter and mark in "".join(header)]
    if len(header) == 1 and other:
        name = {",": "comma", ";": "semicolon", "\t": "tab"}
        message = f"{spec.path} has 1 column when read with {name[spec.delimiter]} and looks written with {name[other[0]]}"
        return _fatal(
            spec, "delimiter", message, f"declare `delimiter: {other[0]!r}` for the file in codebook.yml"
        )
    return None


def _read_parquet(path: Path, spec: FileSpec) -> tuple[pd.DataFrame | None, list[Fault]]:
    from pyarrow import ArrowException

    try:
        table = pd.read_parquet(path)
    except (ArrowException, OSError, ValueError):
        message = f"{spec.path} is not a complete Parquet file (1 file)"
        return None, [_fatal(spec, "Parquet", message, "copy or write it again; it may be cut short")]
    return _header_faults(table, spec)


def _read_parts(folder: Path, spec: FileSpec) -> tuple[pd.DataFrame | None, list[Fault]]:
    paths = sorted(folder.glob("*.parquet"))
    if not paths:
        return None, [
            _fatal(spec, "parts", f"folder {spec.path} holds 0 Parquet parts", "write parts named *.parquet")
        ]
    parts = []
    for path in paths:
        part, faults = _read_parquet(path, FileSpec(spec.kind, f"{spec.path}/{path.name}"))
        if part is None:
            return None, faults
        parts.append(part)
    odd = sum(list(part.columns) != list(parts[0].columns) for part in parts)
    if odd:
        message = f"{odd} of {len(parts)} parts in {spec.path} have other columns than the first"
        return None, [
            _fatal(spec, "parts alike", message, "write all parts with the same columns in one order", odd)
        ]
    return _header_faults(pd.concat(parts, ignore_index=True), spec)


def _header_faults(table: pd.DataFrame, spec: FileSpec) -> tuple[pd.DataFrame | None, list[Fault]]:
    table.columns = [str(name).strip() for name in table.columns]
    if len(table) == 0:
        return None, [
            _fatal(spec, "not empty", f"{spec.path} has a header and 0 rows", "export the table again")
        ]
    return table, []


def text_cells(table: pd.DataFrame, columns: dict[str, Column]) -> pd.DataFrame:
    """Columns of the codebook in its order as text, empty cells and missing codes as missing."""
    cells = {}
    for key, column in columns.items():
        text = as_text(table[key])
        codes = [str(code) for code in column.missing_codes]
        cells[key] = text.mask(text.isin(codes)) if codes else text
    return pd.DataFrame(cells, index=table.index)


def convert_table(cells: pd.DataFrame, columns: dict[str, Column], *, decimal: str = ".") -> pd.DataFrame:
    """Text cells in their codebook type: numbers as float, categories with the codebook's levels in order."""
    return pd.DataFrame({key: _converted(cells[key], column, decimal) for key, column in columns.items()})


def typed_table(table: pd.DataFrame, columns: dict[str, Column]) -> pd.DataFrame:
    """A table in memory in its codebook types, as ``convert_table`` gives it from the table's text cells.

    For tables of our own making: numbers are numbers or missing, and every category is one of the codebook's levels.
    """
    cells = {}
    for key, column in columns.items():
        values = table[key]
        if column.type in ("number", "ordinal"):
            numbers = values.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
            cells[key] = np.where(np.isin(numbers, column.missing_codes), np.nan, numbers)
        elif column.type == "category":
            cells[key] = pd.Categorical(values.astype(object), categories=list(column.levels))
        else:
            text = values.astype("str")
            cells[key] = text.where(values.notna() & (text != ""))
    return pd.DataFrame(cells, index=table.index)


def _converted(cells: pd.Series, column: Column, decimal: str) -> pd.Series:
    if column.type in ("number", "ordinal"):
        return as_number(cells, decimal=decimal)
    if column.type == "category":
        known = cells.where(cells.isin(list(column.levels)))
        return pd.Series(pd.Categorical(known, categories=list(column.levels)), index=cells.index)
    return cells


def as_number(text: pd.Series, *, decimal: str = ".") -> pd.Series:
    """Text cells as float; what is no number becomes missing (``validate`` has counted it)."""
    plain = text if decimal == "." else text.str.replace(decimal, ".", regex=False)
    return pd.to_numeric(plain, errors="coerce").astype(float)


def as_text(values: pd.Series) -> pd.Series:
    """Cells as the text that a CSV file would hold: 3.0 as ``3``, a boolean as yes or no, blank as missing."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.map({True: "yes", False: "no"}).astype("str")
    if pd.api.types.is_numeric_dtype(values.dtype):
        numbers = pd.to_numeric(values, errors="coerce").astype(float)
        whole = (numbers == numbers.round()) & (numbers.abs() < 2**53)
        text = numbers.astype("str").mask(whole, numbers.where(whole, 0).astype("int64").astype("str"))
        return text.where(values.notna())
    text = values.astype("str").str.strip()
    return text.where(values.notna() & (text != ""))
