"""Write a commented codebook skeleton from the files of a folder; every guess is marked as one."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pandas as pd

from lib.errors import StudyError
from lib.study.codebook import FileSpec
from lib.study.read_codebook import CODEBOOK
from lib.study.tables import as_number, as_text, read_table

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")
KINDS = {"teacher": "teachers", "observation": "observations", "excerpt": "excerpts", "remark": "excerpts"}
NUMBERED = re.compile(r"^(?P<stem>.*?[A-Za-z])_?(?P<number>\d{1,3})$")
MAX_LEVELS = 12
MIN_ROWS = 3
MISSING_WORDS = ("NA", "N/A", "n/a", "NaN", "NULL", ".", "-")
MARK = "# guess"
HEAD = """# Codebook of this study, begun by `lwo init`. Every line that ends in "# guess" was guessed from the
# file: correct it, then run `lwo check` on the folder. lib/study/codebook.schema.json lists every key.
title: Name of the study
citation: Who collected the data, when, and where it is described
licence: Under which terms the data may be used
synthetic: false

files:
"""
MIDDLE = """
# What the scales with role `exposure` measure together.
exposure: {key: exposure, label: What the exposure scales measure}

populations:
  all: {label: All students}
  # name groups by the levels of columns, for example
  # girls: {label: Girls, where: {gender: f}}
# focal: girls
# reference: boys

covariate_sets:
  C_ENV: []        # columns held constant for survey scales
  C_GRADE: []      # the same and last year's grade, for records
  C_RACE: []       # for comparisons of groups

thresholds: {alpha: 0.05, strong_min: 0.4, weak_max: 0.2, similar_tol: 0.1}

disclosure: {k: 10, m: 3}

"""


def init_study(folder: str | Path) -> Path:
    """Write ``codebook.yml`` beside a folder's tables.

    Parameters
    ----------
    folder : path
        A folder with CSV or Parquet files, or folders of Parquet parts.

    Returns
    -------
    Path
        The codebook written.

    Raises
    ------
    StudyError
        If the folder is missing, holds a codebook already, or holds no table that can be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise StudyError(
            f"there is no folder {folder.name!r} (1 folder missing); name one that holds your tables"
        )
    path = folder / CODEBOOK
    if path.exists() or path.is_symlink():
        raise StudyError(f"{folder.name} already holds a {CODEBOOK} (1 file); edit it, or move it away first")
    path.write_text(skeleton(folder), encoding="utf-8")
    return path


def skeleton(folder: Path) -> str:
    """Text of a codebook for the tables of a folder, with every guess marked."""
    tables = guessed_files(folder)
    if not tables:
        raise StudyError(
            f"{folder.name} holds 0 tables that can be read; put .csv or .parquet files into it, as UTF-8 or Latin-1 text"
        )
    lines = [HEAD.rstrip("\n")]
    for kind, (spec, _) in tables.items():
        how = {
            "path": spec.path,
            "delimiter": spec.delimiter,
            "encoding": spec.encoding,
            "decimal": spec.decimal,
        }
        inside = ", ".join(f"{key}: {_quoted(value)}" for key, value in how.items())
        lines.append(f"  {kind}: {{{inside}}}  {MARK}")
    lines.append(MIDDLE.rstrip("\n") + "\n")
    lines.append("columns:")
    scales: dict[str, list[tuple]] = {}
    names = dict.fromkeys(name for _, table in tables.values() for name in table)
    holders = {name: [kind for kind, (_, table) in tables.items() if name in table] for name in names}
    for kind, (spec, table) in tables.items():
        first_id = _id_column(table)
        for name in table:
            if holders[name][0] != kind:
                continue
            cells, codes = _without_missing(table[name])
            item = _as_item(cells, name, spec)
            if item and name != first_id:
                scales.setdefault(item[0], []).append((name, kind, *item[1:], codes))
            else:
                lines.append(_column_line(cells, name, holders[name], codes, spec, name == first_id))
    return "\n".join([*lines, "", *_scale_lines(scales)]) + "\n"


