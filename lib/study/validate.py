"""Check a study folder against its codebook."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from lib.study.codebook import Codebook
from lib.study.faults import Fault
from lib.study.read_codebook import read_codebook
from lib.study.tables import read_table


@dataclass(frozen=True)
class Examined:
    """A study folder as far as it could be read, with all its faults, most serious first."""

    codebook: Codebook | None
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def check_study(folder: str | Path) -> list[Fault]:
    """All faults of a study folder, most serious first; an empty list where it keeps its codebook."""
    return examine(Path(folder)).faults


def examine(folder: Path) -> Examined:
    """Read a study folder and check it."""
    codebook, faults = read_codebook(folder)
    if codebook is None:
        return Examined(None, {}, faults)
    return Examined(
        codebook, {kind: read_table(folder, spec) for kind, spec in codebook.files.items()}, faults
    )
