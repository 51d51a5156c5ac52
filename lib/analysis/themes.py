"""Coded remarks of focus groups and interviews: how often a theme was named, by whom, and how types of groups differ.

The unit of a count is the remark, the focus group or the interview; nobody is counted as a person. Remarks cluster
in groups and in speakers, so intervals and tests that take remarks for independent are exploratory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from lib.analysis.estimates import THEME, estimates
from lib.analysis.intervals import share_interval
from lib.errors import StudyError
from lib.study.load import Study

SIGN_FLIP = "exact sign-flip test over pairs of focus groups"
RATE_TEST = "exact conditional test of two rates"
GROUPS, INTERVIEWS = "focus groups", "interviews"


def themes_named(study: Study, source: str) -> list[str]:
    """Themes that occur in a source, in the codebook's order."""
    found = set(remarks_of(study, source)["theme"].astype(str))
    return [theme for theme in study.codebook.columns["theme"].levels if theme in found]


def sources(study: Study) -> dict[str, str]:
    """Sources of the remarks, by the unit that speaks in them: ``focus groups`` and ``interviews``.

    Where the number of participants is stated, a unit is a focus group.
    """
    found = {}
    for source in study.codebook.columns["source"].levels:
        remarks = remarks_of(study, source)
        if len(remarks):
            found[GROUPS if remarks["participants"].notna().any() else INTERVIEWS] = source
    return found


def remarks_of(study: Study, source: str) -> pd.DataFrame:
    """Remarks of one source.

    Raises
    ------
    StudyError
        If the study has no coded remarks.
    """
    if study.excerpts is None:
        raise StudyError("the study has no coded remarks (0 files); name an excerpts file in codebook.yml")
    return study.excerpts[study.excerpts["source"].astype(str) == source]


def group_types(study: Study) -> list[str]:
    """Types of focus group that occur, in the codebook's order."""
    units = units_of(remarks_of(study, sources(study).get(GROUPS, "")))
    found = set(units["group_type"].astype(str))
    return [level for level in study.codebook.columns["group_type"].levels if level in found]


def units_of(remarks: pd.DataFrame) -> pd.DataFrame:
    """One line for each focus group or interview that has a coded remark."""
    return remarks.drop_duplicates("unit_id").set_index("unit_id")[["group_type", "school", "participants"]]


def theme_counts(study: Study, *, unit: str, themes: Sequence[str] = (), conf_level: float) -> pd.DataFrame:
    """How often each theme was named in one source, in all and by type of focus group.

    Parameters
    ----------
    study : Study
    unit : {"focus groups", "interviews"}
        Whose remarks are counted.
    themes : sequence of str, optional
        Levels of the codebook's column ``theme``; without them every theme that occurs in the source.
    conf_level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    DataFrame
        ``term`` is ``theme=...`` and ``group`` is ``source=...``, or ``group_type=...`` where focus groups are of
        several types. ``contrast`` is ``remarks`` (with the exact Poisson interval; ``n_obs`` is the number of
        units), ``rate`` (remarks per student), ``groups`` (units that named it, of ``n_obs``) or ``share`` (the same
        in percent, Wilson's interval). A theme that the codebook counts within another has ``groups within``
        and ``share within`` besides: of the units that named the other, if any did.

    Raises
    ------
    StudyError
        If the study has no coded remarks, or none of this kind.
    """
    found = sources(study) if study.excerpts is not None else {}
    if unit not in found:
        raise StudyError(f"the study has no coded remarks of {unit} (0 rows); name them in the excerpts file")
    source = found[unit]
    remarks = remarks_of(study, source)
    within = study.codebook.theme_within
    parts = {f"source={source}": remarks}
    if unit == GROUPS:
        parts |= {
            f"group_type={kind}": remarks[remarks["group_type"].astype(str) == kind]
            for kind in group_types(study)
        }
    units, rows = {group: units_of(part) for group, part in parts.items()}, []
    for theme in themes or themes_named(study, source):
        for group, part in parts.items():
            base = {"term": f"theme={theme}", "group": group}
            rows += [base | row for row in _counted(part, units[group], theme, unit, conf_level)]
            if theme in within:
                inside = part[part["unit_id"].isin(_naming(part, within[theme])["unit_id"])]
                named = _units_naming(inside, theme, unit, conf_level) if len(inside) else []
                rows += [base | row | {"contrast": f"{row['contrast']} within"} for row in named]
    return estimates(pd.DataFrame(rows).assign(model=THEME))


