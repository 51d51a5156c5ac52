"""Campaign: the whole report, built from a study of markers, holds no marker in any byte.

python -m benchmarks.disclosure_canaries
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.record import write_result
from tests.disclosure_canaries import build_canary_site, markers_in


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        site, markers = build_canary_site(Path(folder))
        found = markers_in(site, markers)
        files = [path for path in site.rglob("*") if path.is_file()]
        result = {
            "markers": len(markers),
            "found": len(found),
            "pages": sum(path.suffix == ".html" for path in files),
            "files": len(files),
            "bytes": sum(path.stat().st_size for path in files),
        }
    write_result("disclosure_canaries", seed=0, result=result)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
