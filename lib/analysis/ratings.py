"""Mean ratings of scales or single items, how they differ between two groups, and their order.

Answers of one class, or ratings of one visit, are alike: where several rows share a cluster, intervals
are those of least squares with CR2 errors (``cluster_robust``); otherwise of Student and Welch. Groups
are compared as Hedges' g (1981).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from lib.analysis.contrasts import Clusters, difference, hedges_g, held_columns, means, pooled_sd
from lib.analysis.estimates import estimates
from lib.analysis.multiplicity import benjamini_hochberg, family_of, holm
from lib.analysis.two_one_sided import equivalence_tests
from lib.errors import StudyError
from lib.study.codebook import Codebook
from lib.study.load import Population, Study

MODELS = {"students": "mean rating", "teachers": "teacher rating", "observations": "observation rating"}
PAIRED = "paired difference"


@dataclass(frozen=True)
class Raters:
    """Rows of one file that hold ratings.

    Attributes
    ----------
    kind : str
        ``students``, ``teachers`` or ``observations``.
    population : str
        Key of the students' population; empty for other files.
    frame : DataFrame
    cluster : str
        Column of the cluster that several rows share; empty where rows are independent.
    codebook : Codebook
    """

    kind: str
    population: str
    frame: pd.DataFrame = field(repr=False)
    cluster: str
    codebook: Codebook = field(repr=False)

    @property
    def base(self) -> dict:
        """Row columns that all results of these raters share."""
        return {"model": MODELS[self.kind], "population": self.population}

    @property
    def clusters(self) -> Clusters | None:
        """What rows belong to; None where they are independent."""
        if not self.cluster:
            return None
        return Clusters(self.codebook.label(self.cluster).lower(), self.frame[self.cluster])


def raters(study: Study, kind: str, *, population: str | Population = "", clustered: bool = True) -> Raters:
    """Those who rated, or what was rated: a population of students (or its name), the teachers, the parts of visits.

    With ``clustered`` false, rows are taken as independent although they share a class or a visit.

    Raises
    ------
    StudyError
        If the study has no such file.
    """
    frame = getattr(study, kind)
    if frame is None:
        raise StudyError(f"the study has no file of {kind}; name it under files in codebook.yml")
    key = ""
    if kind == "students":
        named = not isinstance(population, Population)
        chosen = study.population(population or "all") if named else population
        key, frame = chosen.key, chosen.frame
    clusters = [
        column for column, entry in study.codebook.columns_of(kind).items() if entry.role == "cluster"
    ]
    shared = [column for column in clusters if frame[column].dropna().duplicated().any()]
    finest = max(shared, key=lambda column: frame[column].nunique(), default="") if clustered else ""
    return Raters(kind, key, frame, finest, study.codebook)


def rated_levels(sample: Raters, by: str, terms: Sequence[str]) -> list[str]:
    """Levels of a column with at least k ratings of some term, in the codebook's order."""
    rated = sample.frame.loc[sample.frame[list(terms)].notna().any(axis=1), by]
    counts, k = rated.value_counts(), sample.codebook.disclosure.k
    return [level for level in sample.codebook.columns[by].levels if counts.get(level, 0) >= k]


def compared_levels(study: Study, kind: str, by: str, terms: Sequence[str]) -> tuple[str, ...]:
    """The first two levels of a column that the file has at least k answers from, the second of them first.

    Raises
    ------
    StudyError
        If there are no two such levels.
    """
    frame = getattr(study, kind)
    everyone = Raters(kind, "", frame, "", study.codebook)
    levels = rated_levels(everyone, by, terms)[:2]
    if len(levels) < 2:
        raise StudyError(
            f"{kind} answered from {len(levels)} levels of {by!r} with at least {study.codebook.disclosure.k} answers; "
            "name a column with two"
        )
    return tuple(levels[::-1])


def lowest_of(sample: Raters, terms: Sequence[str]) -> tuple[str, list[str]]:
    """The term with the lowest mean, and the others."""
    lowest = min(terms, key=lambda term: sample.frame[term].mean())
    return lowest, [term for term in terms if term != lowest]


def mean_ratings(
    sample: Raters,
    terms: Sequence[str],
    *,
    by: str = "",
    levels: Sequence[str] = (),
    conf_level: float,
    exhibit: str = "",
) -> pd.DataFrame:
    """Mean of each scale or item, over all rows or, with ``by``, at each rated level of a column.

    Parameters
    ----------
    sample : Raters
    terms : sequence of str
        Columns of the file: scales or single items.
    by : str
        A column with levels; ``group`` then is ``column=level``.
    levels : sequence of str
        Of ``by``; without them every rated level.
    conf_level : float
        Coverage of the intervals, in (0, 1).
    exhibit : str
        The exhibit that the rows belong to.

    Returns
    -------
    DataFrame
        Rows in scale points; ``n_obs`` is the number of ratings.
    """
    levels = list(levels or rated_levels(sample, by, terms)) if by else [""]
    within = sample.frame[by].astype(object) if by else pd.Series("", index=sample.frame.index)
    rows = []
    for term in terms:
        found = means(
            sample.frame[term].astype(float), within, levels, sample.clusters,
            conf_level=conf_level, k=sample.codebook.disclosure.k,
        )  # fmt: skip
        named = sample.base | {"term": term, "unit": "points", "exhibit": exhibit}
        rows += [named | {"group": f"{by}={level}" if by else ""} | found[level] for level in levels]
    return estimates(rows)


