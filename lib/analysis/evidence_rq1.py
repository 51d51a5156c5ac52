"""The rows that decide the findings of question 1, with the settings of its chapters.

With ``missing="listwise"`` models are fitted side by side from complete answers and the ladder of invariance is left
out: null studies and replications need hundreds of runs, and their items measure alike.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from lib.analysis.associations import associations
from lib.analysis.complete_cases import (
    associations_complete,
    direct_effects_complete,
    mediated_effects_complete,
)
from lib.analysis.effects import covariates_by_outcome, direct_effects, populations
from lib.analysis.estimates import estimates
from lib.analysis.group_differences import mean_differences
from lib.analysis.measurement import comparability, comparable, comparable_scales
from lib.analysis.mediation import mediated_effects
from lib.analysis.multigroup import compared_effects
from lib.analysis.multigroup_mediation import compared_mediation
from lib.analysis.pairs import pair_of
from lib.study.codebook import Codebook
from lib.study.load import Population, Study

BACKGROUND, RECORDS, GROUPS = "C_ENV", "C_GRADE", "C_RACE"
LISTWISE = "listwise"
DRAWS = 4_000  # an interval's end moves by about 0.04 standard errors
WITHOUT_PRIOR = "direct without prior"
COMPARED = ("exposure", "set_aside", "environment")
SHOWN_MEDIATORS = 3


def keys_with(codebook: Codebook, *roles: str) -> list[str]:
    """Keys of the scales with some roles."""
    return [scale.key for role in roles for scale in codebook.scales_with(role)]


def mediator_parts(codebook: Codebook) -> list[str]:
    """The scales that the first mediator is made of; none where it is a scale itself."""
    first = codebook.mediators[:1]
    return [key for domain in first if domain in codebook.domains for key in codebook.domains[domain].scales]


def views(codebook: Codebook) -> list[str]:
    """Views of the classroom: every mediator, then the classroom scales that are none."""
    return list(dict.fromkeys([*codebook.mediators, *keys_with(codebook, "environment")]))


def ties_of(study: Study, population: Population, *, among: pd.DataFrame, conf_level: float) -> pd.DataFrame:
    """Direct ties of a population: its rows among those given or, where it has none, estimated as the chapters do."""
    shown = among[among["population"] == population.key]
    if len(shown):
        return shown
    outcomes = [*keys_with(study.codebook, "environment", "mindset"), *study.codebook.outcomes]
    held = covariates_by_outcome(study, BACKGROUND, records=RECORDS)
    return direct_effects(study, [population], outcomes=outcomes, covariates=held, conf_level=conf_level)


def relationships(study: Study, *, conf_level: float, seed: int, missing: str) -> pd.DataFrame:
    """Rows of rq1-relationships for everyone and for the focal group."""
    codebook = study.codebook
    groups = populations(study, "all", codebook.focal)
    settings = {
        "covariates": covariates_by_outcome(study, BACKGROUND, records=RECORDS), "conf_level": conf_level
    }  # fmt: skip
    direct, mediated, associated = _functions(missing)
    domains = [key for key, domain in codebook.domains.items() if domain.role == "mindset"]
    minds, records = keys_with(codebook, "mindset"), list(codebook.outcomes)
    through = [*codebook.mediators, *mediator_parts(codebook)]
    surveyed = [*keys_with(codebook, "environment"), *minds]
    known = direct(study, groups, outcomes=[*surveyed, *records], **settings)
    settings_through = settings | {"seed": seed} | ({"direct": known} if missing == LISTWISE else {})
    tables = [
        known,
        mediated(study, groups, mediators=through, outcomes=[*minds, *records[:1]], **settings_through),
        associated(study, groups, features=views(codebook), outcomes=minds, **settings),
    ]
    if records:
        tables.append(mediated(study, groups, mediators=domains, outcomes=records[:1], **settings_through))
    return pd.concat(tables, ignore_index=True)


def differences(study: Study, *, conf_level: float, seed: int, missing: str) -> pd.DataFrame:
    """Rows of rq1-differences for the focal and the reference group."""
    codebook = study.codebook
    pair = pair_of(study, "focal", "reference")
    scales = keys_with(codebook, *COMPARED)
    exposure, _ = codebook.exposure
    ladder = None
    if missing != LISTWISE:
        tested = [key for key in scales if key in comparable_scales(study)]
        ladder = comparability(study, [*tested, exposure], *pair.both, alpha=codebook.thresholds["alpha"])
    settings = {
        "conf_level": conf_level, "missing": missing,
        "metric": ladder is None or comparable(ladder, exposure, "metric"),
    }  # fmt: skip
    minds, records = keys_with(codebook, "mindset"), list(codebook.outcomes)
    held = covariates_by_outcome(study, BACKGROUND, records=RECORDS)
    means = mean_differences(
        study, pair, scales=scales, covariates=GROUPS, conf_level=conf_level, ladder=ladder
    )
    direct = compared_effects(study, pair, outcomes=[*minds, *records[:1]], covariates=held, **settings)
    through = compared_mediation(
        study, pair, mediators=list(codebook.mediators[:SHOWN_MEDIATORS]), outcomes=minds, covariates=held,
        seed=seed, direct=direct, **settings, **({"draws": DRAWS} if missing == LISTWISE else {}),
    )  # fmt: skip
    return pd.concat([means, direct, through], ignore_index=True)


def without_prior(study: Study, pair, **settings) -> pd.DataFrame:
    """Rows of ``compared_effects`` for the first record without earlier records held constant."""
    records = list(study.codebook.outcomes[:1])
    held = covariates_by_outcome(study, BACKGROUND, records=BACKGROUND)
    rows = compared_effects(study, pair, outcomes=records, covariates=held, **settings)
    return estimates(rows.assign(model=WITHOUT_PRIOR, row_id=""))


def _functions(missing: str) -> tuple[Callable, Callable, Callable]:
    """Direct effects, mediated effects and associations for one treatment of missing answers."""
    if missing == LISTWISE:

        def mediated(*given, **settings):
            return mediated_effects_complete(*given, **settings, draws=DRAWS)

        return direct_effects_complete, mediated, associations_complete

    def with_missing(function: Callable) -> Callable:
        return lambda *given, **settings: function(*given, **settings, missing=missing)

    return with_missing(direct_effects), with_missing(mediated_effects), with_missing(associations)
