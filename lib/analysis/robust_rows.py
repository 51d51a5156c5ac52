"""Specification curves as result rows: one for each specification, option and choice, and the headline of each finding."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lib.analysis.estimates import estimates
from lib.analysis.robustness import HELD, Robust

ROBUST, SPECIFICATION = "robustness", "specification"
PERCENT = "percent of specifications"
STATISTIC = "test statistic"
SEPARATOR = "; "


def robust_rows(found: Mapping[str, Robust]) -> pd.DataFrame:
    """Rows of all curves.

    Parameters
    ----------
    found : mapping of str to Robust
        By finding.

    Returns
    -------
    DataFrame
        The shared shape. Model ``robustness``: contrast ``share`` (the headline), ``CHOICE=OPTION`` (share with an
        option), the choice's label (points between its options), ``errors=...``, ``joint test`` (middle statistic
        and p), and counts ``crossed``, ``impossible``, ``duplicates``, ``distinct``, ``estimated``, ``failed``,
        ``tested``. Model ``specification``: one point of a curve;
        ``estimator`` names its options in order, ``contrast`` its verdict.
    """
    rows: list[dict] = []
    for key, one in found.items():
        rows += [{"finding": key, "model": ROBUST} | row for row in _summary(one)]
        rows += [{"finding": key, "model": SPECIFICATION} | row for row in _points(one)]
    table = pd.DataFrame(rows)
    if len(table):
        table["row_id"] = table["model"] + "|" + table["finding"] + "|" + table["contrast"]
    return estimates(table)


def _summary(one: Robust) -> list[dict]:
    crossing, size = one.crossing, len(one.verdicts)
    rows = [{"contrast": "share", "estimate": one.share, "n_obs": size, "unit": PERCENT}]
    rows += [{"contrast": f"{choice.key}={option.key}", "estimate": share, "n_obs": count, "unit": PERCENT}
             for choice, option, share, count in one.by_option()]  # fmt: skip
    rows += [
        {"contrast": choice.label, "estimate": gap, "n_obs": size, "unit": PERCENT}
        for choice, _, gap in one.by_choice()
    ]
    both = np.array(one.clustered) != "cannot_test"
    for name, verdicts in (("errors=model", one.verdicts), ("errors=classes", one.clustered)):
        if both.any():
            held = np.isin(np.array(verdicts)[both], HELD).mean()
            rows.append({"contrast": name, "estimate": 100 * held, "n_obs": int(both.sum()), "unit": PERCENT})
    rows.append(
        {
            "contrast": "joint test",
            "estimate": one.test.observed,
            "p_value": one.test.p_value,
            "unit": STATISTIC,
            "interval_method": f"{len(one.test.permuted)} permutations",
        }
    )
    counts = {
        "crossed": crossing.crossed,
        "impossible": sum(crossing.impossible.values()),
        "duplicates": crossing.duplicates,
        "distinct": crossing.distinct,
        "estimated": size,
        "failed": one.failed,
        "tested": one.test.specifications,
    }
    return rows + [
        {"contrast": name, "estimate": count, "n_obs": count, "unit": "specifications"}
        for name, count in counts.items()
    ]


def _points(one: Robust) -> list[dict]:
    rows = []
    for at, ((estimate, low, high), verdict) in enumerate(zip(one.curve, one.verdicts, strict=True)):
        named = zip(one.crossing.choices, one.crossing.drawn[at], strict=True)
        labels = SEPARATOR.join(f"{choice.label}: {choice.options[place].label}" for choice, place in named)
        row = {"contrast": f"{at + 1}: {verdict.replace('_', ' ')}", "estimator": labels, "unit": one.unit}
        known = np.isfinite(estimate)
        rows.append(row | ({"estimate": estimate, "conf_low": low, "conf_high": high} if known else
                           {"status": "not_converged", "status_reason": "not estimated"}))  # fmt: skip
    return rows
