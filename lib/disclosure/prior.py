"""Figures that the study's own report has printed already (DISCLOSURE.md, D16)."""

from __future__ import annotations

import pandas as pd

from lib.study.load import Study

PUBLISHED = "published"


def printed_rows(rows: pd.DataFrame, study: Study) -> pd.Series:
    """Rows whose value stands in ``published.csv`` for the row's exhibit, to the decimals printed there.

    A row counts as printed when the study is synthetic, or when it is a quotation (``estimator`` is
    ``published``); a value recomputed from student records passes the gate like any other.
    """
    printed = pd.Series(False, index=rows.index)
    published = getattr(study, "published", None)
    if published is None:
        return printed
    values: dict[str, list[tuple[float, float]]] = {}
    for value, exhibits in zip(published["value"], published["exhibit"], strict=True):
        number = pd.to_numeric(value, errors="coerce")
        if pd.isna(number) or not isinstance(exhibits, str):
            continue
        half = 0.5 * 10.0 ** -len(str(value).partition(".")[2])
        for exhibit in exhibits.split(";"):
            values.setdefault(exhibit.strip(), []).append((float(number), half))
    for place, row in rows.iterrows():
        if study.codebook.synthetic or row["estimator"] == PUBLISHED:
            known = values.get(row["exhibit"], ())
            printed[place] = any(abs(row["estimate"] - value) <= half for value, half in known)
    return printed
