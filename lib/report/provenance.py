"""Where a page's numbers come from: code version, data, parameters."""

from __future__ import annotations

import subprocess
from importlib.metadata import version
from pathlib import Path

from lib.report.project import Page
from lib.study.load import Study


def code_version(root: Path) -> str:
    """The commit the report is built from, marked where files differ from it; without git, the release."""
    release = f"version {version('learning-with-others')}"
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=10"],
            cwd=root, capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return release
    return f"commit {found.stdout.strip()}"


def run_description(page: Page, parameters: dict, study: Study, code: str) -> dict[str, str]:
    """Entries of the box "Parameters of this run"."""
    shown = {name: "none" if value == "" else str(value) for name, value in parameters.items()}
    return shown | {
        "notebook": f"chapters/{page.notebook.name}",
        "data": f"{study.codebook.title}, {study.data_hash[:12]}",
        "code": code,
    }
