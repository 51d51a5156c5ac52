"""One-line summaries of coded remarks, as they may be shown: with theme and type of group and nothing else (D15)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lib.errors import DisclosureError
from lib.study.codebook import Codebook
from lib.study.load import Study


def remark_summaries(study: Study, *, themes: Sequence[str]) -> list[dict[str, str]]:
    """Every different summary of the themes given, with the types of group that said so.

    A summary says neither who spoke nor where: one that holds a place's name, an id or a figure is left out.

    Parameters
    ----------
    study : Study
    themes : sequence of str
        Levels of the codebook's column ``theme``.

    Returns
    -------
    list of dict
        Entries ``theme``, ``group`` (labels) and ``summary``, in the order of the themes.

    Raises
    ------
    DisclosureError
        If the study has no summaries of remarks.
    """
    remarks, codebook = study.excerpts, study.codebook
    if remarks is None or "summary" not in remarks:
        raise DisclosureError("the study has no summaries of remarks (0 rows); there is nothing to quote")
    names = place_names(codebook)
    kinds = codebook.columns["group_type"].levels
    found = []
    for theme in themes:
        told = (
            remarks.loc[remarks["theme"].astype(str) == theme, ["summary", "group_type"]].dropna().astype(str)
        )
        for text in sorted(set(told["summary"])):
            if names.search(text) or re.search(r"\d", text):
                continue
            by = set(told.loc[told["summary"] == text, "group_type"])
            group = "; ".join(label for kind, label in kinds.items() if kind in by)
            found.append({"theme": codebook.label(f"theme={theme}"), "group": group, "summary": text})
    return found


def place_names(codebook: Codebook) -> re.Pattern:
    """What would tell where a remark was made: keys and labels of the groups that several files share."""
    shared = [
        column for column in codebook.columns.values() if column.role == "group" and len(column.files) > 1
    ]
    names = {word for column in shared for level in column.levels.items() for word in level}
    words = "|".join(re.escape(name) for name in sorted(names))
    return re.compile(rf"\b(?:{words})\b" if words else r"(?!)", re.IGNORECASE)
