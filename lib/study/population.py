"""Read ``population.yml``, the truth behind a simulated study, and zero what a null study has not."""

from __future__ import annotations

from pathlib import Path

from lib.errors import StudyError
from lib.study.faults import fault_text
from lib.study.read_codebook import read_yaml, string_keys

MARKS = ("published", "assumed")


def load_population(path: Path) -> dict:
    """Values of a ``population.yml``, without the marks that say where each is from.

    Raises
    ------
    StudyError
        If the file is missing or unreadable, or a parameter is marked neither published nor assumed.
    """
    content, faults = read_yaml(Path(path))
    if faults:
        raise StudyError(fault_text(faults))
    unmarked = [name for name, entry in parameters(content) if sum(mark in entry for mark in MARKS) != 1]
    if unmarked:
        raise StudyError(
            f"{len(unmarked)} parameters of {Path(path).name} are marked neither or both published and assumed: "
            f"{', '.join(unmarked[:5])}; mark each with exactly one"
        )
    return _values(content)


def parameters(content: dict, prefix: str = "") -> list[tuple[str, dict]]:
    """Every parameter of a population with its dotted name; a parameter is a mapping with ``value``."""
    found = []
    for key, entry in content.items():
        name = f"{prefix}{key}"
        if isinstance(entry, dict) and "value" in entry:
            found.append((name, entry))
        elif isinstance(entry, dict):
            found += parameters(entry, f"{name}.")
        else:
            found.append((name, {"value": entry}))
    return found


def _values(content: dict) -> dict:
    return {
        str(key): string_keys(entry["value"]) if "value" in entry else _values(entry)
        for key, entry in content.items()
    }
