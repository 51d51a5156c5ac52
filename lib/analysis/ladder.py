"""Rows of a ladder of invariance: its steps, what was freed, and latent means."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from lib.sem.distributions import quantile
from lib.sem.invariance import LEVELS, OPERATOR, Ladder
from lib.sem.result import SemFit
from lib.study.load import Population

MODEL = "invariance"
ESTIMATOR = {"fiml": "CFA, MLR with missing answers (FIML)", "listwise": "CFA, MLR, complete answers only"}
FAILS = "does not hold"
TOO_FEW = "not estimated: too few students"
PARAMETERS = {"=~": "loading", "~1": "intercept", "~~": "residual variance"}
PARTIAL, MEANS = "partial ", "means comparable"


@dataclass(frozen=True)
class Comparison:
    """Two groups and the answers on which they are compared; ``reasons`` says which scales cannot be."""

    first: Population
    second: Population
    indicators: dict[str, tuple[str, ...]]
    answers: pd.DataFrame
    reasons: dict[str, str]
    missing: str = "fiml"

    @property
    def base(self) -> dict:
        """Row columns that every result shares."""
        shared = {"population": self.first.key, "group": self.second.key}
        return shared | {"model": MODEL, "estimator": ESTIMATOR[self.missing]}

    def answered(self, scale: str, group: str) -> int:
        """Students of one group with an answer to at least one item."""
        inside = self.answers.loc[self.answers["group"] == group, list(self.indicators[scale])]
        return int(inside.notna().any(axis=1).sum())


def step_rows(comparison: Comparison, ladder: Ladder) -> list[dict]:
    """Every step as first tested, then as it stands with parameters freed; a reason where there is no estimate."""
    failed = ladder.steps[ladder.steps["verdict"] == "not estimated"] if len(ladder.steps) else ladder.steps
    reasons = comparison.reasons | {row.scale: f"not estimated: {row.freed}" for row in failed.itertuples()}
    rows = [
        comparison.base | {
            "contrast": "not estimated", "term": key, "unit": "CFI", "status_reason": reason,
            "status": _status(reason),
        }
        for key, reason in reasons.items()
    ]  # fmt: skip
    for step in ladder.attempts.to_dict("records"):
        if step["verdict"] == "configural" or (step["verdict"] != "saturated" and not step["freed"]):
            rows += _one_step(comparison, step, step["level"])
    rows += _summaries(comparison, rows)
    for step in ladder.steps.to_dict("records"):
        if step["freed"] and step["verdict"] != "not estimated":
            rows += _one_step(comparison, step, PARTIAL + step["level"])
    return rows


def _summaries(comparison: Comparison, rows: list[dict]) -> list[dict]:
    """For each scale whether means may be compared: 1 where every step up to scalar holds, else 0."""
    steps = [row for row in rows if row["contrast"] in LEVELS[1:3]]
    out = []
    for scale in dict.fromkeys(row["term"] for row in steps):
        own = [row for row in steps if row["term"] == scale]
        held = len(own) == len(LEVELS[1:3]) and not any(row["status_reason"] for row in own)
        reason = "" if held else FAILS
        base = comparison.base | {"contrast": MEANS, "term": scale, "n_obs": own[-1]["n_obs"]}
        out.append(base | {"estimate": float(held), "unit": "yes or no", "status_reason": reason})
    for scale, reason in comparison.reasons.items():
        base = comparison.base | {"contrast": MEANS, "term": scale, "unit": "yes or no"}
        out.append(base | {"status": _status(reason), "status_reason": reason})
    return out


def _status(reason: str) -> str:
    return "too_few" if reason == TOO_FEW else "not_converged"


def _one_step(comparison: Comparison, step: dict, contrast: str) -> list[dict]:
    base = comparison.base | {"term": step["scale"], "n_obs": step["n_obs"]}
    if step["level"] == LEVELS[0]:
        test = {"statistic": step["chisq"], "df": step["df"], "p_value": step["pvalue"]}
        shown, before = ("cfi", "rmsea", "srmr"), ""
    else:
        test = {
            "statistic": step["lr"],
            "df": step["lr_df"],
            "p_value": step["lr_p"],
            "p_holm": step["lr_p_holm"],
        }
        shown, before = ("delta_cfi", "delta_rmsea", "delta_srmr"), "change in "
    failing = FAILS if step["verdict"] == "not invariant" else ""
    rows = [
        base
        | {"contrast": f"{contrast} {name[-5:].strip('_')}", "estimate": step[name], "unit": before + unit}
        for name, unit in zip(shown[1:], ("RMSEA", "SRMR"), strict=True)
    ]
    main = {
        "contrast": contrast,
        "estimate": step[shown[0]],
        "unit": f"{before}CFI",
        "status_reason": failing,
    }
    return [base | main | test, *rows]


def freed_rows(comparison: Comparison, ladder: Ladder, *, alpha: float) -> list[dict]:
    """Each freed parameter in both groups, at the step that freed it."""
    rows = []
    for (scale, level), fitted in ladder.fits.items():
        step = ladder.steps[(ladder.steps["scale"] == scale) & (ladder.steps["level"] == level)].iloc[0]
        for text in filter(None, step["freed"].split(", ")):
            lhs, op, rhs = (*text.split(), "")[:3]
            if op != OPERATOR[level]:
                continue
            for part in (comparison.first, comparison.second):
                rows.append(
                    comparison.base | _interval(fitted, (lhs, op, rhs), part.key, alpha) | {
                        "model": "freed parameter", "population": part.key, "group": "", "unit": "points",
                        "contrast": PARAMETERS[op], "term": rhs if op == "=~" else lhs,
                        "n_obs": comparison.answered(scale, part.key),
                    }
                )  # fmt: skip
    return rows


def mean_rows(comparison: Comparison, ladder: Ladder, *, alpha: float) -> list[dict]:
    """Latent mean of the first minus the second group, in SD of the first, where intercepts may be held equal."""
    rows = []
    for scale in comparison.indicators:
        base = comparison.base | {
            "model": "latent mean",
            "contrast": "difference",
            "term": scale,
            "unit": "SD",
        }
        fitted = ladder.fits.get((scale, "scalar"))
        if fitted is None:
            reason = comparison.reasons.get(
                scale, "not comparable: the items do not measure alike in both groups"
            )
            status = "too_few" if reason == TOO_FEW else "not_comparable"
            rows.append(base | {"status": status, "status_reason": reason})
            continue
        found = _interval(fitted, ("factor", "~1", ""), comparison.second.key, alpha)
        turned = {
            "estimate": -found["estimate"], "statistic": -found["statistic"],
            "conf_low": -found["conf_high"], "conf_high": -found["conf_low"],
        }  # fmt: skip
        rows.append(base | found | turned | {"n_obs": fitted.n_obs})
    return rows


def _interval(fitted: SemFit, key: tuple[str, str, str], group: str, alpha: float) -> dict:
    row = fitted.row(*key, group=group)
    reach = float(quantile(1 - alpha / 2)) * row.se
    return {
        "estimate": row.est, "std_error": row.se, "statistic": row.z, "p_value": row.pvalue,
        "conf_low": row.est - reach, "conf_high": row.est + reach, "interval_method": "delta",
    }  # fmt: skip
