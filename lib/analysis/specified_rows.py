"""Result rows of every specification of a family, in the vocabulary that findings' rules select.

What is needed is read off the rules: direct paths, paths through a mediator, adjusted means of two groups, and
differences between two populations (of group-standardized paths). Indirect paths have Monte Carlo intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lib.analysis.crossings import Crossing
from lib.analysis.estimates import mediated_by, mediator_of
from lib.analysis.specified_fits import Paths
from lib.analysis.specified_moments import Columns
from lib.analysis.specified_targets import COMPARED, Target, solve_group, together
from lib.sem.distributions import quantile, two_sided_p

KEY = ("population", "group", "model", "contrast", "term")
NUMBERS = ("estimate", "std_error", "p_value", "conf_low", "conf_high")
DRAWS = 2_000


@dataclass(frozen=True)
class Cells:
    """R rows in S specifications.

    Attributes
    ----------
    keys : DataFrame (R, 5)
        Columns ``KEY``.
    numbers : dict of str to ndarray (R, S)
        ``NUMBERS``.
    status, reason : ndarray (R, S) of str
    """

    keys: pd.DataFrame
    numbers: dict[str, np.ndarray]
    status: np.ndarray
    reason: np.ndarray

    def rows(self, specification: int) -> pd.DataFrame:
        """The rows of one specification, with what a rule reads."""
        numbers = {name: values[:, specification] for name, values in self.numbers.items()}
        return self.keys.assign(**numbers, status=self.status[:, specification],
                                status_reason=self.reason[:, specification])  # fmt: skip

    def choose(self, keep: np.ndarray) -> Cells:
        """Some of the rows."""
        numbers = {name: values[keep] for name, values in self.numbers.items()}
        return Cells(self.keys[keep].reset_index(drop=True), numbers, self.status[keep], self.reason[keep])


def cells(
    columns: Columns, crossing: Crossing, wanted: Sequence[Target], *, errors: str, conf_level: float, seed: int,
    solve=solve_group,
) -> Cells:  # fmt: skip
    """Rows of all targets in all specifications.

    Parameters
    ----------
    columns : Columns
    crossing : Crossing
    wanted : sequence of Target
    errors : {"model", "classes"}
        Where the standard errors come from.
    conf_level : float
    seed : int
        Of the Monte Carlo draws.
    solve : function
        From columns, crossing and a group of targets to their paths; a store may stand before ``solve_group``.
    """
    found: dict[Target, Paths] = {}
    for group in together(wanted):
        found |= solve(columns, crossing, group)
    return assemble(found, errors=errors, conf_level=conf_level, seed=seed, codebook=columns.study.codebook)


def assemble(found: Mapping[Target, Paths], *, errors: str, conf_level: float, seed: int, codebook) -> Cells:
    """Rows from estimated paths: each path with its interval, then what follows from several."""
    rows: dict[tuple, tuple] = {}
    draws: dict[Target, np.ndarray] = {}
    compared = (codebook.focal, codebook.reference)
    normal = np.random.default_rng(seed).standard_normal((DRAWS, 3)).T
    for target, paths in found.items():
        cov = paths.cov if errors == "model" else paths.clustered
        df = np.full(len(paths.df), np.inf) if errors == "model" else paths.df
        model = (
            COMPARED
            if target.population == COMPARED
            else mediated_by(target.mediator)
            if target.mediator
            else "direct"
        )
        focal = (codebook.focal, codebook.reference) if model == COMPARED else (target.population, "")
        names = ["direct", "a", "b"] if target.mediator else ["difference"] if model == COMPARED else [""]
        for k, name in enumerate(names):
            key = (*focal, model, name, target.term)
            rows[key] = _wald(
                paths.estimate[:, k], np.sqrt(np.maximum(cov[:, k, k], 0)), df, conf_level, paths.status
            )
        if target.mediator:
            drawn = _draw(paths.estimate, cov, normal)
            made, indirect = _through(paths, drawn, conf_level)
            rows |= {(*focal, model, name, target.term): row for name, row in made.items()}
            pair = {replace(target, population=population) for population in compared}
            if target in pair and pair <= set(found):
                draws[target] = indirect
            direct = rows.get((*focal, "direct", "", target.term))
            if direct is not None:
                rows[*focal, model, "before", target.term] = direct
    rows |= _differences(rows, draws, codebook, conf_level)
    keys = pd.DataFrame(list(rows), columns=list(KEY))
    stacked = list(zip(*rows.values(), strict=True))
    numbers = {name: np.array(stacked[k]) for k, name in enumerate(NUMBERS)}
    return Cells(keys, numbers, np.array(stacked[5], object), np.array(stacked[6], object))


def _wald(
    value: np.ndarray, error: np.ndarray, df: np.ndarray, conf_level: float, status: np.ndarray
) -> tuple:
    width, p = np.empty(len(df)), np.empty(len(df))
    for free in np.unique(df):
        same = df == free
        with np.errstate(divide="ignore", invalid="ignore"):
            width[same] = quantile(0.5 + conf_level / 2, free)
            p[same] = two_sided_p(value[same] / error[same], free)
    known = np.isfinite(error)
    status = np.where(known, status, np.where(status == "ok", "too_few", status))
    value = np.where(known, value, np.nan)
    return (
        value,
        error,
        p,
        value - width * error,
        value + width * error,
        status,
        np.full(len(value), "", object),
    )


def _draw(value: np.ndarray, cov: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Draws (3, S, D) of direct path, a and b from standard normal ones (3, D); NaN where there is no estimate."""
    out = np.full((3, len(value), normal.shape[1]), np.nan)
    good = np.isfinite(cov).all((1, 2))
    size, direction = np.linalg.eigh(cov[good])
    root = direction * np.sqrt(np.maximum(size, 0))[:, None, :]
    for path in range(3):
        out[path, good] = value[good, path, None] + root[:, path] @ normal
    return out


