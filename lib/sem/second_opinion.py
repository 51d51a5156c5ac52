"""A second opinion on a fit from semopy (Meshcheryakov et al., 2021); the only importer of that package.

Only its maximum-likelihood estimates and standard errors of complete data are right (2.3.11), so only they are
compared.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem.result import SemFit
from lib.sem.spec import PATH, Spec


def second_opinion(fitted: SemFit, data: pd.DataFrame) -> pd.DataFrame:
    """Refit a model with semopy and set both side by side.

    Parameters
    ----------
    fitted : SemFit
        One group, complete data, ML, no means, no equality constraints.
    data : DataFrame
        The data that were fitted.

    Returns
    -------
    DataFrame
        ``lhs op rhs est se est_semopy se_semopy difference``, one row per free parameter; ``difference`` is that
        of the estimates in standard errors.

    Raises
    ------
    ModelError
        If semopy cannot fit this kind of model correctly.
    """
    spec = fitted.problem.spec
    refusal = _refusal(fitted)
    if refusal:
        raise ModelError(f"semopy cannot give a second opinion on {refusal}")
    from semopy import Model

    # with fixed covariates semopy takes their moments from the data, as lavaan does
    rows = np.concatenate(fitted.problem.sample.case)
    gone = {name for names in fitted.dropped.values() for name in names}
    table = data.iloc[rows][[name for name in spec.observed if name not in gone]].astype(float)
    model = Model(semopy_text(spec, gone))
    model.fit(table, clean_slate=True, options={"ftol": 1e-14, "maxiter": 5000})
    theirs = model.inspect()
    found = {}
    columns = (theirs["lval"], theirs["op"], theirs["rval"], theirs["Estimate"], theirs["Std. Err"])
    for left, op, right, est, se in zip(*columns, strict=True):
        found[frozenset((left, right)) if op == "~~" else (left, right)] = (est, se)
    out = []
    for row in fitted.estimates[fitted.estimates.se > 0].itertuples():
        if row.op == ":=":
            continue
        left, right = (row.rhs, row.lhs) if row.op == "=~" else (row.lhs, row.rhs)
        est, se = found[frozenset((left, right)) if row.op == "~~" else (left, right)]
        out.append(
            (
                row.lhs,
                row.op,
                row.rhs,
                row.est,
                row.se,
                float(est),
                float(se),
                abs(row.est - float(est)) / row.se,
            )
        )
    return pd.DataFrame(
        out, columns=["lhs", "op", "rhs", "est", "se", "est_semopy", "se_semopy", "difference"]
    )


def semopy_text(spec: Spec, gone: set[str] = frozenset()) -> str:
    """The model in semopy's language: every row written out, without labels, definitions or the variables ``gone``."""
    lines = []
    for e, row in enumerate(spec.rows):
        lhs, op, rhs = row.key
        if row.from_data or lhs in gone or rhs in gone:
            continue
        fixed = "" if spec.free[0, e] >= 0 else f"{spec.value[0, e]:g}*"
        lines.append(f"{lhs} {op} {fixed}{rhs}")
    return "\n".join(lines)


def _refusal(fitted: SemFit) -> str:
    spec = fitted.problem.spec
    reasons = {
        "several groups": len(spec.groups) > 1,
        "incomplete data": not fitted.problem.complete,
        "robust standard errors": fitted.robust,
        "means": spec.meanstructure,
        "free covariates": bool(spec.variables.covariates) and not spec.fixed_x,
        "equality constraints": spec.n_free < int((spec.free >= 0).sum()),
        "a model without paths": not (spec.kind == PATH).any(),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")
