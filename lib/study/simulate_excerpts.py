"""Simulate coded remarks of focus groups and interviews, with one-line summaries of our own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from lib.errors import StudyError
from lib.study.codebook import Codebook


def simulate_excerpts(
    spec: dict, codebook: Codebook, teachers: pd.DataFrame, *, printed: bool, rng: np.random.Generator
) -> pd.DataFrame:
    """One row per coded remark, with source, type of group, theme and summary.

    A group's remarks on a theme are drawn from a Poisson distribution whose mean is that of its type in the
    printed counts; a theme that is ``raised`` by chance has one remark and a Poisson number of further ones. Each
    teacher names a theme, or one of those who named its parent does, with the printed
    share. ``type_contrast``, ``prevalence`` and ``interview_prevalence`` say how far these departures are kept:
    at 0 both types raise a theme alike, and a group or a teacher is as likely as not to raise it.

    Parameters
    ----------
    spec : dict
        The population's ``excerpts``.
    codebook : Codebook
        Says the columns and their order.
    teachers : DataFrame
        The teachers' table; those ``interviewed`` are told of.
    printed : bool
        Write the printed counts themselves instead of drawing around them.
    rng : Generator
        Source of every draw.
    """
    told = teachers.loc[teachers["interviewed"] == "yes", ["teacher_id", "school", "subject"]]
    told = told.reset_index(drop=True)
    if printed:
        remarks, named = _printed_remarks(spec), _printed_themes(spec, len(told), rng)
    else:
        remarks, named = _drawn_remarks(spec, rng), _drawn_themes(spec, len(told), rng)
    rows = _focus_groups(spec, remarks) + _interviews(told, named, list(spec["interviews"]))
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


def _groups(spec: dict) -> list[tuple[str, str, int]]:
    """Type, school and size of every focus group."""
    return [(kind, school, size) for kind, sizes in spec["groups"].items() for school, size in sizes.items()]


def _printed_remarks(spec: dict) -> np.ndarray:
    """Remarks of each focus group (row) on each theme (column), as the population lists them."""
    return np.array(
        [
            [count for kind in spec["groups"] for count in by_kind[kind]]
            for by_kind in spec["remarks"].values()
        ]
    ).T


def _drawn_remarks(spec: dict, rng: np.random.Generator) -> np.ndarray:
    """Remarks of each focus group (row) on each theme (column): Poisson, or one and more where a theme is raised."""
    kinds = np.array([kind for kind, _, _ in _groups(spec)])
    counts = _printed_remarks(spec)
    pooled = counts.mean(axis=0)
    own = np.array([counts[kinds == kind].mean(axis=0) for kind in kinds])
    means = np.log(2) ** (1 - spec["prevalence"]) * pooled ** spec["prevalence"]
    means = means * (own / pooled) ** spec["type_contrast"]
    odds = {theme: (share / (1 - share)) ** spec["prevalence"] for theme, share in spec["raised"].items()}
    chance = np.array(
        [odds[theme] / (1 + odds[theme]) if theme in odds else np.nan for theme in spec["remarks"]]
    )
    further = np.nan_to_num(np.maximum(means / chance - 1, 0))
    together = np.isin(list(spec["remarks"]), spec["raised_together"])
    places = np.unique([school for _, school, _ in _groups(spec)], return_inverse=True)[1]

    def remarks(groups: np.ndarray) -> np.ndarray:
        luck = rng.random((len(groups), len(chance)))
        luck[:, together] = rng.random((places.max() + 1, together.sum()))[places[groups]]
        raised = (luck < chance) * (1 + rng.poisson(further[groups]))
        return np.where(np.isnan(chance), rng.poisson(means[groups]), raised)

    return _heard(remarks, len(kinds))


def _focus_groups(spec: dict, remarks: np.ndarray) -> list[tuple]:
    return [
        ("focus_group", kind, "student", f"focus_{kind}_{school}", school, None, size, theme)
        for theme, counts in zip(spec["remarks"], remarks.T, strict=True)
        for (kind, school, size), count in zip(_groups(spec), counts, strict=True)
        for _ in range(count)
    ]


def _printed_themes(spec: dict, n: int, rng: np.random.Generator) -> np.ndarray:
    """Whether each of n teachers (row) names each theme (column): as many as printed, chosen at random."""
    named: dict[str, np.ndarray] = {}
    for theme, count in spec["interviews"].items():
        among = named.get(spec["within"].get(theme), np.arange(n))
        named[theme] = np.sort(rng.permutation(among)[:count])
    table = np.array([np.isin(np.arange(n), places) for places in named.values()]).T
    silent = int((~table.any(axis=1)).sum())
    if silent:
        raise StudyError(f"{silent} interviews have no coded remark; raise the counts in population.yml")
    return table


def _drawn_themes(spec: dict, n: int, rng: np.random.Generator) -> np.ndarray:
    """Whether each of n teachers (row) names each theme (column); one within another only beside it."""
    counts, within = spec["interviews"], spec["within"]
    themes = list(counts)
    totals = np.array([counts[within[theme]] if theme in within else n for theme in themes])
    share = np.clip(np.array([counts[theme] for theme in themes]) / totals, 0.5 / n, 1 - 0.5 / n)
    odds = (share / (1 - share)) ** spec["interview_prevalence"]
    chance = odds / (1 + odds)
    parents = [(themes.index(theme), themes.index(within[theme])) for theme in themes if theme in within]

    def name(teachers: np.ndarray) -> np.ndarray:
        table = rng.random((len(teachers), len(themes))) < chance
        for theme, parent in parents:
            table[:, theme] &= table[:, parent]
        return table

    return _heard(name, n)


def _heard(draw: Callable[[np.ndarray], np.ndarray], n: int) -> np.ndarray:
    """A draw in which each of n has something to say: one without any remark has no row, and nobody would count it."""
    table = draw(np.arange(n))
    while (silent := np.flatnonzero(~table.astype(bool).any(axis=1))).size:
        table[silent] = draw(silent)
    return table


def _interviews(told: pd.DataFrame, named: np.ndarray, themes: list[str]) -> list[tuple]:
    """One remark per teacher and theme named."""
    return [
        (
            "interview",
            "interview",
            "teacher",
            f"interview_{one.teacher_id}",
            one.school,
            one.subject,
            None,
            theme,
        )
        for theme, places in zip(themes, named.T, strict=True)
        for place in np.flatnonzero(places)
        for one in [told.loc[place]]
    ]
