"""Does a finding hold however one gets there? Verdicts by its own rule in every specification.

The headline share averages over choices: for each choice the options count alike, whatever the number of
specifications that hold them, and the choices count alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lib.analysis.findings import _decide, select
from lib.analysis.rule_language import Scope
from lib.analysis.specifications import Crossing, Plan, cross
from lib.analysis.specified_moments import Columns
from lib.analysis.specified_rows import Cells, Target, targets, variables
from lib.study.load import Study
from lib.study.rules import Rule

LEAST = 200
"""Distinct specifications below which a share is not given."""


def resolver(columns: Columns, wanted: Sequence[Target]):
    """What settings come to for the targets of a family, or why nobody could or may estimate them."""
    limits = columns.study.codebook.disclosure

    def resolve(settings: dict) -> tuple[object, str]:
        content: list[object] = [settings.get(name, "") for name in ("missing", "score", "record", "mediator")]
        latent = settings.get("measure", "latent")
        indicators = columns.indicators(settings)
        if len(indicators) < 3 and latent == "latent":
            return None, "fewer than three subscales left for a latent"
        seen = set()
        for target in wanted:
            population, before, term = variables(columns, target, settings)
            kind = term in columns.study.codebook.outcomes
            if (population, target.mediator, kind) in seen:
                continue
            seen.add((population, target.mediator, kind))
            kept = columns.kept(population, settings)
            if 0 < (~kept).sum() < limits.k:
                return None, f"leaves out fewer than {limits.k} students of a population"
            if kept.sum() < limits.latent_min_n:
                return None, "too few students for a latent model"
            held = columns.held(population, settings, term)
            content.append((population, before, latent, columns.once(("mask", kept.tobytes()), object), held))
        return tuple(content), ""

    return resolve


@dataclass(frozen=True)
class Family:
    """A family of findings, crossed and estimated.

    Attributes
    ----------
    crossing : Crossing
    cells : dict of str to Cells
        By standard errors: ``model`` and ``classes``.
    """

    name: str
    crossing: Crossing
    cells: dict[str, Cells]


def wanted_of(plan: Plan, rules: dict[str, Rule], family: str) -> tuple[Target, ...]:
    """Models that the rules of a family's findings need."""
    return targets(rules[key] for key, curve in plan.findings.items() if curve.family == family and key in rules)


def cross_family(columns: Columns, rules: dict[str, Rule], family: str) -> Crossing:
    """The crossings of a family's choices that move the estimate."""
    plan = columns.plan
    wanted = wanted_of(plan, rules, family)
    return cross(plan.moving(family), resolver(columns, wanted), size=plan.drawn, seed=plan.seed)


def verdicts(rule: Rule, cells: Cells, codebook, context: pd.DataFrame) -> list[str]:
    """The verdict of a rule in each specification.

    ``context`` holds rows that no specification moves, such as tests of invariance; the rule's gate is left to
    the finding's own chapter.
    """
    ungated = replace(rule, gate=None)
    marked = cells.keys.assign(place=np.arange(len(cells.keys)), exhibit="", estimator="", unit="")
    places = {name: select(marked, columns)["place"].to_numpy() for name, columns in rule.select.items()}
    fixed = {name: select(context, rule.select[name]) for name, found in places.items() if not len(found) and len(context)}
    base = {name: marked.iloc[found].assign(row_id=[f"r{place}" for place in found]) for name, found in places.items()}
    found = []
    for at in range(cells.status.shape[1]):
        selections = dict(fixed)
        for name, rows in base.items():
            if name not in fixed:
                numbers = {column: values[places[name], at] for column, values in cells.numbers.items()}
                selections[name] = rows.assign(
                    **numbers, status=cells.status[places[name], at], status_reason=cells.reason[places[name], at]
                )
        found.append(_decide(ungated, Scope(selections, codebook.thresholds, codebook))[0])
    return found
