"""Campaign: what the report's sentences say of studies in which there is nothing.

    python -m benchmarks.null_sentences [--studies 20] [--seed 20181005] [--pages rq1a,rq1b] [--workers 1]

Null studies are simulated from ``population.yml``; the pages that estimate something run on each with cheap settings,
and ``benchmarks.claims`` reads their sentences and the computed titles of their figures and tables. The result says how
many clauses quote a test, how many of these claim that things go together or differ, and which clauses do not agree
with their rows. Marks are kept under ``_build/campaigns/null-sentences`` by study, page and the page's code: a run that
was stopped goes on where it was, and a chapter that changed runs again. Remove that folder when lib has changed.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import hashlib
import json
import os
import sys
import tempfile
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import nbformat

from benchmarks.claims import Sentence, read
from benchmarks.in_process import CHEAP, EVIDENCE_PAGES, run_page
from benchmarks.record import write_result
from lib.report.project import Page, load_project
from lib.study.load import Study, load_study
from lib.study.simulate import simulate, write_study

ROOT = Path(__file__).parents[1]
STORE = ROOT / "_build" / "campaigns" / "null-sentences"
MOST_CLAIMS = 0.08


def null_study(seed: int, folder: Path) -> Study:
    """A study drawn where nothing goes with the exposure and no groups differ."""
    drawn = simulate(ROOT / "data", n=None, seed=seed, null=True)
    return load_study(write_study(drawn, folder / "study", source=ROOT / "data"))


def sentences(marks: list[dict]) -> list[Sentence]:
    """Clauses of the prose and of the computed titles among a page's marks."""
    texts = ((mark["markdown"] or mark["title"], mark["rows"]) for mark in marks)
    return [one for text, rows in texts if "<data" in text for one in read(text, rows)]


def stored(page: Page, seed: int) -> Path:
    """Where a page's marks for a study are kept, by the page's code."""
    cells = nbformat.read(page.notebook, 4).cells
    code = [ast.dump(ast.parse(cell.source)) for cell in cells if cell.cell_type == "code"]
    digest = hashlib.sha256("\0".join(code).encode()).hexdigest()[:12]
    return STORE / f"{seed}-{page.name}-{digest}.json.gz"


def compute(seed: int, names: tuple[str, ...]) -> None:
    """Run the pages of one null study whose marks are not stored."""
    warnings.simplefilter("ignore")
    project = load_project(ROOT)
    wanted = [page for page in map(project.page, names) if not stored(page, seed).is_file()]
    if not wanted:
        return
    with tempfile.TemporaryDirectory(prefix="lwo-null-") as folder:
        study = null_study(seed, Path(folder))
        for page in wanted:
            path = stored(page, seed)
            with gzip.open(path.with_suffix(".new"), "wt", encoding="utf-8") as handle:
                json.dump(run_page(page, study, CHEAP), handle)
            path.with_suffix(".new").rename(path)


def summary(found: dict[str, list[Sentence]], studies: int) -> dict:
    """Counts over all studies, and by page, of clauses that quote a test."""
    tested = {page: [one for one in clauses if one.tested] for page, clauses in found.items()}
    every = [one for clauses in tested.values() for one in clauses]
    claims = [claim for one in every for claim in one.claims]
    rows = sum(len(claim.rows) for claim in claims)
    return {
        "studies": studies,
        "clauses": sum(map(len, found.values())),
        "tested": len(every),
        "judged": sum(bool(one.claims) for one in every),
        "claiming": sum(_claims(one) for one in every),
        "share_claiming": round(sum(map(_claims, every)) / max(len(every), 1), 4),
        "tests_judged": rows,
        "share_of_tests_claimed": round(sum(claim.k for claim in claims if claim.claims) / max(rows, 1), 4),
        "at_most": MOST_CLAIMS,
        "by_page": {page: [sum(map(_claims, some)), len(some)] for page, some in tested.items()},
        "wrong_claims": dict(Counter(claim.words for claim in claims if not claim.true)),
        "wrong_numbers": [
            words for clauses in found.values() for one in clauses for words in one.wrong_numbers
        ],
    }


def _claims(one: Sentence) -> bool:
    return any(claim.claims for claim in one.claims)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=20)
    parser.add_argument("--seed", type=int, default=20181005)
    parser.add_argument("--pages", default=",".join(EVIDENCE_PAGES))
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    names, seeds = tuple(given.pages.split(",")), range(given.seed, given.seed + given.studies)
    STORE.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(given.workers, initializer=os.nice, initargs=(10,)) as pool:
        list(pool.map(compute, seeds, [names] * len(seeds)))
    project = load_project(ROOT)
    found: dict[str, list[Sentence]] = {name: [] for name in names}
    for seed in seeds:
        for name in names:
            with gzip.open(stored(project.page(name), seed), "rt", encoding="utf-8") as handle:
                found[name] += sentences(json.load(handle))
    write_result("null_sentences", seed=given.seed, result=summary(found, given.studies))
    return 0


if __name__ == "__main__":
    sys.exit(main())
