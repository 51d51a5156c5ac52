"""Parameter table: the rows that lavaan's ``sem()`` adds to a model text, and which of them are fixed.

The rules are those of lavaan 0.6-14 (``auto.var``, ``auto.cov.lv.x``, ``auto.cov.y``, ``auto.fix.first``,
``auto.fix.single``, ``int.ov.free``); a model therefore means here what it means there.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

from lib.errors import ModelError
from lib.sem.syntax import Model, Term

NAN = float("nan")


@dataclass(frozen=True)
class Variables:
    """The variables of a model by their part in it.

    ``observed`` is in lavaan's order: indicators, dependent variables, covariates, others. ``covariates`` are
    observed variables that only stand on the right of ``~`` and whose moments the text does not model.
    """

    observed: tuple[str, ...]
    latents: tuple[str, ...]
    covariates: tuple[str, ...]
    exogenous_latents: tuple[str, ...]
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One parameter before it is numbered: its term, and whether the text (not a default) asked for it.

    ``default`` is a fixed value, or NaN for a free parameter; ``from_data`` marks a fixed moment of a covariate.
    """

    term: Term
    user: bool
    default: float = NAN
    from_data: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        return self.term.lhs, self.term.op, self.term.rhs


def sort_variables(model: Model) -> Variables:
    """Tell observed variables, latents, covariates and outcomes apart."""
    terms = model.terms
    latents = _unique(t.lhs for t in terms if t.op == "=~")
    indicators = _unique(t.rhs for t in terms if t.op == "=~")
    dependents = _unique(t.lhs for t in terms if t.op == "~")
    predictors = _unique(t.rhs for t in terms if t.op == "~")
    moments = _unique(name for t in terms if t.op in ("~~", "~1") for name in (t.lhs, t.rhs) if name)
    seen = [v for v in indicators if v not in latents]
    seen += [v for v in dependents if v not in latents and v not in seen]
    covariates = [v for v in predictors if v not in latents and v not in seen]
    seen += covariates
    seen += [v for v in moments if v not in latents and v not in seen]
    dependent_only = [v for v in dependents if v not in indicators and v not in predictors]
    return Variables(
        observed=tuple(seen),
        latents=tuple(latents),
        covariates=tuple(v for v in covariates if v not in moments),
        exogenous_latents=tuple(v for v in latents if v not in indicators and v not in dependents),
        outcomes=tuple(
            [v for v in latents if v in dependent_only] + [v for v in seen if v in dependent_only]
        ),
    )


def complete_rows(model: Model, *, meanstructure: bool, fixed_x: bool) -> tuple[Variables, tuple[Row, ...]]:
    """All rows of a model, the written ones first.

    Parameters
    ----------
    model : Model
        A parsed text.
    meanstructure : bool
        Whether intercepts and latent means belong to the model.
    fixed_x : bool
        Whether the moments of covariates are taken from the sample (``from_data``) or estimated.

    Raises
    ------
    ModelError
        If a latent measures itself or a variable is its own predictor.
    """
    variables = sort_variables(model)
    single = _lone_indicators(model, variables)
    markers = {}
    for term in model.terms:
        if term.op in ("=~", "~") and term.lhs == term.rhs:
            raise ModelError(
                f"'{term.lhs} {term.op} {term.rhs}': a variable cannot depend on itself; remove it"
            )
        if term.op == "=~":
            markers.setdefault(term.lhs, term.rhs)
    written: dict[tuple[str, str, str], Row] = {}
    for term in model.terms:
        first = term.op == "=~" and markers[term.lhs] == term.rhs
        if term.op == "~~" and (term.rhs, "~~", term.lhs) in written:
            continue
        written[(term.lhs, term.op, term.rhs)] = Row(term, True, 1.0 if first else NAN)
    rows = list(written.values())
    for lhs, op, rhs in _default_terms(variables, meanstructure=meanstructure):
        if (lhs, op, rhs) in written or (op == "~~" and (rhs, op, lhs) in written):
            continue
        exogenous = fixed_x and lhs in variables.covariates
        zero = (op == "~1" and lhs in variables.latents) or (op == "~~" and lhs == rhs and lhs in single)
        rows.append(Row(Term(lhs, op, rhs), False, 0.0 if zero or exogenous else NAN, exogenous))
    return variables, tuple(rows)


def _default_terms(variables: Variables, *, meanstructure: bool) -> list[tuple[str, str, str]]:
    covariates = variables.covariates
    others = [v for v in variables.observed if v not in covariates]
    terms = [(v, "~~", v) for v in (*others, *variables.latents)]
    terms += [(a, "~~", b) for a, b in combinations(variables.exogenous_latents, 2)]
    terms += [(a, "~~", b) for a, b in combinations(variables.outcomes, 2)]
    terms += [
        (covariates[i], "~~", covariates[j])
        for j in range(len(covariates))
        for i in range(j, len(covariates))
    ]
    if meanstructure:
        terms += [(v, "~1", "") for v in (*variables.observed, *variables.latents)]
    return terms


def _lone_indicators(model: Model, variables: Variables) -> set[str]:
    """Indicators that alone measure their latent, and no other: their residual variance is fixed at 0."""
    per_latent = Counter(t.lhs for t in model.terms if t.op == "=~")
    per_indicator = Counter(t.rhs for t in model.terms if t.op == "=~")
    lone = {t.rhs for t in model.terms if t.op == "=~" and per_latent[t.lhs] == 1}
    return {v for v in lone if per_indicator[v] == 1}


def _unique(names) -> list[str]:
    return list(dict.fromkeys(names))
