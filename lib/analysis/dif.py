"""Do single items work alike in two groups? Ordinal logistic regression, the second opinion on invariance.

Swaminathan & Rogers (1990), for ordered answers Zumbo (1999): the answer is regressed on the scale's score, then on the
group (uniform), then on their product (non-uniform); each step is a likelihood-ratio test with one degree of freedom.
The score holds the item itself: without it, groups that differ on an imperfectly measured scale would differ on
every item. An item is flagged when Holm's p is below alpha and Nagelkerke's R2 gains .035 (Jodoin & Gierl, 2001).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.analysis.estimates import estimates
from lib.analysis.factors import ordered
from lib.analysis.ladder import TOO_FEW
from lib.analysis.measurement import Comparison, compare
from lib.analysis.ordinal_logit import fit_ordinal
from lib.sem.distributions import chisq_p
from lib.sem.invariance import adjust_holm
from lib.study.load import Population, Study

FLAGGED = "works differently"
LEAST_GAIN = 0.035
STEPS = ("uniform", "non-uniform")


def differential_items(
    study: Study, scales: Sequence[str], first: Population, second: Population, *, alpha: float
) -> pd.DataFrame:
    """Test each item of each scale for differential functioning between two groups.

    Parameters
    ----------
    study : Study
    scales : sequence of str
        Keys of the students' scales with three items or more; scales whose answers are no ordered codes are left out.
    first, second : Population
        Groups that share no student.
    alpha : float
        Level of the tests, after Holm over items and steps.

    Returns
    -------
    DataFrame
        Model ``DIF``, ``population`` the first and ``group`` the second group, ``term`` the item: contrasts ``uniform``
        and ``non-uniform`` with the gain in Nagelkerke's R2, the LR test, ``p_holm`` and ``status_reason``
        ``works differently`` for a flagged item; contrasts ``uniform McFadden`` and ``non-uniform McFadden``; and
        ``log odds`` of a higher answer in the first group, at equal scores.
    """
    comparison = compare(study, scales, first, second)
    base = {
        "population": first.key,
        "group": second.key,
        "model": "DIF",
        "estimator": "ordinal logistic regression",
    }
    rows = []
    for key, items in comparison.indicators.items():
        answers = comparison.answers[[*items, "group"]].dropna()
        if not ordered(answers[list(items)]):
            continue
        reason = comparison.reasons.get(key) or _too_few(study, comparison, answers)
        for item in items:
            if reason:
                status = "too_few" if reason == TOO_FEW else "not_converged"
                rows.append(
                    base | {"term": item, "contrast": STEPS[0], "status": status, "status_reason": reason}
                )
            else:
                rows += [base | row for row in _item(answers, item, list(items), first.key)]
    table = estimates(rows)
    tested = table["contrast"].isin(STEPS) & (table["status"] == "ok")
    table.loc[tested, "p_holm"] = adjust_holm(table.loc[tested, "p_value"])
    flagged = tested & (table["p_holm"] < alpha) & (table["estimate"] >= LEAST_GAIN)
    table.loc[flagged, "status_reason"] = FLAGGED
    return table


def _too_few(study: Study, comparison: Comparison, answers: pd.DataFrame) -> str:
    counts = (
        answers["group"].value_counts().reindex([comparison.first.key, comparison.second.key], fill_value=0)
    )
    return TOO_FEW if counts.min() < study.codebook.disclosure.latent_min_n else ""


def _item(answers: pd.DataFrame, item: str, items: list[str], first: str) -> list[dict]:
    score = answers[items].mean(axis=1)
    score = (score - score.mean()) / score.std()
    group = (answers["group"] == first).astype(float)
    codes = np.unique(answers[item], return_inverse=True)[1]
    held = np.column_stack([score, group, score * group])
    fits = [fit_ordinal(codes, held[:, :count]) for count in (1, 2, 3)]
    if not all(fitted.converged for fitted in fits):
        reason = "not estimated: the regression did not converge"
        return [{"term": item, "contrast": STEPS[0], "status": "not_converged", "status_reason": reason}]
    shares = np.bincount(codes) / len(codes)
    null = float(len(codes) * (shares * np.log(shares)).sum())
    rows = []
    for name, lower, upper in zip(STEPS, fits, fits[1:], strict=False):
        before, after = lower.log_likelihood, upper.log_likelihood
        found = {"term": item, "n_obs": len(codes)}
        statistic = max(2 * (after - before), 0.0)
        gain = _nagelkerke(after, null, len(codes)) - _nagelkerke(before, null, len(codes))
        test = {"statistic": statistic, "df": 1, "p_value": chisq_p(statistic, 1)}
        rows.append(found | test | {"contrast": name, "estimate": gain, "unit": "change in R2"})
        mcfadden = {"estimate": (before - after) / null, "unit": "change in R2"}
        rows.append(found | mcfadden | {"contrast": f"{name} McFadden"})
    rows.append(
        {
            "term": item,
            "contrast": "log odds",
            "estimate": fits[1].coefficients[1],
            "unit": "log odds",
            "n_obs": len(codes),
        }
    )
    return rows


def _nagelkerke(log_likelihood: float, null: float, n: int) -> float:
    return (1 - np.exp(2 * (null - log_likelihood) / n)) / (1 - np.exp(2 * null / n))
