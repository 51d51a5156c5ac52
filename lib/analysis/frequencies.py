"""Shares of answers, and how they differ between two groups.

Shares take Wilson's (1927) interval and differences Newcombe's (1998), both for independent answers; the same
difference with errors by class comes from least squares with CR2. The size of a difference is Cox's (1970) index.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.analysis.contrasts import NO_TEST, difference, too_few
from lib.analysis.estimates import estimates
from lib.analysis.intervals import share_interval
from lib.analysis.ratings import Raters, rated_levels
from lib.analysis.two_one_sided import equivalence_tests
from lib.errors import StudyError
from lib.study.codebook import nearest
from lib.study.load import Study

SHARE = "share"
WILSON, NEWCOMBE = "Wilson interval", "two proportions, Newcombe interval"
SMALL_CELL = 5
COX = 1.65  # log odds ratio of a difference of one SD between two logistic distributions (Cox, 1970)


def answers_met(answers: pd.Series, term: str) -> pd.Series:
    """Whether each answer meets ``column=level``, ``column>=level`` or ``column<=level``; NaN where it is missing."""
    for sign, compare in ((">=", np.greater_equal), ("<=", np.less_equal)):
        if sign in term:
            met = compare(answers.astype(float), float(term.partition(sign)[2]))
            return met.astype(float).where(answers.notna())
    level = term.partition("=")[2]
    same = (
        answers == float(level) if pd.api.types.is_numeric_dtype(answers) else answers.astype(object) == level
    )
    return same.astype(float).where(answers.notna())


def column_of(term: str) -> str:
    """The column that a share's term is about."""
    return term.partition("=")[0].rstrip("<>")


def cut(study: Study, column: str, *, at_least: str = "", at_most: str = "") -> str:
    """The term of all answers at or beyond a threshold that the codebook names.

    Raises
    ------
    StudyError
        If the codebook has no such threshold.
    """
    name = at_least or at_most
    if name not in study.codebook.thresholds:
        raise StudyError(f"codebook.yml has no threshold {name!r}{nearest(name, study.codebook.thresholds)}")
    return f"{column}{'>=' if at_least else '<='}{study.codebook.thresholds[name]:.0f}"


def category_terms(
    sample: Raters, column: str, *, before: str, by: str = "", levels: Sequence[str] = ()
) -> list[str]:
    """A term for each answer; those at either end that few gave are put together (D4), never across ``before``.

    Parameters
    ----------
    sample : Raters
    column : str
        An ordinal answer.
    before : str
        A term ``column>=level`` that also is shown: what it counts stays apart from the rest.
    by, levels : str, sequence of str
        Groups in which each category must be large enough, as of ``answer_shares``.
    """
    answers = sample.frame[column].dropna()
    groups = [answers] if not by else [answers[sample.frame[by] == level] for level in levels]
    points = [float(level) for level in sample.codebook.columns[column].levels]
    split = float(before.partition(">=")[2])
    low, high = [one for one in points if one < split], [one for one in points if one >= split]
    while len(low) > 1 and any(_small((group <= low[0]).sum(), len(group), sample) for group in groups):
        low = low[1:]
    while len(high) > 1 and any(_small((group >= high[-1]).sum(), len(group), sample) for group in groups):
        high = high[:-1]
    signs = {
        low[0]: "<=" if low and low[0] != points[0] else "=",
        high[-1]: ">=" if high[-1] != points[-1] else "=",
    }
    return [f"{column}{signs.get(one, '=')}{one:.0f}" for one in [*low, *high]]


def _small(count: int, n: int, sample: Raters) -> bool:
    """Whether a share would be hidden or coded for its size (D2 and D5)."""
    settings = sample.codebook.disclosure
    ends = next(
        (points for smallest, points in sorted(settings.percent_coding, reverse=True) if n >= smallest), 100
    )
    return n >= settings.k and (count < settings.m or 100 * count <= ends * n)


def answer_shares(
    sample: Raters,
    terms: Sequence[str],
    *,
    by: str = "",
    levels: Sequence[str] = (),
    conf_level: float,
    exhibit: str = "",
) -> pd.DataFrame:
    """Percent of those who answered that meet each term, in all or at each level of a column.

    Parameters
    ----------
    sample : Raters
        Who answered.
    terms : sequence of str
        As of ``answers_met``.
    by : str
        A column with levels; ``group`` then is ``column=level``.
    levels : sequence of str
        Of ``by``; without them every level with at least k answers.
    conf_level : float
        Coverage of the intervals, in (0, 1).
    exhibit : str

    Returns
    -------
    DataFrame
        Rows in percent; ``n_obs`` is the number of answers.
    """
    rows = []
    for term in dict.fromkeys(terms):
        met = answers_met(sample.frame[column_of(term)], term)
        places = list(levels or rated_levels(sample, by, [column_of(term)])) if by else [""]
        for level in places:
            inside = met[sample.frame[by] == level].dropna() if by else met.dropna()
            rows.append(
                {"population": sample.population, "group": f"{by}={level}" if by else "", "term": term}
                | share_interval(int(inside.sum()), len(inside), conf_level=conf_level)
            )
    return estimates(
        pd.DataFrame(rows).assign(model=model_of(sample, SHARE), estimator=WILSON, exhibit=exhibit)
    )


