"""What the project's campaigns found, for the sentences that quote them.

A campaign is a script of ``benchmarks`` that runs for minutes to hours; its result, with date, commit and seed,
lies in ``benchmarks/results``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from lib.errors import BuildError
from lib.report.cache import CAMPAIGNS
from lib.show.facts import fact_html
from lib.show.prose import Words
from lib.study.codebook import nearest
from lib.study.load import project_root


class Campaign(Words):
    """A stored result, or a part of one; its entries are fields of a template, such as ``{leaks.found}``."""

    rows = ()

    def __init__(self, name: str):
        folder = project_root() / CAMPAIGNS
        path = folder / f"{name}.json"
        if not path.is_file():
            known = [found.stem for found in folder.glob("*.json")]
            raise BuildError(
                f"{CAMPAIGNS} holds no result {name!r}{nearest(name, known)}; run its script in benchmarks"
            )
        self._record, self._source = json.loads(path.read_text("utf-8")), f"{CAMPAIGNS}/{path.name}"

    def at(self, *keys: str) -> Campaign:
        """A part of the result: the entry under the keys, one below the other."""
        record = self._record
        for key in keys:
            if not isinstance(record, dict) or key not in record:
                known = record if isinstance(record, dict) else ()
                raise BuildError(f"{self._source} has no entry {key!r}{nearest(key, known)}")
            record = record[key]
        return self._part(record, keys)

    def extremes(self, *keys: str) -> Campaign:
        """``lowest``, ``highest`` and ``count`` of the numbers under the keys; ``"*"`` stands for every key."""
        found = sorted(_numbers(self._record, keys))
        if not found:
            raise BuildError(f"{self._source} has no number under {' / '.join(keys)}")
        return self._part({"lowest": found[0], "highest": found[-1], "count": len(found)}, keys)

    def _part(self, record: object, keys: tuple[str, ...]) -> Campaign:
        part = object.__new__(Campaign)
        part._record, part._source = record, ", ".join([self._source, *keys])
        return part

    def render(self, attribute: str, spec: str) -> str:
        """Markdown of one entry; without a name, of the part itself: its number, or how many entries it has."""
        found = self.at(attribute) if attribute else self
        entries = isinstance(found._record, (dict, list))
        return fact_html(len(found._record) if entries else found._record, found._source, spec)


def campaign(name: str) -> Campaign:
    """The stored result of a campaign, such as ``disclosure_leaks``.

    Raises
    ------
    BuildError
        If there is none.
    """
    return Campaign(name)


def _numbers(record: object, keys: tuple[str, ...]) -> Iterator[float]:
    if not keys:
        if isinstance(record, (int, float)):
            yield record
    elif isinstance(record, dict):
        for name in record if keys[0] == "*" else {keys[0]} & record.keys():
            yield from _numbers(record[name], keys[1:])
