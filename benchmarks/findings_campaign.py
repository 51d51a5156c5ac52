"""Campaign: how often each finding's rule holds where there is nothing, and where the population is the study's.

    python -m benchmarks.findings_campaign [--studies 200] [--seed 20181005] [--chapters a,b] [--judge-only]

Null studies and replications are simulated from ``population.yml`` with complete answers, so that both ways to treat
missing ones agree. Rows are kept under ``_build/campaigns``, by study and chapter: a run that was stopped goes on
where it was, another chapter's evidence is added to it, and a changed rule is judged without fitting anything
again. Remove that folder when the estimates themselves have changed. The result goes to
``results/findings.json`` and, for the scorecard, to ``rates.yml`` of the study folder.
"""

from __future__ import annotations

import argparse
import ast
import os
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import cache, partial
from math import prod
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import pandas as pd
import yaml

from benchmarks.record import COMMIT, write_result
from lib.analysis.evidence import EVIDENCE, evidence
from lib.analysis.findings import PartResult, Verdict, judge
from lib.study.load import Study, add_scores, load_study
from lib.study.population import load_population, nullified
from lib.study.rules import Rule
from lib.study.simulate import POPULATION, draw_study
from lib.study.tables import typed_table

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data"
KINDS = ("null", "replication")
TESTS = ("p", "above_zero", "below_zero", "excludes_zero", "low", "high")
CONF_LEVEL = 0.95
MISSING_RATES = ("item", "break_off", "grade_prior", "grade_math_or_ela", "absences")
MOST_BY_CHANCE = 19  # of 200: a rule of level .05 holds more often in 3 of 1,000 campaigns
FEWEST_REPLICATED = (
    147  # of 200: below, a rule replicates in less than four of five (exact binomial, one-sided .01)
)


@dataclass(frozen=True)
class Source:
    """What every study of the campaign shares: a codebook and rules, read once, and the truth of either kind."""

    study: Study = field(repr=False)
    truth: dict[str, dict] = field(repr=False)


@cache
def source() -> Source:
    """The default study, and its population without missing answers, with what rules find and without."""
    study, truth = load_study(DATA), load_population(DATA / POPULATION)
    truth["missing"] |= dict.fromkeys(MISSING_RATES, 0.0)
    return Source(study, {"null": nullified(truth), "replication": truth})


def drawn_study(kind: str, index: int, *, seed: int) -> Study:
    """One simulated study as it would be loaded, made in memory."""
    shared = source()
    book = shared.study.codebook
    drawn = draw_study(shared.truth[kind], book, n=None, seed=study_seed(kind, index, seed=seed))
    tables = {
        name: add_scores(typed_table(table, book.columns_of(name)), book, name)
        for name, table in drawn.tables.items()
    }
    return replace(shared.study, data_hash="", **tables)


def study_seed(kind: str, index: int, *, seed: int) -> int:
    """A seed of its own for every study."""
    return seed + 1_000_000 * KINDS.index(kind) + index


def compute(kind: str, index: int, *, seed: int, chapters: tuple[str, ...], store: Path) -> None:
    """Rows of one study's chapters that are not yet stored."""
    wanted = [name for name in chapters if not stored(store, kind, index, name).is_file()]
    if not wanted:
        return
    warnings.simplefilter("ignore")
    study = drawn_study(kind, index, seed=seed)
    for name in wanted:
        rows = evidence(
            study,
            conf_level=CONF_LEVEL,
            seed=study_seed(kind, index, seed=seed),
            missing="listwise",
            chapters=(name,),
        )
        path = stored(store, kind, index, name)
        rows.to_pickle(path.with_suffix(".new"), compression="gzip")
        path.with_suffix(".new").rename(path)


def stored(store: Path, kind: str, index: int, chapter: str) -> Path:
    return store / f"{kind}-{index:03d}-{chapter}.gz"


def judged(
    kind: str, index: int, *, chapters: tuple[str, ...], store: Path, study: Study
) -> dict[str, Verdict] | None:
    """Verdicts on one study; None until all its chapters are there."""
    paths = [stored(store, kind, index, name) for name in chapters]
    if not all(path.is_file() for path in paths):
        return None
    rows = pd.concat([pd.read_pickle(path, compression="gzip") for path in paths])
    return judge(study.rules, rows.drop_duplicates("row_id", ignore_index=True), study.codebook)