def share_differences(
    sample: Raters,
    terms: Sequence[str],
    *,
    by: str,
    pair: Sequence[str],
    clustered: bool = False,
    conf_level: float,
    exhibit: str = "",
) -> pd.DataFrame:
    """Difference of two groups in each share: in percentage points, as Cox's index, and tested for equivalence.

    Parameters
    ----------
    sample : Raters
    terms : sequence of str
    by : str
    pair : (first, second)
        The difference is first minus second.
    clustered : bool
        Errors by class instead of independent answers.
    conf_level : float
    exhibit : str

    Returns
    -------
    DataFrame
        ``contrast`` is ``difference`` (percent) or ``cox_index`` (SD), and a row of model ``... equivalence``.
    """
    first, second = pair
    frame = sample.frame[sample.frame[by].isin([first, second])]
    base = {"model": model_of(sample, SHARE), "population": sample.population, "exhibit": exhibit}
    base |= {"group": f"{by}={first} & {by}={second}", "contrast": "difference", "unit": "percent"}
    rows, cox = [], []
    for term in terms:
        met = answers_met(frame[column_of(term)], term)
        if clustered:
            found = difference(
                100 * met, frame[by] == first, sample.clusters,
                held=frame[[]], codebook=sample.codebook, conf_level=conf_level,
            )  # fmt: skip
        else:
            answers = [met[frame[by] == level].dropna() for level in pair]
            counts, sizes = [int(one.sum()) for one in answers], [len(one) for one in answers]
            found = two_shares(counts, sizes, k=sample.codebook.disclosure.k, conf_level=conf_level)
            cox.append(base | {"term": term} | found.pop("cox", {}))
        rows.append(base | {"term": term} | found)
    differences, settings = estimates(rows), sample.codebook.thresholds
    margins = dict.fromkeys(differences["row_id"], settings["sesoi_points"])
    tests = equivalence_tests(differences, margins, alpha=settings["alpha"])
    return estimates(pd.concat([differences, estimates([row for row in cox if "estimate" in row]), tests]))


def two_shares(counts: Sequence[int], sizes: Sequence[int], *, k: int, conf_level: float) -> dict:
    """Row columns of the difference of two shares in percentage points, answers taken as independent.

    Newcombe's (1998) interval, a z test with the pooled share, or Fisher's exact test where a cell is small; ``cox``
    holds those of the difference as Cox's index, where no cell is empty. Fewer than k answers give none.

    Parameters
    ----------
    counts, sizes : sequence of int, length 2
        Answers that meet the term, and all answers, in either group.
    k : int
    conf_level : float
        Coverage of the intervals, in (0, 1).
    """
    from scipy import stats
    from statsmodels.stats.proportion import confint_proportions_2indep

    if min(sizes) < k:
        return {"estimator": NEWCOMBE} | too_few(sum(sizes), k)
    low, high = confint_proportions_2indep(
        counts[0], sizes[0], counts[1], sizes[1], method="newcomb", compare="diff", alpha=1 - conf_level
    )
    cells = np.array([counts, np.subtract(sizes, counts)], dtype=float)
    shares = cells[0] / sizes
    std_error = np.sqrt((shares * (1 - shares) / sizes).sum())
    test = stats.fisher_exact(cells.astype(int)) if cells.min() < SMALL_CELL else None
    pooled = cells[0].sum() / sum(sizes)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / sizes[0] + 1 / sizes[1]))
    z = (shares[0] - shares[1]) / spread if spread > 0 else np.nan
    found = {
        "estimator": NEWCOMBE, "estimate": 100 * (shares[0] - shares[1]), "std_error": 100 * std_error, "statistic": z,
        "p_value": test.pvalue if test else 2 * stats.norm.sf(abs(z)), "conf_low": 100 * low, "conf_high": 100 * high,
        "interval_method": "Newcombe", "n_obs": sum(sizes),
    }  # fmt: skip
    return found | ({"cox": _cox(cells, conf_level) | {"n_obs": sum(sizes)}} if cells.min() > 0 else {})


def _cox(cells: np.ndarray, conf_level: float) -> dict:
    """Cox's index of a fourfold table: the log odds ratio over 1.65, with its delta-method interval."""
    from scipy import stats

    estimate = np.log(cells[0, 0] * cells[1, 1] / (cells[0, 1] * cells[1, 0])) / COX
    std_error = np.sqrt((1 / cells).sum()) / COX
    reach = stats.norm.ppf(0.5 + conf_level / 2) * std_error
    return NO_TEST | {
        "contrast": "cox_index", "estimator": "log odds ratio", "unit": "SD", "estimate": estimate, "std_error": std_error,
        "conf_low": estimate - reach, "conf_high": estimate + reach, "interval_method": "delta method",
    }  # fmt: skip


def model_of(sample: Raters, model: str) -> str:
    """The model's name; that of other files than the students' says whose answers they are."""
    return model if sample.kind == "students" else f"{sample.kind.rstrip('s')} {model}"
