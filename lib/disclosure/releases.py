"""The ledger of releases: which populations were published before, by name and levels only.

A release is one JSON file in the study's folder ``releases``. It holds no count and nothing hidden;
the figures of a release that later releases are checked against are its populations (D6).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from lib.disclosure.differencing import Rule, cells_of, derivable_sets
from lib.disclosure.members import among_respondents, members
from lib.disclosure.prior import printed_populations
from lib.errors import DisclosureError
from lib.study.load import Study

VERSION = 1
FOLDER = "releases"


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


def write_release(study: Study, name: str, populations: Iterable[Rule]) -> Path:
    """Add a release to the ledger.

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
    path = Path(study.folder) / FOLDER / f"{name}.json"
    if path.exists():
        raise DisclosureError(f"release {name!r} is in the ledger already (1 file); choose another name")
    rules = sorted(
        {
            json.dumps({key: sorted(_listed(levels)) for key, levels in rule.items()}, sort_keys=True)
            for rule in populations
        }
    )
    new = [json.loads(rule) for rule in rules]
    opened = newly_derivable(study, new)
    if opened:
        raise DisclosureError(
            f"{len(opened)} sets of fewer than {study.codebook.disclosure.k} students would follow from this and "
            "earlier releases; leave out populations that choose_lattice refuses"
        )
    path.parent.mkdir(exist_ok=True)
    content = {"version": VERSION, "name": name, "study": study.codebook.title, "populations": new}
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    return path


def newly_derivable(study: Study, populations: Iterable[Rule]) -> list[str]:
    """Small sets that follow from these populations and earlier releases, but not from the earlier ones alone."""
    settings = study.codebook.disclosure
    before = [among_respondents(rule, study.codebook) for rule in released_populations(study)]
    new = [among_respondents(rule, study.codebook) for rule in populations]
    columns = sorted({column for rule in [*before, *new] for column in rule} or {study.codebook.cluster})
    cells = cells_of(study.students.loc[members(study)].reset_index(drop=True), columns)
    known = set(derivable_sets(cells, before, k=settings.k, columns=settings.differencing_columns))
    opened = derivable_sets(cells, [*before, *new], k=settings.k, columns=settings.differencing_columns)
    return [words for words in opened if words not in known]


def _listed(levels) -> list[str]:
    return [levels] if isinstance(levels, str) else list(levels)
