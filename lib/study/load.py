"""Load a study folder: read its tables as the codebook describes them, and score its scales."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from lib.errors import StudyError
from lib.study.codebook import Codebook, Scale, nearest
from lib.study.faults import fault_text, refusing
from lib.study.read_codebook import CODEBOOK, read_yaml
from lib.study.rules import Rule, read_rules
from lib.study.study_rules import rows_where

MAX_LISTED = 8
CHECKED_VARIABLE = "LWO_CHECKED"


@dataclass(frozen=True)
class Population:
    """Survey respondents of one named population; ``frame`` holds them with every score."""

    key: str
    label: str
    frame: pd.DataFrame = field(repr=False)


@dataclass(frozen=True)
class Study:
    """A study that has passed its codebook.

    ``students``, ``teachers``, ``observations`` and ``excerpts`` are None where the codebook names
    no such file. Tables hold items as answered (float, missing codes as NaN), categories with the
    codebook's levels in order, and one column for each scale and domain score.
    """

    codebook: Codebook
    folder: Path
    data_hash: str
    students: pd.DataFrame = field(repr=False)
    teachers: pd.DataFrame | None = field(repr=False, default=None)
    observations: pd.DataFrame | None = field(repr=False, default=None)
    excerpts: pd.DataFrame | None = field(repr=False, default=None)
    published: pd.DataFrame | None = field(repr=False, default=None)
    findings: dict | None = field(repr=False, default=None)
    rules: dict[str, Rule] | None = field(repr=False, default=None)

    def ledger(self, name: str) -> dict | None:
        """Content of an optional YAML file of the study folder, such as ``reading``; None where there is none.

        Raises
        ------
        StudyError
            If the file is not the YAML a study may hold.
        """
        return _ledger(self.folder / f"{name}.yml")

    def population(self, name: str) -> Population:
        """Survey respondents of a named population; ``focal`` and ``reference`` are the codebook's.

        Raises
        ------
        StudyError
            If the codebook has no such population (the nearest name is given), or nobody is in it.
        """
        key = {"focal": self.codebook.focal, "reference": self.codebook.reference}.get(name, name)
        rule = self.codebook.populations.get(key)
        if rule is None:
            raise StudyError(
                f"codebook.yml has no population {name!r}{nearest(name, self.codebook.populations)}"
            )
        inside = rows_where(self.students, self.codebook.respondents) & rows_where(self.students, rule.where)
        if not inside.any():
            raise StudyError(
                f"nobody of {len(self.students)} students is in population {key!r}; "
                "correct its `where` under populations in codebook.yml, or name another population"
            )
        return Population(key, rule.label, self.students.loc[inside].reset_index(drop=True))

    def items(self, scale_key: str) -> pd.DataFrame:
        """Items of a scale, reversed where the codebook says so; one row per row of the scale's file.

        Raises
        ------
        StudyError
            If the codebook has no such scale, or the study has no file that holds its items.
        """
        scale = self.codebook.scales.get(scale_key)
        if scale is None:
            raise StudyError(
                f"codebook.yml has no scale {scale_key!r}{nearest(scale_key, self.codebook.scales)}"
            )
        table = getattr(self, scale.file)
        if table is None:
            raise StudyError(
                f"scale {scale_key!r} is measured in {scale.file}, and the study has no such file"
            )
        return reversed_items(table, scale)


def load_study(folder: str | Path | None = None) -> Study:
    """Read, check and score a study folder.

    Parameters
    ----------
    folder : path, optional
        The study folder; without it ``$LWO_STUDY``, else ``data`` under the project root (the nearest
        folder upward that holds ``_quarto.yml``). Where ``$LWO_CHECKED`` is its ``data_hash``, whoever started
        this process has checked its cells.

    Raises
    ------
    StudyError
        If the folder is missing or breaks its codebook; the message lists the faults, most serious first.
    """
    from lib.study.validate import examine

    folder = study_folder(folder)
    examined = examine(folder, checked=os.environ.get(CHECKED_VARIABLE, ""))
    wrong = refusing(examined.faults)
    if wrong:
        raise StudyError(
            f"{folder.name}: {len(wrong)} {'fault' if len(wrong) == 1 else 'faults'}\n"
            + fault_text(wrong, limit=MAX_LISTED)
        )
    codebook = examined.codebook
    tables = {kind: add_scores(table, codebook, kind) for kind, table in examined.tables.items()}
    findings = _ledger(folder / "findings.yml")
    return Study(
        codebook=codebook,
        folder=folder,
        data_hash=folder_hash(folder, codebook),
        published=_published(folder),
        findings=findings,
        rules=read_rules(folder, codebook, findings),
        **tables,
    )


def study_folder(folder: str | Path | None = None) -> Path:
    """The study folder that is meant; see ``load_study``.

    Raises
    ------
    StudyError
        If there is no such folder, or none was named and no project root lies above.
    """
    named = folder if folder is not None else os.environ.get("LWO_STUDY") or None
    path = Path(named) if named is not None else project_root() / "data"
    if not path.is_dir():
        raise StudyError(
            f"there is no study folder {path.name!r} here (1 folder missing); name a folder that holds "
            "codebook.yml, or write one with `lwo init`"
        )
    return path


def project_root() -> Path:
    """Nearest folder upward from the working directory that holds ``_quarto.yml``."""
    here = Path.cwd()
    for candidate in (here, *here.parents):
        if (candidate / "_quarto.yml").is_file():
            return candidate
    raise StudyError(
        "no project here: none of the folders upward holds _quarto.yml; go to the checkout, or name a study folder"
    )


def reversed_items(table: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """Items of a scale with its reversed items turned: low + high - answer."""
    items = table[list(scale.items)].astype(float)
    turned = list(scale.reversed)
    items[turned] = scale.low + scale.high - items[turned]
    return items


def add_scores(table: pd.DataFrame, codebook: Codebook, kind: str) -> pd.DataFrame:
    """The table with one column for each scale and domain that this file measures.

    A scale score is the mean of the answered items, NaN under ``min_answered``; a domain score is the
    mean of its scales' scores, NaN where one of them is.
    """
    scores: dict[str, np.ndarray] = {}
    for scale in codebook.scales.values():
        if scale.file != kind:
            continue
        items = reversed_items(table, scale).to_numpy()
        answered = np.isfinite(items).sum(axis=1)
        total = np.nansum(items, axis=1)
        scores[scale.key] = np.where(
            answered >= max(scale.min_answered, 1), total / np.maximum(answered, 1), np.nan
        )
    for domain in codebook.domains.values():
        parts = [scores[key] for key in domain.scales if key in scores]
        if parts:
            scores[domain.key] = np.mean(parts, axis=0)
    return pd.concat([table, pd.DataFrame(scores, index=table.index)], axis=1)


def folder_hash(folder: Path, codebook: Codebook) -> str:
    """SHA-256 over the codebook and the files that it names, in a fixed order."""
    digest = hashlib.sha256((folder / CODEBOOK).read_bytes())
    for spec in codebook.files.values():
        path = folder / spec.path
        for part in sorted(path.rglob("*.parquet")) if path.is_dir() else [path]:
            with part.open("rb") as handle:
                digest.update(hashlib.file_digest(handle, "sha256").digest())
    return digest.hexdigest()


def _published(folder: Path) -> pd.DataFrame | None:
    path = folder / "published.csv"
    return pd.read_csv(path, dtype={"value": str, "exhibit": str}) if path.is_file() else None


def _ledger(path: Path) -> dict | None:
    if not path.is_file():
        return None
    content, faults = read_yaml(path)
    if faults:
        raise StudyError(fault_text(faults))
    return content
