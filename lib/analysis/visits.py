"""What visits saw: in how many of them, and of the classrooms visited, an activity took place.

A classroom may be visited twice, so shares of visits and of classrooms differ. Visits of single schools are
counted and not turned into percents: there are too few for one.
"""

from __future__ import annotations

import pandas as pd

from lib.analysis.estimates import estimates
from lib.analysis.intervals import share_interval
from lib.study.load import Study

COUNT, SHARE = "observation count", "observation share"
VISITED, SEEN = "visited", "seen"


def activity_seen(
    study: Study, term: str, *, units: dict[str, str], place: str, conf_level: float
) -> pd.DataFrame:
    """How many visits and classrooms saw an activity, in all and by school.

    Parameters
    ----------
    study : Study
        With observations.
    term : str
        The activity, as ``column=level``.
    units : dict
        What is counted (``visits``, ``classrooms``) and the column that tells one from the other.
    place : str
        Column of the school.
    conf_level : float
        Coverage of the intervals of shares (Wilson), in (0, 1).

    Returns
    -------
    DataFrame
        Counts, ``contrast`` being ``visited`` or ``seen``, with ``group`` empty or ``school=...``; and the share of
        each unit in all, whose ``contrast`` is the unit.
    """
    column, _, level = term.partition("=")
    parts = study.observations.assign(seen=study.observations[column].astype(object) == level)
    rows = []
    for unit, key in units.items():
        once = parts.groupby(key, observed=True).agg(place=(place, "first"), seen=("seen", "max"))
        everywhere = {"": once} | {
            f"{place}={one}": once[once["place"] == one] for one in study.codebook.columns[place].levels
        }
        for group, inside in everywhere.items():
            counted = {VISITED: len(inside), SEEN: int(inside["seen"].sum())}
            base = {"model": COUNT, "term": term, "group": group, "unit": unit, "n_obs": len(inside)}
            rows += [
                base | {"estimator": f"{unit} counted", "contrast": contrast, "estimate": count}
                for contrast, count in counted.items()
            ]
        share = share_interval(int(once["seen"].sum()), len(once), conf_level=conf_level)
        rows.append({"model": SHARE, "estimator": "Wilson interval", "term": term, "contrast": unit} | share)
    return estimates(rows)
