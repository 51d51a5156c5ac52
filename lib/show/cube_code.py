"""A cube as plain JSON: dictionaries of words, and numbers in thousandths by state and result.

An interval is held as how far its lower end lies below the estimate and by how much more its upper end lies above it,
which is exact and, since most intervals are symmetric, takes a third of the bytes of their ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from lib.analysis.estimates import mediator_of
from lib.analysis.evidence_rq1 import WITHOUT_PRIOR
from lib.analysis.two_one_sided import EQUIVALENCE
from lib.disclosure.lattice import Lattice, State
from lib.disclosure.rules import too_few_words
from lib.show.words import label_of, lower_first
from lib.study.codebook import Codebook
from lib.study.load import Population, Study

VERSION = 2
DIRECT = "direct"
NOT_OFFERED = "not shown to protect another group"
ABSENT = "not estimated: too few students"
ESTIMATE = ("estimate", "below", "skew", "n_obs")
ROUNDED = ("estimate", "conf_low", "conf_high", "p_value", "p_bh")
GAP = ("estimate", "below", "skew", "p_value", "p_bh")

__all__ = ["Layout", "encoded", "interval_ends", "result_keys"]


@dataclass(frozen=True)
class Layout:
    """What a cube is over: states, the students of each and of everyone else, and pairs to compare.

    Attributes
    ----------
    lattice : Lattice
    states : tuple of State
    groups : tuple of Population
        One for each state, then everyone else of the states that have one.
    beside : tuple of int
        For each state the place of everyone else among ``groups``, or -1.
    pairs : tuple of (int, int)
    """

    lattice: Lattice
    states: tuple[State, ...]
    groups: tuple[Population, ...]
    beside: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]


def result_keys(rows: pd.DataFrame) -> pd.Series:
    """The name of each row's result: ``model|contrast|term``.

    A difference of two groups is named like what it compares. Where a result is estimated in several ways, the first
    of them has this name, and the others their estimator after it.
    """
    contrast = rows["contrast"].str.removeprefix("difference").str.strip()
    named = rows["model"] + "|" + contrast + "|" + rows["term"]
    first = rows["estimator"].groupby([named, rows["group"] == ""]).transform("first")
    return named.where(rows["estimator"] == first, named + "|" + rows["estimator"])


def encoded(study: Study, layout: Layout, rows: pd.DataFrame, family: np.ndarray) -> dict:
    """The cube of some released rows.

    Parameters
    ----------
    study : Study
    layout : Layout
    rows : DataFrame
        Estimates, whose population is a group's key, and differences, whose group is the second of a pair.
    family : ndarray of int
        Of each row: results of one number had their p-values adjusted together.

    Returns
    -------
    dict
        ``dims`` and ``cube``: the columns, and each state's code in them and n; ``keys``: what results are
        about; ``own``, ``rest`` and ``gap``: for each family, numbers of the ``places`` (states or pairs)
        and ``keys`` that have any, ``why`` a place in ``reasons``.
    """
    codebook, states, beside = study.codebook, layout.states, layout.beside
    dims = [_dimension(codebook, *offered) for offered in layout.lattice.levels.items()]
    codes = {dim["name"]: {value: place for place, value in enumerate(dim["values"])} for dim in dims}

    def coded(state: State) -> list[int]:
        levels = dict(state)
        return [known[levels.get(name, "")] for name, known in codes.items()]

    step = codebook.disclosure.round_n
    table = dict(zip(codes, map(list, zip(*map(coded, states), strict=True)), strict=True))
    table["n"] = [round(len(group.frame) / step) * step for group in layout.groups[: len(states)]]
    rows = rows.assign(key=result_keys(rows), family=family)
    own, gap = rows[rows["group"] == ""], rows[rows["group"] != ""]
    keys = _keys(own, gap, codebook)
    at = {group.key: place for place, group in enumerate(layout.groups)}
    rest = {layout.groups[other].key: place for place, other in enumerate(beside) if other >= 0}
    told = {
        (layout.groups[one].key, layout.groups[two].key): place
        for place, (one, two) in enumerate(layout.pairs)
    }
    between = [told.get(pair) for pair in zip(gap["population"], gap["group"], strict=True)]
    numbers = _Numbers({entry["key"]: place for place, entry in enumerate(keys)}, family.max(initial=-1) + 1)
    return {
        "version": VERSION, "study": codebook.title, "synthetic": codebook.synthetic, "data": study.data_hash,
        "date": date.today().isoformat(), "alpha": round(1000 * codebook.thresholds["alpha"]),
        "dims": dims, "cube": table, "keys": keys,
        "own": numbers.of(own, own["population"].map(at).where(lambda place: place < len(states)), ESTIMATE),
        "rest": numbers.of(own, own["population"].map(rest), ESTIMATE),
        "gap": numbers.of(gap, pd.Series(between, gap.index, dtype=float), GAP),
        "beside": list(rest.values()), "reasons": numbers.reasons,
        "pairs": [[one, two if two < len(states) else -1] for one, two in layout.pairs],
        "hidden": [coded(state) for state in _hidden(layout.lattice)],
    } | _offer(codebook, layout)  # fmt: skip


def _dimension(codebook: Codebook, column: str, levels: dict[str, tuple[str, ...]]) -> dict:
    labels = [" or ".join(codebook.label(f"{column}={level}") for level in old) for old in levels.values()]
    values = ["", *levels]
    return {"name": column, "label": codebook.label(column), "values": values, "labels": ["All", *labels]}


def _offer(codebook: Codebook, layout: Layout) -> dict:
    """Which columns combine, the words of what is not shown, and the states that named populations are."""
    settings = codebook.disclosure
    words = {"hidden": NOT_OFFERED, "few": too_few_words(settings), "everyone": codebook.label("all")}
    named = {role: getattr(codebook, role) for role in ("focal", "reference")}
    states = {_rule(layout.lattice.rule(state)): dict(state) for state in layout.states}
    wheres = {key: population.where for key, population in codebook.populations.items()}
    wheres |= {role: wheres[key] for role, key in named.items()}
    return {
        "most": settings.max_filters,
        "alone": {name: list(beside) for name, beside in settings.filter_alone.items()},
        "words": words,
        "styles": {role: {name: list(levels) for name, levels in wheres[role].items()} for role in named},
        "populations": {key: states[_rule(where)] for key, where in wheres.items() if _rule(where) in states},
    }


def _rule(where: dict) -> frozenset:
    return frozenset((name, frozenset(levels)) for name, levels in where.items())


def _hidden(lattice: Lattice) -> list[State]:
    return [state for state, shown in zip(lattice.states, lattice.published, strict=True) if not shown]


def _keys(own: pd.DataFrame, gap: pd.DataFrame, codebook: Codebook) -> list[dict]:
    """What results are about, each once: key, label, unit, family, and the estimators of them and of differences.

    No two have one label: of several results of one construct all but the first say which they are.
    """
    tested = gap.drop_duplicates("key").set_index("key")["estimator"]
    found, labels = [], set()
    for row in pd.concat([own, gap]).drop_duplicates("key").itertuples():
        label = _told(row, codebook)
        label = f"{label}, {_kind(row.model, codebook)}" if label in labels else label
        labels.add(label)
        entry = {"key": row.key, "label": label, "unit": row.unit, "estimator": row.estimator}
        differences = {"gap": tested[row.key]} if row.key in tested else {}
        found.append(entry | {"family": int(row.family)} | differences)
    return found


def _kind(model: str, codebook: Codebook) -> str:
    """Which result of a construct a model gives, in words."""
    path = f"path from {lower_first(codebook.exposure[1], codebook)}"
    return {
        DIRECT: path,
        WITHOUT_PRIOR: f"{path}, earlier records not held constant",
        "count": "number of students",
    }.get(model, model)


def _told(row: object, codebook: Codebook) -> str:
    """A result in words: ``Course grades, indirect, through mastery orientation``."""
    through = mediator_of(row.model)
    contrast = row.key.split("|")[1]
    words = [label_of(row.term, codebook)]
    words += [lower_first(label_of(contrast, codebook), codebook)] if contrast else []
    words += [f"through {label_of(through, codebook).lower()}"] if through else []
    words += ["test of equivalence"] if row.model.endswith(EQUIVALENCE) else []
    way = f" ({row.estimator})" if row.key.count("|") > 2 else ""
    return ", ".join(words) + way


def _thousandths(rows: pd.DataFrame) -> pd.DataFrame:
    """The numbers of rows as whole ones; ends of intervals by their distance from the estimate."""
    whole = rows.assign(**{name: (1000 * rows[name]).round() for name in ROUNDED})
    below = whole["estimate"] - whole["conf_low"]
    return whole.assign(below=below, skew=whole["conf_high"] - whole["estimate"] - below)


def interval_ends(estimate: int, below: int | None, skew: int | None) -> tuple[int | None, int | None]:
    """Both ends of an interval of the cube, in thousandths; None where a result has none."""
    return (None, None) if below is None else (estimate - below, estimate + below + skew)


class _Numbers:
    """Rows as flat lists by place and key; reasons are numbered as they come."""

    def __init__(self, keys: dict[str, int], families: int):
        self.keys, self.families, self.reasons = keys, families, [ABSENT]

    def of(self, rows: pd.DataFrame, place: pd.Series, columns: Sequence[str]) -> list[dict[str, list]]:
        """Numbers of each family, as of ``_block``."""
        inside = [rows["family"] == one for one in range(self.families)]
        return [self._block(rows[where], place[where], columns) for where in inside]

    def _block(self, rows: pd.DataFrame, place: pd.Series, columns: Sequence[str]) -> dict[str, list]:
        """Numbers of the places and keys that have rows, flat, with those ``places`` and ``keys``.

        In thousandths (n as it is), ``None`` where there is none; ``why`` says why there is none.
        """
        rows = rows.assign(place=place, key=rows["key"].map(self.keys))
        rows = rows[rows["place"].notna()]
        if rows.duplicated(["place", "key"]).any():
            raise ValueError("two rows stand for one result of one subgroup")
        places, keys = (sorted({int(value) for value in rows[name]}) for name in ("place", "key"))
        across, down = ({value: at for at, value in enumerate(found)} for found in (keys, places))
        cell = rows["place"].map(down).to_numpy(int) * len(keys) + rows["key"].map(across).to_numpy(int)
        numbers: dict[str, list] = {"why": [0] * (len(places) * len(keys))}
        reasons = rows["status_reason"].where(
            (rows["status_reason"] != "") | (rows["status"] == "ok"), ABSENT
        )
        codes = {reason: self._numbered(reason) for reason in reasons.unique()}
        for at, reason in zip(cell, reasons, strict=True):
            numbers["why"][at] = codes[reason]
        whole = _thousandths(rows)
        for column in columns:
            values = whole[column].tolist()
            flat = numbers[column] = [None] * (len(places) * len(keys))
            for at, value in zip(cell, values, strict=True):
                if value == value:
                    flat[at] = int(value)
        return {"places": places, "keys": keys} | numbers

    def _numbered(self, reason: str) -> int | None:
        if not reason:
            return None
        if reason not in self.reasons:
            self.reasons.append(reason)
        return self.reasons.index(reason)
