"""Estimated specifications on disk, so that an interrupted run goes on where it stopped.

Each part is one file, written whole or not at all, and named by all that its numbers depend on: data, choices,
models and code. Files hold estimates and no student's value; they stay in the build folder.
"""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from lib.analysis.crossings import Crossing
from lib.analysis.specified_fits import Paths
from lib.analysis.specified_moments import Columns
from lib.analysis.specified_targets import Target, solve_group
from lib.study.load import project_root

ENGINE = ("batch", "likelihood", "scoring", "implied", "specify", "spec", "start", "patterns", "momentspace")
FIELDS = ("estimate", "cov", "clustered", "df", "status")


def default_store() -> Path:
    """Where a build keeps estimated specifications."""
    return project_root() / "_build" / "specifications"


def storing(folder: Path, solve: Callable = solve_group) -> Callable:
    """``solve`` with a store before it: what a folder holds is read, the rest is estimated and written."""

    def look(columns: Columns, crossing: Crossing, group: Sequence[Target]) -> dict[Target, Paths]:
        drawn = [crossing.settings(k) for k in range(len(crossing.drawn))]
        parts = [repr(drawn), repr(list(group)), repr(columns.plan.sets)]
        path = part_path(folder, columns.study.data_hash, *parts)
        if not path.is_file():
            found = solve(columns, crossing, group)
            arrays = {f"{name}_{k}": np.asarray(getattr(found[target], name), str if name == "status" else float)
                      for k, target in enumerate(group) for name in FIELDS}  # fmt: skip
            write_part(path, arrays)
        with np.load(path) as stored:
            return {
                target: Paths(*(stored[f"{name}_{k}"] for name in FIELDS)) for k, target in enumerate(group)
            }

    return look


def part_path(folder: Path, *parts: str) -> Path:
    """The file of a part, named by what it depends on and by the code of the rooms that estimate."""
    return folder / (hashlib.sha256("\0".join([*parts, _code()]).encode()).hexdigest()[:24] + ".npz")


def write_part(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays to a file that others see only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with partial.open("wb") as handle:
        np.savez(handle, **arrays)
    partial.replace(path)


@cache
def _code() -> str:
    here = Path(__file__).parent
    files = [*sorted(here.glob("specifi*.py")), here / "design.py", here / "joint_test.py"]
    files += [here.parent / "sem" / f"{name}.py" for name in ENGINE]
    return _digest(files)


@cache
def judging_code() -> str:
    """A digest of the code that judges findings, on which verdicts depend and estimates do not."""
    here = Path(__file__).parent
    return _digest([here / "findings.py", *sorted(here.glob("rule_*.py"))])


def _digest(files: Sequence[Path]) -> str:
    # comments and layout change no number
    trees = (ast.dump(ast.parse(path.read_text("utf-8"))) for path in files)
    return hashlib.sha256("\0".join(trees).encode()).hexdigest()
