"""Rules that hold between columns and between files: who answered, who is in a group, what matches."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.study.codebook import Codebook
from lib.study.faults import Fault

MIN_REVERSED = -0.2


def study_faults(tables: dict[str, pd.DataFrame], codebook: Codebook) -> list[Fault]:
    """Faults between columns and files, for tables that hold every column of the codebook."""
    students = tables["students"]
    return [
        *_group_faults(students, codebook),
        *_answers_without_survey(students, codebook),
        *_cluster_faults(tables, codebook),
        *_item_faults(tables, codebook),
    ]


def rows_where(table: pd.DataFrame, where: dict[str, tuple[str, ...]]) -> pd.Series:
    """Rows in which each column holds one of the levels given; a number is compared as its text."""
    inside = pd.Series(True, index=table.index)
    for key, levels in where.items():
        inside &= table[key].map(_text_of).isin(levels)
    return inside


def _text_of(value) -> str:
    """A cell as the codebook writes a level: a whole number without its decimals."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _group_faults(students: pd.DataFrame, codebook: Codebook) -> list[Fault]:
    """Every named population has somebody, the whole and the two compared at least k."""
    path, k, faults = codebook.files["students"].path, codebook.disclosure.k, []
    surveyed = rows_where(students, codebook.respondents)
    for key, rule in codebook.populations.items():
        count = int((surveyed & rows_where(students, rule.where)).sum())
        if count == 0:
            message = f"nobody of {len(students)} rows of {path} is in population {key!r} (0 rows)"
            remedy = "correct its `where` in codebook.yml, or remove the population"
            faults.append(Fault("error", path, ", ".join(rule.where), "population", 0, message, remedy))
        elif count < k and key in ("all", codebook.focal, codebook.reference):
            message = f"population {key!r} has fewer than {k} respondents in {path}"
            remedy = f"no statistic on fewer than {k} students is published; add data or name larger groups"
            faults.append(
                Fault("error", path, ", ".join(rule.where), "enough respondents", count, message, remedy)
            )
    return faults


def _answers_without_survey(students: pd.DataFrame, codebook: Codebook) -> list[Fault]:
    if not codebook.respondents:
        return []
    asked = [
        key for key, column in codebook.columns_of("students").items() if column.role in ("item", "answer")
    ]
    surveyed = rows_where(students, codebook.respondents)
    answered = students[asked].notna().any(axis=1)
    count, empty = int((answered & ~surveyed).sum()), int((~answered & surveyed).sum()) if asked else 0
    path, names, faults = codebook.files["students"].path, ", ".join(codebook.respondents), []
    if count:
        message = f"{count} rows of {path} hold answers although {names} says that there was no survey"
        remedy = "correct the column, or `respondents` in codebook.yml"
        faults.append(Fault("error", path, names, "answers without survey", count, message, remedy))
    if empty:
        message = f"{empty} rows of {path} hold no answer although {names} says that there was a survey"
        faults.append(
            Fault("warning", path, names, "survey without answers", empty, message, "correct the column")
        )
    return faults


def _cluster_faults(tables: dict[str, pd.DataFrame], codebook: Codebook) -> list[Fault]:
    """A cluster lies in one group of every shared group column, and other files name known clusters."""
    cluster, faults = codebook.cluster, []
    if not cluster:
        return []
    students = tables["students"]
    known = set(students[cluster].dropna())
    shared = [
        key
        for key, column in codebook.columns_of("students").items()
        if column.role == "group" and len(column.files) > 1
    ]
    for key in shared:
        if key in codebook.respondents:
            continue
        pairs = pd.DataFrame({"cluster": students[cluster], "group": students[key].astype(object)}).dropna()
        count = int((pairs.groupby("cluster")["group"].nunique() > 1).sum())
        if count:
            path = codebook.files["students"].path
            message = f"{count} values of {cluster!r} in {path} lie in more than one level of {key!r}"
            remedy = f"give each {cluster} its own name in every level of {key}"
            faults.append(Fault("error", path, cluster, "nested clusters", count, message, remedy))
    for kind in codebook.columns[cluster].files:
        if kind == "students" or kind not in tables:
            continue
        named = tables[kind][cluster]
        count = int((named.notna() & ~named.isin(known)).sum())
        if count:
            path = codebook.files[kind].path
            message = f"{cluster!r} matches no student in {count} of {len(named)} rows of {path}"
            remedy = f"correct the ids, or leave {cluster} empty where it is not known"
            faults.append(Fault("error", path, cluster, "ids that match", count, message, remedy))
    return faults


def _item_faults(tables: dict[str, pd.DataFrame], codebook: Codebook) -> list[Fault]:
    """Items of a scale that are copies of each other, or that run against it as if they were reversed."""
    faults = []
    for scale in codebook.scales.values():
        path = codebook.files[scale.file].path
        items = tables[scale.file][list(scale.items)].to_numpy(dtype=float, copy=True)
        copies = _copies(items)
        if copies:
            message = f"{len(copies)} items of scale {scale.key!r} hold the same answers as another in all rows of {path}"
            first = scale.items[copies[0]]
            faults.append(
                Fault("error", path, first, "items apart", len(copies), message, "export the items again")
            )
            continue
        for place, key in enumerate(scale.items):
            if key in scale.reversed:
                items[:, place] = scale.low + scale.high - items[:, place]
        for place in _against(items):
            key = scale.items[place]
            message = f"{key!r} runs against the other items of scale {scale.key!r} in {path} (1 item)"
            remedy = "check whether it belongs under `reversed` in codebook.yml"
            faults.append(Fault("warning", path, key, "direction of items", 1, message, remedy))
    return faults


def _copies(items: np.ndarray) -> list[int]:
    """Columns that repeat an earlier one in every row, an answer somewhere."""
    pairs = ((a, b) for b in range(items.shape[1]) for a in range(b))
    same = [b for a, b in pairs if np.array_equal(items[:, a], items[:, b], equal_nan=True)]
    return sorted(set(same)) if np.isfinite(items).any() else []


def _against(items: np.ndarray) -> list[int]:
    """Columns whose correlation with the mean of the others is below ``MIN_REVERSED``; needs three items."""
    found = []
    for place in range(items.shape[1] if items.shape[1] > 2 else 0):
        others = np.delete(items, place, axis=1)
        count = np.isfinite(others).sum(axis=1)
        rest = np.nansum(others, axis=1) / np.maximum(count, 1)
        both = np.isfinite(items[:, place]) & (count > 0)
        one, two = items[both, place], rest[both]
        if len(one) > 2 and one.std() > 0 and two.std() > 0 and np.corrcoef(one, two)[0, 1] < MIN_REVERSED:
            found.append(place)
    return found
