"""Simulate the teachers' survey: who rated a class, what they say of it, of benefits and of their school."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.study.codebook import Codebook, Scale


def simulate_teachers(spec: dict, codebook: Codebook, classes: pd.DataFrame, *, rng: np.random.Generator):
    """One row per teacher in the codebook's columns.

    Parameters
    ----------
    spec : dict
        The population's ``teachers``.
    codebook : Codebook
        Scales with ``file: teachers``; a scale with a counterpart is answered only about a class.
    classes : DataFrame
        Columns ``school``, ``subject``, ``class_id``: the classes that may be rated.
    rng : Generator
        Source of every draw.
    """
    teachers = _who(spec, classes, rng)
    second = np.array(teachers["subject"] == _second(spec))
    rated = np.array(teachers["subject"] != "none")
    answers = {}
    for scale in codebook.scales.values():
        if scale.file == "teachers":
            asked = rated if scale.counterpart else np.ones(len(teachers), dtype=bool)
            answers |= _answers(scale, spec, second, asked, rng)
    frequency = 1 + np.searchsorted(spec["frequency_cuts"], rng.standard_normal(len(teachers)))
    teachers["frequency"] = pd.array(frequency, dtype="Int64")
    teachers.loc[~rated, "frequency"] = pd.NA
    teachers = pd.concat([teachers, pd.DataFrame(answers)], axis=1)
    return teachers[list(codebook.columns_of("teachers"))]


def _second(spec: dict) -> str:
    """The subject to which subject shifts apply: the second one that is rated."""
    return list(next(iter(spec["counts"].values())))[1]


def _who(spec: dict, classes: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for school, counts in spec["counts"].items():
        for subject, count in counts.items():
            inside = (classes["school"] == school) & (classes["subject"] == subject)
            rooms = sorted(classes.loc[inside, "class_id"])
            for place in range(count):
                room = rooms[place] if subject != "none" and place < len(rooms) else None
                told = place < spec["interviewed"].get(school, {}).get(subject, 0)
                rows.append((school, subject, room, "yes" if told else "no"))
    teachers = pd.DataFrame(rows, columns=["school", "subject", "class_id", "interviewed"])
    teachers.insert(0, "teacher_id", [f"T{number:03d}" for number in rng.permutation(len(teachers)) + 1])
    return teachers


def _answers(scale: Scale, spec: dict, second: np.ndarray, asked: np.ndarray, rng) -> dict[str, pd.array]:
    """Answers to one scale's items: a common factor, subject and item shifts, cut points, skipped items."""
    n, loading = len(second), spec["item_loading"]
    common = rng.standard_normal(n) + spec["subject_shift"].get(scale.key, 0.0) * second
    answers = {}
    for item in scale.items:
        shift = spec["location"].get(scale.key, 0.0) + spec["item_location"].get(item, 0.0)
        shift = shift + spec["item_subject_shift"].get(item, 0.0) * second
        response = loading * common + np.sqrt(1 - loading**2) * rng.standard_normal(n) + shift
        points = pd.array(scale.low + np.searchsorted(spec["cuts"], response), dtype="Float64").astype(
            "Int64"
        )
        points[~asked | (rng.random(n) < spec["missing"])] = pd.NA
        answers[item] = points
    return answers
