"""Verdicts outside the scorecard: words that follow one, and the overview of all of them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from lib.analysis.findings import VERDICTS, Verdict
from lib.errors import ShowError
from lib.show.frame import given_caption, jupyter_html, name_of
from lib.show.marks import Mark, emit
from lib.show.prose import Phrase, phrase, words_of
from lib.show.tally import tally

__all__ = ["by_verdict", "verdict_board"]


def by_verdict(
    verdicts: Mapping[str, Verdict],
    finding: str,
    *,
    holds: str,
    partly: str,
    fails: str,
    other: str,
    **rows: object,
) -> Phrase:
    """The wording that fits a finding's verdict.

    Parameters
    ----------
    verdicts : mapping of str to Verdict
        As ``lib.analysis.findings.judge`` gives them.
    finding : str
        Id of a finding.
    holds, partly, fails, other : str
        Templates for a finding that holds (with a test or descriptively), holds in part, fails, and one
        that cannot be decided or has no rule in this study.
    **rows
        What the templates quote.
    """
    verdict = verdicts.get(finding)
    if verdict is None or verdict.verdict not in ("holds", "descriptive", "partly", "fails"):
        return phrase(other, **rows)
    return phrase(holds if verdict.held else {"partly": partly, "fails": fails}[verdict.verdict], **rows)


def verdict_board(
    verdicts: Mapping[str, Verdict],
    findings: Sequence[str],
    *,
    questions: Mapping[str, str],
    label: str,
    title: Phrase | str,
    caption: Phrase | str,
    page: str = "chapters/findings.html",
) -> None:
    """Display one symbol for each finding, by research question, with the number of each verdict below.

    Parameters
    ----------
    verdicts : mapping of str to Verdict
    findings : sequence of str
        Ids, in the order they are to stand.
    questions : mapping of str to str
        The first character of the ids of each research question, and its heading.
    label, title, caption
        As of ``lib.show.tables.table``.
    page : str
        Address of the scorecard, seen from the page that shows the board.

    Raises
    ------
    ShowError
        If a finding belongs to no question.
    """
    lost = [key for key in findings if key[:1] not in questions]
    if lost:
        raise ShowError(f"{len(lost)} findings belong to no question, such as {lost[0]!r}")
    strips = "".join(
        f'<div class="rq{number}"><p class="asks">{html.escape(heading)}</p>'
        f"{_strip(verdicts, findings, number, heading, page)}</div>"
        for number, heading in questions.items()
    )
    counts = tally(verdicts, findings).counts
    counted = "".join(
        f'<li><span class="verdict">{_symbol(key)}{html.escape(words)} {counts[key]}</span></li>'
        for key, words in VERDICTS.items()
        if counts[key]
    )
    body = f'<div class="board">{strips}<ul class="tally">{counted}</ul></div>'
    heading, words = words_of(title), given_caption(caption).markdown
    mark = Mark(
        kind="table", label=name_of("tbl", label, None), title=heading.markdown, caption=words, table=body
    )
    emit(mark, jupyter_html(title=heading.markdown, caption=words, body=body, notes=()))


def _strip(
    verdicts: Mapping[str, Verdict], findings: Sequence[str], number: str, heading: str, page: str
) -> str:
    marks = "".join(
        f'<li><a href="{html.escape(page)}#f-{key}" aria-label="{key}: {html.escape(VERDICTS[verdicts[key].verdict])}">'
        f"{_symbol(verdicts[key].verdict)}</a></li>"
        for key in findings
        if key.startswith(number)
    )
    return f'<ul class="strip" aria-label="{html.escape(heading, quote=True)}">{marks}</ul>'


def _symbol(verdict: str) -> str:
    return f'<svg aria-hidden="true" focusable="false"><use href="#v-{verdict}"/></svg>'
