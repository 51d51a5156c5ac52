"""Known truth: do 95 % intervals cover, and does the indirect test keep its level?

Simulates studies like ours: 54 classes, a latent collaboration measured by eight subscales of four-point items, a
mediator of four-point items, a continuous outcome, covariates, classes that share some of each; complete, or with
answers missing at random given what is observed. Fits the study's model with class-robust standard errors.

    nice -n 19 python benchmarks/sem_coverage.py --studies 1000 --seed 20181005
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lib.sem.fit import SemFit, solve_problem
from lib.sem.problem import pose
from lib.sem.quantities import estimate_effect, simulate_draws

RESULTS = Path(__file__).parent / "results" / "sem_coverage.json"
SUBSCALES = 8
ITEMS = 4
LOADINGS = np.linspace(0.6, 0.9, SUBSCALES)
CUTS = (-1.5, -0.5, 0.7)
CLASSES, CLASS_SIZE = 54, 16
CLASS_SHARE = 0.07
QUANTITIES = ("a", "b", "c", "indirect", "total", "loading")
MODEL = (
    "hqc =~ hq_1 + loading*hq_2 + "
    + " + ".join(f"hq_{k}" for k in range(3, SUBSCALES + 1))
    + """
hqc ~ prior + female + ell
mediator ~ a*hqc + prior + female + ell
outcome ~ b*mediator + c*hqc + prior + female + ell
indirect := a*b
total := c + a*b
"""
)


@dataclass(frozen=True)
class Truth:
    """Structural paths of the simulated students: hqc to mediator, mediator to outcome, hqc to outcome."""

    a: float
    b: float
    c: float


CONDITIONS = {
    "all paths": Truth(0.5, 0.3, 0.15),
    "a is zero": Truth(0.0, 0.3, 0.15),
    "b is zero": Truth(0.5, 0.0, 0.15),
}


def simulate_study(
    rng: np.random.Generator, truth: Truth, *, classes: int = CLASSES, missing: bool
) -> pd.DataFrame:
    """One study of ``classes`` classes of 16 students."""
    n = classes * CLASS_SIZE
    classroom = np.repeat(np.arange(classes), CLASS_SIZE)

    def shared(spread: float) -> np.ndarray:
        own, common = rng.normal(size=n), rng.normal(size=classes)[classroom]
        return spread * (np.sqrt(1 - CLASS_SHARE) * own + np.sqrt(CLASS_SHARE) * common)

    prior, female, ell = shared(1.0), rng.binomial(1, 0.5, n), rng.binomial(1, 0.1, n)
    hqc = 0.2 * prior + 0.1 * female - 0.2 * ell + shared(1.0)
    table = {
        f"hq_{k + 1}": _answers(rng, LOADINGS[k] * hqc + 0.5 * rng.normal(size=n)) for k in range(SUBSCALES)
    }
    mediator = _answers(rng, truth.a * hqc + 0.1 * prior + shared(0.8))
    outcome = truth.b * mediator + truth.c * hqc + 0.4 * prior + shared(0.8)
    study = pd.DataFrame(table).assign(
        mediator=mediator, outcome=outcome, prior=prior, female=female, ell=ell, classroom=classroom
    )
    if missing:
        chance = 1 / (1 + np.exp(2.2 + 0.5 * prior - 0.4 * ell))
        for column in ("hq_3", "hq_5", "hq_8", "mediator", "outcome"):
            study.loc[rng.random(n) < chance, column] = np.nan
    return study


def _answers(rng: np.random.Generator, score: np.ndarray) -> np.ndarray:
    """Mean of four-point items that measure a score."""
    items = 0.8 * score[:, None] + 0.6 * rng.normal(size=(len(score), ITEMS))
    return 1 + np.searchsorted(CUTS, items).mean(axis=1)


def fit_study(study: pd.DataFrame) -> SemFit:
    """The study's model: FIML with modelled covariates, class-robust standard errors."""
    problem = pose(
        MODEL, study, group=None, group_equal=(), group_partial=(), missing="ml.x", cluster="classroom",
        meanstructure=True, fixed_x=False,
    )  # fmt: skip
    return solve_problem(problem, robust=True, information="observed")


def find_truth(truth: Truth, *, seed: int, classes: int = 12_000) -> dict[str, float]:
    """What the model estimates in a very large study: coarse answers have no closed form."""
    fitted = fit_study(simulate_study(np.random.default_rng(seed), truth, classes=classes, missing=False))
    found = {name: estimate_effect(fitted, name, conf_level=0.95).estimate for name in QUANTITIES}
    zero = [name for name in ("a", "b") if getattr(truth, name) == 0]
    return found | dict.fromkeys([*zero, "indirect"] if zero else [], 0.0)


def run_condition(truth: Truth, target: dict[str, float], *, missing: bool, studies: int, seed: int) -> dict:
    """Coverage of each quantity, and how often the intervals of the indirect effect exclude 0."""
    cover, excluded, estimates, failed = {}, {"delta": 0, "monte_carlo": 0}, [], 0
    for k in range(studies):
        fitted = fit_study(simulate_study(np.random.default_rng([seed, k]), truth, missing=missing))
        if fitted.status != "ok":
            failed += 1
            continue
        effects = {name: estimate_effect(fitted, name, conf_level=0.95) for name in QUANTITIES}
        draws = simulate_draws(fitted, n_draws=2000, seed=k)
        effects["indirect (Monte Carlo)"] = estimate_effect(
            fitted, "indirect", conf_level=0.95, method="monte_carlo", draws=draws
        )
        for name, effect in effects.items():
            value = target["indirect" if name.startswith("indirect") else name]
            cover[name] = cover.get(name, 0) + (effect.conf_low <= value <= effect.conf_high)
        excluded["delta"] += not effects["indirect"].conf_low <= 0 <= effects["indirect"].conf_high
        monte_carlo = effects["indirect (Monte Carlo)"]
        excluded["monte_carlo"] += not monte_carlo.conf_low <= 0 <= monte_carlo.conf_high
        estimates.append([effects[name].estimate for name in QUANTITIES])
    done = studies - failed
    spread = np.array(estimates)
    return {
        "studies": studies, "failed": failed,
        "coverage": {name: count / done for name, count in cover.items()},
        "indirect_excludes_0": {name: count / done for name, count in excluded.items()},
        "truth": target,
        "mean_estimate": dict(zip(QUANTITIES, spread.mean(0).tolist(), strict=True)),
        "sd_estimate": dict(zip(QUANTITIES, spread.std(0, ddof=1).tolist(), strict=True)),
    }  # fmt: skip


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--studies", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=20181005)
    chosen = arguments.parse_args()
    began, results = time.time(), {}
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    for name, truth in CONDITIONS.items():
        target = find_truth(truth, seed=chosen.seed)
        for missing in (False, True):
            label = f"{name}, {'missing' if missing else 'complete'}"
            results[label] = run_condition(
                truth, target, missing=missing, studies=chosen.studies, seed=chosen.seed
            )
            report = {
                "date": datetime.date.today().isoformat(), "commit": commit.stdout.strip(), "seed": chosen.seed,
                "seconds": round(time.time() - began), "conditions": results,
            }  # fmt: skip
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
