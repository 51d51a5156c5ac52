"""Simulate a whole study folder from ``population.yml`` and the codebook beside it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from lib.errors import StudyError
from lib.study.codebook import Codebook
from lib.study.population import load_population, nullified, planted
from lib.study.read_codebook import CODEBOOK, load_codebook
from lib.study.simulate_excerpts import simulate_excerpts
from lib.study.simulate_missing import take_answers_away
from lib.study.simulate_observations import simulate_observations
from lib.study.simulate_roster import simulate_roster
from lib.study.simulate_students import simulate_students
from lib.study.simulate_teachers import simulate_teachers

POPULATION = "population.yml"
MIN_STUDENTS = 200
COPIED = (
    CODEBOOK, POPULATION, "published.csv", "findings.yml", "reading.yml", "rules.yml", "reproduced.yml", "rates.yml",
)  # fmt: skip


@dataclass(frozen=True)
class Simulated:
    """Tables of one simulated study by file kind, ready to be written as text."""

    codebook: Codebook
    tables: dict[str, pd.DataFrame] = field(repr=False)


def simulate(
    population: str | Path,
    *,
    n: int | None,
    seed: int,
    null: bool = False,
    plant: str | None = None,
    printed: bool = False,
) -> Simulated:
    """One draw of the whole study.

    Parameters
    ----------
    population : path
        Folder with ``population.yml`` and the ``codebook.yml`` that it fills.
    n : int or None
        Students with records; None draws the study's own number. Teachers, visits and focus groups stay as they are.
    seed : int
        Of every draw; each file has its own stream, so a change in one leaves the others alone.
    null : bool
        Zero the structural paths and all group, subject and item differences.
    plant : str, optional
        In a null study, keep what one finding needs, such as ``1a-1``.
    printed : bool
        Give remarks and interviews their printed counts, as in the shipped study, instead of drawing them.

    Raises
    ------
    StudyError
        If the population cannot be read, ``n`` is too small, or nothing is known of the finding to plant.
    """
    folder = Path(population)
    codebook = load_codebook(folder)
    truth = load_population(folder / POPULATION)
    if n is not None and n < MIN_STUDENTS:
        raise StudyError(f"{n} students are too few to simulate (1 setting); ask for {MIN_STUDENTS} or more")
    if null or plant:
        truth = planted(truth, plant) if plant else nullified(truth)
    return draw_study(truth, codebook, n=n, seed=seed, printed=printed)


def draw_study(
    truth: dict, codebook: Codebook, *, n: int | None, seed: int, printed: bool = False
) -> Simulated:
    """One draw from a truth that has been read; settings as of ``simulate``."""
    streams = dict(zip(("students", "teachers", "observations", "excerpts"), _streams(seed), strict=True))
    students = draw_students(truth, codebook, n=n, rng=streams["students"])
    classes = students.loc[students["subject"] != "none", ["school", "subject", "class_id"]].drop_duplicates()
    teachers = simulate_teachers(truth["teachers"], codebook, classes, rng=streams["teachers"])
    observations = simulate_observations(
        truth["observations"], codebook, teachers, rng=streams["observations"]
    )
    excerpts = simulate_excerpts(
        truth["excerpts"], codebook, teachers, printed=printed, rng=streams["excerpts"]
    )
    tables = {"students": students, "teachers": teachers, "observations": observations, "excerpts": excerpts}
    return Simulated(codebook, tables)


def _streams(seed: int) -> list[np.random.Generator]:
    return [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(4)]


def draw_students(
    truth: dict, codebook: Codebook, *, n: int | None, rng: np.random.Generator
) -> pd.DataFrame:
    """The students' table: roster, answers and records, with missing answers."""
    roster = simulate_roster(truth, codebook, n=n, rng=rng)
    students = simulate_students(roster, truth, codebook, rng=rng)
    return take_answers_away(students, truth["missing"], codebook, rng=rng)


def write_study(simulated: Simulated, folder: str | Path, *, source: str | Path) -> Path:
    """Write a simulated study as a study folder of CSV files beside copies of its codebook and truth.

    Raises
    ------
    StudyError
        If the folder already holds files.
    """
    folder, source = Path(folder), Path(source)
    if folder.exists() and any(folder.iterdir()):
        raise StudyError(f"folder {folder.name!r} is not empty; name a new one, or empty it first")
    folder.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    for kind, table in simulated.tables.items():
        table.to_csv(folder / simulated.codebook.files[kind].path, index=False, lineterminator="\n")
    return folder
