"""The audit: attack a finished site as a reader with no inside knowledge, and name what it gives away.

Every byte of every file is read and unpacked; words, structures, numbers and sums are looked at. With
the study at hand the audit also looks for its records and applies the exact rank test (D6) to all
populations that the site and earlier releases publish together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pandas as pd

from lib.disclosure.derive import collect, derivable
from lib.disclosure.grids import tables_in
from lib.disclosure.leaks import Leak, Records, records_of, suspicious, telltales
from lib.disclosure.prior import printed_numbers
from lib.disclosure.readers import Fragment, fragments
from lib.disclosure.releases import opening_words
from lib.disclosure.rowlevel import row_level
from lib.disclosure.smallcells import holds_results, is_sentence, small_cells, small_results
from lib.disclosure.states import decoded_cubes, differencing_leaks, filter_states, populations_of
from lib.errors import DisclosureError
from lib.study.codebook import DisclosureSettings
from lib.study.load import Study

__all__ = ["Audit", "Leak", "attack_site", "audit_site"]


@dataclass(frozen=True)
class Audit:
    """What an attacker finds in a site.

    Attributes
    ----------
    leaks : tuple of Leak
        In the order of the files; empty where nothing was found. No message repeats a student's value.
    populations : tuple of rule
        Column -> levels of every population of whom the site shows something; needs the study.
    """

    leaks: tuple[Leak, ...]
    populations: tuple[dict[str, tuple[str, ...]], ...] = ()


def audit_site(site: Path, *, study: Study | None = None) -> list[Leak]:
    """The leaks that ``attack_site`` finds; parameters and errors are the same."""
    return list(attack_site(site, study=study).leaks)


def attack_site(site: Path, *, study: Study | None = None) -> Audit:
    """Attack a finished site with everything there is.

    Parameters
    ----------
    site : Path
        Folder of the finished site.
    study : Study, optional
        Its records are looked for, its codebook's settings used, and its earlier releases counted in;
        where it is synthetic, figures of its own report count as printed (D16). Without it, what the pages
        themselves mark as printed is believed.

    Returns
    -------
    Audit

    Raises
    ------
    DisclosureError
        If there is no such folder, or it holds no file.
    """
    site = Path(site)
    if not site.is_dir() or not any(path.is_file() for path in site.rglob("*")):
        raise DisclosureError(f"there is no site in {site.name!r} (0 files found); build it with `lwo build`")
    settings = study.codebook.disclosure if study else DisclosureSettings()
    records, printed = records_of(study), printed_numbers(study)
    counts, populations, results, found = [], {}, [], []
    for read, told in _worth_reading(fragments(site), records):
        found += telltales(read, records) if told else ()
        for fragment in with_tables(read):
            found += _leaks_in(fragment, records, settings, printed)
            if fragment.kind != "table":
                continue
            collect(counts, fragment)
            results += [fragment] if holds_results(fragment.content) else []
            states = filter_states(fragment.content)
            if states is not None:
                found += differencing_leaks(fragment.file, fragment.place, *states, settings)
            for rule in populations_of(fragment.content, states, study.codebook) if study else ():
                key = frozenset((column, tuple(sorted(levels))) for column, levels in rule.items())
                populations.setdefault(key, (fragment.file, fragment.place, rule))
    found += small_results(results, settings, printed=printed)
    found += [leak for printed in counts for leak in derivable(printed, settings)]
    known = list(populations.values())
    if study is not None and study.students is not None:
        known = [one for one in known if set(one[-1]) <= set(study.students)]
        found += _between_releases(study, known)
    first = {(leak.kind, leak.file, leak.place): leak for leak in reversed(found)}
    leaks = sorted(first.values(), key=lambda leak: (leak.file, leak.place, leak.kind))
    return Audit(tuple(leaks), tuple(rule for *_, rule in known))


def _worth_reading(read: Iterator[Fragment], records: Records) -> Iterator[tuple[Fragment, bool]]:
    """Fragments, and whether telltales may stand in them; without texts that hold neither telltale nor sentence."""
    for _, together in groupby(read, key=lambda fragment: fragment.file):
        texts: dict[str, list[Fragment]] = {"text": [], "code": []}
        for fragment in together:
            if fragment.kind not in texts:
                yield fragment, False
            else:
                texts[fragment.kind].append(fragment)
        for kind, many in texts.items():
            told = suspicious([fragment.content for fragment in many], records, code=kind == "code")
            named = ((one, told or one.place == "file name") for one in many)
            yield from ((one, worth) for one, worth in named if worth or is_sentence(one))


def with_tables(fragment: Fragment) -> Iterator[Fragment]:
    """A fragment, and after a parsed value the tables it holds."""
    yield fragment
    if fragment.kind == "data":
        for path, table in (*tables_in(fragment.content), *decoded_cubes(fragment.content)):
            yield Fragment(fragment.file, fragment.place + path, "table", table)


def _leaks_in(
    fragment: Fragment, records: Records, settings: DisclosureSettings, printed: frozenset[float] | None
) -> Iterator[Leak]:
    if fragment.kind not in ("text", "code"):
        yield from row_level(fragment, records)
        if fragment.place.endswith("Parquet"):
            yield from _cells_of(fragment, records)
    yield from small_cells(fragment, settings, printed=printed)


def _cells_of(fragment: Fragment, records: Records) -> Iterator[Leak]:
    """Telltales in the cells of a table whose bytes are packed."""
    table: pd.DataFrame = fragment.content
    words = "\n".join(" ".join(map(str, values)) for values in table.astype(str).itertuples(index=False))
    yield from telltales(Fragment(fragment.file, fragment.place, "text", words), records)


def _between_releases(study: Study, populations: list[tuple[str, str, dict]]) -> Iterator[Leak]:
    words = opening_words(study, [rule for *_, rule in populations]) if populations else ""
    if words:
        file, place, _ = populations[-1]
        yield Leak("differencing", file, place, words)
