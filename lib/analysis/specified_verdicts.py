"""A finding's own rule, applied in every specification."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lib.analysis.findings import as_stated, select
from lib.analysis.rule_vectors import KEYS, UNDEFINED, Scope, Vector
from lib.analysis.specified_rows import Cells
from lib.analysis.specified_store import judging_code, part_path, write_part
from lib.study.load import Study
from lib.study.rules import Rule


def verdicts(rule: Rule, estimated: Cells, codebook, context: pd.DataFrame) -> list[str]:
    """The verdict of a rule in each specification.

    ``context`` holds rows that no specification moves, such as tests of invariance; the rule's gate is left to
    the finding's own chapter.
    """
    keys = _placed(estimated.keys)
    selections: dict[str, object] = {}
    made = {}
    for name, columns in rule.select.items():
        chosen = select(keys, columns)
        if len(chosen):
            ids = tuple((f"r{place}",) for place in chosen["place"])
            named = tuple(chosen[list(KEYS)].itertuples(index=False, name=None))
            made[name] = (chosen["place"].to_numpy(int), named, chosen["term"].to_numpy(object), ids)
        else:
            selections[name] = select(context, columns) if len(context) else context
    found = []
    for at in range(estimated.status.shape[1]):
        if not (estimated.status[:, at] == "ok").any():
            found.append("cannot_test")
            continue
        for name, (places, named, terms, ids) in made.items():
            status = estimated.status[places, at]
            numbers = {column: values[places, at] for column, values in estimated.numbers.items()}
            rows = numbers | {"status": status, "status_reason": estimated.reason[places, at], "term": terms}
            shown = status == "ok"
            value = np.where(shown, numbers["estimate"], np.nan)
            selections[name] = Vector(value, ~shown & (status != UNDEFINED), named, ids, rows)
        found.append(as_stated(rule, Scope(selections, codebook.thresholds, codebook)))
    return found


def stored_verdicts(
    rule: Rule, estimated: Cells, study: Study, context: pd.DataFrame, store: Path
) -> tuple[str, ...]:
    """The verdicts, kept under the rule's text and the numbers it judges."""
    parts = [(part.text, part.core, part.extra) for part in rule.parts]
    numbers = [values.round(12).tobytes().hex() for values in estimated.numbers.values()]
    given = [
        repr((rule.select, parts, rule.descriptive)),
        repr(study.codebook.thresholds),
        context.to_csv(),
        *numbers,
    ]
    path = part_path(store, "verdicts", judging_code(), repr(estimated.keys.to_numpy().tolist()), *given)
    if not path.is_file():
        write_part(path, {"verdicts": np.array(verdicts(rule, estimated, study.codebook, context))})
    with np.load(path) as stored:
        return tuple(map(str, stored["verdicts"]))


def _placed(keys: pd.DataFrame) -> pd.DataFrame:
    return keys.astype(object).assign(place=np.arange(len(keys)), exhibit="", estimator="", unit="")


def places_of(keys: pd.DataFrame, columns: dict) -> np.ndarray:
    """Places of the rows that a selection takes."""
    return select(_placed(keys), columns)["place"].to_numpy(int)
