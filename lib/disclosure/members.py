"""Who stands behind a result: the students of a population and group, as the codebook defines them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.study.codebook import Codebook
from lib.study.load import Study

WHOLE = ("", "all", "total")


def rule_of(name: str, codebook: Codebook) -> dict[str, tuple[str, ...]] | None:
    """Levels that define a name: a population, ``column=level``, or several joined by ``&``; None if unknown."""
    if name in codebook.populations:
        return dict(codebook.populations[name].where)
    if name in WHOLE:
        return {}
    alias = {"focal": codebook.focal, "reference": codebook.reference}.get(name)
    if alias in codebook.populations:
        return dict(codebook.populations[alias].where)
    rule: dict[str, tuple[str, ...]] = {}
    for part in name.split("&"):
        column, _, level = part.strip().partition("=")
        if not level or column not in codebook.columns:
            return None
        rule[column] = tuple(one.strip() for one in level.split("|"))
    return rule


def members(study: Study, *names: str) -> np.ndarray | None:
    """Survey respondents that belong to every name, as a mask over ``study.students``.

    Parameters
    ----------
    study : Study
    *names : str
        Populations or levels, as ``rule_of`` reads them.

    Returns
    -------
    ndarray of bool, shape (students,), or None
        None where a name is unknown or the study holds no students.
    """
    students = getattr(study, "students", None)
    if students is None:
        return None
    inside = holding(students, study.codebook.respondents)
    for name in names:
        rule = rule_of(name, study.codebook)
        if rule is None or any(column not in students for column in rule):
            return None
        inside &= holding(students, rule)
    return inside


def holding(table: pd.DataFrame, rule: dict[str, tuple[str, ...]]) -> np.ndarray:
    """Rows of a table whose columns hold one of the levels given."""
    inside = np.ones(len(table), dtype=bool)
    for column, levels in rule.items():
        inside &= _among(table[column], levels)
    return inside


def _among(values: pd.Series, levels: tuple[str, ...]) -> np.ndarray:
    if isinstance(values.dtype, pd.CategoricalDtype):
        wanted = np.append(values.cat.categories.isin(levels), False)  # the code of a missing value is -1
        return wanted[values.cat.codes]
    return values.astype(object).isin(levels).to_numpy()


def among_respondents(rule: Mapping[str, Sequence[str]], codebook: Codebook) -> dict:
    """A rule without the columns that only tell respondents from students who gave no answers."""
    return {column: levels for column, levels in rule.items() if column not in codebook.respondents}
