"""Run by a Python that has acro or pytauargus: answers requests, one JSON line each, from standard input.

It imports nothing of the project, so that it may run where the project's own packages are not installed.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import warnings


def suppressed(request: dict) -> list[list[str]]:
    """acro: the cells of a crosstab of students that its frequency threshold suppresses."""
    import pandas as pd
    from acro import ACRO

    first, second = request["columns"]
    students = pd.DataFrame(request["students"], columns=[first, second])
    checker = ACRO(suppress=True)
    checker.config["safe_threshold"] = request["k"]
    table = checker.crosstab(students[first], students[second])
    return [[row, column] for row in table.index for column in table if pd.isna(table.loc[row, column])]


def intervals(request: dict) -> list[list[float]]:
    """pytauargus: cell, smallest and largest value of each hidden cell, from its audit of a table in JJ format."""
    from pytauargus._tauargus import audit_jj

    lines = ["0", str(len(request["cells"]))]
    for place, (value, status, low, high) in enumerate(request["cells"]):
        lines.append(f"{place} {value} {max(value, 1)} {status} {low} {high} 0.000 0.000 0")
    lines.append(str(len(request["sums"])))
    for total, parts in request["sums"]:
        lines.append(f"0 {len(parts) + 1} : {total} (-1) " + " ".join(f"{part} (1)" for part in parts) + " ")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "table.jj")
        with open(path, "w") as file:
            file.write("\n".join(lines) + "\n")
        return [[cell["cell"], cell["min"], cell["max"]] for cell in audit_jj(path)]


def main() -> None:
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the packages print goes elsewhere
    for line in sys.stdin:
        request = json.loads(line)
        found = {"acro": suppressed, "pytauargus": intervals}[request["oracle"]](request)
        answers.write(json.dumps(found) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
