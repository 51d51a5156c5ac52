"""Campaign: planted leaks that the audit finds, and clean cases in which it raises no alarm.

    python -m benchmarks.disclosure_leaks [CASES] [SEED]

Each case draws a study of its own and writes two sites: a clean one, and the same with one small or
derivable number planted in a table, a chart, a sentence, a download, the filter states, or a release.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.record import write_result
from lib.disclosure.audit import audit_site
from tests.disclosure_sites import COUNTS, NEEDS, clean_site

FOUND_SHARE, FALSE_SHARE, EVERY = 0.99, 0.01, 20


def audited(site, folder: Path) -> list:
    for earlier in getattr(site, "released", ()):
        site.study.folder = folder / "study"
        (site.study.folder / "releases").mkdir(parents=True, exist_ok=True)
        (site.study.folder / "releases" / "a.json").write_text(json.dumps({"populations": [earlier]}))
    return audit_site(site.write(folder / "site"), study=site.study)


def run(cases: int, seed: int) -> Iterator[dict]:
    """Planted leaks found and alarms in clean sites, after every so many cases."""
    kinds = list(COUNTS)
    found, planted, alarms, slowest = Counter(), Counter(), [], 0.0
    for case in range(cases):
        kind = kinds[case % len(kinds)]
        site = clean_site(seed + case, parts=NEEDS.get(kind, ("tables",)))
        with tempfile.TemporaryDirectory() as folder:
            start = time.process_time()
            if audited(site, Path(folder)):
                alarms.append(seed + case)
            slowest = max(slowest, time.process_time() - start)
        COUNTS[kind](site, np.random.default_rng(seed + case))
        with tempfile.TemporaryDirectory() as folder:
            planted[kind] += 1
            found[kind] += bool(audited(site, Path(folder)))
        if (case + 1) % EVERY == 0 or case + 1 == cases:
            yield {
                "asked": cases, "planted": sum(planted.values()), "found": sum(found.values()), "clean": case + 1,
                "false_alarms": len(alarms), "seeds_of_false_alarms": list(alarms),
                "slowest_audit_cpu_seconds": round(slowest, 2),
                "by_kind": {kind: f"{found[kind]} of {planted[kind]}" for kind in kinds},
            }  # fmt: skip


def main() -> int:
    given = [int(value) for value in sys.argv[1:]]
    cases, seed = given + [600, 20260301][len(given) :]
    for result in run(cases, seed):
        write_result("disclosure_leaks", seed=seed, result=result)
    good = result["found"] >= FOUND_SHARE * cases and result["false_alarms"] <= FALSE_SHARE * cases
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
