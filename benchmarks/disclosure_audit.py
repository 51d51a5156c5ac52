"""Benchmark: the audit of a finished site, with the study and without, in CPU seconds.

python -m benchmarks.disclosure_audit [SITE]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.record import write_result
from lib.disclosure.audit import audit_site
from lib.study.load import load_study


def timed(site: Path, study) -> dict:
    """Leaks found and seconds of one audit."""
    start = time.process_time()
    found = audit_site(site, study=study)
    return {"leaks": len(found), "cpu_seconds": round(time.process_time() - start, 1)}


def main() -> int:
    site = Path(sys.argv[1] if len(sys.argv) > 1 else "_site")
    files = [path for path in site.rglob("*") if path.is_file()]
    audits = {"with_study": timed(site, load_study()), "without_study": timed(site, None)}
    size = {"files": len(files), "bytes": sum(path.stat().st_size for path in files)}
    write_result("disclosure_audit", seed=0, result=size | audits)
    return int(any(one["leaks"] for one in audits.values()))


if __name__ == "__main__":
    sys.exit(main())
