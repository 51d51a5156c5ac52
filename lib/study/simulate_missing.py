"""Take answers away: records without a survey, skipped items, surveys broken off, gaps in records."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.study.codebook import Codebook
from lib.study.simulate_roster import has_level

RECORDS = ("grade_prior", "grade_math_or_ela", "absences")


def take_answers_away(students: pd.DataFrame, spec: dict, codebook: Codebook, *, rng: np.random.Generator):
    """Students with missing answers, at random given gender and grade; one skipped item in some is coded.

    Students without a survey keep their records only. The returned frame holds text-ready cells: whole
    numbers as ``Int64`` with missing cells.
    """
    students = students.copy()
    columns = codebook.columns_of("students")
    asked = [key for key, column in columns.items() if column.role in ("item", "answer")]
    surveyed = (students["answered_survey"] == "yes").to_numpy()
    odds = sum(size * has_level(students, name) for name, size in spec["log_odds"].items())
    chance = spec["item"] * np.exp(odds)
    skipped = rng.random((len(students), len(asked))) < chance[:, None]
    stops = np.where(
        rng.random(len(students)) < spec["break_off"], rng.integers(30, len(asked), len(students)), len(asked)
    )
    after = np.arange(len(asked))[None, :] >= stops[:, None]
    coded = skipped & (rng.random(skipped.shape) < spec["coded"])
    answers = students[asked].astype("Int64").mask(skipped | after | ~surveyed[:, None])
    codes = [columns[key].missing_codes[0] if columns[key].missing_codes else None for key in asked]
    for place, (key, code) in enumerate(zip(asked, codes, strict=True)):
        column = answers[key]
        if code is not None:
            column = column.mask(coded[:, place] & ~after[:, place] & surveyed, code)
        students[key] = column
    for key in RECORDS:
        students[key] = students[key].mask(rng.random(len(students)) < spec[key])
    students["absences"] = students["absences"].astype("Int64")
    return students
