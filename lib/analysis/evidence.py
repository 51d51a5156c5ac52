"""The rows that decide a study's findings, by chapter.

``EVIDENCE`` names one function for each chapter. It computes, with the chapter's defaults, every row that the
rules of this chapter's findings select: null studies and replications are run through it. A function takes
``(study, *, conf_level, seed, missing)`` and returns rows of the shared shape.
"""

from __future__ import annotations

from importlib import import_module

import pandas as pd

from lib.errors import StudyError
from lib.study.codebook import nearest
from lib.study.load import Study

# chapter: "module:function", so that a campaign imports no more than it runs
EVIDENCE = {
    "measurement": "lib.analysis.evidence_measurement:measurement",
    "rq1-relationships": "lib.analysis.evidence_rq1:relationships",
    "rq1-differences": "lib.analysis.evidence_rq1:differences",
    "rq2-frequency": "lib.analysis.evidence_rq2:frequency",
    "rq2-quality": "lib.analysis.evidence_rq2:quality",
    "rq1-voices": "lib.analysis.evidence_rq3:voices",
    "rq2-perspectives": "lib.analysis.evidence_rq3:perspectives",
    "rq3-beliefs": "lib.analysis.evidence_rq3:beliefs",
    "rq3-school-factors": "lib.analysis.evidence_rq3:school_factors",
    "rq3-leaders": "lib.analysis.evidence_rq3:leaders",
}


def evidence(
    study: Study, *, conf_level: float, seed: int, missing: str, chapters: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Rows of several chapters, each row once.

    Parameters
    ----------
    study : Study
    conf_level, seed, missing
        As of the chapters.
    chapters : tuple of str
        Names in ``EVIDENCE``; none stands for all.

    Returns
    -------
    DataFrame
        The shared shape; of a row that several chapters give, the first one's.

    Raises
    ------
    StudyError
        If there is no such chapter; the message gives the nearest name.
    """
    tables = []
    for name in chapters or tuple(EVIDENCE):
        if name not in EVIDENCE:
            raise StudyError(f"no evidence is registered for chapter {name!r}{nearest(name, EVIDENCE)}")
        module, function = EVIDENCE[name].split(":")
        compute = getattr(import_module(module), function)
        tables.append(compute(study, conf_level=conf_level, seed=seed, missing=missing))
    return pd.concat(tables).drop_duplicates("row_id").reset_index(drop=True)
