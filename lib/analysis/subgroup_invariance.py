"""Which filter columns measure alike: a gate before any two subgroups are compared (STATISTICS.md, "Filters").

Paths of the exposure need its metric invariance over the levels of a column, means of a scale the scalar invariance
of its own items. Levels too small for a latent model are left out of the test; with fewer than two the column
cannot be checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from lib.errors import ModelError
from lib.sem.invariance import LEVELS, compare_invariance
from lib.study.load import Study

NOT_COMPARABLE = "not comparable: the measure of {what} differs between these groups"
REST = "rest of "
UNCHECKED = "not comparable: too few students to check whether {what} is measured alike"

__all__ = ["barred", "columns_named", "means_alike", "measured_alike"]


def measured_alike(study: Study, columns: Sequence[str], *, alpha: float) -> dict[str, str]:
    """Why the exposure's paths cannot be compared between the levels of a column; empty where they can."""
    exposure, label = study.codebook.exposure
    indicators = [scale.key for scale in study.codebook.scales_with("exposure")]
    found = _ladders(study, columns, {exposure: indicators}, LEVELS[:2], alpha=alpha)
    return {column: reasons[exposure].format(what=label.lower()) for column, reasons in found.items()}


def means_alike(
    study: Study, columns: Sequence[str], scales: Sequence[str], *, alpha: float
) -> dict[str, dict[str, str]]:
    """Why a scale's means cannot be compared between the levels of a column: ``{column: {scale: reason}}``.

    Scales of fewer than three items cannot be tested and are taken as they are.
    """
    book = study.codebook
    tested = {key: list(book.scales[key].items) for key in scales if len(book.scales[key].items) >= 3}
    found = _ladders(study, columns, tested, LEVELS[:3], alpha=alpha)
    return {
        column: {key: why.format(what=book.label(key).lower()) for key, why in reasons.items()}
        for column, reasons in found.items()
    }


@dataclass(frozen=True, eq=False)
class _Same:
    """A study as the key of what was computed from it: the same object, for tables have no other hash."""

    study: Study

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.study is other.study

    def __hash__(self) -> int:
        return id(self.study)


def _ladders(
    study: Study,
    columns: Sequence[str],
    scales: Mapping[str, Sequence[str]],
    levels: Sequence[str],
    *,
    alpha: float,
) -> dict[str, dict[str, str]]:
    tested = tuple((key, tuple(items)) for key, items in scales.items())
    return {column: dict(_ladder(_Same(study), column, tested, tuple(levels), alpha)) for column in columns}


@lru_cache(maxsize=32)  # a chapter compares the same scales in several ways
def _ladder(
    of: _Same,
    column: str,
    scales: tuple[tuple[str, tuple[str, ...]], ...],
    levels: tuple[str, ...],
    alpha: float,
) -> dict[str, str]:
    study, tested = of.study, dict(scales)
    everyone = study.population("all").frame
    values = everyone[column].astype(object)
    counts = values.value_counts()
    large = counts.index[counts >= study.codebook.disclosure.latent_min_n]
    inside = values.isin(large)
    if not tested or len(large) < 2:
        return dict.fromkeys(tested, UNCHECKED)
    answered = sorted({item for items in tested.values() for item in items})
    answers = everyone.loc[inside, answered].assign(**{column: values[inside]})
    try:
        ladder = compare_invariance(tested, answers, group=column, levels=levels, alpha=alpha, partial=False)
    except ModelError:
        return dict.fromkeys(tested, UNCHECKED)
    return {key: "" if ladder.holds(key, levels[-1]) else NOT_COMPARABLE for key in tested}


def columns_named(keys: pd.Series, study: Study) -> list[str]:
    """Columns of the codebook that divide the groups of some keys."""
    names = {one.removeprefix(REST).partition("=")[0] for key in keys.unique() for one in key.split(" & ")}
    return sorted(names & set(study.codebook.columns))


def barred(gaps: pd.DataFrame, why: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Differences of subgroups without those that cannot be compared, each with its reason.

    Parameters
    ----------
    gaps : DataFrame
        ``population`` names the levels that the groups differ in, as of ``lib.show.cube.state_key``.
    why : mapping
        Reasons by column and term; ``""`` where there is none.
    """
    columns = gaps["population"].str.split(" & ").map(lambda parts: [one.partition("=")[0] for one in parts])
    reasons = [
        next((why[name][term] for name in names if why.get(name, {}).get(term)), "")
        for names, term in zip(columns, gaps["term"], strict=True)
    ]
    gaps, out = gaps.copy(), pd.Series(reasons, gaps.index) != ""
    gaps.loc[out, ["estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high"]] = float(
        "nan"
    )
    gaps.loc[out, "status"], gaps.loc[out, "status_reason"] = (
        "not_comparable",
        pd.Series(reasons, gaps.index)[out],
    )
    return gaps
