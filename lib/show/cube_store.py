"""Results by subgroup on disk, so that pages that show the same results compute them once.

A file holds the rows of one function after the gate, is written whole or not at all, and is named by all that its
numbers depend on: data, states, the function with its arguments, and the code of the rooms below.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import pandas as pd

from lib.errors import StudyError
from lib.show.cube_code import Layout
from lib.study.load import Study, project_root

ROOMS = ("study", "sem", "analysis", "disclosure")

__all__ = ["stored_rows"]


def stored_rows(
    study: Study, layout: Layout, function: Callable, compute: Callable[[], pd.DataFrame]
) -> pd.DataFrame:
    """The rows that ``compute`` gives for a function of the cube, from the build's folder where they are there.

    Parameters
    ----------
    study : Study
    layout : Layout
    function : callable
        What ``compute`` calls: a function of a module, or a ``partial`` of one with plain arguments. Anything else
        is computed and not kept.
    compute : function() -> DataFrame
        Released rows.
    """
    told = _told(function)
    try:
        folder = project_root() / "_build" / "cubes"
    except StudyError:
        return compute()
    if told is None:
        return compute()
    from filelock import FileLock

    printed = study.folder / "published.csv"
    parts = [study.data_hash, hashlib.sha256(printed.read_bytes()).hexdigest() if printed.is_file() else ""]
    parts += [repr(layout.states), repr(layout.pairs), told, _code()]
    path = folder / (hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24] + ".parquet")
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):  # pages run side by side
        if not path.is_file():
            partial_file = path.with_suffix(".partial")
            compute().to_parquet(partial_file)
            partial_file.replace(path)
    return pd.read_parquet(path)


def _told(value: object) -> str | None:
    """A function with its arguments, or an argument, in words that are the same in every run; None if it has none."""
    if isinstance(value, partial):
        arguments = [*value.args, *(value.keywords[name] for name in sorted(value.keywords))]
        parts = [_told(value.func), *map(_told, arguments)]
        return None if None in parts else f"({' '.join(parts)} {sorted(value.keywords)})"
    if callable(value):
        name = f"{value.__module__}.{value.__qualname__}"
        return None if "<" in name or value.__module__ == "__main__" else name
    plain = isinstance(value, (str, int, float, list, tuple, dict))
    return repr(value) if plain and " object at 0x" not in repr(value) else None


@cache
def _code() -> str:
    lib = Path(__file__).parents[1]
    files = [path for room in ROOMS for path in sorted((lib / room).glob("*.py"))]
    files += sorted(Path(__file__).parent.glob("cube*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()
