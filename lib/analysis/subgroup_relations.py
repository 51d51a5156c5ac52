"""The rows that a chapter on relationships shows of every subgroup: functions for the filters' cube."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import pandas as pd

from lib.analysis.estimates import estimates
from lib.analysis.samples import sample_sizes
from lib.analysis.subgroup_differences import direct_differences, mediated_differences
from lib.analysis.subgroup_invariance import barred, columns_named, measured_alike
from lib.analysis.subgroup_mediation import mediation_by_subgroup
from lib.analysis.subgroups import direct_by_subgroup, subgroups
from lib.study.load import Population, Study

EVERYONE, REST = "all", "rest of "
OF_PARTS = ("indirect", "share_explained")  # what chapters tell of the parts of a mediator

__all__ = [
    "complete_relations", "large_groups", "not_comparable", "part_relations", "relations", "sample_counts",
]  # fmt: skip


def relations(
    study: Study,
    groups: Sequence[Population],
    pairs: Sequence[tuple[int, int]],
    *,
    outcomes: Sequence[str],
    covariates: Mapping[str, str],
    conf_level: float,
    mediated: Sequence[tuple[str, str]] = (),
    seed: int = 0,
) -> pd.DataFrame:
    """Direct effects of every group that is large enough for a latent model, and differences of pairs.

    Parameters
    ----------
    study : Study
    groups : sequence of Population
    pairs : sequence of (int, int)
        Places in ``groups`` of two groups that share no student.
    outcomes : sequence of str
    covariates : mapping of str to str
        A covariate set for each outcome.
    conf_level : float
    mediated : sequence of (mediator, outcome)
        What is also shown before and after a mediator.
    seed : int
        Of the Monte Carlo draws of mediated effects.

    Returns
    -------
    DataFrame
        Rows of the shared shape; pairs whose exposure is not measured alike say so.
    """
    large, told = large_groups(study, groups, pairs)
    parts = subgroups(study, large, covariates=sorted(set(covariates.values())))
    settings = dict(outcomes=outcomes, covariates=covariates, conf_level=conf_level)
    direct = direct_by_subgroup(parts, **settings)
    gaps = direct_differences(parts, told, direct, **settings)
    tables = [direct, not_comparable(study, gaps)]
    if mediated:
        chosen = {"covariates": covariates, "conf_level": conf_level, "seed": seed}
        tables.append(mediation_by_subgroup(parts, direct, pairs=mediated, **chosen))
        apart = mediated_differences(parts, told, mediated=mediated, **chosen)
        tables.append(not_comparable(study, apart))
    return pd.concat(tables, ignore_index=True)


def part_relations(
    study: Study,
    groups: Sequence[Population],
    pairs: Sequence[tuple[int, int]],
    *,
    parts: Sequence[str],
    outcomes: Sequence[str],
    covariates: Mapping[str, str],
    conf_level: float,
    seed: int,
) -> pd.DataFrame:
    """What runs through each part of a mediator alone, and its share of the total, in every large group.

    Parameters are those of ``relations``; ``parts`` are the scales that the mediator is made of.
    """
    large, _ = large_groups(study, groups, pairs)
    held = subgroups(study, large, covariates=sorted({covariates[outcome] for outcome in outcomes}))
    settings = dict(pairs=list(product(parts, outcomes)), covariates=covariates)
    rows = mediation_by_subgroup(held, None, conf_level=conf_level, seed=seed, **settings)
    return rows[rows["contrast"].isin(OF_PARTS)].reset_index(drop=True)


def complete_relations(
    study: Study,
    groups: Sequence[Population],
    pairs: Sequence[tuple[int, int]],
    *,
    outcomes: Sequence[str],
    covariates: Mapping[str, str],
    conf_level: float,
) -> pd.DataFrame:
    """Direct effects in every large group of those of its students who answered everything in the model.

    Parameters are those of ``relations``.
    """
    large, _ = large_groups(study, groups, pairs)
    held = subgroups(study, large, covariates=sorted({covariates[outcome] for outcome in outcomes}))
    settings = dict(outcomes=outcomes, covariates=covariates, conf_level=conf_level)
    return direct_by_subgroup(held, missing="listwise", **settings)


def sample_counts(
    study: Study, groups: Sequence[Population], pairs: Sequence[tuple[int, int]]
) -> pd.DataFrame:
    """Rows of ``lib.analysis.samples.sample_sizes`` for every large group, rounded as the n of a view is.

    Where a codebook tells no respondents, a group's own count has the term of everyone, as the same result of all.
    """
    large, _ = large_groups(study, groups, pairs)
    rows, step = sample_sizes(study, large).drop(columns="row_id"), study.codebook.disclosure.round_n
    rows["term"] = rows["term"].mask(rows["term"] == rows["population"], EVERYONE)
    counts = {name: (rows[name] / step).round() * step for name in ("estimate", "n_obs")}
    return estimates(rows.assign(**counts))


def large_groups(
    study: Study, groups: Sequence[Population], pairs: Sequence[tuple[int, int]]
) -> tuple[list[Population], list[tuple[int, int]]]:
    """Groups with students enough for a latent model, and the pairs of two of them by their places there.

    Everyone else of a group counts only beside it, in a pair.
    """
    least = study.codebook.disclosure.latent_min_n
    pairs = [pair for pair in pairs if all(len(groups[place].frame) >= least for place in pair)]
    alone = [
        place
        for place, group in enumerate(groups)
        if len(group.frame) >= least and not group.key.startswith(REST)
    ]
    large = sorted({*alone, *(place for pair in pairs for place in pair)})
    at = {place: new for new, place in enumerate(large)}
    return [groups[place] for place in large], [(at[one], at[two]) for one, two in pairs]


def not_comparable(study: Study, gaps: pd.DataFrame) -> pd.DataFrame:
    """The differences, without those between levels of a column on which the exposure is not measured alike."""
    names = columns_named(gaps["population"], study)
    why = measured_alike(study, names, alpha=study.codebook.thresholds["alpha"])
    terms = gaps["term"].unique()
    return barred(gaps, {name: dict.fromkeys(terms, reason) for name, reason in why.items()})