def _through(paths: Paths, drawn: np.ndarray, conf_level: float) -> tuple[dict[str, tuple], np.ndarray]:
    """Indirect and total path and the share explained, with the statuses of ``lib.analysis.mediation``.

    And the draws (S, D) of the indirect path.
    """
    direct, a, b = paths.estimate.T
    good = np.isfinite(drawn[0, :, 0])
    status = np.where(good, paths.status, np.where(paths.status == "ok", "too_few", paths.status))
    none = np.full(len(a), "", object)

    def row(value: np.ndarray, values: np.ndarray) -> tuple:
        low, high = _ends(values, good, conf_level)
        error = np.full(len(a), np.nan)
        error[good] = values[good].std(1)
        return np.where(good, value, np.nan), error, np.full(len(a), np.nan), low, high, status, none

    product = drawn[1] * drawn[2]
    indirect, total = row(a * b, product), row(a * b + direct, product + drawn[0])
    unclear = good & (total[3] <= 0) & (total[4] >= 0)
    opposed = good & ~unclear & (a * b * direct < 0)
    reason = np.where(opposed, "inconsistent mediation: indirect and direct effect differ in sign", "")
    reason = np.where(unclear, "not expressed as a share: the total's interval includes zero", reason)
    kept = np.where(good & ~unclear & ~opposed, 100 * a * b / (a * b + direct), np.nan)
    empty = np.full(len(a), np.nan)
    share = (kept, empty, empty, empty, empty, np.where(unclear | opposed, "inadmissible", status), reason)
    return {"indirect": indirect, "total": total, "share_explained": share}, product


def _ends(values: np.ndarray, good: np.ndarray, conf_level: float) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper end (S,) of the middle of draws (S, D), where they are ``good`` (S,)."""
    ends = np.full((2, len(values)), np.nan)
    ends[:, good] = np.quantile(values[good], [0.5 - conf_level / 2, 0.5 + conf_level / 2], axis=1)
    return ends[0], ends[1]


def _differences(rows: dict, draws: dict[Target, np.ndarray], codebook, conf_level: float) -> dict:
    """Focal minus reference of every path that both have; the two samples are independent."""
    found = {}
    for (population, group, model, contrast, term), one in rows.items():
        other = rows.get((codebook.reference, "", model, contrast, term))
        if (
            population != codebook.focal
            or group
            or other is None
            or contrast in ("share_explained", "before", "total")
        ):
            continue
        status = np.where(one[5] != "ok", one[5], other[5])
        error = np.sqrt(one[1] ** 2 + other[1] ** 2)
        infinite = np.full(len(error), np.inf)
        row = _wald(one[0] - other[0], error, infinite, conf_level, status)
        if contrast == "indirect":
            mediator = mediator_of(model)
            # the same normal draws serve both samples, so those of the second are taken in another order
            gap = draws[Target(population, mediator, term)]
            gap = gap - draws[Target(codebook.reference, mediator, term)][:, ::-1]
            row = (*row[:3], *_ends(gap, np.isfinite(gap[:, 0]), conf_level), *row[5:])
        name = (
            "difference"
            if contrast == ""
            else "difference direct"
            if contrast == "direct"
            else f"difference {contrast}"
        )
        found[population, codebook.reference, model, name, term] = row
    return found
