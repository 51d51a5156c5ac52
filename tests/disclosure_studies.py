"""Small studies for the tests of lib.disclosure: the shipped codebook over made-up students."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from lib.study.read_codebook import load_codebook

CODEBOOK = load_codebook(Path(__file__).parent.parent / "data")
STUDY = SimpleNamespace(codebook=CODEBOOK, students=None, published=None)
SHARES = {
    "race": {"black": 0.46, "white": 0.25, "hispanic": 0.15, "asian": 0.07, "multiracial": 0.07},
    "gender": {"female": 0.55, "male": 0.45},
    "grade_level": {"9": 0.2, "10": 0.3, "11": 0.27, "12": 0.23},
    "school": {"school_1": 0.36, "school_2": 0.22, "school_3": 0.24, "school_4": 0.18},
    "subject": {"math": 0.5, "ela": 0.48, "none": 0.02},
    "ell": {"no": 0.92, "yes": 0.08},
    "special_ed": {"no": 0.9, "yes": 0.1},
}


def study_of(students: pd.DataFrame, folder: Path | str = "nowhere") -> SimpleNamespace:
    """A study of these students, all of whom answered the survey unless the table says otherwise."""
    if "answered_survey" not in students:
        students = students.assign(answered_survey="yes")
    return SimpleNamespace(codebook=CODEBOOK, students=students, published=None, folder=Path(folder))


def random_students(seed: int, n: int) -> pd.DataFrame:
    """Students drawn independently, each column's shares jittered by the seed."""
    rng = np.random.default_rng(seed)
    drawn = {}
    for column, shares in SHARES.items():
        weights = rng.dirichlet(40 * np.array(list(shares.values())))
        drawn[column] = rng.choice(list(shares), size=n, p=weights)
    return pd.DataFrame(drawn)


def write_canary_study(source: Path, target: Path) -> set[str]:
    """Copy a study folder so that every id and every measured number is a marker; the markers.

    A marker stands nowhere else: ids are made up, numbers get decimals of their own. Answers and
    groups keep their codes, which a codebook fixes.
    """
    shutil.copytree(source, target)
    markers: set[str] = set()
    for path in sorted(target.glob("*.csv")):
        if path.stem == "published":
            continue
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        for name in table:
            column = CODEBOOK.columns.get(name)
            if column is not None and (column.role in ("id", "cluster") or column.type == "number"):
                told = [bool(value) and value not in column.missing_codes for value in table[name]]
                made = [_marker(value, row, column) for row, value in enumerate(table[name])]
                table[name] = [
                    new if ok else old for new, old, ok in zip(made, table[name], told, strict=True)
                ]
                markers |= set(table.loc[told, name])
        table.to_csv(path, index=False)
    return markers


def _marker(value: str, row: int, column) -> str:
    if column.type != "number":
        return "cnry" + hashlib.sha1(f"{column.key}{value}".encode()).hexdigest()[:10]
    digits = int(hashlib.sha1(f"{column.key}{row}".encode()).hexdigest(), 16) % 10**7
    return f"{int(min(max(float(value or 0), column.low + 1), column.high - 1))}.{digits * 10 + 1:08d}"
