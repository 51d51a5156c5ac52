"""The scorecard: every finding with its rule, verdict, deciding estimates and how far each can be trusted."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from lib.analysis.findings import VERDICTS, Verdict
from lib.disclosure.gate import Released, ReleasedRow
from lib.errors import ShowError
from lib.show.decision import decision_html, reason_html, rule_words
from lib.show.facts import fact_html
from lib.show.fields import row_words
from lib.show.frame import given_caption, jupyter_html, name_of, scroll
from lib.show.marks import Mark, emit, plain, records, require_released
from lib.show.prose import Phrase, words_of
from lib.show.published import printed_text, printed_values
from lib.study.load import Study
from lib.study.rules import known_findings

COLUMNS = (
    "Finding",
    "Claim and rule",
    "Verdict",
    "Printed and reproduced",
    "Robust in",
    "By chance",
    "Replicates",
)
NUMERIC = COLUMNS[4:]
LISTED = 3
RATES = "rates.yml"

__all__ = ["scorecard"]


def scorecard(
    verdicts: Mapping[str, Verdict],
    released: Released,
    study: Study,
    *,
    findings: Sequence[str],
    title: Phrase | str,
    caption: Phrase | str,
    label: str,
    rates: Mapping | None = None,
    robust: Mapping[str, ReleasedRow] | None = None,
    filters: bool = False,
) -> None:
    """Display findings with their rules and verdicts, grouped by question.

    Parameters
    ----------
    verdicts : mapping of str to Verdict
        As ``lib.analysis.findings.judge`` gives them, from these rows.
    released : Released
        The rows that were judged.
    study : Study
        Its findings, rules and printed values.
    findings : sequence of str
        Ids, in the order they are to stand.
    title, caption : Phrase or str
    label : str
        Anchor ``tbl-...``.
    rates : mapping, optional
        ``study.ledger("rates")``: how often each rule holds by chance, and again.
    robust : mapping of str to ReleasedRow, optional
        Share of specifications in which a finding's rule holds, in percent, by id.
    filters : bool
        Whether the reader can filter by verdict, question and words.

    Raises
    ------
    ShowError
        If a finding has no verdict, or ``released`` did not pass the gate.
    """
    require_released(released, "scorecard")
    missing = [key for key in findings if key not in verdicts]
    if missing:
        raise ShowError(f"{len(missing)} findings have no verdict, such as {missing[0]!r}; judge them first")
    rows = {row.row_id: row for row in released}
    given = _Given(study, rows, robust or {}, rates or {})
    groups = groupby(findings, key=lambda key: given.entry(key).get("subquestion") or key.split("-")[0])
    bodies = "".join(_group(question, list(keys), verdicts, given) for question, keys in groups)
    numbers = ' class="n"'
    head = "".join(
        f'<th scope="col" role="columnheader"{numbers if name in NUMERIC else ""}>{name}</th>'
        for name in COLUMNS
    )
    heading = words_of(title)
    table = (
        f'<table class="scorecard" role="table"><caption class="sr">{html.escape(plain(heading.markdown))}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>{bodies}</table>'
    )
    used = dict.fromkeys(row for key in findings for row in given.rows_of(verdicts[key]))
    body = (_filter(findings, given) if filters else "") + scroll(table, plain(heading.markdown))
    words = given_caption(caption).markdown
    mark = Mark(
        kind="table", label=name_of("tbl", label, None), title=heading.markdown, caption=words, table=body,
        rows=records(rows[row] for row in used if row in rows), notes=_rates_note(rates),
        verdicts={key: given.badge(verdicts[key]) for key in findings},
    )  # fmt: skip
    emit(mark, jupyter_html(title=heading.markdown, caption=words, body=table))


def _rates_note(rates: Mapping | None) -> tuple[str, ...]:
    """What the rates were counted in."""
    if not rates:
        return ()
    drawn = rates["studies"]
    return (
        f"By chance: of {drawn['null']} studies with nothing to find. Replicates: of {drawn['replication']} fresh studies "
        f"from the same population. Counted on {rates['date']}, seed {rates['seed']}.",
    )


@dataclass(frozen=True)
class _Given:
    """What the lines of a scorecard are made of."""

    study: Study
    rows: Mapping[str, ReleasedRow] = field(repr=False)
    robust: Mapping[str, ReleasedRow] = field(repr=False)
    rates: Mapping = field(repr=False)

    def entry(self, finding: str) -> dict:
        """The finding as ``findings.yml`` lists it."""
        return known_findings(self.study.findings)[finding]

    def rows_of(self, verdict: Verdict) -> tuple[str, ...]:
        """Rows that a line quotes."""
        judged = tuple(row for part in verdict.parts for row in (*part.met, *part.missed, *part.single))
        robust = self.robust.get(verdict.finding)
        return (*verdict.shows, *judged, *verdict.equivalence, *([robust.row_id] if robust else ()))

    def badge(self, verdict: Verdict) -> dict[str, str]:
        """What a badge in a chapter says."""
        row = self.robust.get(verdict.finding)
        robust = f"robust in {row.estimate:.0f}%" if row is not None and row.shown else ""
        return {"verdict": verdict.verdict, "words": VERDICTS[verdict.verdict], "robust": robust}

    def rate(self, finding: str, name: str) -> str:
        """A rate of the campaign in percent; nothing where it was not measured."""
        found = (self.rates.get("findings") or {}).get(finding, {}).get(name)
        if found is None:
            return "not measured"
        source = f"{RATES}, {self.rates.get('date', '')}, seed {self.rates.get('seed', '')}"
        return fact_html(found, source, "percent")

    def robust_cell(self, finding: str) -> str:
        """Share of specifications with a small bar."""
        row = self.robust.get(finding)
        if row is None:
            return "not yet run"
        share = f"{row.estimate:.0f}%" if row.shown else "0"
        bar = (
            '<svg class="meter" aria-hidden="true" focusable="false"><rect width="100%"/>'
            f'<rect class="fill" width="{share}"/></svg>'
        )
        return row_words(row, "", "") + bar


def _group(question: str, keys: list[str], verdicts: Mapping[str, Verdict], given: _Given) -> str:
    who = str(given.entry(keys[0]).get("group") or "")
    heading = html.escape(f"{question} {who[:1].upper()}{who[1:]}".strip())
    number = question[:1]
    lines = "".join(_line(verdicts[key], given) for key in keys)
    return (
        f'<tbody class="rq{number}" role="rowgroup"><tr class="group" role="row"><th scope="rowgroup" role="rowheader" '
        f'colspan="{len(COLUMNS)}">{heading}</th></tr>{lines}</tbody>'
    )


def _line(verdict: Verdict, given: _Given) -> str:
    finding, rule = verdict.finding, given.study.rules[verdict.finding]
    thresholds = given.study.codebook.thresholds
    claim = html.escape(str(given.entry(finding)["claim"]), quote=False)
    rule_text = rule_words(rule, thresholds)
    cells = [
        f'<td role="cell" class="claim">{claim}<span class="rule">Rule: {rule_text}</span>'
        f'<span class="rule">{reason_html(verdict, rule, given.rows)}</span>'
        f"{decision_html(verdict, rule, given.rows, thresholds)}</td>",
        f'<td role="cell" class="v">{_symbol(verdict.verdict)}{_after_correction(verdict)}</td>',
        f'<td role="cell" class="pv" data-label="{COLUMNS[3]}">{_printed_and_reproduced(verdict, given)}</td>',
        f'<td role="cell" class="n" data-label="{COLUMNS[4]}">{given.robust_cell(finding)}</td>',
        f'<td role="cell" class="n" data-label="{COLUMNS[5]}">{given.rate(finding, "chance")}</td>',
        f'<td role="cell" class="n" data-label="{COLUMNS[6]}">{given.rate(finding, "replicates")}</td>',
    ]
    return (
        f'<tr id="f-{finding}" data-verdict="{verdict.verdict}" data-question="{finding[:1]}" role="row">'
        f'<th scope="row" role="rowheader" class="id">{finding}</th>{"".join(cells)}</tr>'
    )


def _symbol(verdict: str) -> str:
    return (
        f'<span class="verdict"><svg aria-hidden="true" focusable="false"><use href="#v-{verdict}"/></svg>'
        f"{html.escape(VERDICTS[verdict])}</span>"
    )


def _after_correction(verdict: Verdict) -> str:
    if not verdict.changed:
        return ""
    return f'<span class="rule">after correction: {html.escape(VERDICTS[verdict.corrected])}</span>'


def _printed_and_reproduced(verdict: Verdict, given: _Given) -> str:
    rows = [given.rows[row] for row in verdict.shows if row in given.rows]
    printed = printed_values(given.study.published, rows, exhibit=None)
    if not rows:
        return "no estimate"
    if len(rows) > LISTED:
        with_printed = [row for row in rows if row.row_id in printed]
        shown = sorted((row for row in rows if row.shown), key=lambda row: row.estimate)
        rows = with_printed[:LISTED] or shown[:1] + shown[-1:]
        ends = " to ".join(row_words(row, "", "") for row in rows)
        if not with_printed:
            return _pair("none printed", ends)
    was = (
        "; ".join(printed_text(row, printed) or "none printed" for row in rows) if printed else "none printed"
    )
    return _pair(was, "; ".join(row_words(row, "", "") for row in rows))


def _pair(printed: str, now: str) -> str:
    def mark(name: str) -> str:
        return f'<svg viewBox="-8 -8 16 16" aria-hidden="true"><use href="#{name}"/></svg>'

    return (
        f'<span class="pair">{mark("m-printed")}<span><span class="sr">Printed: </span>{printed}</span>'
        f'{mark("m-all")}<span><span class="sr">Reproduced: </span>{now}</span></span>'
    )


def _filter(findings: Sequence[str], given: _Given) -> str:
    numbers = sorted({key[:1] for key in findings})
    verdicts = "".join(
        f'<option value="{key}">{html.escape(words)}</option>' for key, words in VERDICTS.items()
    )
    questions = "".join(f'<option value="{number}">Question {number}</option>' for number in numbers)
    return (
        '<form class="filter needs-js" data-scorecard aria-label="Filter the findings"><fieldset class="fields">'
        "<legend>Filter the findings</legend>"
        f'<label>Verdict<select name="verdict"><option value="">All verdicts</option>{verdicts}</select></label>'
        f'<label>Research question<select name="question"><option value="">All</option>{questions}</select></label>'
        '<label>Text contains<input type="search" name="text" autocomplete="off"></label>'
        '<button type="reset">Reset</button></fieldset>'
        '<p class="status"><output>All findings shown.</output></p></form>'
    )