def rating_differences(
    sample: Raters,
    terms: Sequence[str],
    *,
    by: str,
    pair: Sequence[str],
    covariates: Sequence[str] = (),
    conf_level: float,
    exhibit: str = "",
) -> pd.DataFrame:
    """Difference of two groups in each scale or item: in points, as Hedges' g, and tested for equivalence.

    Parameters
    ----------
    sample : Raters
    terms : sequence of str
    by : str
        Column that tells the groups apart.
    pair : (first, second)
        Its two levels; the difference is first minus second.
    covariates : sequence of str
        Columns held constant where errors are clustered; those that the file lacks, and ``by``, are left out.
    conf_level : float
    exhibit : str

    Returns
    -------
    DataFrame
        ``contrast`` is ``difference`` (points) or ``hedges_g`` (SD), and a row of model ``... equivalence`` for
        each difference; ``p_holm`` and ``p_bh`` run over the terms of one domain. The standard deviation
        behind g and the equivalence margin is the pooled one of the two groups.
    """
    first, second = pair
    frame = sample.frame[sample.frame[by].isin([first, second])]
    held = [key for key in covariates if key in frame and key != by] if sample.cluster else []
    base = sample.base | {"group": f"{by}={first} & {by}={second}", "exhibit": exhibit}
    rows, margins, g = [], {}, []
    inside = frame[by] == first
    columns = held_columns(frame[held], inside, sample.codebook) if held else None
    for term in terms:
        named = base | {"term": term, "contrast": "difference", "unit": "points"}
        found = difference(
            frame[term].astype(float), inside, sample.clusters,
            held=frame[held], codebook=sample.codebook, conf_level=conf_level, columns=columns,
        )  # fmt: skip
        rows.append(named | found)
        if found.get("status", "ok") == "ok":
            spread = pooled_sd(frame[term].astype(float), inside)
            margins[len(rows) - 1] = sample.codebook.thresholds["sesoi"] * spread
            g.append(named | hedges_g(found, spread, conf_level=conf_level))
    differences = estimates(rows)
    tests = equivalence_tests(
        differences,
        {differences["row_id"][place]: margin for place, margin in margins.items()},
        alpha=sample.codebook.thresholds["alpha"],
    )
    families = family_of(
        differences.assign(term=_mirrored(terms, sample.codebook)), sample.codebook, by="domain"
    )
    return estimates(pd.concat([adjusted(differences, families), estimates(g), tests]))


def paired_differences(
    sample: Raters, term: str, others: Sequence[str], *, conf_level: float, group: str = "", exhibit: str = ""
) -> pd.DataFrame:
    """One scale or item against each of the others, by the same raters: its mean minus theirs.

    Parameters
    ----------
    sample : Raters
    term : str
    others : sequence of str
    conf_level : float
    group : str
        ``column=level`` to stay within, or empty.
    exhibit : str

    Returns
    -------
    DataFrame
        Rows in points; ``contrast`` is ``below X``, the estimate is negative where ``term`` is lower, and
        ``p_holm`` and ``p_bh`` run over all of them.
    """
    column, _, level = group.partition("=")
    frame = sample.frame if not group else sample.frame[sample.frame[column] == level]
    base = sample.base | {"model": PAIRED, "group": group, "term": term, "unit": "points", "exhibit": exhibit}
    rows = []
    for other in others:
        apart = frame[term].astype(float) - frame[other].astype(float)
        whole = pd.Series("", index=frame.index)
        found = means(
            apart, whole, [""], sample.clusters, conf_level=conf_level, k=sample.codebook.disclosure.k, tested=True
        )  # fmt: skip
        rows += [base | {"contrast": f"below {other}"} | found[""]] if other != term else []
    table = estimates(rows)
    return adjusted(table, table["term"])


def _mirrored(terms: Sequence[str], codebook: Codebook) -> list[str]:
    """Each term, or the students' scale that a teachers' scale mirrors: it says which domain the term is of."""
    scales = codebook.scales
    return [scales[term].counterpart or term if term in scales else term for term in terms]


def adjusted(table: pd.DataFrame, families: pd.Series) -> pd.DataFrame:
    """The rows with ``p_holm`` and ``p_bh`` over the tests of each family."""
    table = table.copy()
    for _, rows in table.groupby(families, sort=False):
        p = rows["p_value"].to_numpy(float)
        table.loc[rows.index, "p_holm"], table.loc[rows.index, "p_bh"] = holm(p), benjamini_hochberg(p)
    return table
