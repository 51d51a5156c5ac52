"""Time the engine against lavaan and semopy on the study's own model, in one run.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.sem_speed

Compare ratios, not seconds: all three take the same data on the same machine within minutes. semopy is timed on
the one task that it does correctly.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from lib.sem.bootstrap import resample
from lib.sem.fit import fit
from lib.sem.second_opinion import semopy_text
from lib.sem.syntax import parse_model

HERE = Path(__file__).parent
DATA = HERE.parent / "tests" / "reference" / "sem_study.csv"
RESAMPLES = 100
COVARIATES = "female + ell + special_ed + black + white + school_2 + school_3 + school_4 + grade_prior"


def build_model(students: pd.DataFrame) -> tuple[str, str]:
    """The study's model, and its measurement part alone."""
    factors = "hqc =~ " + " + ".join(name for name in students if name.startswith("hq_"))
    model = (
        f"{factors}\nhqc ~ {COVARIATES}\nenv_teacher_expect ~ a*hqc + {COVARIATES}\n"
        f"grade_math_or_ela ~ b*env_teacher_expect + c*hqc + {COVARIATES}\nindirect := a*b"
    )
    return model, factors


def time_of(task: Callable[[], object], repeats: int) -> float:
    """Median processor seconds of a task, after one run that is not counted."""
    task()
    seconds = []
    for _ in range(repeats):
        began = time.process_time()
        task()
        seconds.append(time.process_time() - began)
    return float(np.median(seconds))


def solve(model: str, data: pd.DataFrame, **options: object) -> tuple[pd.DataFrame, dict[str, float]]:
    """All that lavaan does in one call: read the text, fit, estimates with standard errors, fit measures."""
    parse_model.cache_clear()
    fitted = fit(model, data, **options)
    return fitted.estimates, fitted.fit_measures


def time_ours(students: pd.DataFrame, model: str, factors: str) -> dict[str, float]:
    complete = students.dropna()
    pair = complete[(complete.black == 1) | (complete.white == 1)]
    fitted = fit(model, complete)
    return {
        "one fit with standard errors": time_of(lambda: solve(model, complete), 15),
        "1,000 bootstrap fits": time_of(lambda: resample(fitted, n_boot=1000, seed=1), 3),
        "metric model, two groups": time_of(
            lambda: solve(factors, pair, group="race", group_equal=("loadings",)), 15
        ),
        "FIML fit": time_of(lambda: solve(model, students, missing="ml.x", fixed_x=False), 7),
    }


def time_semopy(students: pd.DataFrame, model: str) -> dict[str, float]:
    from semopy import Model

    complete = students.dropna()
    spec = fit(model, complete).problem.spec
    text, table = semopy_text(spec), complete[list(spec.observed)].astype(float)

    def task() -> None:
        opinion = Model(text)
        opinion.fit(table, options={"ftol": 1e-12})
        opinion.inspect()

    return {"one fit with standard errors": time_of(task, 5)}


def time_lavaan(model: str, factors: str) -> dict[str, float]:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"data": str(DATA), "model": model, "factors": factors, "resamples": RESAMPLES}, file)
        file.flush()
        run = subprocess.run(
            ["Rscript", HERE / "sem_speed.R", file.name], capture_output=True, text=True, check=True
        )
    return json.loads(run.stdout)


def main() -> None:
    students = pd.read_csv(DATA)
    model, factors = build_model(students)
    seconds = {
        "lib.sem": time_ours(students, model, factors),
        "semopy": time_semopy(students, model),
        "lavaan": time_lavaan(model, factors),
    }
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    ours = seconds["lib.sem"]
    report = {
        "date": datetime.date.today().isoformat(),
        "commit": commit.stdout.strip(),
        "students": len(students),
        "note": "median processor seconds, one thread; lib.sem with estimates and fit measures; "
        f"lavaan's refits: {RESAMPLES} scaled",
        "seconds": seconds,
        "times_slower_than_lib.sem": {
            name: {task: round(value / ours[task], 1) for task, value in found.items()}
            for name, found in seconds.items()
            if name != "lib.sem"
        },
    }
    (HERE / "results" / "sem_speed.json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report["times_slower_than_lib.sem"], indent=1))


if __name__ == "__main__":
    main()