def guessed_files(folder: Path) -> dict[str, tuple[FileSpec, pd.DataFrame]]:
    """Tables of a folder by the kind that their name suggests; the largest unnamed one is the students'."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path.name.startswith("."):
            continue
        parts = path.is_dir() and any(path.glob("*.parquet"))
        if not (parts or path.suffix in SUFFIXES):
            continue
        dialect = _dialect(path) if path.is_file() and path.suffix != ".parquet" else (",", "utf-8", ".")
        spec = FileSpec("students", path.name, *dialect)
        table, faults = read_table(folder, spec)
        if table is not None and not faults:
            found.append((path.stem.lower(), spec, table))
    kinds: dict[str, tuple[FileSpec, pd.DataFrame]] = {}
    for stem, spec, table in sorted(found, key=lambda one: -one[2].size):
        kind = next((kind for word, kind in KINDS.items() if word in stem), "students")
        kinds.setdefault(kind, (spec, table))
    return {kind: kinds[kind] for kind in ("students", *KINDS.values()) if kind in kinds}


def _dialect(path: Path) -> tuple[str, str, str]:
    """Delimiter, encoding and decimal mark of a text table, from its first lines."""
    start = path.read_bytes()[:200_000]
    try:
        text, encoding = start.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError as error:
        cut = error.start >= len(start) - 4
        text = start[: error.start].decode("utf-8-sig") if cut else start.decode("latin-1")
        encoding = "utf-8" if cut else "latin-1"
    header = text.splitlines()[0] if text.strip() else ""
    delimiter = max((",", ";", "\t"), key=lambda mark: len(next(csv.reader([header], delimiter=mark), [])))
    commas = len(re.findall(r"(?<![\d,])\d+,\d+(?![\d,])", text)) if delimiter != "," else 0
    return delimiter, encoding, "," if commas > len(re.findall(r"\d\.\d", text)) else "."


def _id_column(table: pd.DataFrame) -> str:
    """The column that tells rows apart: one named like an id, else the first without repeats."""
    apart = [name for name in table if table[name].notna().all() and table[name].is_unique]
    named = [name for name in apart if re.search(r"(^|_)(id|code|number|no)$", name.lower())]
    return (named or apart or [""])[0]


def _as_item(values: pd.Series, name: str, spec: FileSpec) -> tuple[str, float, float] | None:
    """Scale stem and range of a column that looks like a survey item: numbered name, few whole numbers."""
    match, numbers = NUMBERED.match(name), as_number(values.dropna(), decimal=spec.decimal)
    if (
        not match
        or numbers.isna().any()
        or numbers.empty
        or numbers.nunique() > 10
        or (numbers % 1 != 0).any()
    ):
        return None
    return match["stem"].rstrip("_"), float(numbers.min()), float(numbers.max())


def _without_missing(values: pd.Series) -> tuple[pd.Series, list[str]]:
    """Cells as text without the words that usually stand for a missing answer, and those words."""
    text = as_text(values)
    codes = [word for word in MISSING_WORDS if (text == word).any()]
    return text.mask(text.isin(codes)), codes


def _column_line(
    values: pd.Series, name: str, kinds: list[str], codes: list[str], spec: FileSpec, is_id: bool
) -> str:
    """One line that declares a column. Levels are listed only where each is held by several rows."""
    text = values.dropna()
    numbers = as_number(text, decimal=spec.decimal)
    where = "" if kinds == ["students"] else f", file: [{', '.join(kinds)}]"
    where += f", missing_codes: [{', '.join(map(_quoted, codes))}]" if codes else ""
    label = _quoted(_plain(name.replace("_", " ").capitalize()))
    if is_id:
        return f"  {name}: {{label: {label}, type: text, role: id{where}}}  {MARK}"
    counts = text.value_counts()
    if 1 < len(counts) <= MAX_LEVELS and counts.min() >= MIN_ROWS:
        levels = ", ".join(f"{_quoted(level)}: {_quoted(_plain(level))}" for level in sorted(counts.index))
        return f"  {name}: {{label: {label}, role: covariate{where}, levels: {{{levels}}}}}  {MARK}"
    kind = "number" if len(numbers) and numbers.notna().all() else "text"
    role = "covariate" if kind == "number" else "text"
    return f"  {name}: {{label: {label}, type: {kind}, role: {role}{where}}}  {MARK}"


def _scale_lines(scales: dict[str, list[tuple]]) -> list[str]:
    """Lines that declare one scale for each stem of numbered items."""
    if not scales:
        return ["scales: {}  # name your scales: label, role, low, high and items"]
    lines = ["# Roles: exposure, environment, mindset; for other files see the schema.", "scales:"]
    for stem, items in scales.items():
        low, high = min(item[2] for item in items), max(item[3] for item in items)
        codes = sorted({code for item in items for code in item[4]})
        entries = {
            "label": _quoted(_plain(stem.replace("_", " ").capitalize())),
            "role": "set_aside",
            "file": items[0][1],
            "low": f"{low:g}",
            "high": f"{max(high, low + 1):g}",
            "items": f"[{', '.join(item[0] for item in items)}]",
            "missing_codes": f"[{', '.join(map(_quoted, codes))}]",
        }
        lines.append(f"  {stem}_scale:")
        lines += [f"    {key}: {value}  {MARK}" for key, value in entries.items()]
        lines.append("    reversed: []")
    return lines


def _plain(text: str) -> str:
    """A label that the schema allows: no markup, no leading formula sign."""
    return re.sub(r"[<>\x00-\x1f]", " ", text).lstrip("=+@- \t").strip()[:80] or "level"


def _quoted(text: str) -> str:
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'
