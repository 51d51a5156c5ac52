"""Whether two groups may be compared on a scale: the ladder of invariance as result rows.

Steps follow Meredith (1993): configural, metric, scalar, strict. A step does not hold when the robust CFI falls by
more than .010 and the scaled likelihood-ratio test rejects after Holm over the scales compared; either alone fails
8 to 15 % of invariant scales. Paths need metric invariance, means need scalar invariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from lib.analysis.estimates import estimates
from lib.analysis.ladder import FAILS, MODEL, TOO_FEW, Comparison, freed_rows, mean_rows, step_rows
from lib.errors import ModelError, StudyError
from lib.sem.invariance import LEVELS, Ladder, compare_invariance
from lib.study.load import Population, Study, reversed_items

DELTA_CFI = 0.010
MIN_ITEMS = 3


def comparable_scales(study: Study) -> list[str]:
    """Keys of the students' scales with enough items to compare groups on, in the codebook's order."""
    return [
        key
        for key, scale in study.codebook.scales.items()
        if scale.file == "students" and len(scale.items) >= MIN_ITEMS
    ]


def comparability(
    study: Study,
    scales: Sequence[str],
    first: Population,
    second: Population,
    *,
    alpha: float,
    levels: Sequence[str] = LEVELS,
    missing: str = "fiml",
) -> pd.DataFrame:
    """Climb the ladder of invariance with each scale and say where it stops.

    Parameters
    ----------
    study : Study
    scales : sequence of str
        Keys of the students' scales, compared as one family; the exposure's key stands for its subscales and is a
        family of its own.
    first, second : Population
        Groups that share no student.
    alpha : float
        Level of the tests; intervals cover 1 - alpha.
    levels : sequence of str
        Steps to climb, a beginning of the ladder.
    missing : {"fiml", "listwise"}
        What happens to students with missing answers.

    Returns
    -------
    DataFrame
        Model ``invariance``, ``population`` the first and ``group`` the second group, ``term`` the scale:

        - contrast ``configural``: robust CFI with the scaled chi-square;
        - contrast ``metric``, ``scalar``, ``strict``: change of robust CFI, scaled LR test, ``p_holm`` over the
          scales; ``status_reason`` is ``does not hold`` where the step fails. ``… rmsea``, ``… srmr``: their changes;
        - contrast ``means comparable``: 1 where every step up to scalar holds, else 0;
        - contrast ``partial metric`` and so on: the step with parameters freed;
        - model ``freed parameter``: what was freed, one row for each group, ``term`` the item;
        - model ``latent mean``, contrast ``difference``: first minus second in SD of the first group, where the
          scalar step holds, in full or in part (never for the exposure).

        A scale of three items starts at metric. A scale that cannot be estimated has one row with its status.

    Raises
    ------
    StudyError
        If the groups share students, or a key is no scale of the students with three items.
    """
    exposure, _ = study.codebook.exposure
    families = [[key for key in scales if key != exposure], [key for key in scales if key == exposure]]
    rows: list[dict] = []
    for family in filter(None, families):
        comparison = replace(compare(study, family, first, second), missing=missing)
        ladder = climb(comparison, alpha=alpha, levels=levels)
        rows += step_rows(comparison, ladder)
        rows += freed_rows(comparison, ladder, alpha=alpha)
        if exposure not in family:
            rows += mean_rows(comparison, ladder, alpha=alpha)
    return estimates(rows)


def comparable(ladder_rows: pd.DataFrame, scale: str, step: str) -> bool:
    """Whether a scale holds a step of the ladder and every step below it, with no parameter freed.

    Parameters
    ----------
    ladder_rows : DataFrame
        Rows of ``comparability``, released or not.
    scale, step : str
        Key of the scale; ``metric`` for paths, ``scalar`` for means.
    """
    if step not in LEVELS:
        raise ModelError(f"{step!r} is no step of the ladder; it has {', '.join(LEVELS)}")
    rows = ladder_rows[(ladder_rows["model"] == MODEL) & (ladder_rows["term"] == scale)]
    needed = LEVELS[1 : max(LEVELS.index(step), 1) + 1]
    held = rows[rows["contrast"].isin(needed) & (rows["status"] == "ok")]
    return len(held) == len(needed) and not held["status_reason"].str.startswith(FAILS).any()


def compare(study: Study, keys: Sequence[str], first: Population, second: Population) -> Comparison:
    """The answers of two groups to the items of some scales, and which of these cannot be compared."""
    ids = next(key for key, column in study.codebook.columns_of("students").items() if column.role == "id")
    shared = len(set(first.frame[ids]) & set(second.frame[ids]))
    if shared:
        raise StudyError(
            f"populations {first.key!r} and {second.key!r} share {shared} students; name two without common students"
        )
    indicators = {key: indicators_of(study, key) for key in keys}
    answers = pd.concat(
        [indicator_answers(study, indicators, part.frame).assign(group=part.key) for part in (first, second)],
        ignore_index=True,
    )
    reasons = {key: reason for key, names in indicators.items() if (reason := _reason(study, names, answers))}
    return Comparison(first, second, indicators, answers, reasons)


def indicators_of(study: Study, key: str) -> tuple[str, ...]:
    """Items of a scale, or the subscales of the exposure.

    Raises
    ------
    StudyError
        If there are fewer than three, or the scale is not the students'.
    """
    exposure, _ = study.codebook.exposure
    if key == exposure:
        return tuple(scale.key for scale in study.codebook.scales_with("exposure"))
    if key not in comparable_scales(study):
        raise StudyError(f"{key!r} is no scale of the students with {MIN_ITEMS} items or more; leave it out")
    return study.codebook.scales[key].items


def indicator_answers(
    study: Study, indicators: dict[str, tuple[str, ...]], frame: pd.DataFrame
) -> pd.DataFrame:
    """Items after reversal, and scores of subscales, one row per student."""
    parts = [
        reversed_items(frame, study.codebook.scales[key])
        if key in study.codebook.scales
        else frame[list(names)]
        for key, names in indicators.items()
    ]
    return pd.concat(parts, axis=1).astype(float)


def _reason(study: Study, names: Sequence[str], answers: pd.DataFrame) -> str:
    """Why a scale cannot be compared; empty where it can."""
    settings = study.codebook.disclosure
    least = max(settings.latent_min_n, settings.latent_n_per_parameter * 3 * len(names))
    for _, part in answers.groupby("group", sort=False):
        if part[list(names)].notna().any(axis=1).sum() < least:
            return TOO_FEW
        if (part[list(names)].nunique() < 2).any():
            return "not estimated: an item has one answer only in one of the groups"
    return ""


def climb(comparison: Comparison, *, alpha: float, levels: Sequence[str]) -> Ladder:
    """The ladder of all scales that can be compared; those whose model fails have a row without numbers."""
    scales = {key: names for key, names in comparison.indicators.items() if key not in comparison.reasons}
    settings = {
        "group": "group", "missing": comparison.missing, "alpha": alpha, "delta_cfi": DELTA_CFI
    }  # fmt: skip
    try:
        return compare_invariance(scales, comparison.answers, levels=levels, **settings)
    except ModelError:
        for key, names in scales.items():
            try:
                compare_invariance({key: names}, comparison.answers, levels=levels, **settings)
            except ModelError as error:
                comparison.reasons[key] = f"not estimated: {error}"
    scales = {key: names for key, names in scales.items() if key not in comparison.reasons}
    return compare_invariance(scales, comparison.answers, levels=levels, **settings)
