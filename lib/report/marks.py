"""Marked outputs of an executed chapter, with the exhibit numbers of the page that shows them."""

from __future__ import annotations

import re

MARK = "application/vnd.lwo+json"
SECTION = re.compile(r"\{#(sec-[\w-]+)")
LABEL = re.compile(r"\b(fig|tbl)-exhibit-(\d+)\b")


def rename(text: str, exhibits: dict) -> str:
    """Replace the notebook's exhibit labels by the page's, all at once."""
    return LABEL.sub(lambda m: f"{m[1]}-exhibit-{exhibits.get(int(m[2])) or m[2]}", text)


def make_own(text: str, labels: set[str], suffix: str) -> str:
    """Give labels that a notebook defines the page's suffix, where several pages run one notebook."""
    if not labels:
        return text
    names = "|".join(sorted(map(re.escape, labels), key=len, reverse=True))
    return re.sub(rf"(?<=[#@])({names})(?![\w-])", rf"\1-{suffix}", text)


def defined_labels(texts: list[str], marks: list[dict]) -> set[str]:
    """Labels of sections, and of figures and tables that are not exhibits."""
    sections = {label for text in texts for label in SECTION.findall(text)}
    return sections | {mark["label"] for mark in marks if mark["label"] and mark["exhibit"] is None}


def renumber(mark: dict, exhibits: dict) -> dict | None:
    """The mark, its label and its rows with the page's exhibit number; None where the page leaves it out."""
    number = mark["exhibit"]
    if number is None:
        return mark
    new = exhibits.get(number, number)
    if new is None:
        return None
    rows = [row | {"exhibit": str(new)} for row in mark["rows"]]
    return mark | {"exhibit": new, "label": rename(mark["label"], exhibits), "rows": rows}


def published_rows(marks: list[dict]) -> dict[str, dict]:
    """Every row of a page once, by ``row_id``; as it stands in an exhibit where it stands in one."""
    found: dict[str, dict] = {}
    for mark in marks:
        for row in mark["rows"]:
            if row["row_id"] not in found or (row["exhibit"] and not found[row["row_id"]]["exhibit"]):
                found[row["row_id"]] = row
    return found
