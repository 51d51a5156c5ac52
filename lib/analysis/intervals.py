"""Intervals of shares, as row columns."""

from __future__ import annotations


def share_interval(count: int, total: int, *, conf_level: float) -> dict:
    """A share in percent with Wilson's (1927) interval; no number where nobody was counted."""
    from statsmodels.stats.proportion import proportion_confint

    if total == 0:
        return {
            "unit": "percent",
            "n_obs": 0,
            "status": "too_few",
            "status_reason": "not shown: nobody answered",
        }
    low, high = proportion_confint(count, total, alpha=1 - conf_level, method="wilson")
    return {
        "estimate": 100 * count / total,
        "conf_low": 100 * low,
        "conf_high": 100 * high,
        "interval_method": "Wilson",
        "n_obs": total,
        "unit": "percent",
    }
