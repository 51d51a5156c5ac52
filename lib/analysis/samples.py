"""Who took part: counts by source and school, and shares of groups, as rows of the shared shape."""

from __future__ import annotations

import pandas as pd

from lib.analysis.estimates import estimates
from lib.analysis.intervals import share_interval
from lib.study.load import Population, Study

COUNTED = ("count", "fewest", "most")


def counts_by_school(
    study: Study,
    kind: str,
    parts: dict[str, dict[str, str]],
    *,
    school: str,
    unit: str,
    exhibit: str,
    distinct: str = "",
) -> pd.DataFrame:
    """Rows of a file in all, and in the school with the fewest and the most of them.

    Parameters
    ----------
    study : Study
    kind : str
        A file of the study, such as ``students``.
    parts : dict
        What to count: a name that the codebook can word (levels joined by ``" & "``), and the values that its
        columns hold; no columns means everyone.
    school : str
        The column that holds the school.
    unit : str
        What is counted, such as ``students``.
    exhibit : str
        The exhibit these counts belong to, for values the study has printed itself.
    distinct : str
        A column whose different values are counted, where several rows stand for one unit.

    Returns
    -------
    DataFrame
        Three rows for each part that anybody is in, ``contrast`` being one of ``COUNTED``.
    """
    table = getattr(study, kind)
    table = table.drop_duplicates(distinct) if distinct else table
    schools = list(study.codebook.columns[school].levels) if school in table else []
    rows = []
    for term, where in parts.items():
        inside = pd.Series(True, index=table.index)
        for column, level in where.items():
            inside &= table[column].astype(object) == level
        if not inside.any():
            continue
        by_school = [int((inside & (table[school] == one)).sum()) for one in schools]
        counted = {"count": int(inside.sum())}
        if len(schools) > 1:
            counted |= {"fewest": min(by_school), "most": max(by_school)}
        rows += [
            {"model": "count", "contrast": contrast, "term": term, "estimate": count, "n_obs": count}
            for contrast, count in counted.items()
        ]
    return estimates(pd.DataFrame(rows).assign(unit=unit, exhibit=exhibit))


def level_parts(study: Study, column: str, *, named: str = "", **also: str) -> dict[str, dict[str, str]]:
    """One part for each level of a column, within the values given for other columns.

    ``named`` is a key of the codebook that the parts' names begin with.
    """
    named = "".join([f"{named} & " if named else "", *(f"{key}={level} & " for key, level in also.items())])
    levels = study.codebook.columns[column].levels
    return {f"{named}{column}={level}": also | {column: level} for level in levels}


def group_shares(
    study: Study, populations: list[Population], column: str, *, conf_level: float, exhibit: str = ""
) -> pd.DataFrame:
    """Share of each level of a column in each population, with Wilson's interval.

    Parameters
    ----------
    study : Study
    populations : list of Population
    column : str
        A column with levels.
    conf_level : float
        Coverage of the intervals, in (0, 1).
    exhibit : str
        As of ``counts_by_school``.

    Returns
    -------
    DataFrame
        Rows in percent; ``n_obs`` is the number of students with a value.
    """
    rows = []
    for population in populations:
        values = population.frame[column].dropna()
        for level in study.codebook.columns[column].levels:
            count, total = int((values == level).sum()), len(values)
            rows.append(
                {"population": population.key, "term": f"{column}={level}"}
                | share_interval(count, total, conf_level=conf_level)
            )
    return estimates(pd.DataFrame(rows).assign(model="share", estimator="Wilson interval", exhibit=exhibit))


def sample_sizes(study: Study, populations: list[Population]) -> pd.DataFrame:
    """Students in each population, and those with each outcome on record.

    Parameters
    ----------
    study : Study
    populations : list of Population

    Returns
    -------
    DataFrame
        Count rows (unit ``students``); ``term`` is the respondents' column (or the population, where everyone
        answered) or an outcome.
    """
    answered = next(iter(study.codebook.respondents), "")
    rows = []
    for population in populations:
        counted = {answered or population.key: len(population.frame)} | {
            outcome: int(population.frame[outcome].notna().sum()) for outcome in study.codebook.outcomes
        }
        rows += [
            {
                "population": population.key,
                "model": "count",
                "term": term,
                "estimate": count,
                "n_obs": len(population.frame),
                "unit": "students",
            }
            for term, count in counted.items()
        ]
    return estimates(rows)


def site_counts(study: Study, *, school: str, exhibit: str) -> pd.DataFrame:
    """Students who took part in each school, and the enrolment the study's own report prints for it.

    Printed sites are matched to the codebook's schools by their order.

    Returns
    -------
    DataFrame
        Count rows by school; ``contrast`` is ``count`` or, where a report printed it, ``enrolled``.
    """
    table = study.students
    rows = []
    for level in study.codebook.columns[school].levels:
        count = int((table[school] == level).sum())
        rows.append({"contrast": "count", "term": f"{school}={level}", "estimate": count, "n_obs": count})
    counts = pd.DataFrame(rows).assign(model="count", unit="students", exhibit=exhibit)
    if study.published is None:
        return estimates(counts)
    printed = study.published[study.published["group"].astype(str).str.fullmatch(r"site \d+")].sort_values(
        "group"
    )
    values = pd.to_numeric(printed["value"]).tolist()[: len(rows)]
    enrolled = counts.iloc[: len(values)].assign(
        contrast="enrolled", estimator="published", estimate=values, n_obs=values
    )
    return estimates(pd.concat([counts, enrolled]))


def shares_by(study: Study, column: str, *, by: str, exhibit: str) -> pd.DataFrame:
    """Share of each level of a column among all students within each level of another, in percent.

    Returns
    -------
    DataFrame
        Rows in percent; ``group`` is the level of ``by`` and ``n_obs`` the students in it.
    """
    rows = []
    for place in study.codebook.columns[by].levels:
        values = study.students.loc[study.students[by] == place, column].dropna()
        for level in study.codebook.columns[column].levels:
            count = int((values == level).sum())
            share = {"estimate": 100 * count / len(values)} if len(values) else {"status": "too_few"}
            rows.append({"group": f"{by}={place}", "term": f"{column}={level}", "n_obs": len(values)} | share)
    return estimates(pd.DataFrame(rows).assign(model="share", unit="percent", exhibit=exhibit))
