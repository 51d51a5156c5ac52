"""Deciding findings again: rules written beforehand, judged on result rows.

A study folder may hold ``rules.yml``. One entry decides one finding of ``findings.yml``, from rows of the shared
shape and nothing else, so the same rule judges a chapter's results, a specification, a null study or a
replication. **How to write a rule**, by a full example::

    1c-2:                                   # id in findings.yml, key finding or supporting claim
      select:                               # names for rows; each column holds one value of the list
        focal: {model: direct, population: focal, term: "outcomes[0]"}
        reference: {model: direct, population: reference, term: "outcomes[0]"}
        gap: {model: multigroup, contrast: difference, population: focal, group: reference, term: "outcomes[0]"}
      gate:                                 # optional: unless it holds, the verdict is "not comparable"
        words: the paths are comparable
        holds: all(comparable(gap))
      parts:                                # in reading order
        - words: the tie is positive with p below {alpha} for the focal group     # thresholds in braces, no number
          holds: focal > 0 and p(focal) < alpha
        - words: it is not significant for the reference group
          holds: p(reference) >= alpha
          core: true                        # without a core part the finding fails
          nothing: reference                # it asserts nothing: these rows get an equivalence test
        - words: the difference itself is significant
          holds: gap > 0 and p(gap) < alpha
        - words: the difference is over {similar_tol}
          holds: gap > similar_tol
          extra: true                       # a flag that is shown and decides nothing
      shows: [focal, reference]             # estimates of the scorecard; by default the first selection
      descriptive: false                    # true: no test in it, reads "holds (descriptive)"
      family: domain                        # multiplicity: domain (default) | role | rule

**Selections** name columns ``exhibit population group contrast model estimator term mediator unit``;
``contrast`` and ``group`` are ``""`` where they are not given. Tokens: ``focal``, ``reference``, ``exposure``,
``outcomes``, ``outcomes[0]``, ``mediators[1]``, ``role:environment`` (scales), ``domains:mindset`` (domains),
``domain:dynamic`` (scales of a domain), ``items:challenges`` (items of a scale). ``mediator: X`` stands for the model
"mediation by X".  Among rows alike in all keys the first counts.

A finding that no data can decide has ``undecidable: reason`` and nothing else.

**Expressions** hold selections (the rows' estimates), thresholds of the codebook, numbers, quoted keys, ``and or not``,
comparisons (also chained, and ``in``), arithmetic, and

=====================================  ====================================================================
``p(x) low(x) high(x) n(x)``           p-value (the corrected one in the corrected verdict), interval, n, row by row
``p_holm(x) p_bh(x)``                  those that the row itself brings
``above_zero below_zero excludes_zero``  of the row's interval
``expected(x) sign(x) abs(x)``         direction the codebook expects (+1, -1); sign; absolute value
``inconsistent(x) comparable(x)``      a share of opposite signs; a row not refused for invariance
``all any count share``                of a condition on each row (``share`` is 0 to 1)
``median mean least most total spread``  of numbers; ``spread`` is largest minus smallest
``where(x, condition)  size(x)``       the rows that meet a condition; how many rows
``mean_by(x, "mediator")``             means by mediator, term, population or group over what all of them have
``most_by(x, "term")``                 the largest by term, mediator, population or group
``largest(x)  lowest(x)``              key of the largest element (term, mediator ...); ``largest(x, 2)``: the set of two
``exists(x)``                          the selection has rows
=====================================  ====================================================================

Two selections in one expression are paired by what differs within them. **Verdicts**: *holds* when every
required part does; *fails* when a core part (the first required one, if none says ``core``) does not, unless
it is an ``all(...)`` that more than ``majority`` of its rows meet; *partly* otherwise; *not comparable* when the gate or
a row says so; *cannot test* when rows are missing or hidden and the verdict hangs on them. The corrected verdict
repeats this with Benjamini and Hochberg's (1995) p-values within a family, the construct domain within an exhibit;
Holm's (1979) stands beside it. A part with ``nothing`` gets two one-sided tests against ``sesoi`` (``sesoi_points`` for
percents): equivalent, different or inconclusive.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lib.analysis.equivalence import equivalence
from lib.analysis.estimates import TEXT_COLUMNS, mediated_by
from lib.analysis.multiplicity import corrected, family_of
from lib.analysis.rule_language import evaluate
from lib.analysis.rule_vectors import KEYS, CannotTell, Reduced, Scope, Vector, selection
from lib.study.codebook import Codebook
from lib.study.rules import Part, Rule

VERDICTS = {
    "holds": "holds",
    "descriptive": "holds (descriptive)",
    "partly": "partly",
    "fails": "fails",
    "not_comparable": "not comparable",
    "cannot_test": "cannot test",
}


@dataclass(frozen=True)
class PartResult:
    """What became of one part of a rule.

    Attributes
    ----------
    part : Part
    holds : bool or None
        None where it cannot be told.
    met, missed : tuple of str
        Rows that meet a condition on each row, and those that do not.
    k, n : int
        How many elements meet it, of how many; 0 of 0 for a condition on numbers.
    problem : str
        Why it cannot be told.
    mostly : bool
        The condition asks for all rows, and more than ``majority`` of them meet it.
    single : tuple of str
        Rows that the condition reads by themselves, not as one of several.
    """

    part: Part
    holds: bool | None
    met: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    k: int = 0
    n: int = 0
    problem: str = ""
    mostly: bool = False
    single: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """A finding, decided.

    Attributes
    ----------
    finding : str
    verdict : str
        A key of ``VERDICTS``.
    parts : tuple of PartResult
    corrected, holm : str
        The verdict after correction for multiple tests by Benjamini and Hochberg, and by Holm.
    equivalence : dict of str to str
        Outcome of the equivalence test of each row of a null claim, by ``row_id``.
    shows : tuple of str
        Rows whose estimates stand in the scorecard.
    """

    finding: str
    verdict: str
    parts: tuple[PartResult, ...]
    corrected: str
    holm: str
    equivalence: Mapping[str, str]
    shows: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether correction for multiple tests changes the verdict."""
        return self.corrected != self.verdict

    @property
    def held(self) -> bool:
        """Whether the finding holds, by a test or descriptively."""
        return self.verdict in ("holds", "descriptive")


