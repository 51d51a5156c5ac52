"""Campaign: every chapter that asks for students re-runs for every declared population, and for other pairs of groups.

    python -m benchmarks.populations [--pages rq2-frequency,study] [--workers 1]

A page whose notebook has a parameter ``population`` runs for each population of the codebook; one that compares two runs
for each pair of populations without common students that ``pairs`` names. The result says, for each run, how many of
its clauses differ from those of the page as it is published; where a chapter failed, why.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import nbformat

from benchmarks.in_process import CHEAP, run_page
from benchmarks.null_sentences import sentences
from benchmarks.record import write_result
from lib.report.project import Page, load_project
from lib.study.load import Study, load_study

ROOT = Path(__file__).parents[1]
SEED = 20181005


def parameters_of(page: Page) -> set[str]:
    """Names in the parameters cell of a page's notebook."""
    cells = nbformat.read(page.notebook, 4).cells
    source = next(cell.source for cell in cells if "parameters" in cell.metadata.get("tags", ()))
    return set(re.findall(r"^(\w+):", source, re.M))


def pairs(study: Study) -> list[tuple[str, str]]:
    """Pairs to compare: the reference with the focal group, then neighbours in the codebook that share no student."""
    book = study.codebook
    ids = next(key for key, column in book.columns_of("students").items() if column.role == "id")
    members = {key: set(study.population(key).frame[ids]) for key in book.populations}
    keys = list(members)
    apart = [(one, two) for one, two in zip(keys, keys[1:], strict=False) if not members[one] & members[two]]
    return list(dict.fromkeys([(book.reference, book.focal), *apart]))


def cases(page: Page, study: Study) -> list[dict[str, str]]:
    """Parameters of the runs of a page; none where it asks for no students."""
    names = parameters_of(page)
    found = [{"population": key} for key in study.codebook.populations] if "population" in names else []
    return found + [{"first": one, "second": two} for one, two in pairs(study)] * ("first" in names)


def clauses(name: str, given: dict[str, str]) -> list[str]:
    """Clauses that a page says of the study, with cheap settings."""
    warnings.simplefilter("ignore")
    marks = run_page(load_project(ROOT).page(name), load_study(ROOT / "data"), CHEAP | given)
    return [one.words for one in sentences(marks)]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", default="")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    study, project = load_study(ROOT / "data"), load_project(ROOT)
    alone = [
        page
        for page in project.pages
        if page.notebook.stem == page.name or page.name == "rq1a" or page.name == "rq1c"
    ]
    wanted = [page for page in alone if not given.pages or page.name in given.pages.split(",")]
    with ProcessPoolExecutor(given.workers, initializer=os.nice, initargs=(10,)) as pool:
        runs = {(page.name, " ".join(case.values())): pool.submit(clauses, page.name, case)
                for page in wanted for case in ({}, *cases(page, study)) if case or cases(page, study)}  # fmt: skip
    found: dict[str, dict] = {}
    for (name, case), run in runs.items():
        failure = run.exception()
        if failure:
            found.setdefault(name, {})[case] = {"failed": f"{type(failure).__name__}: {failure}"[:300]}
            continue
        published = runs[name, ""].result()
        changed = sum(one not in published for one in run.result())
        found.setdefault(name, {})[case or "published"] = {"clauses": len(run.result()), "changed": changed}
    failed = sum("failed" in one for page in found.values() for one in page.values())
    write_result("populations", seed=SEED, result={"runs": len(runs), "failed": failed, "pages": found})
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