def _counted(part: pd.DataFrame, units: pd.DataFrame, theme: str, unit: str, conf_level: float) -> list[dict]:
    count = int((part["theme"] == theme).sum())
    low, high = poisson_interval(count, conf_level=conf_level)
    remarks = {
        "contrast": "remarks", "estimate": count, "unit": "remarks", "n_obs": len(units),
        "conf_low": low, "conf_high": high, "interval_method": "exact Poisson",
    }  # fmt: skip
    rows = [remarks, *_units_naming(part, theme, unit, conf_level)]
    students = units["participants"].sum() if unit == GROUPS else 0
    if students:
        ends = {name: remarks[name] / students for name in ("estimate", "conf_low", "conf_high")}
        rows.append(remarks | ends | {"contrast": "rate", "unit": "remarks per student", "n_obs": students})
    return rows


def _units_naming(part: pd.DataFrame, theme: str, unit: str, conf_level: float) -> list[dict]:
    count, total = part["unit_id"][part["theme"] == theme].nunique(), part["unit_id"].nunique()
    return [
        {"contrast": "groups", "estimate": count, "unit": unit, "n_obs": total},
        {"contrast": "share"} | share_interval(count, total, conf_level=conf_level),
    ]


def _naming(remarks: pd.DataFrame, theme: str) -> pd.DataFrame:
    return remarks[remarks["theme"] == theme]


def theme_contrasts(study: Study, *, themes: Sequence[str], conf_level: float) -> pd.DataFrame:
    """Remarks in the first type of focus group against the second, theme by theme.

    Groups of the two types are paired by school. The exact test turns the sign of each pair's difference in all ways
    and asks how often the sum is at least as large as observed: one-sided, for more remarks in the first type, so
    that n pairs give no p below 1 / 2**n (the row with contrast ``floor``). The rate ratio takes remarks for
    independent counts and conditions on their number (Przyborowski and Wilenski, 1940): exploratory.

    Parameters
    ----------
    study : Study
    themes : sequence of str
        Levels of the codebook's column ``theme``.
    conf_level : float
        Coverage of the interval of the rate ratio (Clopper and Pearson, transformed), in (0, 1).

    Returns
    -------
    DataFrame
        ``group`` names both types, first minus second. Contrasts ``difference`` (mean over pairs, in remarks;
        ``n_obs`` pairs), ``rate ratio`` (``n_obs`` remarks) and ``floor`` (sign patterns, with the smallest p).

    Raises
    ------
    StudyError
        If the focus groups are not of two types that meet in a school.
    """
    remarks, kinds = remarks_of(study, sources(study).get(GROUPS, "")), group_types(study)
    units = units_of(remarks)
    places = [set(units["school"][units["group_type"].astype(str) == kind]) for kind in kinds[:2]]
    paired = sorted(set.intersection(*places)) if len(places) == 2 else []
    if not paired:
        raise StudyError(
            f"focus groups are of {len(kinds)} types and {len(paired)} schools have both; a contrast needs a pair"
        )
    students = [units["participants"][units["group_type"].astype(str) == kind].sum() for kind in kinds[:2]]
    both = {"group": " & ".join(f"group_type={kind}" for kind in kinds[:2])}
    rows = [both | _floor(len(paired))]
    for theme in themes:
        named = _naming(remarks, theme)
        by_pair = named.groupby([named["group_type"].astype(str), named["school"].astype(str)]).size()
        counts = [[int(by_pair.get((kind, place), 0)) for place in paired] for kind in kinds[:2]]
        totals = [int((named["group_type"].astype(str) == kind).sum()) for kind in kinds[:2]]
        base = both | {"term": f"theme={theme}"}
        rows.append(base | _paired(np.subtract(*counts)))
        rows.append(base | _rate_ratio(totals, students, conf_level))
    return estimates(pd.DataFrame(rows).assign(model=THEME))


