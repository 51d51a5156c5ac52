"""What runs through a mediator, in many subgroups at once.

Models and quantities are those of `lib.analysis.mediation` (Hayes, 2022, ch. 3). Indirect and total effects have
Monte Carlo intervals (Preacher & Selig, 2012); the share of a total that is indirect is a ratio of two estimates
and has Fieller's interval (1954).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from lib.analysis.estimates import estimates, mediated_by
from lib.analysis.mediation import DRAWS
from lib.analysis.subgroups import Subgroups, fit_paths, path_rows
from lib.sem.distributions import quantile
from lib.sem.latent_paths import standardized

ZERO = "not expressed as a share: the total's interval includes zero"
SIGNS = "inconsistent mediation: indirect and direct effect differ in sign"
BATCH = 64  # subgroups whose draws are held at once
UNBOUNDED = "not expressed as a share: its interval is unbounded"


def mediation_by_subgroup(
    parts: Subgroups,
    direct: pd.DataFrame | None,
    *,
    pairs: Sequence[tuple[str, str]],
    covariates: Mapping[str, str],
    conf_level: float,
    seed: int,
) -> pd.DataFrame:
    """Rows of `lib.analysis.mediation.mediated_effects` for every subgroup.

    Parameters
    ----------
    parts : Subgroups
    direct : DataFrame or None
        Direct effects of the same subgroups on every outcome, which stand as the path before the mediator; None
        leaves that path out.
    pairs : sequence of (mediator, outcome)
    covariates : mapping of str to str
        A covariate set for each outcome.
    conf_level : float
        Coverage of the intervals, in (0, 1).
    seed : int
        Of the Monte Carlo draws.
    """
    normal = np.random.default_rng(seed).standard_normal((DRAWS // 2, 3))
    tables = []
    for mediator, outcome in pairs:
        fits, few = fit_paths(parts, [mediator, outcome], covariates=covariates[outcome])
        estimate, cov = standardized(fits.latent, fits.n_whole)
        out = few | (fits.status != "ok")
        estimate[out], cov[out] = np.nan, np.nan
        for place, contrast in enumerate(("a", "b", "direct")):
            error = np.sqrt(cov[:, place, place])
            rows = path_rows(parts, fits, few, estimate[:, place], error, conf_level=conf_level)
            tables.append(rows.assign(model=mediated_by(mediator), term=outcome, contrast=contrast))
        base = tables[-1].drop(columns=["statistic", "p_value"])
        tables.extend(_products(base, estimate, cov, normal, conf_level=conf_level))
        if direct is not None:
            before = direct[direct["term"] == outcome].drop(columns="row_id")
            tables.append(before.assign(model=mediated_by(mediator), contrast="before"))
    return estimates(pd.concat(tables, ignore_index=True))


def _products(
    base: pd.DataFrame, estimate: np.ndarray, cov: np.ndarray, normal: np.ndarray, *, conf_level: float
) -> Iterator[pd.DataFrame]:
    """Rows of indirect effect, total and share, one for each subgroup."""
    a, b, direct = estimate.T
    product, total = a * b, a * b + direct
    drawn = np.full((2, 3, len(a)), np.nan)
    fine = np.flatnonzero(np.isfinite(estimate).all(1) & np.isfinite(cov).all((1, 2)))
    for at in range(0, len(fine), BATCH):
        places = fine[at : at + BATCH]
        drawn[:, :, places] = _drawn(estimate[places], cov[places], normal, conf_level=conf_level)
    for contrast, value, (error, low, high) in (("indirect", product, drawn[0]), ("total", total, drawn[1])):
        numbers = {"estimate": value, "std_error": error, "conf_low": low, "conf_high": high}
        yield base.assign(contrast=contrast, interval_method="Monte Carlo", **numbers)
    slope = np.stack([np.stack([b, a, np.zeros(len(a))], 1), np.stack([b, a, np.ones(len(a))], 1)], 1)
    joint = slope @ cov @ slope.swapaxes(1, 2)
    low, high = fieller(product, total, joint, conf_level=conf_level)
    zero, signs = (drawn[1, 1] <= 0) & (drawn[1, 2] >= 0), product * direct < 0
    why = np.select([zero, signs, np.isnan(low)], [ZERO, SIGNS, UNBOUNDED], "")
    barred = (why != "") & (base["status"] == "ok").to_numpy()
    share = np.where(barred, np.nan, 100 * np.stack([product / total, low, high]))
    yield base.assign(
        contrast="share_explained", unit="percent", interval_method="Fieller", std_error=np.nan,
        estimate=share[0], conf_low=share[1], conf_high=share[2],
        status=np.where(barred, "inadmissible", base["status"]),
        status_reason=np.where(barred, why, base["status_reason"]),
    )  # fmt: skip


def _drawn(estimate: np.ndarray, cov: np.ndarray, normal: np.ndarray, *, conf_level: float) -> np.ndarray:
    """Standard error and interval (2, 3, B) of indirect effect and total, from draws of a, b and the direct path."""
    _, size, across = np.linalg.svd(cov)
    drawn = estimate[:, None] + normal @ (np.sqrt(size)[:, :, None] * across)
    indirect = drawn[:, :, 0] * drawn[:, :, 1]
    values = np.stack([indirect, indirect + drawn[:, :, 2]])
    error = values.std(axis=-1, ddof=1)
    return np.stack([error, *percentiles(values, conf_level=conf_level)], axis=1)


def percentiles(values: np.ndarray, *, conf_level: float) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the percentile interval along the last axis, whose order is lost."""
    places = (values.shape[-1] - 1) * (0.5 + conf_level / 2 * np.array([-1.0, 1.0]))
    whole = np.floor(places).astype(int)
    values.partition([*whole, *(whole + 1)], axis=-1)
    ends = values[..., whole] + (places - whole) * (values[..., whole + 1] - values[..., whole])
    return ends[..., 0], ends[..., 1]


def fieller(
    numerator: np.ndarray, denominator: np.ndarray, cov: np.ndarray, *, conf_level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fieller's interval of a ratio of two estimates with joint covariance (B, 2, 2); NaN where it is unbounded."""
    z = quantile(0.5 + conf_level / 2) ** 2
    a = denominator**2 - z * cov[:, 1, 1]
    b = numerator * denominator - z * cov[:, 0, 1]
    c = numerator**2 - z * cov[:, 0, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        root = np.sqrt(np.where(a > 0, b**2 - a * c, np.nan))
        return (b - root) / a, (b + root) / a