def judge(rules: Mapping[str, Rule], rows: pd.DataFrame, codebook: Codebook) -> dict[str, Verdict]:
    """Decide every finding that has a rule.

    Parameters
    ----------
    rules : mapping of str to Rule
        ``study.rules``.
    rows : DataFrame
        Results in the shared shape, from one or several chapters.
    codebook : Codebook
        Thresholds, expected directions and domains.

    Returns
    -------
    dict
        A verdict for each rule, in the rules' order.

    Raises
    ------
    StudyError
        If a rule's expression cannot be evaluated on rows of this kind.
    """
    first = rows.astype(
        dict.fromkeys(TEXT_COLUMNS, object)
    )  # rules compare words all the time: strings are slower
    first = first.drop_duplicates(subset=[*KEYS, "estimator"], ignore_index=True)
    families = {
        by: family_of(first, codebook, by=by) for by in {rule.family for rule in rules.values()} - {"rule"}
    }
    return {key: _judge(rule, first, codebook, families.get(rule.family)) for key, rule in rules.items()}


def select(rows: pd.DataFrame, columns: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """Rows of a selection; ``group`` and ``contrast`` are empty where the selection does not name them.

    Where several estimators gave a row, the first that the selection admits counts.
    """
    wanted = {"group": ("",), "contrast": ("",)} | dict(columns)
    if "mediator" in wanted:
        wanted["model"] = tuple(mediated_by(mediator) for mediator in wanted.pop("mediator"))
    keep = np.arange(len(rows))
    for column, values in sorted(
        wanted.items(), key=lambda one: one[0] != "model"
    ):  # few rows are of one model
        keep = keep[rows[column].iloc[keep].isin(values).to_numpy()]
    return rows.iloc[keep].drop_duplicates(subset=list(KEYS), ignore_index=True)


def _judge(rule: Rule, rows: pd.DataFrame, codebook: Codebook, families: pd.Series | None) -> Verdict:
    if rule.undecidable:
        return Verdict(rule.key, "cannot_test", (), "cannot_test", "cannot_test", {}, ())
    selections = {name: select(rows, columns) for name, columns in rule.select.items()}
    adjusted = corrected(selections, rows, families=families)
    vectors = {name: table if table.empty else selection(table) for name, table in adjusted.items()}
    scope = Scope(vectors, codebook.thresholds, codebook)
    found = {
        method: _decide(rule, replace(scope, p_column=column))
        for method, column in (("raw", "p_value"), ("bh", "adjusted_bh"), ("holm", "adjusted_holm"))
    }
    verdict, parts = found["raw"]
    nulls = [adjusted[part.null] for part in rule.parts if part.null]
    tested = {row: word for part in nulls for row, word in equivalence(part, codebook.thresholds).items()}
    shown = tuple(row for name in rule.shows for row in selections[name]["row_id"])
    return Verdict(rule.key, verdict, parts, found["bh"][0], found["holm"][0], tested, shown)


def _decide(rule: Rule, scope: Scope) -> tuple[str, tuple[PartResult, ...]]:
    parts = tuple(_part(part, scope) for part in rule.parts)
    gate = _part(rule.gate, scope) if rule.gate else None
    if not _comparable(rule, scope) or (gate and gate.holds is False):
        return "not_comparable", parts
    if gate and gate.holds is None:
        return "cannot_test", parts
    return _conclude(rule, parts), parts


def _comparable(rule: Rule, scope: Scope) -> bool:
    """Whether no row that a required part reads was refused for want of invariance."""
    read = [one for part in rule.parts if not part.extra for one in _read(part.holds, scope)]
    return not any((one.rows["status"] == "not_comparable").any() for one in read)


def _read(tree: ast.Expression, scope: Scope) -> list[Vector]:
    """Selections with rows that an expression names."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return [given for name, given in scope.selections.items() if name in names and isinstance(given, Vector)]


def as_stated(rule: Rule, scope: Scope) -> str:
    """The verdict of a rule's required parts, uncorrected and without its gate."""
    return _conclude(rule, tuple(_part(part, scope) for part in rule.parts if not part.extra))


def _conclude(rule: Rule, parts: tuple[PartResult, ...]) -> str:
    required = [result for result in parts if not result.part.extra]
    core = [result for result in required if result.part.core]
    if any(result.holds is False and not result.mostly for result in core):
        return "fails"
    if any(result.holds is None for result in required):
        return "cannot_test"
    if all(result.holds for result in required):
        return "descriptive" if rule.descriptive else "holds"
    return "partly"


def _part(part: Part, scope: Scope) -> PartResult:
    """Evaluate a part with every unknown comparison taken as true, and as false."""
    outcomes, seen = [], Reduced()
    for fill in (True, False):
        seen = Reduced()
        try:
            outcomes.append(evaluate(part.holds, replace(scope, fill=fill, reduced=seen)))
        except CannotTell as error:
            name = str(error)
            problem = f"no rows for {name!r}" if name else "rows that decide are not there"
            return PartResult(part, None, problem=problem)
        if not seen.filled:
            break
    if len(set(outcomes)) > 1:
        return PartResult(part, None, seen.met, seen.missed, seen.k, seen.n, "rows that decide are not shown")
    every = part.text.strip().startswith("all(") and seen.function == "all" and seen.n > 0
    mostly = every and seen.k / seen.n > scope.thresholds.get("majority", 0.5)
    alone = [one for one in _read(part.holds, scope) if len(one.ids) == 1]
    return PartResult(
        part, bool(outcomes[0]), seen.met, seen.missed, seen.k, seen.n, mostly=bool(mostly),
        single=tuple(row for one in alone for row in one.ids[0]),
    )  # fmt: skip


def missing_rows(rules: Mapping[str, Rule], rows: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Selections of each rule that find no row; empty where every rule has what it needs."""
    empty = {
        key: tuple(name for name, columns in rule.select.items() if select(rows, columns).empty)
        for key, rule in rules.items()
    }
    return {key: names for key, names in empty.items() if names}
