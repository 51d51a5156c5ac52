"""The ledger of releases: which populations were published before, by name and levels only.

A release is one JSON file in the study's folder ``releases``. It holds no count and nothing hidden;
the figures of a release that later releases are checked against are its populations (D6).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lib.disclosure.differencing import Cells, Release, Rule, cells_of, describe, small_sets
from lib.disclosure.members import among_respondents, members
from lib.disclosure.prior import printed_populations
from lib.errors import DisclosureError
from lib.study.load import Study

VERSION = 1
FOLDER = "releases"
NAME = re.compile(r"\w[\w.-]*")
SOME = 5


def read_releases(study: Study) -> dict[str, list[dict[str, tuple[str, ...]]]]:
    """Populations of each earlier release of a study, by release name.

    Raises
    ------
    DisclosureError
        If a file of the ledger is not one.
    """
    found = {}
    for path in sorted((Path(study.folder) / FOLDER).glob("*.json")):
        try:
            content = json.loads(path.read_text("utf-8"))
            rules = [{name: tuple(levels) for name, levels in one.items()} for one in content["populations"]]
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise DisclosureError(
                f"{FOLDER}/{path.name} is not a release ledger ({type(error).__name__}); restore it from version control"
            ) from None
        found[path.stem] = rules
    return found


def released_populations(study: Study) -> list[dict[str, tuple[str, ...]]]:
    """Populations of all earlier releases together, those that the study's own report printed among them."""
    return [*printed_populations(study), *(rule for rules in read_releases(study).values() for rule in rules)]


def check_release_name(study: Study, name: str) -> Path:
    """The file of a new release.

    Raises
    ------
    DisclosureError
        If the name is no file name, or is taken.
    """
    if not NAME.fullmatch(name):
        raise DisclosureError(
            f"{name!r} is no name for a release; use letters, digits, '-' and '_', such as 2026-spring"
        )
    path = Path(study.folder) / FOLDER / f"{name}.json"
    if path.exists():
        raise DisclosureError(f"release {name!r} is in the ledger already (1 file); choose another name")
    return path


@contextmanager
def recorded_release(study: Study, name: str, populations: Iterable[Rule]) -> Iterator[Path]:
    """Add a release to the ledger, once all that stands under ``with`` has gone well.

    Parameters
    ----------
    study : Study
    name : str
        File name of the release, without ending.
    populations : iterable of rule
        Column -> levels of every population whose statistics the release shows; everybody is ``{}``.

    Raises
    ------
    DisclosureError
        If the name is taken, or a set of fewer than k students follows from this and the earlier releases
        that did not follow from the earlier ones alone.
    """
    path = check_release_name(study, name)
    rules = sorted(
        {
            json.dumps({key: sorted(_listed(levels)) for key, levels in rule.items()}, sort_keys=True)
            for rule in populations
        }
    )
    new = [json.loads(rule) for rule in rules]
    words = opening_words(study, new)
    if words:
        raise DisclosureError(words)
    content = {"version": VERSION, "name": name, "study": study.codebook.title, "populations": new}
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".partial")
    try:
        partial.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
        yield path
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
        if not any(path.parent.iterdir()):
            path.parent.rmdir()


def write_release(study: Study, name: str, populations: Iterable[Rule]) -> Path:
    """Add a release to the ledger; parameters and errors are those of ``recorded_release``."""
    with recorded_release(study, name, populations) as path:
        return path


def opening_words(study: Study, populations: Iterable[Rule]) -> str:
    """What populations would open beside earlier releases, and what to do about it; empty for nothing."""
    populations = list(populations)
    opened = newly_derivable(study, populations)
    if not opened:
        return ""
    k = study.codebook.disclosure.k
    named = sorted({_words(rule) for rule in _opening(study, populations)})
    others = f" and {len(named) - SOME} more" if len(named) > SOME else ""
    before = ", ".join(read_releases(study)) or "none but the study's own report"
    return (
        f"{len(opened)} groups of fewer than {k} students would follow from this site and earlier releases ({before}); "
        f"leave out {'; '.join(named[:SOME])}{others} (populations and filter_columns of codebook.yml), or, if an earlier "
        f"release was never given out, delete its file from {FOLDER}/"
    )


def _opening(study: Study, populations: list[Rule]) -> list[Rule]:
    """Populations to leave out, taking the largest first, so that nothing follows from the others."""
    release, new = _after_earlier(study, populations)
    cells, refused = release.cells, []
    for rule in sorted(new, key=lambda rule: -cells.size(cells.indicator(rule))):
        if len(release.reveals(cells.indicator(rule))):
            refused.append(rule)
        else:
            release.publish(cells.indicator(rule))
    return refused


def _after_earlier(study: Study, populations: Iterable[Rule]) -> tuple[Release, list[Rule]]:
    """Earlier releases, with what they give away conceded, and rules of populations to come."""
    settings = study.codebook.disclosure
    before = [among_respondents(rule, study.codebook) for rule in released_populations(study)]
    new = [among_respondents(rule, study.codebook) for rule in populations]
    cells = _cells(study, [*before, *new])
    release = Release(cells, small_sets(cells, k=settings.k, columns=settings.differencing_columns))
    for rule in before:
        release.publish(cells.indicator(rule))
    release.concede()
    return release, new


def _words(rule: Rule) -> str:
    parts = (f"{column}={'|'.join(_listed(levels))}" for column, levels in rule.items())
    return " & ".join(parts) or "all students"


def _cells(study: Study, rules: list[Rule]) -> Cells:
    columns = sorted({column for rule in rules for column in rule} or {study.codebook.cluster})
    return cells_of(study.students.loc[members(study)].reset_index(drop=True), columns)


def newly_derivable(study: Study, populations: Iterable[Rule]) -> list[str]:
    """Small sets that follow from these populations and earlier releases, but not from the earlier ones alone."""
    release, new = _after_earlier(study, populations)
    for rule in new:
        release.publish(release.cells.indicator(rule))
    return [describe(release.cells, release.sets[place]) for place in release.revealed()]


def _listed(levels) -> list[str]:
    return [levels] if isinstance(levels, str) else list(levels)
