"""Write a campaign's result with its date, commit and seed."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
COMMIT = subprocess.run(
    ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, cwd=RESULTS.parent
).stdout.strip()  # taken at the start: a long run may outlive the commit it measures


def write_result(name: str, *, seed: int, result: dict) -> Path:
    """Write ``results/NAME.json`` and print it."""
    content = {"date": datetime.now(UTC).date().isoformat(), "commit": COMMIT, "seed": seed, **result}
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    print(json.dumps(content, indent=1))
    return path
