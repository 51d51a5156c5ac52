"""Known truth: does the rule of invariance find the planted item, and how often does it fail a fair scale?

Draws studies from population.yml, where one item works differently in one group and every other item alike in both, and
puts every scale through the ladder and every item through ordinal logistic regression.

    nice -n 19 python -m benchmarks.measurement_invariance --studies 150 --seed 20181005
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import pandas as pd

from benchmarks.record import write_result
from lib.analysis.dif import FLAGGED, STEPS, differential_items
from lib.analysis.ladder import FAILS
from lib.analysis.measurement import DELTA_CFI, comparability, comparable, comparable_scales
from lib.sem.invariance import LEVELS
from lib.study.load import Study, load_study
from lib.study.population import load_population
from lib.study.simulate import POPULATION, simulate, write_study

DATA = Path(__file__).parents[1] / "data"
ALPHA = 0.05
MEANS = ("metric", "scalar")
WRITTEN_EVERY = 10  # a run that is stopped leaves what it has


def draw_study(seed: int) -> Study:
    """One study drawn from the population, read as any study is."""
    with tempfile.TemporaryDirectory() as folder:
        return load_study(write_study(simulate(DATA, n=None, seed=seed), Path(folder) / "study", source=DATA))


def run_draw(study: Study, planted: str) -> dict:
    """What ladder and logistic regression say of the planted item and of everything else."""
    scales = comparable_scales(study)
    odd = next(key for key in scales if planted in study.codebook.scales[key].items)
    first, second = study.population("focal"), study.population("reference")
    exposure, _ = study.codebook.exposure
    ladder = comparability(study, [*scales, exposure], first, second, alpha=ALPHA, levels=LEVELS[:3])
    items = differential_items(study, scales, first, second, alpha=ALPHA)
    fair = [key for key in scales if key != odd]
    steps = ladder[
        (ladder["model"] == "invariance") & ladder["term"].isin(fair) & ladder["contrast"].isin(MEANS)
    ]
    falls, rejects = steps["estimate"] < -DELTA_CFI, steps["p_value"] < ALPHA
    freed = ladder.loc[ladder["model"] == "freed parameter", "term"]
    flagged = items.loc[items["contrast"].isin(STEPS) & items["status_reason"].eq(FLAGGED), "term"]
    others = {item for key in fair for item in study.codebook.scales[key].items}
    return {
        "scale_fails": not comparable(ladder, odd, "scalar"),
        "planted_freed": bool((freed == planted).any()),
        "exposure_metric": comparable(ladder, exposure, "metric"),
        "exposure_scalar": comparable(ladder, exposure, "scalar"),
        "fair_scales": len(fair),
        "fair_failed": int(steps.loc[steps["status_reason"].eq(FAILS), "term"].nunique()),
        "fair_by_cfi_alone": int(steps.loc[falls, "term"].nunique()),
        "fair_by_test_alone": int(steps.loc[rejects, "term"].nunique()),
        "planted_flagged": bool((flagged == planted).any()),
        "fair_items": len(others),
        "fair_items_flagged": len(others & set(flagged)),
        "siblings_flagged": len(set(flagged) - others - {planted}),
    }


def summarize(draws: pd.DataFrame) -> dict:
    """Shares over draws, and over scales or items within them."""
    return {
        "studies": len(draws),
        "planted_scale_fails": draws["scale_fails"].mean(),
        "planted_item_freed": draws["planted_freed"].mean(),
        "exposure_holds_metric": draws["exposure_metric"].mean(),
        "exposure_holds_scalar": draws["exposure_scalar"].mean(),
        "fair_scales_failed": draws["fair_failed"].sum() / draws["fair_scales"].sum(),
        "studies_with_a_fair_scale_failed": (draws["fair_failed"] > 0).mean(),
        "fair_scales_failed_by_delta_cfi_alone": draws["fair_by_cfi_alone"].sum()
        / draws["fair_scales"].sum(),
        "fair_scales_failed_by_unadjusted_test_alone": draws["fair_by_test_alone"].sum()
        / draws["fair_scales"].sum(),
        "planted_item_flagged_by_logistic_regression": draws["planted_flagged"].mean(),
        "fair_items_flagged": draws["fair_items_flagged"].sum() / draws["fair_items"].sum(),
        "items_beside_the_planted_one_flagged_per_study": draws["siblings_flagged"].mean(),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--studies", type=int, default=150)
    arguments.add_argument("--seed", type=int, default=20181005)
    chosen = arguments.parse_args()
    began = time.time()
    planted = load_population(DATA / POPULATION)["scores"]["exclusion_item"]["item"]
    draws = []
    for k in range(chosen.studies):
        draws.append(run_draw(draw_study(chosen.seed + k), planted))
        if (k + 1) % WRITTEN_EVERY == 0 or k + 1 == chosen.studies:
            result = summarize(pd.DataFrame(draws)) | {"alpha": ALPHA, "seconds": round(time.time() - began)}
            write_result("measurement_invariance", seed=chosen.seed, result=result)


if __name__ == "__main__":
    main()
