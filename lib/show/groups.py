"""How groups are told apart: colour and shape together, the same in every figure.

The colours are the site's CSS variables, so that dark mode, print and forced colours follow; the
value after the comma is what a file shows that is opened without the site's style sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib.disclosure.gate import ReleasedRow
from lib.show.words import label_of

INK, MUTED = "var(--ink, #18232b)", "var(--muted, #4f5e69)"
SURFACE, RULE, EDGE = "var(--surface, #ffffff)", "var(--rule, #d2dbdf)", "var(--edge, #71808a)"
ACCENT = "var(--accent, #46535d)"
DIAMOND = "M0-5.5 5.5 0 0 5.5-5.5 0z"

__all__ = ["GroupStyle", "group_key", "group_label", "group_styles"]


@dataclass(frozen=True)
class GroupStyle:
    """Class, colour and shape of a group; ``path`` is the shape about its centre, in pixels."""

    css: str
    colour: str
    path: str

    @property
    def filled(self) -> str:
        """CSS classes of a computed value; a group without tokens of the site keeps its own colour."""
        return f"m {self.css}" if self in (ALL, FOCAL, REFERENCE) else self.css

    @property
    def hollow(self) -> str:
        """CSS classes of a value before a mediator."""
        return f"m-before {self.css}" if self in (ALL, FOCAL, REFERENCE) else self.css


ALL = GroupStyle("all", "var(--g-all, #46535d)", "M5.5 0A5.5 5.5 0 1 1-5.5 0A5.5 5.5 0 1 1 5.5 0z")
FOCAL = GroupStyle("black", "var(--g-black, #005ea8)", "M-5-5H5V5H-5z")
REFERENCE = GroupStyle("white", "var(--g-white, #b5480b)", "M0-6.5 6.5 5H-6.5z")
OTHERS = (
    GroupStyle("third", "var(--g-third, #6d5a00)", "M0 6.5 6.5-5H-6.5z"),
    GroupStyle("fourth", "var(--g-fourth, #74418f)", "M-3-6H3L6-3V3L3 6H-3L-6 3V-3z"),
)


def group_key(row: ReleasedRow) -> str:
    """What tells a row's series apart: its group where it has one, else its population."""
    return row.group or row.population


def group_label(key: str, codebook: object) -> str:
    """Reader's label of a series."""
    return label_of(key, codebook)


def group_styles(keys: Sequence[str], codebook: object) -> dict[str, GroupStyle]:
    """Style of each series: everyone, focal and reference group by the codebook, others in order."""
    fixed = {codebook.focal: FOCAL, codebook.reference: REFERENCE, "": ALL, "all": ALL}
    others = iter(OTHERS * len(keys))
    return {key: fixed.get(key.rpartition("=")[2]) or next(others) for key in keys}
