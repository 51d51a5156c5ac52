"""Which crossings of a family's choices are possible, and which come to the same."""

from __future__ import annotations

from collections.abc import Sequence

from lib.analysis.crossings import Aspect, Crossing, cross
from lib.analysis.specifications import Plan
from lib.analysis.specified_moments import Columns
from lib.analysis.specified_targets import Target, targets, variables
from lib.study.rules import Rule

LEAST_INDICATORS = 3
SCORES = ("missing", "score", "record", "mediator")
STUDENTS = ("without", "drop", "percent", "set", "columns", "against")
MODELS = ("measure", "domain", "left_out", "grain", "against")
"""Settings of scores, those that choose students and covariates, and those that choose a model's variables."""


def wanted_of(plan: Plan, rules: dict[str, Rule], family: str) -> tuple[Target, ...]:
    """Models that the rules of a family's findings need."""
    return targets(
        rules[key] for key, curve in plan.findings.items() if curve.family == family and key in rules
    )


def cross_family(columns: Columns, rules: dict[str, Rule], family: str) -> Crossing:
    """The crossings of a family's choices that move the estimate."""
    plan = columns.plan
    wanted = wanted_of(plan, rules, family)
    return cross(plan.moving(family), aspects(columns, wanted), size=plan.drawn, seed=plan.seed)


def aspects(columns: Columns, wanted: Sequence[Target]) -> tuple[Aspect, ...]:
    """What settings come to for the targets of a family, or why nobody could or may estimate them."""
    limits = columns.study.codebook.disclosure

    def students(settings: dict) -> tuple[object, str]:
        """Students and covariates in each population."""
        content = []
        for target in wanted:
            population, _, term = variables(columns, target, settings)
            kept = columns.kept(population, settings)
            if 0 < (~kept).sum() < limits.k:
                return None, f"leaves out fewer than {limits.k} students of a population"
            if kept.sum() < limits.latent_min_n:
                return None, "too few students for a latent model"
            content.append((population, kept.tobytes(), columns.held(population, settings, term)))
        return tuple(content), ""

    def models(settings: dict) -> tuple[object, str]:
        latent, indicators = settings.get("measure", "latent"), columns.indicators(settings)
        if latent == "latent" and len(indicators) < LEAST_INDICATORS:
            return None, "too few subscales left for a latent"
        return (latent, *(variables(columns, target, settings)[1] for target in wanted)), ""

    def scores(settings: dict) -> tuple[object, str]:
        return tuple(settings.get(name, "") for name in SCORES), ""

    return Aspect(STUDENTS, students), Aspect(MODELS, models), Aspect(SCORES, scores)
