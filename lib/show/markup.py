"""Tables as HTML: semantic, without styles or scripts, hidden cells in words.

great_tables was tried for this: it writes a ``<style>`` block and inline ``style`` attributes that a
strict Content-Security-Policy refuses, and its body cells cannot carry a row's id, to which every
number of the text links.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from lib.disclosure.gate import ReleasedRow
from lib.errors import ShowError
from lib.show.marks import row_anchor
from lib.show.words import caution, estimate_text, interval_text, is_shown, n_text, number, p_text, reason

__all__ = ["Cell", "Line", "by_section", "estimate_cell", "html_table", "text_cell", "value_cell"]


@dataclass(frozen=True)
class Cell:
    """One cell: its HTML, the id that links lead to, and whether it holds a number or a reason."""

    inner: str
    anchor: str = ""
    numeric: bool = False
    withheld: bool = False

    def tag(self) -> str:
        """The cell as ``<td>``."""
        classes = " ".join(name for name, on in (("n", self.numeric), ("withheld", self.withheld)) if on)
        attributes = (f' id="{self.anchor}"' if self.anchor else "") + (
            f' class="{classes}"' if classes else ""
        )
        return f"<td{attributes}>{self.inner}</td>"


@dataclass(frozen=True)
class Line:
    """One line of a table: its heading, cells, and the section it stands under."""

    heading: str
    cells: tuple[Cell, ...]
    anchor: str = ""
    section: str = ""


def text_cell(text: str) -> Cell:
    """A cell of words."""
    return Cell(html.escape(text, quote=False))


def value_cell(row: ReleasedRow, what: str, *, anchor: bool = False) -> Cell:
    """A cell with one number of a row, as the tables' ``show`` names it; in words if hidden."""
    given = row_anchor(row.row_id) if anchor else ""
    if not is_shown(row):
        return Cell(f"<span>{html.escape(reason(row))}</span>", given, withheld=True)
    texts = {
        "estimate": estimate_text,
        "interval": interval_text,
        "t": _t,
        "p": _p,
        "p_holm": _p_holm,
        "p_bh": _p_bh,
        "n": n_text,
    }
    if what not in texts:
        raise ShowError(f"a table shows {', '.join(texts)}, not {what!r}")
    inner = html.escape(texts[what](row), quote=False) or "none"
    if what == "estimate" and caution(row):
        inner += f' <span class="caution">{html.escape(caution(row), quote=False)}</span>'
    return Cell(inner, given, numeric=True)


def estimate_cell(
    row: ReleasedRow, *, interval: bool, anchor: bool, printed: str = "", of: bool = False
) -> Cell:
    """A cell with a row's estimate and, under it, its interval and the value printed in 2018.

    With ``of``, a count says of how many units it is.
    """
    cell = value_cell(row, "estimate", anchor=anchor)
    between = interval_text(row, ",\N{NO-BREAK SPACE}") if interval else ""
    inner = cell.inner + (f" of {n_text(row)}" if of and is_shown(row) else "")
    inner += f'<br><span class="ci">[{between}]</span>' if between else ""
    inner += f'<br><span class="printed">printed {printed}</span>' if printed else ""
    return Cell(inner, cell.anchor, numeric=cell.numeric, withheld=cell.withheld)


def by_section(lines: Sequence[Line]) -> list[Line]:
    """Lines of one section together, those of none first, sections in the order of their first line."""
    order = list(dict.fromkeys(["", *(line.section for line in lines)]))
    return sorted(lines, key=lambda line: order.index(line.section))


def html_table(head: Sequence[tuple[str, bool]], lines: Sequence[Line], *, caption: str = "") -> str:
    """A table with ``<th scope>`` on every heading.

    Parameters
    ----------
    head : sequence of (text, numeric)
        Column headings, the first that of the lines.
    lines : sequence of Line
        In order; lines of one section stand under its heading.
    caption : str
        For screen readers only, where the surrounding figure has a visible caption.
    """
    parts = ["<table>"]
    if caption:
        parts.append(f'<caption class="sr">{html.escape(caption, quote=False)}</caption>')
    numbers = {True: ' class="n"', False: ""}
    cells = "".join(
        f'<th scope="col"{numbers[numeric]}>{html.escape(text, quote=False)}</th>' for text, numeric in head
    )
    parts.append(f"<thead><tr>{cells}</tr></thead>\n<tbody>")
    section = ""
    for line in lines:
        if line.section != section:
            section = line.section
            parts.append(
                f'<tr class="group"><th scope="rowgroup" colspan="{len(head)}">'
                f"{html.escape(section, quote=False)}</th></tr>"
            )
        identity = f' id="{line.anchor}"' if line.anchor else ""
        heading = html.escape(line.heading, quote=False)
        body = "".join(cell.tag() for cell in line.cells)
        parts.append(f'<tr{identity}><th scope="row">{heading}</th>{body}</tr>')
    return "\n".join([*parts, "</tbody></table>"])


def _t(row: ReleasedRow) -> str:
    known = row.statistic == row.statistic
    return (
        number(row.statistic) + (f" ({number(row.df, '.0f')})" if row.df == row.df else "") if known else ""
    )


def _p(row: ReleasedRow, column: str = "p_value") -> str:
    p = row.values[column]
    return "" if p != p else p_text(p)


def _p_holm(row: ReleasedRow) -> str:
    return _p(row, "p_holm")


def _p_bh(row: ReleasedRow) -> str:
    return _p(row, "p_bh")
