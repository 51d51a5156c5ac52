"""Check a study folder against its codebook, and report every fault together."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from lib.study.codebook import Codebook, nearest
from lib.study.faults import Fault, most_serious_first
from lib.study.read_codebook import read_codebook
from lib.study.tables import convert_table, read_table, text_cells


@dataclass(frozen=True)
class Examined:
    """A study folder as far as it could be read: converted tables by file kind, faults most serious first."""

    codebook: Codebook | None
    tables: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False)
    faults: list[Fault] = field(default_factory=list)


def check_study(folder: str | Path) -> list[Fault]:
    """All faults of a study folder, most serious first; an empty list where it keeps its codebook.

    Raises
    ------
    StudyError
        If there is no such folder.
    """
    from lib.study.load import study_folder

    return examine(study_folder(folder)).faults


def examine(folder: Path, *, checked: str = "") -> Examined:
    """Read a study folder and check codebook, files, columns and what holds between them.

    Parameters
    ----------
    folder : Path
    checked : str
        A study's ``data_hash`` where its cells have been checked already; of this study they then are only read.
    """
    codebook, faults = read_codebook(folder)
    if codebook is None:
        return Examined(None, {}, most_serious_first(faults))
    tables: dict[str, pd.DataFrame] = {}
    known = bool(checked) and checked == _hash(folder, codebook)
    for kind, spec in codebook.files.items():
        table, found = read_table(folder, spec)
        faults += found
        if table is None:
            continue
        faults += missing_columns(table, codebook, kind)
        columns = {key: column for key, column in codebook.columns_of(kind).items() if key in table}
        cells = text_cells(table, columns)
        faults += [] if known else _column_faults(cells, codebook, kind)
        tables[kind] = convert_table(cells, columns, decimal=spec.decimal)
    if not known and not any(fault.severity == "fatal" or fault.rule == "column present" for fault in faults):
        from lib.study.study_rules import study_faults

        faults += study_faults(tables, codebook)
    return Examined(codebook, tables, most_serious_first(faults))


def _hash(folder: Path, codebook: Codebook) -> str:
    from lib.study.load import folder_hash

    here = all((folder / spec.path).exists() for spec in codebook.files.values())
    return folder_hash(folder, codebook) if here else ""


def _column_faults(cells: pd.DataFrame, codebook: Codebook, kind: str) -> list[Fault]:
    from lib.study.column_rules import column_faults  # loads pandera, which takes longer than its checks

    return column_faults(cells, codebook, kind)


def missing_columns(table: pd.DataFrame, codebook: Codebook, kind: str) -> list[Fault]:
    """Columns that the codebook declares and the file lacks, and those it holds undeclared."""
    path, declared = codebook.files[kind].path, codebook.columns_of(kind)
    extra = [name for name in table.columns if name not in declared]
    faults = [
        Fault(
            "fatal", path, key, "column present", 1,
            f"{path} has no column {key!r} (1 of {len(declared)} declared){nearest(key, extra) if extra else ''}",
            "correct the name in the file or in codebook.yml",
        )
        for key in declared
        if key not in table
    ]  # fmt: skip
    if extra:
        message = f"{path} holds {len(extra)} columns that codebook.yml does not declare"
        remedy = "declare them, or leave them out; they are not used"
        faults.append(Fault("warning", path, "", "columns declared", len(extra), message, remedy))
    return faults
