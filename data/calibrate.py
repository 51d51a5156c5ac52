"""Make the shipped study: draw it from population.yml, then move the draw to the printed values.

Run from the repository's root, with the root on the path: PYTHONPATH=. .venv/bin/python data/calibrate.py
With `--truth` it writes instead what each target is in a draw of 40,000 students, nothing moved or missing, to
data/truth.csv. Each value is measured by the functions that the chapters call, with their default settings.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from lib.analysis.effects import covariates_by_outcome, direct_effects
from lib.analysis.mediation import mediated_effects
from lib.study.calibrate import Move, move_to
from lib.study.codebook import Codebook
from lib.study.load import Study, add_scores
from lib.study.population import load_population
from lib.study.read_codebook import load_codebook
from lib.study.simulate import POPULATION, simulate
from lib.study.simulate_roster import simulate_roster
from lib.study.simulate_students import simulate_students
from lib.study.tables import typed_table

DATA = Path(__file__).parent
COVARIATES = {"covariates": "C_ENV", "records": "C_GRADE"}
ROUNDS = 2
LARGE_N, LARGE_SEED = 40_000, 1


def study_of(table: pd.DataFrame, codebook: Codebook) -> Study:
    """A study made of a students' table alone."""
    typed = typed_table(table, codebook.columns_of("students"))
    return Study(codebook, DATA, "", add_scores(typed, codebook, "students"))


def measured(table: pd.DataFrame, codebook: Codebook, target: dict, *, missing: str = "fiml") -> float:
    """The value that a chapter would print for a target's quantity."""
    study = study_of(table, codebook)
    options = {
        "outcomes": [target["outcome"]],
        "covariates": covariates_by_outcome(study, COVARIATES["covariates"], records=COVARIATES["records"]),
        "conf_level": 0.95,
        "missing": missing,
    }
    groups = [study.population(target["population"])]
    if target["quantity"] == "direct":
        return float(direct_effects(study, groups, **options)["estimate"].iloc[0])
    rows = mediated_effects(study, groups, mediators=[target["mediator"]], seed=1, **options).set_index(
        "contrast"
    )
    return 100 * float(rows.loc["indirect", "estimate"] / rows.loc["total", "estimate"])


def prepared(table: pd.DataFrame, codebook: Codebook, target: dict) -> Move:
    """Which block to exchange, and along which direction an exchange moves the target."""
    study = study_of(table, codebook)
    students, key = study.students, target["exchange"]
    block = codebook.scales[key].items if key in codebook.scales else (key,)
    parts = students[[scale.key for scale in codebook.scales_with("exposure")]]
    exposure = ((parts - parts.mean()) / parts.std()).mean(axis=1).to_numpy()
    inside = students["student_id"].isin(study.population(target["within"]).frame["student_id"]).to_numpy()
    outcome = students[target["outcome"]].to_numpy(dtype=float)
    prior = students.get("grade_prior").to_numpy(dtype=float)
    record = target["outcome"] in codebook.outcomes
    if target["quantity"] == "direct":
        return Move(tuple(block), students[key].to_numpy(float), exposure, inside, prior if record else None)
    held = [exposure, prior] if record else [exposure]
    return Move(
        tuple(block), students[key].to_numpy(float), residual(outcome, held, inside), inside, exposure
    )


def residual(values: np.ndarray, held: list[np.ndarray], rows: np.ndarray) -> np.ndarray:
    """What is left of values after a linear fit on others, among the rows given; NaN elsewhere."""
    design = np.column_stack([np.ones(len(values)), *held])
    whole = rows & np.isfinite(values) & np.isfinite(design).all(axis=1)
    left = np.full(len(values), np.nan)
    left[whole] = values[whole] - design[whole] @ np.linalg.lstsq(design[whole], values[whole], rcond=None)[0]
    return left


def main() -> None:
    """Draw, move, write the four tables into data/ and print what was reached."""
    truth = load_population(DATA / POPULATION)["calibration"]
    simulated = simulate(DATA, n=None, seed=int(truth["seed"]), printed=True)
    codebook, table = simulated.codebook, simulated.tables["students"]
    for round_number in range(ROUNDS):
        for number, target in enumerate(truth["targets"]):
            start = time.perf_counter()
            moved = move_to(
                table,
                cells=truth["cells"],
                measure=lambda one, target=target: measured(one, codebook, target),
                prepare=lambda one, target=target: prepared(one, codebook, target),
                target=target["value"],
                tolerance=target["tolerance"],
                seed=1000 * round_number + number,
            )
            table = moved.table
            name = " ".join(str(target[key]) for key in ("quantity", "population", "outcome"))
            print(
                f"{name:<45} {moved.value:8.3f}  {moved.n_pairs:4d} pairs  {time.perf_counter() - start:5.1f} s",
                file=sys.stderr,
                flush=True,
            )
    simulated.tables["students"] = table
    for kind, one in simulated.tables.items():
        one.to_csv(DATA / codebook.files[kind].path, index=False, lineterminator="\n")


def write_truth() -> None:
    """Write every target's value in one very large draw without missing answers."""
    content = load_population(DATA / POPULATION)
    codebook, rng = load_codebook(DATA), np.random.default_rng(LARGE_SEED)
    roster = simulate_roster(content, codebook, n=LARGE_N, rng=rng)
    table = simulate_students(roster, content, codebook, rng=rng)
    rows = pd.DataFrame(content["calibration"]["targets"])[
        ["quantity", "population", "mediator", "outcome", "value"]
    ]
    truth = [
        measured(table, codebook, target, missing="listwise") for target in content["calibration"]["targets"]
    ]
    rows.assign(n=LARGE_N, truth=np.round(truth, 4)).to_csv(
        DATA / "truth.csv", index=False, lineterminator="\n"
    )


if __name__ == "__main__":
    write_truth() if sys.argv[1:] == ["--truth"] else main()
