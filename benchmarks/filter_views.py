"""Every view of the chapter on relationships against a direct computation: each subgroup's own models, without the cube.

Run on a built site: ``python -m benchmarks.filter_views``; a sample of the same stands in tests/browser.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.record import write_result
from lib.analysis.effects import covariates_by_outcome, direct_effects
from lib.analysis.mediation import mediated_effects
from lib.disclosure.lattice import choose_lattice
from lib.show.cube import lay_out
from lib.study.load import load_study
from tests.browser.test_filters import cube_of, results_of

SEED = 1  # of Monte Carlo intervals, which are not compared
CONTRASTS = ("before", "direct", "a", "b", "indirect", "total")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, default=Path("_site"))
    parser.add_argument("--every", type=int, default=1, help="take one view in so many")
    given = parser.parse_args()
    study = load_study()
    views, book = lay_out(study, choose_lattice(study)), study.codebook
    own = results_of(cube_of(given.site, "rq1a"), "own")
    minds = [scale.key for scale in book.scales_with("mindset")]
    outcomes = [*(scale.key for scale in book.scales_with("environment")), *minds, *book.outcomes]
    settings = dict(covariates=covariates_by_outcome(study, "C_ENV", records="C_GRADE"), conf_level=0.95)
    largest, compared, differing = 0.0, 0, 0
    for place in range(0, len(views.states), given.every):
        group = views.groups[place]
        if len(group.frame) < book.disclosure.latent_min_n:
            continue
        rows = [direct_effects(study, [group], outcomes=outcomes, **settings)]
        told = dict(mediators=list(book.mediators), outcomes=[*minds, *book.outcomes[:1]], seed=SEED)
        rows.append(mediated_effects(study, [group], **told, **settings))
        for table in rows:
            for row in table[table["contrast"].isin(("", *CONTRASTS))].itertuples():
                found = own.get((place, f"{row.model}|{row.contrast}|{row.term}"), {"estimate": None})[
                    "estimate"
                ]
                differing += (row.status == "ok") != (found is not None)
                if row.status == "ok" and found is not None:
                    compared, largest = compared + 1, max(largest, abs(found / 1000 - row.estimate))
    result = {"views": len(views.states), "compared": compared, "differing_status": differing}
    write_result("filter_views", seed=SEED, result=result | {"largest_difference": round(largest, 6)})


if __name__ == "__main__":
    main()
