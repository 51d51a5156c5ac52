"""Small studies for the tests of lib.disclosure: the shipped codebook over made-up students."""

from __future__ import annotations

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