def summary(runs: dict[str, list[dict[str, Verdict]]], study: Study) -> dict[str, dict]:
    """For each finding its chance and replication rate, and those of its parts."""
    found = {}
    for key, rule in study.rules.items():
        entry: dict = {}
        for kind, name in zip(KINDS, ("chance", "replicates"), strict=True):
            verdicts = [run[key] for run in runs[kind]]
            testable = [one for one in verdicts if one.verdict != "cannot_test"]
            if not testable:
                continue
            entry[name] = sum(one.held for one in testable) / len(testable)
            entry[f"{name}_of"] = len(testable)
            entry[f"{name}_verdicts"] = pd.Series([one.verdict for one in verdicts]).value_counts().to_dict()
            by_part = [[one.parts[place] for one in testable] for place in range(len(rule.parts))]
            entry[f"{name}_parts"] = [sum(part.holds is True for part in found) for found in by_part]
            entry[f"{name}_tests"] = [count_met(found) for found in by_part]
        kind = {"descriptive": rule.descriptive, "asserts_null": rule.asserts_null}
        found[key] = entry | kind | {"single_test": hangs_on_one_test(rule)}
    return found


def hangs_on_one_test(rule: Rule) -> bool:
    """Whether a rule asserts something by one test, so that it should hold by chance as often as its level says."""
    if rule.descriptive or rule.asserts_null or rule.undecidable:
        return False
    tested = {
        node.args[0].id
        for part in rule.parts
        if not part.extra
        for node in ast.walk(part.holds)
        if isinstance(node, ast.Call) and node.func.id in TESTS and isinstance(node.args[0], ast.Name)
    }
    return sum(prod(len(values) for values in rule.select[name].values()) for name in tested) == 1


def missed(findings: dict[str, dict]) -> dict[str, list[str]]:
    """Single-test findings that hold too often by chance, and findings that replicate too seldom."""
    often, seldom = MOST_BY_CHANCE / 200, FEWEST_REPLICATED / 200
    return {
        "over_by_chance": [
            key for key, one in findings.items() if one["single_test"] and one.get("chance", 0) > often
        ],
        "replicated_too_seldom": [key for key, one in findings.items() if one.get("replicates", 1) < seldom],
    }


def count_met(found: list[PartResult]) -> dict[str, int]:
    """How often each row of a part that asks for several tests at once met its own; empty for other parts."""
    if max(part.n for part in found) < 2:
        return {}
    rows = sorted({row for part in found for row in (*part.met, *part.missed)})
    return {row: sum(row in part.met for part in found) for row in rows}


def publish(result: dict, *, seed: int, date: str) -> None:
    """Write the rates that the scorecard prints."""
    kept = ("chance", "replicates")
    findings = {
        key: {name: round(entry[name], 4) for name in kept if name in entry}
        for key, entry in result["findings"].items()
    }
    content = {
        "date": date,
        "commit": COMMIT,
        "seed": seed,
        "studies": result["studies"],
        "findings": findings,
    }
    head = "# Written by benchmarks/findings_campaign.py: how often each rule holds by chance, and again.\n"
    (DATA / "rates.yml").write_text(head + yaml.safe_dump(content, sort_keys=False), "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20181005)
    parser.add_argument("--chapters", default=",".join(EVIDENCE))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--judge-only", action="store_true")
    given = parser.parse_args()
    chapters = tuple(given.chapters.split(","))
    store = ROOT / "_build" / "campaigns" / f"findings-{given.seed}"
    store.mkdir(parents=True, exist_ok=True)
    study = load_study(DATA)
    with ProcessPoolExecutor(given.workers, initializer=os.nice, initargs=(10,)) as pool:
        if not given.judge_only:
            tasks = [
                pool.submit(compute, kind, index, seed=given.seed, chapters=chapters, store=store)
                for index in range(given.studies)
                for kind in KINDS
            ]
            for task in as_completed(tasks):
                task.result()
        decide = partial(judged, chapters=chapters, store=store, study=study)
        verdicts = {kind: pool.map(partial(decide, kind), range(given.studies)) for kind in KINDS}
        runs = {kind: [one for one in found if one is not None] for kind, found in verdicts.items()}
    counts = {kind: len(found) for kind, found in runs.items()}
    findings = summary(runs, study)
    result = {"studies": counts, "chapters": list(chapters), "missed": missed(findings), "findings": findings}
    path = write_result("findings", seed=given.seed, result=result)
    publish(result, seed=given.seed, date=yaml.safe_load(path.read_text("utf-8"))["date"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
