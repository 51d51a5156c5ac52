"""Simulate studies too large for memory: students as Parquet parts, each drawn by itself.

A part is a district of its own: its classes and ids carry its number. Its draw depends on the seed and
the part's number alone, so parts can be made in any order, or again.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from lib.errors import StudyError
from lib.study.codebook import Codebook
from lib.study.population import load_population, nullified
from lib.study.read_codebook import CODEBOOK, load_codebook
from lib.study.simulate import POPULATION, draw_students
from lib.study.simulate_roster import apportion

PART_SIZE = 100_000
MAX_STUDENTS = 10_000_000
FOLDER = "students"


def simulate_parts(
    population: str | Path,
    folder: str | Path,
    *,
    n: int,
    seed: int,
    null: bool = False,
    part_size: int = PART_SIZE,
    progress=None,
) -> Path:
    """Write a study folder whose students lie in Parquet parts; memory holds one part at a time.

    Parameters
    ----------
    population : path
        Folder with ``population.yml`` and ``codebook.yml``.
    folder : path
        A new or empty folder.
    n : int
        Students, up to 10 million.
    seed : int
        Of every draw.
    null : bool
        Draw a null study.
    part_size : int
        Students in a part, about.
    progress : callable, optional
        Called with (parts written, parts in all).

    Returns
    -------
    Path
        The study folder, with a codebook that names the students' parts and no other file.

    Raises
    ------
    StudyError
        If ``n`` is out of range or the folder is not empty.
    """
    source, folder = Path(population), Path(folder)
    if not 1000 <= n <= MAX_STUDENTS:
        raise StudyError(
            f"{n:,} students cannot be written as parts (1 setting); ask for 1,000 to {MAX_STUDENTS:,}"
        )
    if folder.exists() and any(folder.iterdir()):
        raise StudyError(f"folder {folder.name!r} is not empty; name a new one, or empty it first")
    codebook, truth = load_codebook(source), load_population(source / POPULATION)
    truth = nullified(truth) if null else truth
    (folder / FOLDER).mkdir(parents=True)
    sizes = apportion(np.ones(max(1, round(n / part_size))), n)
    for number, size in enumerate(sizes):
        part = _part(truth, codebook, size=int(size), seed=seed, number=number)
        part.to_parquet(folder / FOLDER / f"part-{number:05d}.parquet", index=False)
        if progress:
            progress(number + 1, len(sizes))
    shutil.copyfile(source / POPULATION, folder / POPULATION)
    (folder / CODEBOOK).write_text(_students_only(source / CODEBOOK), encoding="utf-8")
    return folder


def _part(truth: dict, codebook: Codebook, *, size: int, seed: int, number: int):
    """Students of one part in compact types; ids and classes carry the part's number."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
    students = draw_students(truth, codebook, n=size, rng=rng)
    for key, column in codebook.columns_of("students").items():
        if column.role in ("id", "cluster"):
            students[key] = f"P{number:05d}_" + students[key]
        elif column.type == "category":
            students[key] = students[key].astype("category")
        elif column.type == "ordinal":
            students[key] = students[key].astype("Int8")
    return students


def _students_only(codebook_path: Path) -> str:
    """The codebook's text for a study that has students alone."""
    import yaml

    raw = yaml.safe_load(codebook_path.read_text(encoding="utf-8"))
    for themes in ("theme_sets", "theme_within"):
        raw.pop(themes, None)  # themes are levels of a column of the excerpts
    raw["files"] = {"students": FOLDER}
    raw["scales"] = {
        k: scale for k, scale in raw["scales"].items() if scale.get("file", "students") == "students"
    }
    kept = {}
    for key, column in raw["columns"].items():
        files = column.get("file", "students")
        if "students" in (files if isinstance(files, list) else [files]):
            kept[key] = column | {"file": "students"}
    raw["columns"] = kept
    return yaml.safe_dump(raw, sort_keys=False, allow_unicode=True, width=110)
