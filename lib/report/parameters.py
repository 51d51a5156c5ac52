"""Typed chapter parameters.

A chapter declares each parameter on one line of its parameters cell,
``population: str = "all"  # a named population``; papermill reads name, type, default and help from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from lib.errors import BuildError
from lib.study.codebook import nearest

TYPES = {"str": str, "int": int, "float": float, "bool": bool, "list": list}


@dataclass(frozen=True)
class Parameter:
    """One declared parameter: its name, type name, default and the author's words on it."""

    name: str
    type: str
    default: object
    help: str


def declared_parameters(notebook: Path) -> tuple[Parameter, ...]:
    """Parameters that a notebook declares, in order.

    Raises
    ------
    BuildError
        If the notebook names no kernel, or a parameter has no type this project knows or a default of another type.
    """
    import nbformat
    from papermill import inspect_notebook

    if "kernelspec" not in nbformat.read(notebook, 4).metadata:
        raise BuildError(f"{notebook.name} names no kernel; open it in JupyterLab, choose Python 3 and save")
    found = []
    for name, read in inspect_notebook(str(notebook)).items():
        kind = read["inferred_type_name"].split("[")[0]
        if kind not in TYPES:
            raise BuildError(
                f"{notebook.name}: parameter {name!r} has type {kind!r}; declare it as one of {', '.join(TYPES)}"
            )
        default = _typed(name, kind, yaml.safe_load(read["default"]), where=notebook.name)
        found.append(Parameter(name=name, type=kind, default=default, help=read["help"]))
    return tuple(found)


def chapter_parameters(notebook: Path, given: dict) -> dict:
    """Every parameter of a run: the given values, checked and typed, over the notebook's defaults.

    Parameters
    ----------
    notebook : Path
        The chapter.
    given : dict
        Values by name; text as it comes from a shell is read as the declared type.

    Raises
    ------
    BuildError
        If a name is not declared (the nearest is suggested) or a value has the wrong type.
    """
    declared = {parameter.name: parameter for parameter in declared_parameters(notebook)}
    values = {name: parameter.default for name, parameter in declared.items()}
    for name, value in given.items():
        if name not in declared:
            raise BuildError(f"{notebook.stem} has no parameter {name!r}{nearest(name, list(declared))}")
        values[name] = _typed(name, declared[name].type, value, where=notebook.stem)
    return values


def _typed(name: str, kind: str, value: object, *, where: str) -> object:
    wanted = TYPES[kind]
    if isinstance(value, str) and wanted is not str:
        try:
            value = yaml.safe_load(value)
        except yaml.YAMLError:
            value = str(value)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if wanted is str and isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)  # a shell gives school=2 without saying that it is a name
    if not isinstance(value, wanted) or (wanted is not bool and isinstance(value, bool)):
        raise BuildError(
            f"{where}: parameter {name!r} must be of type {kind}; got {value!r} ({type(value).__name__})"
        )
    return value
