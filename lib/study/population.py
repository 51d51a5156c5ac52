"""Read ``population.yml``, the truth behind a simulated study, and zero what a null study has not."""

from __future__ import annotations

import copy
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


def nullified(truth: dict, *, keep: tuple[str, ...] = ()) -> dict:
    """The truth with everything zeroed that ``null_study.zeroed`` names (dotted), but for what is kept.

    Numbers become 0, mappings empty; a mapping of totals keeps its keys at 0.
    """
    truth = copy.deepcopy(truth)
    for name in truth["null_study"]["zeroed"]:
        if name in keep:
            continue
        *path, last = name.split(".")
        holder = truth
        for step in path:
            holder = holder[step]
        holder[last] = _zero(holder[last], keys=name == "paths.total")
    return truth


def planted(truth: dict, finding: str) -> dict:
    """A null truth that keeps what one finding's rule depends on.

    Raises
    ------
    StudyError
        If the population does not say what the finding depends on.
    """
    plants = truth["null_study"]["plants"]
    if finding not in plants:
        raise StudyError(
            f"population.yml does not say what finding {finding!r} needs (1 setting); {len(plants)} can be planted: "
            f"{', '.join(sorted(plants))}"
        )
    return nullified(truth, keep=tuple(plants[finding]))


def _zero(value, *, keys: bool):
    if isinstance(value, dict):
        return dict.fromkeys(value, 0.0) if keys else {}
    return 0.0


def list_parameters(folder: Path) -> list[dict[str, str]]:
    """Every parameter behind a study folder's synthetic records, and where its value is from, in words.

    Returns
    -------
    list of dict
        ``parameter``, ``source`` (``published`` with exhibit and line, or ``assumed``) and ``reason``; empty where
        the folder has no ``population.yml``.
    """
    path = Path(folder) / "population.yml"
    if not path.is_file():
        return []
    content, faults = read_yaml(path)
    if faults:
        raise StudyError(fault_text(faults))
    return [
        {
            "parameter": name.replace(".", ": ").replace("_", " "),
            "source": _source(entry.get("published")),
            "reason": str(entry.get("assumed") or entry.get("note") or ""),
        }
        for name, entry in parameters(content)
    ]


def _source(published: dict | None) -> str:
    if not published:
        return "assumed"
    places = [f"{key} {value}" for key, value in published.items() if value is not None]
    return f"published: {', '.join(places)}" if places else "published"
