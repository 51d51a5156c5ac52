"""Simulate who is in the study: students in schools and classes, with their records."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.study.codebook import Codebook

SHIFTING = ("gender", "grade_level")  # columns of records whose levels shift a mean or an odds


def simulate_roster(
    population: dict, codebook: Codebook, *, n: int | None, rng: np.random.Generator
) -> pd.DataFrame:
    """One row per student: school, class, subject rated, whether surveyed, group columns.

    Counts by school and subject are exact and scale with ``n``; each group's total is exact too.
    """
    roster = population["roster"]
    cells = [
        (school, subject, count)
        for school, counts in roster["counts"].items()
        for subject, count in counts.items()
    ]
    counts = np.array([count for *_, count in cells])
    if n is not None and n != counts.sum():
        counts = apportion(counts / counts.sum(), n)
    schools = np.repeat([school for school, *_ in cells], counts)
    rated = np.repeat([subject for _, subject, _ in cells], counts)
    surveyed = rated != "records_only"
    students = pd.DataFrame({"school": schools, "subject": np.where(surveyed, rated, "none")})
    students["answered_survey"] = np.where(surveyed, "yes", "no")
    students["class_id"] = _classes(students, roster["classes"], rng)
    students["race"] = _groups(students, roster, rng)
    students["grade_level"] = _grades(students, roster["grade_level"], rng)
    students["gender"] = rng.choice(
        list(roster["gender"]), p=list(roster["gender"].values()), size=len(students)
    )
    for column in ("ell", "special_ed"):
        chance = students["race"].map(roster[column]).to_numpy()
        students[column] = np.where(rng.random(len(students)) < chance, "yes", "no")
    students = students.sort_values(["school", "class_id"], kind="stable").reset_index(drop=True)
    width = max(4, len(str(len(students))))
    students.insert(
        0, "student_id", [f"S{number:0{width}d}" for number in rng.permutation(len(students)) + 1]
    )
    return students


def has_level(roster: pd.DataFrame, name: str) -> np.ndarray:
    """1 where a student has a level of a record (``12``), or ``yes`` in the column so named; else 0."""
    if name in roster:
        return (roster[name] == "yes").to_numpy(float)
    return roster[list(SHIFTING)].eq(name).any(axis=1).to_numpy(float)


def apportion(shares: np.ndarray, total: int) -> np.ndarray:
    """Whole numbers near ``shares * total`` that sum to ``total`` (largest remainders)."""
    exact = np.asarray(shares, dtype=float) / np.sum(shares) * total
    whole = np.floor(exact).astype(int)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: total - whole.sum()]] += 1
    return whole


def _classes(students: pd.DataFrame, classes: dict, rng: np.random.Generator) -> np.ndarray:
    """Class of each student; those who named no class sit in one of their school's classes.

    The number of classes grows with the number of students, so that class sizes stay as in the study.
    """
    result = np.empty(len(students), dtype=object)
    named = np.empty(len(students), dtype=object)
    for school, per_subject in classes.items():
        everyone = np.flatnonzero(students["school"] == school)
        rooms = []
        for subject, count in per_subject.items():
            rows = everyone[students["subject"].to_numpy()[everyone] == subject]
            factor = max(1, round(len(rows) / (count * 17)))
            names = [f"{school}_{subject}_{number:02d}" for number in range(1, count * factor + 1)]
            named[rng.permutation(rows)] = np.resize(names, len(rows))
            rooms += names
        rest = everyone[[value is None for value in named[everyone]]]
        named[rest] = rng.choice(rooms, size=len(rest))
        result[everyone] = named[everyone]
    return result


def _groups(students: pd.DataFrame, roster: dict, rng: np.random.Generator) -> np.ndarray:
    """Group of each student: totals as in the population, odds by school, the surveyed kept in proportion."""
    levels = list(roster["race"])
    total = apportion(np.array(list(roster["race"].values())), len(students))
    surveyed = (students["answered_survey"] == "yes").to_numpy()
    inside = apportion(total, int(surveyed.sum()))
    result = np.empty(len(students), dtype=object)
    for rows, counts in ((np.flatnonzero(surveyed), inside), (np.flatnonzero(~surveyed), total - inside)):
        odds = roster["race_by_school"]
        weights = np.array(
            [[odds[s][level] for level in levels] for s in students["school"].to_numpy()[rows]]
        )
        result[rows] = np.array(levels, dtype=object)[_fill(weights, counts, rng)]
    return result


def _fill(weights: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Level of each row: exactly ``counts`` of each, likelier where a row's weight is higher."""
    gumbel = rng.gumbel(size=weights.shape)
    result = np.full(len(weights), -1)
    free = np.ones(len(weights), dtype=bool)
    for level in np.argsort(counts):
        score = np.where(
            free, np.log(weights[:, level]) - np.log(weights.mean(axis=1)) + gumbel[:, level], -np.inf
        )
        chosen = np.argsort(-score, kind="stable")[: counts[level]]
        result[chosen] = level
        free[chosen] = False
    return result


def _grades(students: pd.DataFrame, shares: dict, rng: np.random.Generator) -> np.ndarray:
    """Grade of each student: most of a class is of one grade, as course sequences make it."""
    levels, odds = list(shares), np.array(list(shares.values()))
    classes = students["class_id"].unique()
    of_class = dict(
        zip(classes, rng.choice(len(levels), p=odds / odds.sum(), size=len(classes)), strict=True)
    )
    grade = students["class_id"].map(of_class).to_numpy(copy=True)
    mixed = rng.random(len(students)) < 0.3
    grade[mixed] = rng.choice(len(levels), p=odds / odds.sum(), size=int(mixed.sum()))
    return np.array(levels)[grade]
