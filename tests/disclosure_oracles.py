"""Two packages that others wrote, as oracles beside the tests' own attacker.

acro (SACRO) applies primary rules to a table of records: what it applies to here is which inner cells of a
crosstab its frequency threshold suppresses. It hides nothing beside them and adds up its totals again without
the hidden students, so that it says nothing about complementary suppression. It asks for an older pandas than the
project's and needs a Python of its own.

pytauargus bundles the engine of Tau-Argus: its audit computes the feasible interval of each hidden cell of
any linked table. Here it attacks what the gate hides; its own choice of cells is one of many that are right
and is not compared. It knows no filter states and no earlier releases.

Each runs in a process of its own. ``LWO_ORACLES`` names a Python that has them; without it, pytauargus is looked for
beside the project's own packages (``pip install --no-deps pytauargus``, the extra ``oracles``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from tests.disclosure_attacker import FEWER

PYTHON = os.environ.get("LWO_ORACLES") or sys.executable
WORKER = Path(__file__).parent / "oracle_worker.py"


@cache
def lacking(oracle: str) -> str:
    """Why an oracle cannot be asked; empty where it can."""
    tried = subprocess.run([PYTHON, "-c", f"import {oracle}"], capture_output=True, check=False)
    return (
        ""
        if tried.returncode == 0
        else f"{oracle} is not installed; name a Python that has it in LWO_ORACLES"
    )


class Oracle:
    """A process that answers requests, for as long as it is used under ``with``."""

    def __enter__(self) -> Oracle:
        self._process = subprocess.Popen(
            [PYTHON, str(WORKER)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, *_) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def _ask(self, **request) -> list:
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def suppressed(self, students: pd.DataFrame, columns: tuple[str, str], *, k: int) -> set[frozenset]:
        """Cells of two columns that acro suppresses at threshold k, named by their levels."""
        records = students[list(columns)].to_numpy().tolist()
        told = self._ask(oracle="acro", columns=list(columns), students=records, k=k)
        return {frozenset(zip(columns, levels, strict=True)) for levels in told}

    def bounds(
        self, seen: dict[frozenset, object], adding_up: list, *, use_words: bool, k: int = 10
    ) -> dict[frozenset, tuple[int, int]]:
        """Smallest and largest value of each hidden entry of a printed table, as ``disclosure_attacker.bounds``."""
        place = {key: number for number, key in enumerate(seen)}
        most = max((value for value in seen.values() if not isinstance(value, str)), default=10**6)
        told = use_words and any(FEWER in value for value in seen.values() if isinstance(value, str))
        cells = []
        for value in seen.values():
            if not isinstance(value, str):
                cells.append((value, "s", 0, most))
            elif FEWER in value:
                cells.append((0, "u", 0, k - 1 if told else most))
            else:
                cells.append((k, "m", k if told else 0, most))
        sums = [(place[total], [place[part] for part in parts]) for total, parts in adding_up]
        keys = list(seen)
        return {
            keys[int(cell)]: (int(np.ceil(low - 1e-6)), int(np.floor(high + 1e-6)))
            for cell, low, high in self._ask(oracle="pytauargus", cells=cells, sums=sums)
        }
