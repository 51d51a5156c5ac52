"""The cube: a chapter's results for every subgroup that a reader may choose, small enough to travel with the page.

States are those that ``choose_lattice`` publishes; every number passes the gate. A reader sees a subgroup beside
everyone else, or beside a subgroup that differs from it in one level, so the cube also holds everyone else of
each state and the differences. Everyone else follows from everyone and the state by subtraction and reveals no
set that these two do not (DISCLOSURE.md, D6).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from lib.analysis.estimates import compared_contrast, estimates
from lib.analysis.frequencies import SHARE
from lib.analysis.subgroup_differences import adjust
from lib.analysis.two_one_sided import EQUIVALENCE
from lib.disclosure.gate import NUMBER_COLUMNS, release
from lib.disclosure.lattice import Lattice, State, choose_lattice
from lib.disclosure.rules import PROTECTS
from lib.show.cube_code import Layout, encoded, result_keys
from lib.show.cube_store import stored_rows
from lib.study.load import Population, Study

Rows = Callable[[Study, list[Population], list[tuple[int, int]]], pd.DataFrame]
REST = "rest of "

__all__ = ["Cube", "Rows", "cube", "lay_out", "state_key", "state_pairs", "state_populations"]


@dataclass(frozen=True)
class Cube:
    """Released results by subgroup, encoded; made by ``cube``.

    Attributes
    ----------
    content : dict
        Plain JSON, as of ``lib.show.cube_code.encoded``.
    """

    content: dict


def cube(study: Study, functions: Sequence[Rows], *, lattice: Lattice | None = None) -> Cube:
    """Compute, release and encode a chapter's results for every state.

    Parameters
    ----------
    study : Study
    functions : sequence of function(study, groups, pairs) -> DataFrame
        Each returns rows of the shared shape: estimates with ``population`` the key of a group, and differences
        with ``group`` the second group of a pair (places in ``groups``) and a ``contrast`` of which
        ``lib.analysis.estimates.compared_contrast`` tells that of the estimates. A group without a row had too
        few students for it. P-values of its differences are adjusted over all subgroups of the same columns, for
        each contrast and estimator, and for tests of equivalence apart.
    lattice : Lattice, optional
        The states; without it those that ``choose_lattice`` chooses.

    Raises
    ------
    ValueError
        If two rows stand for one result.
    """
    layout = lay_out(study, lattice or choose_lattice(study))
    tables = [
        stored_rows(study, layout, function, partial(_released, study, layout, function))
        for function in functions
    ]
    rows = estimates(pd.concat(tables, ignore_index=True))
    function = np.repeat(np.arange(len(tables)), [len(table) for table in tables]).astype(str)
    # of each key its contrast and, where it is not the first, its estimator
    ways = result_keys(rows).str.replace(r"^[^|]*\|([^|]*)\|[^|]*", r"\1", regex=True)
    family = pd.factorize(function + "|" + ways + "|" + _tests(rows))[0]
    return Cube(encoded(study, layout, rows, family))


def _released(study: Study, layout: Layout, function: Rows) -> pd.DataFrame:
    """Rows of one function, p-values adjusted, past the gate; a difference stays where both its sides are shown."""
    columns = ["+".join(name for name, _ in state) for state in layout.states]
    family = {layout.groups[one].key: columns[one] for one, _ in layout.pairs}
    rows = estimates(function(study, list(layout.groups), list(layout.pairs)))
    with_rest = rows["group"].str.startswith(REST).astype(str)
    columns = rows["population"].map(lambda key: family.get(key, ""))
    ways = rows["contrast"] + "|" + rows["estimator"] + "|" + _tests(rows)
    rows = adjust(rows, columns + "|" + with_rest + "|" + ways)
    rows = release(rows, study).rows
    _hide_with_rest(rows)
    apart = rows["group"] != ""
    shown = rows[~apart & (rows["status"] == "ok")]
    about = ["model", "term", "contrast"]
    known = set(shown[["population", *about]].itertuples(index=False, name=None))
    told = rows[apart].assign(
        contrast=rows["contrast"].map(compared_contrast), model=rows["model"].str.removesuffix(EQUIVALENCE)
    )
    sides = [told[[side, *about]].itertuples(index=False, name=None) for side in ("population", "group")]
    fine = [one in known and two in known for one, two in zip(*sides, strict=True)]
    return rows[~apart | pd.Series(fine, told.index).reindex(rows.index, fill_value=False)]


def _tests(rows: pd.DataFrame) -> pd.Series:
    """What p-values test: that there is no difference, or that there is a large one."""
    return rows["model"].str.endswith(EQUIVALENCE).map({True: "small", False: ""})


def _hide_with_rest(rows: pd.DataFrame) -> None:
    """Hide a share where that of everyone else, or of those whose rest it is, is hidden: one follows from the other."""
    shares = (rows["unit"] == "percent") & (rows["group"] == "") & (rows["model"] == SHARE)
    about = rows["population"].str.removeprefix(REST) + "|" + rows["contrast"] + "|" + rows["term"]
    gone = set(about[shares & rows["status"].isin(["hidden", "too_few"])])
    also = shares & about.isin(gone) & (rows["status"] == "ok")
    rows.loc[also, list(NUMBER_COLUMNS)] = float("nan")
    rows.loc[also, "status"], rows.loc[also, "status_reason"] = "hidden", PROTECTS


def lay_out(study: Study, lattice: Lattice) -> Layout:
    """States, groups and pairs of a lattice."""
    states = tuple(lattice.offered)
    groups, beside = state_populations(study, lattice, states)
    return Layout(lattice, states, tuple(groups), tuple(beside), tuple(state_pairs(states, beside)))


def state_key(rule: dict[str, tuple[str, ...]]) -> str:
    """The name of a state as a population of result rows; everyone is ``all``."""
    return " & ".join(f"{column}={'|'.join(levels)}" for column, levels in rule.items()) or "all"


def state_populations(
    study: Study, lattice: Lattice, states: Sequence[State]
) -> tuple[list[Population], list[int]]:
    """Students of each state, then everyone else of each state that leaves k students or more.

    Returns
    -------
    groups : list of Population
    beside : list of int
        For each state the place of everyone else among ``groups``, or -1.
    """
    everyone, k = study.population("all").frame, study.codebook.disclosure.k
    groups, others, beside = [], [], []
    for state in states:
        rule = lattice.rule(state)
        inside = np.ones(len(everyone), dtype=bool)
        for column, levels in rule.items():
            inside &= everyone[column].astype(object).isin(levels).to_numpy()
        key = state_key(rule)
        groups.append(Population(key, key, everyone[inside]))
        large = (~inside).sum() >= k
        beside.append(len(states) + len(others) if large else -1)
        if large:
            others.append(Population(REST + key, REST + key, everyone[~inside]))
    return groups + others, beside


def state_pairs(states: Sequence[State], beside: Sequence[int]) -> list[tuple[int, int]]:
    """Each state with everyone else, and with each state that differs from it in the level of one column."""
    pairs = [(place, other) for place, other in enumerate(beside) if other >= 0]
    for first, state in enumerate(states):
        for second in range(first + 1, len(states)):
            other = states[second]
            if [name for name, _ in state] == [name for name, _ in other]:
                differing = sum(one != two for one, two in zip(state, other, strict=True))
                pairs += [(first, second)] if differing == 1 else []
    return pairs
