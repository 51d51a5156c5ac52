"""Every view of the chapter on relationships against a direct computation: each subgroup's own models, without the cube.

Estimates are held to the three decimals of the cube. Its standard errors rest on the expected information and the
chapter's on the observed, so that ends of intervals are told apart from estimates and given in standard errors too.
Run on a built site: ``python -m benchmarks.filter_views``; a sample of the same stands in tests/browser.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import pandas as pd

from benchmarks.record import write_result
from lib.analysis.associations import MODEL, associations
from lib.analysis.effects import covariates_by_outcome, direct_effects
from lib.analysis.evidence_rq1 import mediator_parts, views
from lib.analysis.mediation import mediated_effects
from lib.disclosure.lattice import choose_lattice
from lib.show.cube import lay_out
from lib.show.cube_code import Layout
from lib.study.load import Study, load_study
from tests.cube_numbers import cube_of, results_of

SEED = 1  # of Monte Carlo intervals, which are not compared
CONTRASTS = ("before", "direct", "a", "b", "indirect", "total")


def direct(place: int) -> pd.DataFrame | None:
    """A view's own models; none where it has too few students for a model with a latent variable."""
    study, layout = laid_out()
    book, group = study.codebook, layout.groups[place]
    if len(group.frame) < book.disclosure.latent_min_n:
        return None
    minds = [scale.key for scale in book.scales_with("mindset")]
    outcomes = [*(scale.key for scale in book.scales_with("environment")), *minds, *book.outcomes]
    settings = dict(covariates=covariates_by_outcome(study, "C_ENV", records="C_GRADE"), conf_level=0.95)
    ends, parts = [*minds, *book.outcomes[:1]], mediator_parts(book)
    chosen = dict(outcomes=ends, seed=SEED, **settings)
    through = mediated_effects(study, [group], mediators=list(book.mediators), **chosen)
    of_parts = mediated_effects(study, [group], mediators=parts, **chosen)
    tables = [
        *(
            direct_effects(study, [group], outcomes=outcomes, missing=way, **settings)
            for way in ("fiml", "listwise")
        ),
        through[through["contrast"].isin(CONTRASTS)],
        of_parts[of_parts["contrast"] == "indirect"],
        associations(study, [group], features=views(book), outcomes=minds, **settings),
    ]
    return pd.concat(tables)


@cache
def laid_out() -> tuple[Study, Layout]:
    """The study and the views that its filters offer."""
    study = load_study()
    return study, lay_out(study, choose_lattice(study))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, default=Path("_site"))
    parser.add_argument("--every", type=int, default=1, help="take one view in so many")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    given = parser.parse_args()
    own = results_of(cube_of(given.site, "rq1a"), "own")
    places = range(0, len(laid_out()[1].states), given.every)
    gaps, in_errors, compared, differing = {"estimate": 0.0, "conf_low": 0.0, "conf_high": 0.0}, 0.0, 0, 0
    with ProcessPoolExecutor(given.workers) as pool:
        told = [
            (place, rows)
            for place, rows in zip(places, pool.map(direct, places), strict=True)
            if rows is not None
        ]
    for place, rows in told:
        for row in rows.itertuples():
            key = f"{row.model}|{row.contrast}|{row.term}"
            found = own.get((place, f"{key}|{row.estimator}")) or own.get((place, key), {"estimate": None})
            differing += (row.status == "ok") != (found["estimate"] is not None)
            if row.status != "ok" or found["estimate"] is None:
                continue
            compared += 1
            for name in gaps if not row.contrast or row.model == MODEL else ("estimate",):
                gap = abs(found[name] / 1000 - getattr(row, name))
                gaps[name] = max(gaps[name], gap)
                in_errors = max(in_errors, gap / row.std_error)
    result = {
        "views": len(places),
        "with_models": len(told),
        "compared": compared,
        "differing_status": differing,
        "largest_difference": {name: round(gap, 6) for name, gap in gaps.items()},
        "largest_in_standard_errors": round(in_errors, 4),
    }
    write_result("filter_views", seed=SEED, result=result)


if __name__ == "__main__":
    main()
