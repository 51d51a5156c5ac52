"""How a finding was decided, in words: its rule, what met it and what did not, corrections, null claims."""

from __future__ import annotations

import html
from collections.abc import Mapping

from lib.analysis.equivalence import OUTCOMES
from lib.analysis.findings import VERDICTS, PartResult, Verdict
from lib.disclosure.gate import ReleasedRow
from lib.show.facts import fact_html
from lib.show.fields import row_words
from lib.show.marks import row_anchor
from lib.show.words import has_interval, is_shown, label_of, population_label, small_number, term_label
from lib.study.rules import Part, Rule

NAMED = 3

__all__ = ["decision_html", "reason_html", "rule_words"]


def rule_words(rule: Rule, thresholds: Mapping[str, float]) -> str:
    """The parts that decide, in one sentence; flags that do not decide are left out."""
    if rule.undecidable:
        return "no rule."
    gate = [_words(rule.gate, thresholds)] if rule.gate else []
    parts = [*gate, *(_words(part, thresholds) for part in rule.parts if not part.extra)]
    return "; ".join(parts) + "."


def reason_html(verdict: Verdict, rule: Rule, rows: Mapping[str, ReleasedRow]) -> str:
    """Why the verdict is what it is, made from the results."""
    if rule.undecidable:
        return html.escape(rule.undecidable)
    required = [result for result in verdict.parts if not result.part.extra]
    unknown = [result for result in required if result.holds is None]
    if verdict.verdict == "not_comparable":
        return "The scales do not measure alike in the groups, so they are not compared."
    if verdict.verdict == "cannot_test" and unknown:
        return f"Cannot be told: {html.escape(unknown[0].problem)}."
    missed = [result for result in required if result.holds is False]
    if not missed:
        counted = [result for result in required if result.n > 1]
        return " ".join(
            ["Every part of the rule is met.", *(_counted(result, rows) for result in counted[:1])]
        )
    return " ".join(
        f"Not met: {_place(verdict, result)}. {_counted(result, rows)}".strip() for result in missed
    )


def decision_html(
    verdict: Verdict, rule: Rule, rows: Mapping[str, ReleasedRow], thresholds: Mapping[str, float]
) -> str:
    """Every part with its outcome and expression, the corrected verdict, null claims and where the rows stand."""
    if rule.undecidable:
        return ""
    parts = "".join(
        f"<li>{_state(result)}{_words(result.part, thresholds)}. {_counted(result, rows)} "
        f"<code>{html.escape(result.part.text)}</code></li>"
        for result in verdict.parts
    )
    notes = [_correction(verdict), _nulls(verdict, rows), _exhibits(verdict, rows)]
    told = "".join(f"<p>{note}</p>" for note in notes if note)
    return f"<details><summary>How it was decided</summary><ol>{parts}</ol>{told}</details>"


def _words(part: Part, thresholds: Mapping[str, float]) -> str:
    facts = {
        name: fact_html(value, f"codebook.yml, thresholds: {name}") for name, value in thresholds.items()
    }
    return html.escape(part.words, quote=False).format(**facts)


def _state(result: PartResult) -> str:
    told = {True: "met", False: "not met", None: "not known"}[result.holds]
    flag = " (does not decide)" if result.part.extra else ""
    return f"<strong>{told}</strong>{flag}: "


def _place(verdict: Verdict, result: PartResult) -> str:
    required = [one for one in verdict.parts if not one.part.extra]
    if len(required) == 1:
        return "its one part"
    return f"part {small_number(verdict.parts.index(result) + 1)}"


def _counted(result: PartResult, rows: Mapping[str, ReleasedRow]) -> str:
    """How many results meet a condition and which do not; of single numbers, the estimates themselves."""
    if result.n <= 1:
        return _alone(result, rows)
    judged = [rows[row] for row in (*result.met, *result.missed) if row in rows]
    count = f"{_bound(result.k, judged)} of {_bound(result.n, judged)} results meet it"
    missed = [rows[row] for row in result.missed if row in rows]
    if not missed or result.k == 0:
        return count + "."
    named = "; ".join(_named(row) for row in missed[:NAMED])
    return f"{count}; not {named}{', and others' if len(missed) > NAMED else ''}."


def _alone(result: PartResult, rows: Mapping[str, ReleasedRow]) -> str:
    """The estimates that a condition on single numbers reads."""
    named = [_named(rows[row]) for row in result.single if row in rows]
    return f"{'; '.join(named[:NAMED])}." if named else ""


def _named(row: ReleasedRow) -> str:
    groups = [population_label(row), label_of(row.group, row.codebook) if row.group else ""]
    who = " against ".join(filter(None, groups))
    label = html.escape(", ".join(filter(None, [term_label(row), who])), quote=False)
    if not is_shown(row):
        return f"{label} ({row_words(row, '', '')})"
    p = row_words(row, "p", "") if row.p_value == row.p_value else ""
    interval = row_words(row, "interval", "") if has_interval(row) and not p else ""
    return f"{label} ({', '.join(filter(None, [row_words(row, '', ''), p, interval]))})"


def _bound(value: int, rows: list[ReleasedRow]) -> str:
    anchors = [row_anchor(row.row_id) for row in rows]
    inner = f'<a href="#{anchors[0]}">{value}</a>' if anchors else str(value)
    return f'<data class="num" value="{value}" data-rows="{" ".join(anchors)}">{inner}</data>'


def _correction(verdict: Verdict) -> str:
    words = f"Corrected for the tests beside it: {VERDICTS[verdict.corrected]} (Benjamini and Hochberg)"
    return html.escape(f"{words}, {VERDICTS[verdict.holm]} (Holm).")


def _nulls(verdict: Verdict, rows: Mapping[str, ReleasedRow]) -> str:
    """The equivalence tests of a null claim, counted by outcome."""
    if not verdict.equivalence:
        return ""
    counts = []
    for outcome in OUTCOMES:
        of_it = [rows[row] for row, found in verdict.equivalence.items() if found == outcome and row in rows]
        counts += [f"{_bound(len(of_it), of_it)} {outcome}"] if of_it else []
    return f"Tested for equivalence with nothing: {', '.join(counts)}." if counts else ""


def _exhibits(verdict: Verdict, rows: Mapping[str, ReleasedRow]) -> str:
    """Links to the exhibits that hold the estimates."""
    found = {}
    for row in (rows[row] for row in verdict.shows if row in rows):
        if row.exhibit:
            found.setdefault(row.exhibit, row)
    links = [f'<a href="#{row_anchor(row.row_id)}">Exhibit {number}</a>' for number, row in found.items()]
    return f"Estimates: {', '.join(links)}." if links else ""
