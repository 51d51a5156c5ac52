"""What stands in the place of a figure or table whose data a study has not."""

from __future__ import annotations

import html
from collections.abc import Mapping

from lib.show.marks import Mark, emit

__all__ = ["absent"]


def absent(reason: str, labels: Mapping[str, int | None] | None = None) -> None:
    """Display that a study cannot fill a place, and why.

    Parameters
    ----------
    reason : str
        What the study lacks, in words.
    labels : mapping of str to int or None, optional
        Anchors of the figures and tables left out, each with its exhibit number if it has one; they stay
        places that the text can refer to.
    """
    words = f"Not covered: {reason}."
    if not labels:
        emit(Mark(kind="note", markdown=words), f"<p><small>{html.escape(words)}</small></p>")
    for label, exhibit in (labels or {}).items():
        shown = f'<p class="absent">{html.escape(words)}</p>'
        mark = Mark(
            kind="table", label=label, exhibit=exhibit, title="Not covered by this study.",
            caption="No data for it.", table=shown,
        )  # fmt: skip
        emit(mark, shown)
