"""Agreement with lavaan: the largest gap between our estimates and its stored output, over all reference models.

python -m benchmarks.sem_agreement
"""

from __future__ import annotations

import sys

import numpy as np

from benchmarks.record import write_result
from tests.test_sem_agreement import CASES, STORED, fit_case, incomplete, paired, reached_higher


def gaps(name: str) -> dict[str, float]:
    """Largest gaps of one model: estimates in standard errors, standard errors relative to lavaan's."""
    rows = paired(name)
    free = rows.se_lavaan > 0
    ours, theirs = fit_case(name).fit_measures, STORED["cases"][name]["measures"]
    chisq = abs(ours["chisq"] - theirs["chisq"]) if theirs.get("chisq") is not None else np.nan
    return {
        "estimate": float(((rows.est - rows.est_lavaan).abs() / rows.se_lavaan)[free].max()),
        "std_error": float((rows.se / rows.se_lavaan - 1)[free].abs().max()),
        "chisq": float(chisq),
    }


def run() -> dict:
    """Number of models and parameters compared, and the largest gaps among them."""
    found = {name: gaps(name) for name in CASES}
    stopped = [name for name in CASES if found[name]["estimate"] > 1e-4 and reached_higher(name)]
    result: dict = {
        "lavaan": STORED["lavaan"],
        "models": len(CASES),
        "incomplete": sum(incomplete(name) for name in CASES),
        "parameters": int(sum((paired(name).se_lavaan > 0).sum() for name in CASES)),
        "lavaan_stopped_short": len(stopped),
    }
    for what in ("estimate", "std_error", "chisq"):
        values = np.array([found[name][what] for name in CASES])
        result[f"largest_{what}"] = float(np.nanmax(values))
        result[f"median_{what}"] = float(np.nanmedian(values))
    return result


def main() -> int:
    write_result("sem_agreement", seed=0, result=run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
