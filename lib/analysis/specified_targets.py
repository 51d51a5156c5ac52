"""The models that findings' rules ask for, in every specification drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lib.analysis.crossings import Crossing
from lib.analysis.estimates import mediated_by, mediator_of
from lib.analysis.specified_fits import Job, Paths, estimate
from lib.analysis.specified_moments import EITHER, EVERYONE, GROUP, OTHERS, Columns
from lib.study.rules import Rule

COMPARED = "group difference"

__all__ = ["COMPARED", "Target", "solve_group", "targets", "together", "variables"]


@dataclass(frozen=True)
class Target:
    """One model to estimate in every specification: of a population, through a mediator or none."""

    population: str
    mediator: str
    term: str


def targets(rules: Iterable[Rule]) -> tuple[Target, ...]:
    """Models behind the selections of some rules; selections of other kinds of models have none."""
    found: dict[Target, None] = {}
    for rule in rules:
        for columns in rule.select.values():
            models = [*columns.get("model", ()), *(mediated_by(one) for one in columns.get("mediator", ()))]
            groups = (*columns.get("population", ()), *(one for one in columns.get("group", ()) if one))
            for model in models:
                mediator = mediator_of(model)
                if model == COMPARED:
                    found |= {Target(COMPARED, "", term): None for term in columns.get("term", ())}
                elif model == "direct" or mediator:
                    for population in groups:
                        for term in columns.get("term", ()):
                            found[Target(population, "", term)] = None
                            if mediator:
                                found[Target(population, mediator, term)] = None
    return tuple(found)


def variables(columns: Columns, target: Target, settings: dict) -> tuple[str, tuple[str, ...], str]:
    """Population, exposure (and mediator) and outcome of a target under a specification."""
    book = columns.study.codebook
    wide = settings.get("against") == "others"
    if target.population == COMPARED:
        return (EVERYONE if wide else EITHER), (GROUP,), target.term
    population = OTHERS if wide and target.population == book.reference else target.population
    mediator = target.mediator
    if mediator in book.domains and settings.get("grain", "domain") != "domain":
        mediator = book.domains[mediator].scales[0 if settings["grain"] == "first" else -1]
    return population, (*columns.indicators(settings), *([mediator] if mediator else [])), target.term


def jobs_of(columns: Columns, crossing: Crossing, target: Target) -> list[Job]:
    """The models of a target in every specification drawn."""
    jobs = []
    for place in range(len(crossing.drawn)):
        settings = crossing.settings(place)
        population, before, term = variables(columns, target, settings)
        held = columns.held(population, settings, term)
        compared = target.population == COMPARED
        sums = columns.sums(population, settings, (*before, term), held)
        latent = not compared and settings.get("measure", "latent") == "latent"
        indicators = len(before) - bool(target.mediator)
        if not compared and not latent:
            sums = sums.averaged(indicators)
        error, shrunk = 0.0, 1.0
        if target.mediator and settings.get("mediator") == "corrected":
            error = 1 - columns.reliability(population, before[-1])
        if settings.get("score") == "corrected":
            shrunk = np.sqrt(columns.reliability(population, term))
        jobs.append(Job(sums, indicators if latent else 0, bool(target.mediator), error, shrunk, compared))
    return jobs


def together(wanted: Sequence[Target]) -> list[tuple[Target, ...]]:
    """Targets of one population and one mediator, which are estimated side by side."""
    groups: dict[tuple[str, str], list[Target]] = {}
    for target in wanted:
        groups.setdefault((target.population, target.mediator), []).append(target)
    return [tuple(group) for group in groups.values()]


def solve_group(columns: Columns, crossing: Crossing, group: Sequence[Target]) -> dict[Target, Paths]:
    """Paths of some targets in every specification drawn."""
    jobs = [jobs_of(columns, crossing, target) for target in group]
    paths = estimate([job for some in jobs for job in some], columns.study.codebook.disclosure)
    size = len(crossing.drawn)
    return {target: paths.part(slice(k * size, (k + 1) * size)) for k, target in enumerate(group)}
