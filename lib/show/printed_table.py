"""Every printed value beside what the data give for it, and those that no data can give, by reason."""

from __future__ import annotations

import html
from collections.abc import Sequence

from lib.analysis.reproduction import FILE, Reproduced
from lib.disclosure.gate import Released, ReleasedRow
from lib.errors import ShowError
from lib.show.facts import fact_html
from lib.show.fields import number_html
from lib.show.frame import given_caption, jupyter_html, name_of, scroll
from lib.show.marks import Mark, emit, plain, records, require_released, row_anchor
from lib.show.markup import Cell, Line, html_table, text_cell
from lib.show.prose import Phrase, Words, words_of
from lib.show.words import number
from lib.study.load import Study

VERDICTS = ("same", "differs", "not given")

__all__ = ["Agreement", "not_given_table", "printed_table"]


class Agreement(Words):
    """How many printed values are the ``same``, ``differ`` or are ``not_given``, of ``n``: fields of a template."""

    rows = ()

    def __init__(self, reproduced: Sequence[Reproduced]):
        names = ("same", "differ", "not_given")
        counts = [sum(one.verdict == verdict for one in reproduced) for verdict in VERDICTS]
        self.counts = dict(zip(names, counts, strict=True)) | {
            "n": len(reproduced),
            "given": counts[0] + counts[1],
        }

    def render(self, attribute: str, spec: str) -> str:
        """Markdown of one count."""
        if attribute not in self.counts:
            raise ShowError(f"an agreement has {', '.join(self.counts)}, not {attribute!r}")
        return fact_html(self.counts[attribute], FILE, spec)


def printed_table(
    reproduced: Sequence[Reproduced],
    released: Released,
    study: Study,
    *,
    title: Phrase | str,
    caption: Phrase | str,
    label: str,
) -> None:
    """Display the printed values that the data can give, each beside what they do give.

    Parameters
    ----------
    reproduced : sequence of Reproduced
        From ``lib.analysis.reproduction.reproduce``, computed on the released rows.
    released : Released
        Those rows.
    study : Study
        Its ``published.csv`` says what each value is.
    title, caption : Phrase or str
    label : str
        Anchor ``tbl-...``.
    """
    require_released(released, "printed_table")
    rows = {row.row_id: row for row in released}
    named = study.published.set_index("id")
    given = [one for one in reproduced if one.verdict != "not given"]
    lines = [_line(one, named.loc[one.key], rows) for one in given]
    head = [("Value", False), ("Of whom", False), ("Printed", True), ("Reproduced", True), ("Verdict", False)]
    used = dict.fromkeys(row for one in given for row in one.rows if row in rows)
    _emit(head, lines, title, caption, label, rows=records(rows[row] for row in used))


def not_given_table(
    reproduced: Sequence[Reproduced], study: Study, *, title: Phrase | str, caption: Phrase | str, label: str
) -> None:
    """Display why the other printed values cannot be given; arguments as of ``printed_table``."""
    named = study.published.set_index("id")
    reasons: dict[str, list[Reproduced]] = {}
    for one in reproduced:
        if one.verdict == "not given":
            reasons.setdefault(one.reason, []).append(one)
    lines = [
        Line(
            reason[:1].upper() + reason[1:],
            (
                Cell(str(len(found)), numeric=True),
                text_cell("; ".join(_words(named.loc[one.key]) for one in found)),
            ),
        )
        for reason, found in reasons.items()
    ]
    _emit([("Reason", False), ("Values", True), ("Which", False)], lines, title, caption, label)


def _words(published) -> str:
    return f"{published['measure']} ({published['value']})"


def _line(one: Reproduced, published, rows: dict[str, ReleasedRow]) -> Line:
    exhibit = str(published["exhibit"]) if published["exhibit"] == published["exhibit"] else ""
    where = f", Exhibit {exhibit.replace(';', ', ')}" if exhibit else ""
    verdict = one.verdict + (f" ({one.reason})" if one.reason else "")
    cells = (
        text_cell(str(published["group"])),
        Cell(
            html.escape(
                one.printed.replace("-", "\N{MINUS SIGN}", 1) if one.value is not None else one.printed
            ),
            numeric=True,
        ),
        Cell(_bound(one, [rows[row] for row in one.rows if row in rows]), numeric=True),
        text_cell(verdict),
    )
    return Line(f"{published['measure']}{where}", cells)


def _bound(one: Reproduced, rows: list[ReleasedRow]) -> str:
    """The reproduced value, bound to its row or to all the rows it is made from."""
    try:
        text = number(float(one.text), f".{len(one.text.partition('.')[2])}f")
    except ValueError:  # words, such as "ns"
        text = one.text
    if not rows:
        return fact_html(one.value, FILE)
    if len(rows) == 1 and rows[0].estimate == one.value:
        return number_html(text, float(one.text), rows[0])
    anchors = [row_anchor(row.row_id) for row in rows]
    inner = f'<a href="#{anchors[0]}">{html.escape(text)}</a>'
    return f'<data class="num" value="{one.value:.10g}" data-rows="{" ".join(anchors)}">{inner}</data>'


def _emit(head: list, lines: list[Line], title, caption, label: str, rows: tuple = ()) -> None:
    heading, words = words_of(title), given_caption(caption).markdown
    body = html_table(head, lines)
    mark = Mark(
        kind="table", label=name_of("tbl", label, None), title=heading.markdown, caption=words,
        table=scroll(body, plain(heading.markdown)), rows=rows,
    )  # fmt: skip
    emit(mark, jupyter_html(title=heading.markdown, caption=words, body=body))
