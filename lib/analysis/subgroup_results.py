"""Which results of every subgroup the chapters on relationships show, from the study's codebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product

import pandas as pd

from lib.analysis.effects import covariates_by_outcome
from lib.analysis.estimates import estimates
from lib.analysis.evidence_rq1 import BACKGROUND, WITHOUT_PRIOR, keys_with, mediator_parts, views
from lib.analysis.subgroup_associations import association_relations
from lib.analysis.subgroup_relations import complete_relations, part_relations, relations, sample_counts
from lib.study.load import Population, Study

__all__ = ["further_relations", "relations_of", "relations_without_prior"]


def relations_of(
    study: Study, *, covariates: Mapping[str, str], conf_level: float, seed: int
) -> Callable[..., pd.DataFrame]:
    """``relations`` of all outcomes and mediators: the same function for every chapter, so that it runs once.

    Parameters are those of ``lib.analysis.subgroup_relations.relations``.
    """
    book = study.codebook
    minds = keys_with(book, "mindset")
    outcomes = [*keys_with(book, "environment"), *minds, *book.outcomes]
    domains = [key for key, domain in book.domains.items() if domain.role == "mindset"]
    records = list(book.outcomes[:1])
    mediated = [*product(domains, records), *product(book.mediators, [*minds, *records])]
    settings = dict(covariates=dict(covariates), conf_level=conf_level, seed=seed)
    return partial(relations, outcomes=outcomes, mediated=mediated, **settings)


def relations_without_prior(
    study: Study,
    groups: Sequence[Population],
    pairs: Sequence[tuple[int, int]],
    *,
    conf_level: float,
) -> pd.DataFrame:
    """``relations`` of the first record without earlier records held constant, as of
    ``lib.analysis.evidence_rq1.without_prior``."""
    records = study.codebook.outcomes[:1]
    if not records:
        return estimates([])
    held = covariates_by_outcome(study, BACKGROUND, records=BACKGROUND)
    rows = relations(study, groups, pairs, outcomes=records, covariates=held, conf_level=conf_level)
    return estimates(rows.drop(columns="row_id").assign(model=WITHOUT_PRIOR))


def further_relations(
    study: Study, *, covariates: Mapping[str, str], conf_level: float, seed: int
) -> list[Callable[..., pd.DataFrame]]:
    """What a chapter on one population shows besides: parts of the first mediator, views of the classroom with
    mind-sets, the same effects of complete students, counts.

    Parameters are those of ``relations_of``.
    """
    book, settings = study.codebook, dict(covariates=dict(covariates), conf_level=conf_level)
    minds = keys_with(book, "mindset")
    outcomes = [*keys_with(book, "environment"), *minds, *book.outcomes]
    parts = [key for key in mediator_parts(book) if key not in book.mediators]
    ends = [*minds, *book.outcomes[:1]]
    seen = views(book)
    return [
        *(
            [partial(part_relations, parts=parts, outcomes=ends, seed=seed, **settings)]
            if parts and ends
            else []
        ),
        *(
            [partial(association_relations, features=seen, outcomes=minds, **settings)]
            if seen and minds
            else []
        ),
        partial(complete_relations, outcomes=outcomes, **settings),
        sample_counts,
    ]
