"""Simulate coded remarks of focus groups and interviews: counts as given, one-line summaries of our own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.errors import StudyError
from lib.study.codebook import Codebook


def simulate_excerpts(
    spec: dict, codebook: Codebook, teachers: pd.DataFrame, *, null: bool, rng: np.random.Generator
) -> pd.DataFrame:
    """One row per coded remark, with source, type of group, theme and summary.

    Counts are those of the population. In a null study each theme's remarks fall on the focus groups at
    random, and each interview theme is as likely as not.
    """
    rows = _focus_groups(spec, null, rng) + _interviews(spec, teachers, null, rng)
    columns = [
        "source",
        "group_type",
        "speaker_type",
        "unit_id",
        "school",
        "subject",
        "participants",
        "theme",
    ]
    table = pd.DataFrame(rows, columns=columns)
    summaries = spec["summaries"]
    turn = table.groupby("theme").cumcount()
    table["summary"] = [
        summaries[theme][place % len(summaries[theme])]
        for theme, place in zip(table["theme"], turn, strict=True)
    ]
    table["participants"] = table["participants"].astype("Int64")
    table.insert(0, "excerpt_id", [f"X{number:03d}" for number in range(1, len(table) + 1)])
    return table[list(codebook.columns_of("excerpts"))]


def _focus_groups(spec: dict, null: bool, rng: np.random.Generator) -> list[tuple]:
    groups = [
        (kind, school, size, f"focus_{kind}_{school}")
        for kind, sizes in spec["groups"].items()
        for school, size in sizes.items()
    ]
    rows = []
    for theme, by_kind in spec["remarks"].items():
        counts = [count for kind in spec["groups"] for count in by_kind[kind]]
        if null:
            counts = rng.multinomial(sum(counts), np.full(len(groups), 1 / len(groups)))
        for (kind, school, size, unit), count in zip(groups, counts, strict=True):
            rows += [("focus_group", kind, "student", unit, school, None, size, theme)] * int(count)
    return rows


def _interviews(spec: dict, teachers: pd.DataFrame, null: bool, rng: np.random.Generator) -> list[tuple]:
    """One remark per teacher and theme named; a theme counted among those of another stays within it."""
    told = teachers.loc[teachers["interviewed"] == "yes", ["teacher_id", "school", "subject"]].reset_index(
        drop=True
    )
    named: dict[str, np.ndarray] = {}
    rows = []
    for theme, count in spec["interviews"].items():
        among = named.get(spec["within"].get(theme), np.arange(len(told)))
        size = int(rng.binomial(len(among), 0.5)) if null else count
        named[theme] = np.sort(rng.permutation(among)[:size])
    silent = sorted(set(range(len(told))) - {int(place) for places in named.values() for place in places})
    for theme, places in named.items():
        for place in places:
            teacher = told.loc[place]
            unit = f"interview_{teacher['teacher_id']}"
            rows.append(
                (
                    "interview",
                    "interview",
                    "teacher",
                    unit,
                    teacher["school"],
                    teacher["subject"],
                    None,
                    theme,
                )
            )
    if silent and not null:
        raise StudyError(f"{len(silent)} interviews have no coded remark; raise the counts in population.yml")
    return rows