def _floor(pairs: int) -> dict:
    return {
        "contrast": "floor", "estimator": SIGN_FLIP, "estimate": 2**pairs, "p_value": 0.5**pairs,
        "unit": "ways to exchange the types", "n_obs": pairs,
    }  # fmt: skip


def _paired(differences: np.ndarray) -> dict:
    return {
        "contrast": "difference", "estimator": SIGN_FLIP, "estimate": differences.mean(), "unit": "remarks per pair",
        "p_value": sign_flip_p(differences.tolist()), "n_obs": len(differences),
    }  # fmt: skip


def _rate_ratio(counts: Sequence[int], exposures: Sequence[float], conf_level: float) -> dict:
    from scipy.stats import binomtest

    first, second = counts
    row = {
        "contrast": "rate ratio",
        "estimator": RATE_TEST,
        "unit": "times as many remarks",
        "n_obs": first + second,
    }
    if not first + second or not all(exposures):
        return row | {
            "status": "too_few",
            "status_reason": "not expressed as a ratio: no remark on this theme",
        }
    if not second:
        reason = "not expressed as a ratio: no remark from the second type of group"
        return row | {"status": "inadmissible", "status_reason": reason}
    expected = exposures[0] / (exposures[0] + exposures[1])
    test = binomtest(first, first + second, expected)
    interval = test.proportion_ci(confidence_level=conf_level, method="exact")
    low, high = (_odds(end) * exposures[1] / exposures[0] for end in (interval.low, interval.high))
    return row | {
        "estimate": first / second * exposures[1] / exposures[0], "p_value": test.pvalue,
        "conf_low": low, "conf_high": high, "interval_method": "exact, conditional on the number of remarks",
    }  # fmt: skip


def _odds(share: float) -> float:
    return share / (1 - share)


def poisson_interval(count: int, *, conf_level: float) -> tuple[float, float]:
    """Exact (Garwood, 1936) interval of a Poisson mean, given one count."""
    from scipy.stats import chi2

    tail = (1 - conf_level) / 2
    low = chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    return float(low), float(chi2.ppf(1 - tail, 2 * count + 2) / 2)


def sign_flip_p(differences: Iterable[int]) -> float:
    """One-sided exact p of a sum of paired differences under exchange of the sign of each.

    The null hypothesis is that in each pair either order of the two counts was as likely; small p speaks for a positive
    sum.
    """
    differences = list(differences)
    sums = Counter({0: 1})
    for difference in differences:
        turned = Counter()
        for total, ways in sums.items():
            turned[total + difference] += ways
            turned[total - difference] += ways
        sums = turned
    return sum(ways for total, ways in sums.items() if total >= sum(differences)) / 2 ** len(differences)


def theme_views(study: Study, *, conf_level: float) -> pd.DataFrame:
    """What teachers say of a matter beside what students say of the same, as counts and shares of those who speak.

    The codebook's theme sets ``teacher_view`` and ``student_view`` face each other, entry by entry. A theme that is
    counted within another is given among those who named the other.

    Returns
    -------
    DataFrame
        Rows of ``theme_counts`` in all, a view of the teachers before the students' view of the same matter; contrasts
        ``groups`` and ``share``, or ``groups within`` and ``share within``.

    Raises
    ------
    StudyError
        If the codebook names no such sets, or there are no remarks of interviews or of focus groups.
    """
    sets, within = study.codebook.theme_sets, study.codebook.theme_within
    if not {"teacher_view", "student_view"} <= set(sets):
        raise StudyError(
            f"codebook.yml has {len(sets)} theme_sets, teacher_view and student_view not among them; name both"
        )
    views = {INTERVIEWS: sets["teacher_view"], GROUPS: sets["student_view"]}
    parts = []
    for place, (unit, themes) in enumerate(views.items()):
        rows = theme_counts(study, unit=unit, themes=themes, conf_level=conf_level)
        rows = rows[rows["group"].str.startswith("source=")]
        for order, theme in enumerate(themes):
            kinds = ("groups within", "share within") if theme in within else ("groups", "share")
            chosen = (rows["term"] == f"theme={theme}") & rows["contrast"].isin(kinds)
            parts.append(rows[chosen].assign(order=2 * order + place))
    return estimates(pd.concat(parts).sort_values("order", kind="stable").drop(columns="order"))
