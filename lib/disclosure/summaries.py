"""What may be quoted from a study's folder: entries of its ledgers, and one-line summaries of coded remarks (D15).

No result stands behind them, so they pass no rule of the gate; that they come from the study's own folder and from
nowhere else is why ``lib.show`` accepts them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lib.disclosure.gate import Quoted
from lib.errors import DisclosureError
from lib.study.codebook import Codebook
from lib.study.load import Study
from lib.study.population import list_parameters


def ledger_entries(study: Study, name: str) -> Quoted:
    """Entries of a ledger of the study's folder, such as ``reading``; none where there is no such file.

    Parameters
    ----------
    study : Study
    name : str
        Stem of the YAML file; of ``population`` the parameters behind synthetic records, with their sources.

    Raises
    ------
    DisclosureError
        If ``study`` is no loaded study, or the file lists no entries.
    """
    if type(study) is not Study:
        raise DisclosureError(f"ledgers are read from a study's folder, not from {type(study).__name__}")
    if name == "population":
        return Quoted._of(tuple(list_parameters(study.folder)))
    content = study.ledger(name) or {"entries": []}
    entries = content.get("entries")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DisclosureError(
            f"{name}.yml has no list named entries; only ledgers that list them can be quoted"
        )
    return Quoted._of(tuple({key: str(value) for key, value in entry.items()} for entry in entries))


def remark_summaries(study: Study, *, themes: Sequence[str]) -> Quoted:
    """Every different summary of the themes given, with the types of group that said so.

    A summary says neither who spoke nor where: one that holds a place's name, an id or a figure is left out.

    Parameters
    ----------
    study : Study
    themes : sequence of str
        Levels of the codebook's column ``theme``.

    Returns
    -------
    Quoted
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
    return Quoted._of(tuple(found))


def place_names(codebook: Codebook) -> re.Pattern:
    """What would tell where a remark was made: keys and labels of the groups that several files share."""
    shared = [
        column for column in codebook.columns.values() if column.role == "group" and len(column.files) > 1
    ]
    names = {word for column in shared for level in column.levels.items() for word in level}
    words = "|".join(re.escape(name) for name in sorted(names))
    return re.compile(rf"\b(?:{words})\b" if words else r"(?!)", re.IGNORECASE)
