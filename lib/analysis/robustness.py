"""Does a finding hold however one gets there? Verdicts by its own rule in every specification.

The headline share averages over choices: for each choice the options count alike, whatever the number of
specifications that hold them, and the choices count alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lib.analysis.crossings import Crossing
from lib.analysis.estimates import mediator_of
from lib.analysis.joint_test import JointTest, joint_test, statistics
from lib.analysis.specifications import Choice, Option, read_plan
from lib.analysis.specified_crossings import cross_family, wanted_of
from lib.analysis.specified_moments import Columns
from lib.analysis.specified_rows import Cells, cells
from lib.analysis.specified_store import default_store, part_path, storing, write_part
from lib.analysis.specified_targets import COMPARED, Target
from lib.analysis.specified_verdicts import places_of, stored_verdicts
from lib.errors import StudyError
from lib.study.codebook import nearest
from lib.study.load import Study

HELD = ("holds", "descriptive")


@dataclass(frozen=True)
class Robust:
    """One finding in every specification of its family.

    Attributes
    ----------
    finding : str
    crossing : Crossing
    verdicts, clustered : tuple of str
        By specification, with standard errors of the model and clustered by class (``cannot_test`` without rows).
    curve : ndarray (S, 3)
        The middle estimate of the selection that the curve draws, and its interval.
    failed : int
        Specifications without an estimate for it.
    test : JointTest
    unit : str
    """

    finding: str
    crossing: Crossing
    verdicts: tuple[str, ...]
    clustered: tuple[str, ...]
    curve: np.ndarray
    failed: int
    test: JointTest
    unit: str

    @property
    def held(self) -> np.ndarray:
        """Whether the finding holds (S,)."""
        return np.isin(self.verdicts, HELD)

    def by_option(self) -> list[tuple[Choice, Option, float, int]]:
        """Percent of specifications that hold, and how many there are, for each option of each choice."""
        out = []
        for c, choice in enumerate(self.crossing.choices):
            for at, option in enumerate(choice.options):
                inside = self.crossing.drawn[:, c] == at
                if inside.any():
                    out.append((choice, option, 100 * float(self.held[inside].mean()), int(inside.sum())))
        return out

    def by_choice(self) -> list[tuple[Choice, float, float]]:
        """The mean over a choice's options, and the points between the highest and the lowest."""
        out = []
        for choice in self.crossing.choices:
            shares = [share for one, _, share, _ in self.by_option() if one is choice]
            out.append((choice, float(np.mean(shares)), max(shares) - min(shares)))
        return out

    @property
    def share(self) -> float:
        """The headline: percent of specifications that hold, averaged over options and then over choices."""
        return float(np.mean([mean for _, mean, _ in self.by_choice()]))


def robustness(
    study: Study,
    *,
    conf_level: float,
    seed: int,
    context: pd.DataFrame | None = None,
    store: Path | None = None,
) -> dict[str, Robust]:
    """Every finding of the study's plan in the specifications of its family.

    Parameters
    ----------
    study : Study
        With ``specifications.yml`` and ``rules.yml``.
    conf_level : float
    seed : int
        Of Monte Carlo draws and permutations.
    context : DataFrame, optional
        Rows that rules need and no specification moves.
    store : Path, optional
        Folder that keeps what was estimated; by default in the build folder.

    Returns
    -------
    dict
        By finding, in the plan's order; empty where the study has no plan or no rules.
    """
    plan, rules = read_plan(study), study.rules
    if plan is None or rules is None:
        return {}
    columns, solve = Columns(study, plan), storing(store or default_store())
    found: dict[str, Robust] = {}
    for family in plan.families:
        keys = [key for key, curve in plan.findings.items() if curve.family == family and key in rules]
        if not keys:
            continue
        crossing = cross_family(columns, rules, family)
        wanted = wanted_of(plan, rules, family)
        both = {
            errors: cells(
                columns, crossing, wanted, errors=errors, conf_level=conf_level, seed=seed, solve=solve
            )
            for errors in ("model", "classes")
        }
        for key in keys:
            found[key] = _robust(columns, crossing, both, rules[key], context, seed, store or default_store())
        columns.forget("orders", "table")
    return {key: found[key] for key in plan.findings if key in found}


def _robust(columns, crossing, both, rule, context, seed, store) -> Robust:
    study, plan = columns.study, columns.plan
    context = pd.DataFrame() if context is None else context
    selection = plan.findings[rule.key].selection
    if selection not in rule.select:
        raise StudyError(
            f"specifications.yml, finding {rule.key}: its rule has no selection "
            f"{selection!r}{nearest(selection, rule.select)}"
        )
    rows = both["model"].choose(
        np.isin(np.arange(len(both["model"].keys)), places_of(both["model"].keys, rule.select[selection]))
    )
    signs = np.array([getattr(study.codebook.scales.get(term), "sign", 1) for term in rows.keys["term"]])
    if rows.keys["contrast"].isin(("indirect", "difference")).any():
        signs[:] = plan.findings[rule.key].sign
    curve = middle(rows, signs)
    test = joint_test(_tested(columns, crossing, rows.keys, seed, store), signs)
    return Robust(
        rule.key, crossing, stored_verdicts(rule, both["model"], study, context, store),
        stored_verdicts(rule, both["classes"], study, context, store), curve,
        int(np.isnan(curve[:, 0]).sum()), test,
        "points" if (rows.keys["model"] == COMPARED).all() else "SD per SD",
    )  # fmt: skip


def middle(rows: Cells, signs: np.ndarray) -> np.ndarray:
    """The lower middle (S, 3) of the turned estimates of each specification, with the interval of that row."""
    value = rows.numbers["estimate"] * signs[:, None]
    ends = [rows.numbers[name] * signs[:, None] for name in ("conf_low", "conf_high")]
    order = np.argsort(value, axis=0)[(len(value) - 1) // 2]
    at = np.arange(value.shape[1])
    low, high = (end[order, at] for end in ends)
    out = np.column_stack([value[order, at], np.minimum(low, high), np.maximum(low, high)])
    out[np.isnan(value).any(0)] = np.nan
    return out


def _tested(columns: Columns, crossing: Crossing, keys: pd.DataFrame, seed: int, store: Path) -> np.ndarray:
    """Test statistics (R, S, B + 1) of a curve's rows; a difference of two populations is that of their correlations."""
    plan = columns.plan

    def of(population: str) -> np.ndarray:
        group = [Target(COMPARED if row.model == COMPARED else population, mediator_of(row.model), row.term)
                 for row in keys.itertuples()]  # fmt: skip
        given = [columns.study.data_hash, repr([crossing.settings(k) for k in range(len(crossing.drawn))]), repr(group),
                 repr((plan.permutations, plan.tested, seed))]  # fmt: skip
        path = part_path(store, *given)
        if not path.is_file():
            made = statistics(
                columns, crossing, group, permutations=plan.permutations, most=plan.tested, seed=seed
            )
            write_part(path, {"statistics": made})
        with np.load(path) as stored:
            return stored["statistics"]

    first, second = keys["population"].iloc[0], keys["group"].iloc[0]
    one = of(first)
    if not second or (keys["model"] == COMPARED).all():
        return one
    other = of(second)
    n = [len(columns.students(population)) for population in (first, second)]
    r = [t / np.sqrt(t**2 + size) for t, size in zip((one, other), n, strict=True)]
    return (np.arctanh(r[0]) - np.arctanh(r[1])) / np.sqrt(1 / n[0] + 1 / n[1])
