"""Simulate classroom visits: ratings of the parts of a visit, collaborative or other."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.study.codebook import Codebook


def simulate_observations(
    spec: dict, codebook: Codebook, teachers: pd.DataFrame, *, rng: np.random.Generator
) -> pd.DataFrame:
    """One row per part of a visit; visits go to classes of interviewed teachers, some of them twice."""
    segments = []
    for school, counts in spec["visits"].items():
        visits = [
            visit for subject, count in counts.items() for visit in _visits(teachers, school, subject, count)
        ]
        classes = list(dict.fromkeys(class_id for _, class_id in visits))
        chosen = rng.permutation(len(classes))[: spec["classrooms_with_collaboration"][school]]
        together = {classes[place] for place in chosen}
        for number, (subject, class_id) in enumerate(visits, start=1):
            segments += _segments(
                f"{school}_v{number}", school, subject, class_id, class_id in together, spec, rng
            )
    table = pd.DataFrame(segments, columns=["visit_id", "school", "subject", "class_id", "activity"])
    table.insert(0, "segment_id", [f"O{number:03d}" for number in range(1, len(table) + 1)])
    return pd.concat([table, _ratings(table, spec, codebook, rng)], axis=1)[
        list(codebook.columns_of("observations"))
    ]


def _visits(teachers: pd.DataFrame, school: str, subject: str, count: int) -> list[tuple[str, str]]:
    """Subject and class of each visit: the interviewed teachers' classes in turn, then again from the first."""
    inside = (
        (teachers["school"] == school) & (teachers["subject"] == subject) & (teachers["interviewed"] == "yes")
    )
    classes = list(teachers.loc[inside, "class_id"])
    return [(subject, classes[place % len(classes)]) for place in range(count)]


def _segments(
    visit: str, school: str, subject: str, class_id: str, together: bool, spec: dict, rng
) -> list[tuple]:
    """Parts of one visit; with collaboration, at least one part is collaborative and one is not."""
    count = spec["segments"]
    kinds = np.full(count, "other", dtype=object)
    if together:
        share = np.clip(rng.binomial(count, spec["collaborative_share"]), 1, count - 1)
        kinds[rng.permutation(count)[:share]] = "collaborative"
    return [(visit, school, subject, class_id, kind) for kind in kinds]


def _ratings(table: pd.DataFrame, spec: dict, codebook: Codebook, rng: np.random.Generator) -> pd.DataFrame:
    """Ratings of every item: a visit's common level, item location, activity and subject shifts, cut points."""
    visits, names = pd.factorize(table["visit_id"])
    share = spec["visit_icc"]
    level = np.sqrt(share) * rng.standard_normal(len(names))[visits]
    together = (table["activity"] == "collaborative").to_numpy(float)
    second = (table["subject"] == list(next(iter(spec["visits"].values())))[1]).to_numpy(float)
    ratings = {}
    for scale in codebook.scales_with("observed"):
        for item in scale.items:
            shift = spec["location"].get(item, 0.0) + spec["collaborative_shift"].get(item, 0.0) * together
            shift = shift + spec["subject_shift"].get(item, 0.0) * second
            response = level + np.sqrt(1 - share) * rng.standard_normal(len(table)) + shift
            ratings[item] = (scale.low + np.searchsorted(spec["cuts"], response)).astype(int)
    return pd.DataFrame(ratings)
